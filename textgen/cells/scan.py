"""A cell over time with its gradient (backpropagation through time), for every cell.

Out of the loop: the products with the input, before it, and the gradient of the recurrent kernel,
after it, each one large product. In the loop, per step: one product with h_{t-1}, and everything
else, element by element. Products run in the type of the input (bfloat16 where the hardware has
it), the element-wise part and the state never below float32.

What XLA compiles: the whole loop, once for each length it meets. Where nothing is traced, or where
the products are bfloat16 and the processor multiplies matrices of them in tiles (AMX), each step
but its product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from textgen.arrays import Array, Arrays, DType
from textgen.backend import by_xla, has_amx, tf
from textgen.cells.array_functions import concat, split
from textgen.cells.cell import Cell, Weights
from textgen.cells.products import flat, of_kernel, wide


def scan(
    cell: Cell, a: Array, weights: Weights, state: Arrays, dtype: DType | None = None
) -> tuple[Array, Arrays]:
    """Run `cell` from `state` over a [T, B, G U], the product of the input with the kernel.

    weights: all but the kernel are read. state: of [B, U] each. dtype: of the products in the loop
    and of what it returns; that of `a` if not given.
    Returns (h_1 ... h_T [T, B, U] in that type, state after the last step).
    """
    dtype = dtype or a.dtype
    kernel = (tf.cast(weights["recurrent_kernel"], dtype),) if cell.recurrent else ()
    loops = compiled(cell, a.dtype.name, dtype.name, compiles_whole(dtype))
    biases, state, extra = (
        tuple(tf.cast(part, loops.wide) for part in parts)
        for parts in (cell.biases(weights), state, cell.extra(weights))
    )
    inputs = (a, kernel, biases, state, extra)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(*parts: Array) -> tuple[Arrays, Callable[..., Arrays]]:
        # an eager tape would record the loop as well, and XLA cannot compile what it records
        unrecorded = [tf.stop_gradient(part) for part in parts]
        a, kernel, biases, start, extra = tf.nest.pack_sequence_as(inputs, unrecorded)
        over_time, end, pre = loops.forward(a, kernel, biases, start, extra)
        hidden, before = over_time[0], over_time[-len(start) :]

        def gradient(d_hidden: Array, *d_end: Array) -> Arrays:
            # turned by TensorFlow: XLA would do it in every step, and multiplies what it turns
            # itself as float32
            turned = tuple(tf.transpose(k) for k in kernel) if loops.whole else kernel
            d_pre, d_state, d_extra = loops.backward(turned, extra, before, pre, d_hidden, d_end)
            da, dp = d_pre[0], d_pre[-1]
            d_biases = [over_all(d) for d, _ in zip((da, dp), biases, strict=False)]
            d_kernel = [of_kernel(flat(hidden[:-1]), flat(dp)) for _ in kernel]
            return da, *d_kernel, *d_biases, *d_state, *d_extra

        return (hidden[1:], *end), gradient

    hidden, *end = run(*tf.nest.flatten(inputs))
    return hidden, tuple(end)


def compiles_whole(dtype: DType) -> bool:
    """Whether XLA compiles the loop with products of this type as one program."""
    return not tf.executing_eagerly() and (dtype == wide(dtype) or not has_amx())


def taken(dtype: DType) -> DType:
    """The type in which a loop with products in `dtype` reads its input fastest."""
    return wide(dtype) if compiles_whole(dtype) else dtype


@functools.cache
def compiled(cell: Cell, given: str, dtype: str, whole: bool) -> Loops:
    """Compiled once for all layers of a cell, in whatever model: the loops hold no weights."""
    return Loops(cell, tf.as_dtype(given), tf.as_dtype(dtype), whole)


class Loops:
    """The loops forward and backward, for inputs of the type `given` and products of `dtype`.

    whole: compile them as one program each, else their steps.
    """

    def __init__(self, cell: Cell, given: DType, dtype: DType, whole: bool) -> None:
        self.cell = cell
        self.given = given
        self.type = dtype
        self.wide = wide(dtype)
        # of the arrays over time: to write a step of a narrow one XLA converts all of its steps
        self.kept = self.wide if whole else dtype
        self.whole = whole
        self.pre_blocks = cell.joined or len(cell.blocks)
        self.step, self.step_back = self._step, self._step_back
        self.forward, self.backward = self._forward, self._backward
        if whole:
            self.forward, self.backward = by_xla(self._forward), by_xla(self._backward)
        else:
            self.step, self.step_back = by_xla(self._step), by_xla(self._step_back)

    # --- one step -----------------------------------------------------------------------------

    def _step(
        self, a: Array, p: Array, biases: Arrays, state: Arrays, extra: Arrays
    ) -> tuple[Array, Array, Arrays]:
        """(pre as it is kept, h_t in the same type, the new state)."""
        a = tf.cast(a, self.wide)
        if p is None:
            pre = a + biases[0]
        elif self.cell.joined:
            pre = self.cell.join(a + biases[0], sum(biases[1:], tf.cast(p, self.wide)))
        else:
            pre = by_block(len(self.cell.blocks), [a, tf.cast(p, self.wide), *biases])
        new = self.cell.update(pre, state, extra)
        return tf.cast(pre, self.kept), tf.cast(new[0], self.kept), new

    def _step_back(
        self, pre: Array, state: Arrays, extra: Arrays, dh: Arrays, d_new: Arrays
    ) -> tuple[Array, Array, Arrays, Arrays]:
        """(d pre, dp, d state, d extra): the gradients with respect to each.

        dh: those with respect to h_t that come from the layer above and from the product of the
        next step, [B, U] each. d_new: that with respect to the new state, by all other ways.
        """
        pre = tf.cast(pre, self.wide)
        state = tuple(tf.cast(part, self.wide) for part in state)
        d_new = (sum((tf.cast(part, self.wide) for part in dh), d_new[0]), *d_new[1:])
        with tf.GradientTape() as tape:
            tape.watch([pre, *state, *extra])
            new = self.cell.update(pre, state, extra)
        d_pre, *rest = tape.gradient(
            new, [pre, *state, *extra], list(d_new), unconnected_gradients="zero"
        )
        d_pre = tf.cast(d_pre, self.kept)
        dp = self.cell.unjoin(d_pre)[1]
        return d_pre, dp, tuple(rest[: len(state)]), tuple(rest[len(state) :])

    def _product(self, x: Array, kernel: Array, turned: bool = False) -> Array:
        """x [B, D] @ kernel [D, N], in the wide type where XLA compiles it; turned: [N, D]."""
        if not self.whole:
            return tf.matmul(x, kernel, transpose_b=turned)
        # a product that adds up in float32 is one that XLA has made for bfloat16, too
        return tf.raw_ops.BatchMatMulV3(x=tf.cast(x, kernel.dtype), y=kernel, Tout=self.wide)

    def _at(self, x: Array, t: Array, number: int) -> Array:
        """x[t], of `number` blocks, of x [T, B, number U]."""
        if not self.whole:
            return x[t]
        # each by itself: of what is fused with several blocks of one slice XLA makes scalar code
        _, rows, width = x.shape
        size = width // number
        parts = (tf.slice(x, (t, 0, k * size), (1, rows, size)) for k in range(number))
        return concat([part[0] for part in parts])

    # --- over time ----------------------------------------------------------------------------

    def _forward(
        self, a: Array, kernel: Arrays, biases: Arrays, start: Arrays, extra: Arrays
    ) -> tuple[Arrays, Arrays, Array]:
        """(the state before each step and after the last [T + 1, B, U] each, end state, pre).

        Where h is kept in another type than that of the products, it comes first in that one.
        """
        length = tf.shape(a)[0]
        a = tf.cast(a, self.kept)
        first = (tf.cast(start[0], self.kept), *start[1:])
        pre = array(length, a, self.pre_blocks * start[0].shape[1])
        before = tuple(array(length + 1, part).write(0, part) for part in first)

        def body(t: Array, h: Array, state: Arrays, pre: Array, before: Arrays) -> Arrays:
            p = self._product(h, kernel[0]) if kernel else None
            a_t = self._at(a, t, len(self.cell.blocks))
            pre_t, h, state = self.step(a_t, p, biases, state, extra)
            parts = zip(before, (h, *state[1:]), strict=True)
            return t + 1, h, state, pre.write(t, pre_t), tuple(b.write(t + 1, v) for b, v in parts)

        _, _, end, pre, before = loop(length, body, (0, first[0], start, pre, before))
        states = tuple(b.stack() for b in before)
        # not twice the same: XLA would copy it
        narrow = () if self.kept == self.type else (tf.cast(states[0], self.type),)
        return (*narrow, *states), end, pre.stack()

    def _backward(
        self,
        kernel: Arrays,
        extra: Arrays,
        before: Arrays,
        pre: Array,
        d_hidden: Array,
        d_end: Arrays,
    ) -> tuple[Arrays, Arrays, Arrays]:
        """((da, dp) or, where they are the same, (da,); d state; d extra).

        kernel: the recurrent one, turned where XLA compiles the whole.
        """
        length = tf.shape(pre)[0]
        d_extra = tuple(tf.zeros_like(part) for part in extra)

        def body(s: Array, dh: Arrays, d_state: Arrays, d_extra: Arrays, d_pre: Array) -> Arrays:
            t = length - 1 - s
            state = tuple(part[t] for part in before)
            pre_t = self._at(pre, t, self.pre_blocks)
            d_pre_t, dp, d_state, more = self.step_back(
                pre_t, state, extra, (d_hidden[t], *dh), d_state
            )
            if kernel:
                dh = (self._product(dp, kernel[0], turned=True),)
            d_extra = tuple(d + m for d, m in zip(d_extra, more, strict=True))
            return s + 1, dh, d_state, d_extra, d_pre.write(t, d_pre_t)

        dh = (tf.zeros_like(d_hidden[0], self.kept),) if kernel else ()
        # one array: where a step writes da and dp, XLA shares its parts out among threads, and the
        # loops of two halves of a batch wait for one another
        begin = (0, dh, d_end, d_extra, array(length, pre))
        _, dh, d_state, d_extra, d_pre = loop(length, body, begin)
        d_state = (sum((tf.cast(part, self.wide) for part in dh), d_state[0]), *d_state[1:])
        da, dp = self.cell.unjoin(d_pre.stack())
        d_pre = [tf.cast(da, self.given)]
        if dp is not da or self.given != self.type:
            d_pre.append(tf.cast(dp, self.type))
        return tuple(d_pre), d_state, d_extra


def by_block(number: int, terms: list[Array]) -> Array:
    """The sum of arrays [..., G U] of `number` blocks, added up block by block.

    The same numbers as those of the plain sum. But where a step reads several blocks of one sum,
    XLA makes scalar code of all that it fuses with them, which takes four times as long.
    """
    blocks = zip(*(split(term, number) for term in terms), strict=True)
    return concat([sum(block[1:], block[0]) for block in blocks])


def array(length: Array, like: Array, width: int | None = None) -> Array:
    """A TensorArray of `length` values [B, width] with the type, the B and the width of `like`."""
    shape = (like.shape[-2], width or like.shape[-1])
    return tf.TensorArray(like.dtype, length, element_shape=shape)


def loop(length: Array, body: Callable[..., Arrays], begin: Arrays) -> Arrays:
    """Variables after `length` steps of `body`, from `begin` on; the first counts the steps."""
    variables: Arrays = tf.while_loop(
        lambda t, *_: t < length, body, begin, parallel_iterations=1, maximum_iterations=length
    )
    return variables


def over_all(x: Array) -> Array:
    """The sum of x [T, B, N] over T and B, in the wide type."""
    return tf.cast(tf.reduce_sum(flat(x), 0), wide(x.dtype))
