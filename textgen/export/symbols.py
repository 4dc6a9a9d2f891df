"""What an element-wise function does, written down instead of done.

The equations of a cell are functions of arrays. Given `Symbols` they compute nothing: each element
that comes out says how it is made of those that went in, and `Script` writes that in JavaScript. So
a cell's equations are written once, in Python.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from textgen.arrays import Array
from textgen.errors import ConfigError

# NumPy's name of a function -> the same in JavaScript
FUNCTIONS = {
    "add": "({} + {})",
    "subtract": "({} - {})",
    "multiply": "({} * {})",
    "divide": "({} / {})",
    "negative": "(-{})",
    "maximum": "Math.max({}, {})",
    "minimum": "Math.min({}, {})",
    "exp": "Math.exp({})",
    "log": "Math.log({})",
    "tanh": "Math.tanh({})",
}
PRODUCT = "matmul"  # noted, but never written: products are not element by element


class UnknownFunction(ConfigError):
    """A function that cannot be written in JavaScript."""


@dataclasses.dataclass(frozen=True, eq=False)
class Term:
    """One number to come: a function of others, or, without parts, what stands under a name."""

    name: str
    parts: tuple[Element, ...] = ()


Element: TypeAlias = Term | float


class Symbols(np.ndarray[Any, Any]):
    """An array of `Term`: NumPy's functions of it give such arrays."""

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Array, **settings: object
    ) -> Symbols:
        name = ufunc.__name__
        if name == PRODUCT:
            return symbols(PRODUCT, (1, inputs[1].shape[-1]))
        if method != "__call__" or settings or name not in FUNCTIONS:
            raise UnknownFunction(name)
        note = np.frompyfunc(lambda *parts: Term(name, parts), ufunc.nin, 1)
        return note(*(np.asarray(x, object) for x in inputs)).view(Symbols)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is not np.concatenate:
            raise UnknownFunction(function.__name__)
        joined = super().__array_function__(function, types, args, kwargs)
        return joined.view(Symbols)  # which NumPy forgets


def symbols(name: str, shape: tuple[int, ...]) -> Symbols:
    """An array of this shape whose elements stand under `name`, with their number put in."""
    terms = np.empty(shape, object)
    for number, index in enumerate(np.ndindex(shape)):
        terms[index] = Term(name.format(number))
    return terms.view(Symbols)


def only(array: Array) -> Element:
    """The one element of an array."""
    (element,) = np.asarray(array, object).ravel()
    return element


class Script:
    """The terms of some results as JavaScript: what is used twice gets a name of its own."""

    def __init__(self, results: Sequence[Element]) -> None:
        self.lines: list[str] = []
        self._uses = Counter(results)
        self._known: dict[Term, str] = {}
        seen: set[Term] = set()
        open_terms = [term for term in results if isinstance(term, Term)]
        while open_terms:
            term = open_terms.pop()
            if term in seen:
                continue
            seen.add(term)
            inner = [part for part in term.parts if isinstance(part, Term)]
            self._uses.update(inner)
            open_terms += inner

    def of(self, term: Element) -> str:
        """An expression for a term, or for a number; `lines` before it define what it names."""
        if not isinstance(term, Term):
            return repr(float(term))
        if not term.parts:
            return term.name
        if term not in self._known:
            text = FUNCTIONS[term.name].format(*map(self.of, term.parts))
            if self._uses[term] > 1:
                name = f"t{len(self.lines)}"
                self.lines.append(f"const {name} = {text};")
                text = name
            self._known[term] = text
        return self._known[term]


def expression(term: Element) -> str:
    """A term in one expression, whatever is used twice."""
    if not isinstance(term, Term):
        return repr(float(term))
    return FUNCTIONS[term.name].format(*map(expression, term.parts)) if term.parts else term.name
