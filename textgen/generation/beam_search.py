"""Beam search (Lowerre 1976): the likeliest text, or nearly, instead of a drawn one. Ids only.

K beginnings are held. Each is continued by every token, and of those K V longer ones the likeliest
K are held. With K = 1 that is greedy; with K at least V ** (length - 1) nothing is lost, and the
likeliest text of all comes out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from textgen.arrays import Array, Arrays, State
from textgen.generation.decoder import Decoder, Step, newest
from textgen.generation.sampling import NEVER, Transform


def beam_search(
    decoder: Decoder,
    prompt: list[int],
    transforms: tuple[Transform, ...],
    num_beams: int,
    length: int,
    top_logprobs: int = 0,
) -> Iterator[Step]:
    """The steps of the best continuation of `prompt` that K = `num_beams` beams come upon, of
    `length` tokens, as those of a batch of one text.

    It is judged by the sum of the logarithms of its tokens' probabilities after `transforms`; as in
    sampling, the logprobs of a step are those of the model itself.
    """
    network = decoder.network
    ops = network.ops
    logits, state = decoder.prefill([prompt] * num_beams)
    history: Array = newest([prompt] * num_beams)
    # all beams begin alike: only one of them may be continued at first
    scores: Array = np.array([0.0] + [NEVER] * (num_beams - 1), np.float32)

    def extend(logits: Array, state: State, history: Array, scores: Array) -> Arrays:
        """The next (logits [K, V], state, history, scores [K]), and of each beam (the beam it
        continues, and the parts of its `Step`)."""
        logits = decoder.mixed(logits, history)
        logits = ops.where(decoder.allowed(history), logits, NEVER)
        logprobs = ops.log_softmax(logits, axis=-1)
        changed = logits
        for transform in transforms:
            changed = transform(changed, history)
        totals = scores[:, None] + ops.log_softmax(changed, axis=-1)
        scores, best = ops.top_k(ops.reshape(totals, (-1,)), num_beams)
        parents, ids = best // network.vocab_size, ops.cast(best % network.vocab_size, "int32")
        chosen = ops.take(ops.reshape(logprobs, (-1,)), best)
        top, top_ids = ops.top_k(logprobs, max(top_logprobs, 1))
        state = tuple(tuple(ops.take(part, parents, axis=0) for part in layer) for layer in state)
        history = ops.take(history, parents, axis=0)
        history = ops.concatenate([history[:, 1:], ids[:, None]], axis=1)
        logits, state = network.step(ids, state)
        columns = (parents, ids, chosen, ops.take(top_ids, parents, 0), ops.take(top, parents, 0))
        return logits, state, history, scores, columns

    program = decoder.program(extend)
    course: list[Arrays] = []
    for _ in range(length):
        logits, state, history, scores, columns = program(logits, state, history, scores)
        course.append(tuple(np.asarray(column) for column in columns))
    best, steps = 0, []  # of the last step; top_k puts the best first
    for parents, ids, chosen, top_ids, top in reversed(course):
        one = slice(best, best + 1)
        steps.append(
            Step(ids[one], chosen[one], top_ids[one, :top_logprobs], top[one, :top_logprobs])
        )
        best = int(parents[best])
    yield from reversed(steps)
