"""A model of Keras's own layers, read as one of textgen's: an embedding, recurrent layers of one
kind, and a dense layer. What is made otherwise is refused with the layer that is."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from typing import Any

import numpy as np

from textgen.cells import make_cell
from textgen.config import ModelConfig
from textgen.errors import ConfigError, RunError, shown
from textgen.importing.hdf5_apart import MOST_NUMBERS
from textgen.importing.keras_file import Arrays
from textgen.network import check_model, weight_shapes
from textgen.runs.array_file import LARGEST_VALUE

CELLS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
WITHOUT_EFFECT = ("InputLayer", "Dropout", "SpatialDropout1D", "Masking")  # when nothing is trained
# the arrays of each kind of layer, in the order in which Keras stores them
RECURRENT = ("kernel", "recurrent_kernel", "bias")
ROLES = {"Embedding": ("embeddings",), "Dense": ("kernel", "bias")}
ROLES |= dict.fromkeys(CELLS, RECURRENT)
# what textgen's equations are; a file that does not say it is of a version that had no other
FIXED = {
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "go_backwards": False,
    "reset_after": True,
}
ENDS = ("softmax", "linear")
MOST_ONE_HOT = 8192  # tokens of a model without an embedding, whose vectors are a square of numbers


@dataclasses.dataclass(frozen=True)
class Stack:
    """weights: by their names in a run folder. size: of the vocabulary. units: that each layer had
    before all were given the most."""

    config: ModelConfig
    weights: Arrays
    size: int
    units: list[int]


@dataclasses.dataclass
class Layer:
    """kind: Keras's class. stored: its name in the weights of a `.keras` file. settings: what its
    JSON says. arrays: by their roles."""

    kind: str
    name: str
    stored: str
    settings: dict[str, object]
    arrays: Arrays = dataclasses.field(default_factory=dict)

    @property
    def units(self) -> int:
        """Of a recurrent layer."""
        return len(self.arrays["recurrent_kernel"])


def read_stack(model: dict[str, object], arrays: Arrays) -> Stack:
    """The model of this JSON and these arrays. Raises `RunError` for any but such a stack."""
    chain = [layer for layer in _chain(model) if layer.kind not in WITHOUT_EFFECT]
    embedding, cells, head = _parts(chain)
    for layer in chain:
        layer.arrays = _arrays_of(layer, arrays)
        for name, array in layer.arrays.items():
            if not (np.abs(array) <= LARGEST_VALUE).all():
                raise RunError(f"layer {shown(layer.name)}: {name} holds values that are too large")
    size = head.arrays["bias"].size
    if embedding is None and size > MOST_ONE_HOT:
        raise RunError(
            f"the model has {size} tokens and no embedding: such a model can be read with at most "
            f"{MOST_ONE_HOT}"
        )
    first, read = cells[0], _check_shapes(embedding, cells, head)
    sizes = [layer.units for layer in cells]
    units = max(sizes)
    try:
        config = ModelConfig(
            cell=CELLS[first.kind],
            hidden_size=units,
            num_layers=len(cells),
            embedding_size=read,
            activation=str(first.settings.get("activation", "tanh")),
        )
        check_model(config)
    except ConfigError as error:
        raise RunError(f"layer {shown(first.name)}: {error}") from None
    number = sum(map(math.prod, weight_shapes(config, size).values()))
    if number > MOST_NUMBERS:  # of small layers beside a large one
        raise RunError(
            f"the layers, each filled up to {units} units, would have {number} numbers: such a "
            f"model can be read with at most {MOST_NUMBERS}"
        )
    # without an embedding one-hot vectors go in: each is its own embedding
    vectors = embedding.arrays["embeddings"] if embedding else np.eye(size, dtype=np.float32)
    weights = {"embedding.embeddings": vectors}
    for k, layer in enumerate(cells):
        filled = _filled_up(layer, units if k else read, units)
        weights |= {f"recurrent.{k}.{role}": array for role, array in filled.items()}
    weights["head.kernel"] = _rows(head.arrays["kernel"], units)
    weights["head.bias"] = head.arrays["bias"]
    return Stack(config, weights, size, sizes)


def _check_shapes(embedding: Layer | None, cells: list[Layer], head: Layer) -> int:
    """How long the vectors are that go into the first of the cells. Raises `RunError` for the first
    array that does not fit the layers before it."""
    tokens = head.arrays["bias"].size
    read = tokens
    if embedding:
        read = embedding.arrays["embeddings"].shape[-1]
        _check(embedding, {"embeddings": (tokens, read)})
    first = read
    for layer in cells:
        _check(layer, make_cell(CELLS[layer.kind]).weight_shapes(read, layer.units))
        read = layer.units
    _check(head, {"kernel": (read, tokens), "bias": (tokens,)})
    return first


def _check(layer: Layer, shapes: dict[str, tuple[int, ...]]) -> None:
    for role, shape in shapes.items():
        found = layer.arrays[role].shape
        if found != shape:
            raise RunError(
                f"layer {shown(layer.name)}: its {role} has the shape {found}, and "
                f"{shape} follows from the other arrays: give a whole file of Keras"
            )


def _filled_up(layer: Layer, read: int, units: int) -> Arrays:
    """The arrays of a layer that reads `read` values and has `units`, all layers having the same
    number. What is new are zeros: to no unit that there was does a new one say anything."""

    def blocks(array: np.ndarray) -> np.ndarray:  # the last axis is one block after another
        apart = array.reshape(*array.shape[:-1], -1, layer.units)
        wider = [(0, 0)] * (apart.ndim - 1) + [(0, units - layer.units)]
        return np.pad(apart, wider).reshape(*array.shape[:-1], -1)

    return {
        "kernel": _rows(blocks(layer.arrays["kernel"]), read),
        "recurrent_kernel": _rows(blocks(layer.arrays["recurrent_kernel"]), units),
        "bias": blocks(layer.arrays["bias"]),
    }


def _rows(array: np.ndarray, number: int) -> np.ndarray:
    """A matrix with rows of zeros after its own."""
    return np.pad(array, ((0, number - len(array)), (0, 0)))


def _chain(model: dict[str, object]) -> list[Layer]:
    """The layers, one after the other, their arrays still to come."""
    inner, kind = model.get("config"), model.get("class_name")
    found = inner.get("layers") if isinstance(inner, dict) else inner
    if kind not in ("Sequential", "Functional", "Model") or not isinstance(found, list):
        raise RunError(f"the model is a {shown(kind)}: give one whose layers stand in a row")
    layers: list[Layer] = []
    number: Counter[str] = Counter()
    for entry in found:
        settings = entry.get("config") if isinstance(entry, dict) else None
        if not isinstance(settings, dict) or not isinstance(entry.get("class_name"), str):
            raise RunError(f"a layer is {shown(entry)}: give a file of Keras")
        kind, name = entry["class_name"], str(settings.get("name", ""))
        before = _inputs(entry.get("inbound_nodes", []))
        if before and (not layers or before != [layers[-1].name]):
            raise RunError(
                f"layer {shown(name)} reads {', '.join(map(shown, before))}: give a model whose "
                "layers stand in a row"
            )
        stored = re.sub("(?<=[a-z])(?=[A-Z])", "_", kind).lower()
        counted = f"{stored}_{number[stored]}" if number[stored] else stored
        number[stored] += 1
        layers.append(_unwrapped(Layer(kind, name, counted, settings)))
    return layers


def _inputs(node: Any) -> list[str]:
    """The layers that a layer reads: [name, int, int, ...] somewhere in what Keras says of it."""
    if isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str):
        return [node[0]]
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [name for part in parts for name in _inputs(part)]


def _unwrapped(layer: Layer) -> Layer:
    """A dense layer that Keras was told to take at each step: it is the same."""
    inner = layer.settings.get("layer")
    if layer.kind != "TimeDistributed" or not isinstance(inner, dict):
        return layer
    settings = inner.get("config")
    return Layer(
        str(inner.get("class_name")),
        layer.name,
        layer.stored,
        settings if isinstance(settings, dict) else {},
    )


def _parts(chain: list[Layer]) -> tuple[Layer | None, list[Layer], Layer]:
    """(the embedding or None, the recurrent layers, the head), of `chain`, from which a softmax at
    its end is taken. Raises `RunError` where they are other ones."""
    kinds = _listed([layer.kind for layer in chain])
    if chain and chain[-1].kind in ("Softmax", "Activation"):
        end = chain.pop()
        if end.settings.get("activation", "softmax") not in ENDS:
            raise _unlike(end, "activation", "softmax")
    embedding = chain[0] if chain and chain[0].kind == "Embedding" else None
    cells, rest = chain[1 if embedding else 0 : -1], chain[-1:]
    of_cells = {cell.kind for cell in cells}
    if not rest or rest[0].kind != "Dense" or len(of_cells) != 1 or not of_cells <= CELLS.keys():
        raise RunError(
            f"the layers are {kinds}: what can be read is Embedding, layers of LSTM, GRU or "
            "SimpleRNN that are all of one kind, and Dense"
        )
    if rest[0].settings.get("activation", "linear") not in ENDS:
        raise _unlike(rest[0], "activation", "softmax")
    if rest[0].settings.get("use_bias", True) is not True:
        raise _unlike(rest[0], "use_bias", True)
    for cell in cells:
        if "inner_activation" in cell.settings:
            raise RunError(
                f"layer {shown(cell.name)} is of Keras 1, whose weights have other names: load the "
                "file in Keras 2, and save it anew"
            )
        for name, value in FIXED.items():
            if cell.settings.get(name, value) != value:
                raise _unlike(cell, name, value)
        if cell.settings.get("activation") != cells[0].settings.get("activation"):
            raise _unlike(cell, "activation", cells[0].settings.get("activation"))
    return embedding, cells, rest[0]


def _listed(names: list[str]) -> str:
    """Names that come from the file, in one line of moderate length."""
    return shown(", ".join(names))[1:-1] or "none"


def _unlike(layer: Layer, name: str, value: object) -> RunError:
    return RunError(
        f"layer {shown(layer.name)} has {name} {shown(layer.settings.get(name))}, and textgen has "
        f"{shown(value)}: such a model cannot be read"
    )


def _arrays_of(layer: Layer, arrays: Arrays) -> Arrays:
    """Those of a layer by their roles. Raises `RunError` where they are not as many as there should
    be."""
    roles, found = ROLES[layer.kind], {}
    numbered = re.compile(rf"(?:.*/)?{re.escape(layer.stored)}/(?:cell/|layer/)?vars/(\d+)")
    for path, array in arrays.items():
        if (match := numbered.fullmatch(path)) and int(match[1]) < len(roles):
            found[roles[int(match[1])]] = array
        elif path.startswith(f"model_weights/{layer.name}/"):
            found[path.rpartition("/")[2].removesuffix(":0")] = array
    if set(found) != set(roles):
        raise RunError(
            f"layer {shown(layer.name)} has the arrays {_listed(sorted(found))}, "
            f"{', '.join(roles)} belong to it: give a whole file of Keras"
        )
    return found
