"""Beam search (Lowerre 1976): the likeliest text, or nearly, instead of a drawn one. Ids only.

K beginnings are kept. Each is continued by every token, and of those K V longer ones the likeliest
K are kept. With K = 1 that is greedy; with K at least V ** (length - 1) nothing is lost, and the
likeliest text of all is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from textgen.backend import ops, tf
from textgen.generation.decoder import HISTORY, Decoder, Step
from textgen.generation.sampling import NEVER


def beam_search(
    decoder: Decoder,
    prompt: list[int],
    transforms: tuple[Any, ...],
    num_beams: int,
    length: int,
    top_logprobs: int = 0,
) -> Iterator[Step]:
    """The steps of the best continuation of `prompt` found, `length` tokens, one row.

    It is judged by the sum of the logarithms of its tokens' probabilities after `transforms`; as in
    sampling, the logprobs of a step are those of the model itself.
    """
    model, banned = decoder.model, decoder.banned
    logits, state = decoder.prefill([prompt] * num_beams)
    history = np.full((num_beams, HISTORY), -1, np.int32)
    recent = prompt[-HISTORY:]
    history[:, HISTORY - len(recent) :] = recent
    # all beams begin alike: only one of them may be continued at first
    scores = tf.constant([0.0] + [NEVER] * (num_beams - 1))
    width = model.vocab_size

    @tf.function(jit_compile=True)
    def extend(logits: Any, state: Any, history: Any, scores: Any) -> tuple[Any, ...]:
        logits = logits + banned
        own = ops.log_softmax(logits, axis=-1)
        changed = logits
        for transform in transforms:
            changed = transform(changed, history)
        totals = scores[:, None] + ops.log_softmax(changed, axis=-1)
        scores, best = ops.top_k(ops.reshape(totals, (-1,)), num_beams)
        parents, ids = best // width, best % width
        chosen = ops.take(ops.reshape(own, (-1,)), best)
        top, top_ids = ops.top_k(own, max(top_logprobs, 1))
        state = tf.nest.map_structure(lambda part: ops.take(part, parents, axis=0), state)
        history = ops.take(history, parents, axis=0)
        history = ops.concatenate([history[:, 1:], ids[:, None]], axis=1)
        logits, state = model.step(ids, state)
        kept = (parents, ids, chosen, ops.take(top_ids, parents, 0), ops.take(top, parents, 0))
        return logits, state, history, scores, kept

    course: list[list[np.ndarray]] = []
    for _ in range(length):
        logits, state, history, scores, kept = extend(logits, state, history, scores)
        course.append([part.numpy() for part in kept])
    best, steps = 0, []  # of the last step; top_k puts the best first
    for parents, ids, chosen, top_ids, top in reversed(course):
        steps.append(
            Step(
                ids[best : best + 1],
                chosen[best : best + 1],
                top_ids[best : best + 1, :top_logprobs],
                top[best : best + 1, :top_logprobs],
            )
        )
        best = int(parents[best])
    yield from reversed(steps)
