"""A model as an ONNX graph of one step: ids and the state before -> logits and the state after.

Where ONNX has the cell as an operator (LSTM, GRU, RNN) the graph has that. Of every other cell the
products are nodes, and what follows them, element by element, is written down by the cell's own
`update`, given `Symbols`: one term of one unit is one node on the arrays of all units.

Shapes: B batch, V vocabulary, D input size, U hidden size.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from textgen import __version__
from textgen.arrays import Array
from textgen.cells.array_functions import split
from textgen.errors import ConfigError, MissingPart
from textgen.export.symbols import Element, Term, UnknownFunction, only, symbols
from textgen.generation.generator import Generator
from textgen.network import Network

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto, ValueInfoProto

OPSET, IR = 17, 8  # of 2022: what reads ONNX reads these
# cell -> ONNX's operator, and the order in which that has the blocks
OPERATORS = {
    "rnn": ("RNN", ("h",)),
    "lstm": ("LSTM", ("i", "o", "f", "c")),
    "gru": ("GRU", ("z", "r", "c")),
}
SETTINGS = {"GRU": {"linear_before_reset": 1}}  # r stands before the product, as cuDNN has it
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}
# NumPy's name of a function -> ONNX's
FUNCTIONS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "negative": "Neg",
    "maximum": "Max",
    "minimum": "Min",
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
}


def onnx_file(model: Generator) -> bytes:
    """The content of the `.onnx` file. Inputs: "ids" int64 [B], and of each layer K the parts of
    the state, "state.K.h" [B, U]; outputs: "logits" [B, V], and "next.K.h" [B, U].

    Raises `MissingPart` without onnx, `ConfigError` for a cell whose equations ONNX cannot have.
    """
    if importlib.util.find_spec("onnx") is None:
        raise MissingPart("to write ONNX needs onnx: pip install 'textgen-recurrent[onnx]'")
    from onnx import TensorProto, checker, helper

    network = model.network
    graph = _step(network)
    size, states = network.config.hidden_size, _states(network)

    def array(name: str, *shape: int, kind: int = TensorProto.FLOAT) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, ["batch", *shape])

    before = [array(f"state.{name}", size) for name in states]
    after = [array(f"next.{name}", size) for name in states]
    ids, logits = array("ids", kind=TensorProto.INT64), array("logits", network.vocab_size)
    name = model.name.encode("utf-8", "backslashreplace").decode()  # of a folder: it may be no text
    made = helper.make_model(
        helper.make_graph(graph.nodes, "step", [ids, *before], [logits, *after], graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="textgen",
        producer_version=__version__,
        doc_string=f"{name}, weights {model.hash}",
    )
    checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def _states(network: Network) -> list[str]:
    """The parts of the state: "0.h", "0.C", "1.h", ..."""
    return [f"{k}.{part}" for k in range(len(network.layers)) for part in network.cell.state_names]


class _Graph:
    """Nodes and constants; each array has a name."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, *inputs: str) -> str:
        """A node; the name of what it puts out."""
        (name,) = self.add_many(1, operator, *inputs)
        return name

    def add_many(self, outputs: int, operator: str, *inputs: str, **settings: Any) -> list[str]:
        """A node that puts out so many arrays; their names."""
        from onnx import helper

        names = [f"{operator.lower()}.{len(self.nodes)}.{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **settings))
        return names

    def constant(self, array: Array, kind: type = np.float32) -> str:
        """The name of these numbers."""
        from onnx import numpy_helper

        name = f"constant.{len(self.constants)}"
        whole: np.ndarray = np.ascontiguousarray(array, dtype=kind)
        self.constants.append(numpy_helper.from_array(whole, name))
        return name

    def linear(self, x: str, kernel: Array, bias: Array | None = None) -> str:
        """x @ kernel + bias."""
        product = self.add("MatMul", x, self.constant(kernel))
        return product if bias is None else self.add("Add", product, self.constant(bias))

    def name(self, array: str, name: str) -> None:
        """Let an array be known under another name."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [array], [name]))


def _step(network: Network) -> _Graph:
    """The graph of `Network.step`."""
    graph = _Graph()
    x = graph.add("Gather", graph.constant(network.embeddings), "ids")
    parts = network.cell.state_names
    for k, weights in enumerate(network.layers):
        before = [f"state.{k}.{part}" for part in parts]
        layer = _operator if network.cell.name in OPERATORS else _element_wise
        after = layer(graph, network, weights, x, before)
        for part, array in zip(parts, after, strict=True):
            graph.name(array, f"next.{k}.{part}")
        x = after[0]
    graph.name(graph.linear(x, network.kernel, network.bias), "logits")
    return graph


def _operator(
    graph: _Graph, network: Network, weights: dict[str, Array], x: str, before: list[str]
) -> list[str]:
    """A layer as ONNX's own operator, for a sequence of one token. ONNX has the blocks in another
    order, each kernel transposed, and of every cell two biases."""
    cell = network.cell
    operator, order = OPERATORS[cell.name]

    def ordered(array: Array) -> np.ndarray:
        blocks = dict(zip(cell.blocks, split(array, len(cell.blocks)), strict=True))
        return np.concatenate([blocks[name] for name in order], -1)

    first, *second = (ordered(bias) for bias in cell.biases(weights))
    biases = np.concatenate([first, *(second or [np.zeros_like(first)])])
    axis = graph.constant([0], np.int64)
    inputs = [
        graph.add("Unsqueeze", x, axis),
        graph.constant(ordered(weights["kernel"]).T[None]),
        graph.constant(ordered(weights["recurrent_kernel"]).T[None]),
        graph.constant(biases[None]),
        "",  # all sequences have the same length
        *(graph.add("Unsqueeze", part, axis) for part in before),
    ]
    settings: dict[str, object] = {"hidden_size": network.config.hidden_size}
    if operator == "RNN":
        settings["activations"] = [ACTIVATIONS[cell.activation]]
    settings |= SETTINGS.get(operator, {})
    _, *after = graph.add_many(1 + len(before), operator, *inputs, **settings)
    return [graph.add("Squeeze", part, axis) for part in after]


def _element_wise(
    graph: _Graph, network: Network, weights: dict[str, Array], x: str, before: list[str]
) -> list[str]:
    """A layer as products, and a node for each term of the cell's `update`."""
    cell, size = network.cell, network.config.hidden_size
    width = len(cell.blocks)
    first, *second = cell.biases(weights)
    sizes = graph.constant([size] * width, np.int64)
    arrays: dict[str, str] = {}  # of the symbols

    def blocks(name: str, array: str) -> Array:
        names = graph.add_many(width, "Split", array, sizes, axis=-1)
        arrays.update({f"{name}{k}": one for k, one in enumerate(names)})
        return symbols(name + "{}", (1, width))

    pre = blocks("a", graph.linear(x, weights["kernel"], first))
    if cell.recurrent:
        product = graph.linear(before[0], weights["recurrent_kernel"], *second)
        pre = cell.join(pre, blocks("p", product))
    arrays |= {f"state{k}": part for k, part in enumerate(before)}
    state = tuple(symbols(f"state{k}", (1, 1)) for k in range(len(before)))
    extra = []
    for name, rows in cell.extra_weights.items():
        arrays |= {f"{name}.{k}": graph.constant(weights[name][k]) for k in range(rows)}
        extra.append(symbols(name + ".{}", (rows, 1)))
    try:
        terms = [only(part) for part in cell.update(pre, state, tuple(extra))]
    except UnknownFunction as error:
        raise ConfigError(
            f"the cell {cell.name!r} cannot go into ONNX: its equations use {error}; write it "
            "with sums, products, quotients, maximum, minimum, exp, log and tanh"
        ) from None
    known: dict[Term, str] = {}

    def array_of(term: Element) -> str:
        if not isinstance(term, Term):
            return graph.constant(float(term))
        if not term.parts:
            return arrays[term.name]
        if term not in known:
            operator, parts = FUNCTIONS[term.name], term.parts
            if operator == "Div" and parts[0] == 1.0:
                # onnxruntime makes one quotient of C * (1 / x), and loses C where it is an output
                operator, parts = "Reciprocal", parts[1:]
            known[term] = graph.add(operator, *map(array_of, parts))
        return known[term]

    return [array_of(term) for term in terms]
