"""What happens inside a model while it reads, and what its answer hangs on. Ids in, arrays out.

Values of a cell bear the names of its equations: f, i, c, C, o, h of the LSTM, for instance. T
tokens, B rows, D embedding_size, U hidden_size, V vocabulary; layers and tokens count from 0.

A text is read through the same equations, with the same weights, as in training; `Trace.error` says
how close that comes to what the trained layers compute.
"""

from textgen.interpret.effects import ablation, forgetting, occlusion, transplant, transplants
from textgen.interpret.goals import (
    Goal,
    Gradients,
    Saliency,
    at_blank,
    gradients,
    saliency,
    value,
)
from textgen.interpret.measures import linear_probe, saturation, time_scale
from textgen.interpret.patterns import Match, firing, in_context, matches, outputs
from textgen.interpret.replay import Override
from textgen.interpret.storage import (
    Flips,
    Readable,
    exchange,
    flips,
    pairs,
    readable,
    stored,
)
from textgen.interpret.trace import Trace, trace
from textgen.interpret.untrained import untrained
from textgen.interpret.without_units import SilencedNetwork, without_units

__all__ = [
    "Flips",
    "Goal",
    "Gradients",
    "Match",
    "Override",
    "Readable",
    "Saliency",
    "SilencedNetwork",
    "Trace",
    "ablation",
    "at_blank",
    "exchange",
    "firing",
    "flips",
    "forgetting",
    "gradients",
    "in_context",
    "linear_probe",
    "matches",
    "occlusion",
    "outputs",
    "pairs",
    "readable",
    "saliency",
    "saturation",
    "stored",
    "time_scale",
    "trace",
    "transplant",
    "transplants",
    "untrained",
    "value",
    "without_units",
]
