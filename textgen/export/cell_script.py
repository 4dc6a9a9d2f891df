"""A cell as the page needs it: its step in JavaScript, made from its equations, and its words.

The products with x_t and h_{t-1} are the page's own. What follows them, element by element, is what
`Cell.join` and `Cell.update` do for one unit (U = 1, D = 1): all units do the same.
"""

from __future__ import annotations

import json

from textgen.arrays import Array
from textgen.cells.cell import Cell
from textgen.cells.flow import Share
from textgen.cells.latex import place
from textgen.errors import ConfigError
from textgen.export.symbols import Script, UnknownFunction, expression, only, symbols

ACTIVATIONS = {"tanh": r"\tanh", "sigmoid": r"\sigma", "relu": r"\mathrm{relu}"}
STANDARD = ("x", "h", "b", "b'")  # summands that the page computes for every cell


def cell_script(cell: Cell) -> str:
    """The functions `update`, `shares` and `ownSummands` of a cell, in JavaScript.

    Raises `ConfigError` where an equation uses what cannot be written there.
    """
    try:
        return "\n\n".join([_update(cell), _shares(cell), _own_summands(cell)])
    except UnknownFunction as error:
        raise ConfigError(
            f"the cell {cell.name!r} cannot go into a page: its equations use {error}, and a page "
            "has sums, products, quotients, maximum, minimum, exp, log and tanh; write it with "
            "those"
        ) from None


def cell_words(cell: Cell) -> dict[str, object]:
    """What the page says of a cell."""
    return {
        "name": cell.name,
        "source": cell.source,
        "activation": ACTIVATIONS.get(cell.activation, rf"\mathrm{{{cell.activation}}}"),
        "activation_name": cell.activation,
        "blocks": list(cell.blocks),
        "gates": list(cell.gates),
        "values": list(cell.value_names()),
        "state": list(cell.state_names),
        "carried": cell.carried,
        "recurrent": cell.recurrent,
        "extra": list(cell.extra_weights),
        "equations": {
            heading: [
                {"value": e.value, "symbols": e.symbols, "numbers": e.numbers} for e in equations
            ]
            for heading, equations in cell.equations.items()
        },
    }


def _update(cell: Cell) -> str:
    """update(size, a, p, state, extra, values): the step of all units of a layer."""
    width = len(cell.blocks)
    names, terms = [], []

    def observe(name: str, value: Array) -> Array:
        names.append(name)
        terms.append(only(value))
        return value

    pre = symbols("a[{} * size + u]", (1, width))
    if cell.recurrent:
        pre = cell.join(pre, symbols("p[{} * size + u]", (1, width)))
    state = tuple(symbols(f"was{k}", (1, 1)) for k in range(len(cell.state_names)))
    new = [only(part) for part in cell.update(pre, state, _extra(cell), observe)]
    script = Script([*terms, *new])
    ends = [f"values.{n}[u] = {script.of(t)};" for n, t in zip(names, terms, strict=True)]
    ends += [f"state[{k}][u] = {script.of(term)};" for k, term in enumerate(new)]
    lines = [*script.lines, *ends]
    used = [k for k in range(len(new)) if any(f"was{k}" in line for line in lines)]
    before = [f"const was{k} = state[{k}][u];" for k in used]
    body = "\n".join(f"    {line}" for line in [*before, *lines])
    return (
        "function update(size, a, p, state, extra, values) {\n"
        f"  for (let u = 0; u < size; u += 1) {{\n{body}\n  }}\n}}"
    )


def _shares(cell: Cell) -> str:
    """shares(v): the factors on the way of the state, by a unit's values; null without a way."""
    flow = cell.flow
    if flow is None:
        return "const shares = null;"
    values = {name: symbols(f"v.{name}", (1,)) for name in cell.value_names()}

    def share(of: Share | None) -> str:
        if of is None:
            return "null"
        value = expression(only(of.of(values)))
        return f'{{ label: "{of.label}", gates: {json.dumps(of.gates)}, value: {value} }}'

    return (
        f"const shares = (v) => ({{\n  retained: {share(flow.retained)},\n"
        f"  written: {share(flow.written)},\n  shown: {share(flow.shown)},\n}});"
    )


def _own_summands(cell: Cell) -> str:
    """ownSummands(v, extra, u): what the cell adds to pre-activations beside W x, U h and b."""
    weights = {name: symbols(name, shape) for name, shape in cell.weight_shapes(1, 1).items()}
    weights |= dict(zip(cell.extra_weights, _extra(cell), strict=True))
    now = {name: symbols(f"v.{name}", (1,)) for name in cell.value_names()}
    before = {name: symbols(f"v.was_{name}", (1,)) for name in cell.value_names()}
    found = cell.summands(weights, symbols("x", (1,)), before, now)
    own = {
        place(block, name): only(term)
        for block, parts in found.items()
        for name, term in parts.items()
        if name not in STANDARD
    }
    body = ", ".join(f"{name}: {expression(term)}" for name, term in own.items())
    return f"const ownSummands = (v, extra, u, size) => ({{ {body} }});"


def _extra(cell: Cell) -> tuple[Array, ...]:
    return tuple(
        symbols(f"extra[{k}][{{}} * size + u]", (rows, 1))
        for k, rows in enumerate(cell.extra_weights.values())
    )
