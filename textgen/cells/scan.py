"""A recurrence over time with its gradient (backpropagation through time), for every cell.

Out of the loop: the products with the input, before it, and the gradient of the recurrent kernel,
after it, each one large product. In the loop, per step: one product with h_{t-1}, and everything
else, element by element. Products run in the type of the input (bfloat16 where the hardware has
it), the element-wise part and the state never below float32.

What XLA compiles: the whole loop, once for each length it meets, and each core runs it on its share
of the batch; where the products are bfloat16, which XLA multiplies slowly on a CPU, or nothing is
traced, each step but its product.
"""

from __future__ import annotations

import os
from typing import Any

from textgen.backend import tf

Arrays = tuple[Any, ...]
FEWEST = 8  # rows that are worth a core of their own


def scan(
    cell: Any, a: Any, kernel: Any | None, bias: Any | None, state: Arrays, extra: Arrays
) -> tuple[Any, Arrays]:
    """Run `cell` from `state` over a [T, B, G U], the product with the input.

    kernel [U, G U] and bias [G U]: for the product with h_{t-1}, if the cell has one.
    extra: weights that `cell.update` reads.
    Returns (h_1 ... h_T [T, B, U] in the type of `a`, state after the last step).
    """
    if not cell.RECURRENT:
        # no product in the loop, so nothing to gain from bfloat16
        hidden, end = _scan(cell, tf.cast(a, wide(a.dtype)), (), state, extra)
        return tf.cast(hidden, a.dtype), end
    weights = tuple(tf.cast(part, a.dtype) for part in (kernel, bias) if part is not None)
    return _scan(cell, a, weights, state, extra)


def wide(dtype: Any) -> Any:
    """The type of the state and of all that is done element by element."""
    return tf.float64 if dtype == tf.float64 else tf.float32


def compiles_whole(dtype: Any) -> bool:
    """Whether XLA compiles the loop over inputs of this type as one program."""
    return not tf.executing_eagerly() and dtype == wide(dtype)


def side_by_side(batch_size: int | None, dtype: Any) -> int:
    """How many parts a batch is read in at the same time.

    A compiled loop keeps one core busy, and rows do not meet: so each core takes its share of them.
    """
    if not compiles_whole(dtype) or batch_size is None:
        return 1
    return next(n for n in range(cores(), 0, -1) if batch_size % (n * FEWEST) == 0 or n == 1)


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _scan(cell: Any, a: Any, weights: Arrays, state: Arrays, extra: Arrays) -> tuple[Any, Arrays]:
    steps = cell.steps(a.dtype, compiles_whole(a.dtype))
    extra = tuple(tf.cast(part, steps.wide) for part in extra)
    state = tuple(tf.cast(part, steps.wide) for part in state)

    inputs = (a, weights, state, extra)

    @tf.custom_gradient
    def run(*parts: Any) -> Any:
        # an eager tape would record the loop as well, and XLA cannot compile what it records
        own = [tf.stop_gradient(part) for part in parts]
        a, weights, start, more = tf.nest.pack_sequence_as(inputs, own)
        hidden, end, saved = steps.forward(a, weights, start, more)

        def gradient(d_hidden: Any, *d_end: Any) -> Any:
            da, dp, d_state, d_extra = steps.backward(
                weights, start, more, hidden, saved, d_hidden, d_end
            )
            d_weights: Arrays = ()
            if weights:
                # the state before each step
                before = tf.concat([tf.cast(start[0], a.dtype)[None], hidden[:-1]], 0)
                d_weights = (tf.matmul(flat(before), flat(dp), transpose_a=True),)
            if len(weights) == 2:
                d_weights += (tf.reduce_sum(flat(dp), 0),)
            return (da, *d_weights, *d_state, *d_extra)

        return (hidden, *end), gradient

    hidden, *end = run(*tf.nest.flatten(inputs))
    return hidden, tuple(end)


class Steps:
    """The loops forward and backward, for inputs of one type.

    whole: compile them as one program each, else their steps.
    """

    def __init__(self, cell: Any, dtype: Any, whole: bool) -> None:
        self.cell = cell
        self.type = dtype
        self.wide = wide(dtype)
        self.one, self.one_back = self._one, self._one_back
        self.forward, self.backward = self._forward, self._backward
        for name in ("forward", "backward") if whole else ("one", "one_back"):
            setattr(self, name, tf.function(getattr(self, name), jit_compile=True))

    # --- one step -----------------------------------------------------------------------------

    def _one(self, a: Any, p: Any, bias: Arrays, state: Arrays, extra: Arrays) -> Any:
        """(z as it is kept for the way back, h_t for the product, the new state)."""
        z = tf.cast(a, self.wide)
        if p is not None:
            p = tf.cast(p, self.wide)
            z = self.cell.join(z, p + tf.cast(bias[0], self.wide) if bias else p)
        new = self.cell.update(z, state, *extra)
        return tf.cast(z, self.type), tf.cast(new[0], self.type), new

    def _one_back(self, z: Any, state: Arrays, extra: Arrays, dh: Arrays, d_new: Arrays) -> Any:
        """(da, dp, d state, d extra). dh [B, U] each: what the layer above wants of h_t, and what
        the product of the next step does."""
        z = tf.cast(z, self.wide)
        state = tuple(tf.cast(part, self.wide) for part in state)
        d_new = (sum((tf.cast(part, self.wide) for part in dh), d_new[0]), *d_new[1:])
        with tf.GradientTape() as tape:
            tape.watch([z, *state, *extra])
            new = self.cell.update(z, state, *extra)
        found = tape.gradient(new, [z, *state, *extra], list(d_new), unconnected_gradients="zero")
        da, dp = self.cell.unjoin(tf.cast(found[0], self.type))
        return da, dp, tuple(found[1 : 1 + len(state)]), tuple(found[1 + len(state) :])

    # --- over time ----------------------------------------------------------------------------

    def _forward(self, a: Any, weights: Arrays, start: Arrays, extra: Arrays) -> Any:
        """(hidden [T, B, U], end state, what the way back needs)."""
        length = tf.shape(a)[0]
        inputs = array(length, a, a.shape[-1]).unstack(a)
        size = start[0].shape[1]
        joined = len(self.cell.JOINED or self.cell.BLOCKS) * size
        kept = (array(length, a, joined), array(length, a, size))
        kept += tuple(array(length, part, size) for part in start[1:])

        def body(t: Any, h: Any, state: Arrays, kept: Arrays) -> Any:
            p = tf.matmul(h, weights[0]) if weights else None
            z, new_h, new = self.one(inputs.read(t), p, weights[1:], state, extra)
            values = (z, new_h, *state[1:])
            kept = tuple(k.write(t, v) for k, v in zip(kept, values, strict=True))
            return t + 1, new_h, new, kept

        begin = (0, tf.cast(start[0], self.type), start, kept)
        _, _, end, kept = loop(length, body, begin)
        z, hidden, *others = (k.stack() for k in kept)
        return hidden, end, (z, *others)

    def _backward(
        self,
        weights: Arrays,
        start: Arrays,
        extra: Arrays,
        hidden: Any,
        saved: Arrays,
        d_hidden: Any,
        d_end: Arrays,
    ) -> Any:
        """(da, dp, d state, d extra)."""
        z, *others = saved
        length = tf.shape(z)[0]
        # the state before each step
        before = tf.concat([tf.cast(start[0], self.type)[None], hidden[:-1]], 0), *others
        reads = [array(length, v, v.shape[-1]).unstack(v) for v in (z, d_hidden, *before)]
        width = len(self.cell.BLOCKS) * start[0].shape[1]
        # where `join` only adds, da and dp are one
        writes = tuple(array(length, z, width) for _ in range(2 if self.cell.JOINED else 1))
        d_extra = tuple(tf.zeros_like(part) for part in extra)

        def body(s: Any, dh: Arrays, d_state: Arrays, d_extra: Arrays, writes: Arrays) -> Any:
            t = length - 1 - s
            z, above, *state = (r.read(t) for r in reads)
            da, dp, d_state, more = self.one_back(z, tuple(state), extra, (above, *dh), d_state)
            if weights:
                dh = (tf.matmul(dp, weights[0], transpose_b=True),)
            d_extra = tuple(d + m for d, m in zip(d_extra, more, strict=True))
            writes = tuple(w.write(t, v) for w, v in zip(writes, (da, dp), strict=False))
            return s + 1, dh, d_state, d_extra, writes

        dh = (tf.zeros_like(hidden[0]),) if weights else ()
        _, dh, d_state, d_extra, writes = loop(length, body, (0, dh, d_end, d_extra, writes))
        if weights:
            d_state = (d_state[0] + tf.cast(dh[0], self.wide), *d_state[1:])
        da, *rest = (w.stack() for w in writes)
        dp = rest[0] if rest else da
        return da, dp, d_state, d_extra


def array(length: Any, like: Any, width: int) -> Any:
    """A TensorArray of `length` values [B, width] with the type and the B of `like`."""
    return tf.TensorArray(like.dtype, length, element_shape=(like.shape[-2], width))


def loop(length: Any, body: Any, begin: Any) -> Any:
    return tf.while_loop(
        lambda t, *_: t < length, body, begin, parallel_iterations=1, maximum_iterations=length
    )


def flat(x: Any) -> Any:
    """[T, B, N] -> [T B, N]."""
    return tf.reshape(x, (-1, x.shape[-1]))
