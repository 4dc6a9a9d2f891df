"""The gradient of an answer, by TensorFlow: backpropagation through time, in full.

The loop is a TensorFlow graph, not compiled by XLA: traced once for a model, it takes texts of any
length, where XLA would compile for each.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from textgen.arrays import Array, State
from textgen.backend import tf
from textgen.generation.compiled_decoder import on_tensorflow
from textgen.interpret.replay import Replay
from textgen.network import Network


@functools.lru_cache(maxsize=16)  # as many as `replay` keeps
def slopes_of(network: Network) -> Any:
    """(x, answers, weights, keep, add) -> the gradient of `Replay.score` with respect to x and add.

    Shapes are those of `Replay`; one text is read.
    """
    program = TensorReplay(on_tensorflow(network))
    x = tf.TensorSpec([None, 1, network.config.embedding_size])
    answers = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.float32)]
    edits = [tf.TensorSpec([None, program.places, 1, program.size])] * 2
    # AutoGraph finds nothing to rewrite in here, and takes a second to say so
    graph = tf.function(program.slopes, autograph=False)
    return graph.get_concrete_function(x, *answers, *edits)


class TensorReplay(Replay):
    """`Replay` over arrays of TensorFlow."""

    def slopes(
        self, x: Array, answers: Array, weights: Array, keep: Array, add: Array
    ) -> tuple[Array, Array]:
        """The gradient of `score` with respect to x and add."""
        with tf.GradientTape() as tape:
            tape.watch([x, add])
            score = self.score(x, answers, weights, keep, add)
        dx, d_add = tape.gradient(score, [x, add])
        return dx, d_add

    def read(
        self,
        x: Array,
        state: State,
        keep: Array,
        add: Array,
        first: Any,
        wanted: Sequence[int] = (),
    ) -> tuple[State, Any]:
        """`Replay.read`, as a loop of the graph."""
        length, last = tf.shape(x)[0], tf.shape(keep)[0] - 1
        reads = [tf.TensorArray(v.dtype, tf.shape(v)[0]).unstack(v) for v in (x, keep, add)]
        record: Any = ()
        if wanted:
            shape = (len(wanted), None, self.size)
            record = tf.TensorArray(x.dtype, length, element_shape=shape)

        def body(t: Any, state: State, record: Any) -> Any:
            number = tf.minimum(first + t, last)
            x_t = reads[0].read(t)
            keeps, adds = (tf.unstack(r.read(number), self.places) for r in reads[1:])
            state, values = self.one(x_t, state, keeps, adds)
            if wanted:
                record = record.write(t, tf.stack([values[place] for place in wanted]))
            return t + 1, state, record

        _, state, record = tf.while_loop(lambda t, *_: t < length, body, (0, state, record))
        return state, record.stack() if wanted else None
