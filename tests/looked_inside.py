"""The networks that tests look inside: each of four units whose every weight matters."""

import functools

import tiny
from textgen.config import ModelConfig
from textgen.interpret import Goal

V, D, U = 9, 3, 4
IDS = [0, 3, 1, 4, 1, 5, 2, 6]  # 0, 3, 4, 5, 2 and 6 stand in it once
GOAL = Goal([7, 2, 8], [3, 1])


@functools.cache
def drawn(cell, num_layers=0):
    """A model whose every weight is drawn at random, large enough for everything to matter.

    Of two layers for the gru, of one for the others, where `num_layers` does not say.
    """
    num_layers = num_layers or (2 if cell == "gru" else 1)
    config = ModelConfig(cell=cell, hidden_size=U, embedding_size=D, num_layers=num_layers)
    return tiny.drawn(config, V, scale=0.7)
