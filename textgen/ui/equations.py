"""Each cell as the page One step shows it: its equations by stage, and how its state flows.

A new cell needs one entry here. In `numbers` a name stands for the chosen unit's value at the
chosen token, "was_" before it for that of the token before, and f_x, f_h, f_b, f_b2, f_C for the
parts of the sum behind f (see `textgen.interpret.sums`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Equation:
    """value: what it computes. symbols, numbers: right-hand sides, LaTeX."""

    value: str
    symbols: str
    numbers: str


@dataclasses.dataclass(frozen=True)
class Factor:
    """What a flow is multiplied by. values: those that it is made of; of: the number."""

    label: str
    values: tuple[str, ...]
    of: Callable[[Values], float]


@dataclasses.dataclass(frozen=True)
class CellPage:
    """stages: in the order of the lesson. state: what is carried along, "C" or "h".

    keep, write: of the old state, of the candidate; None where the state is written anew.
    """

    stages: dict[str, tuple[Equation, ...]]
    state: str
    keep: Factor | None = None
    write: Factor | None = None
    show: Factor | None = None


def _sum(
    name: str, peephole: str = "", *, recurrent: bool = True, biases: int = 1
) -> tuple[str, str]:
    """What the σ or tanh of a block `name` is taken of, in symbols and in numbers.

    peephole: the cell state that it sees. recurrent: whether it sees h_{t-1}.
    """
    symbols, numbers = [rf"W_{name} x_t"], [f"{{{name}_x}}"]
    if recurrent:
        symbols.append(rf"U_{name} h_{{t-1}}")
        numbers.append(f"{{{name}_h:+}}")
    if peephole:
        symbols.append(rf"v_{name} {peephole}")
        numbers.append(f"{{{name}_C:+}}")
    symbols += [f"b_{name}", f"b'_{name}"][:biases]
    numbers += [f"{{{name}_b:+}}", f"{{{name}_b2:+}}"][:biases]
    return " + ".join(symbols), " ".join(numbers)


def _gate(name: str, peephole: str = "", **parts: Any) -> Equation:
    symbols, numbers = _sum(name, peephole, **parts)
    return Equation(name, rf"\sigma({symbols})", rf"\sigma({numbers})")


def _mix(state: str, keep: tuple[str, str], write: tuple[str, str]) -> Equation:
    """The old state and the candidate, each with its factor in symbols and in numbers."""
    return Equation(
        state,
        rf"{keep[0]} \cdot {state}_{{t-1}} + {write[0]} \cdot \tilde {state}_t",
        rf"{keep[1]} \cdot {{was_{state}:()}} + {write[1]} \cdot {{c:()}}",
    )


def _own(name: str) -> Factor:
    return Factor(name, (name,), lambda v: v[name])


def _rest(name: str) -> Factor:
    return Factor(f"1 − {name}", (name,), lambda v: 1 - v[name])


def _share(name: str) -> Factor:
    return Factor(f"{name} / (f + i)", ("f", "i"), lambda v: v[name] / (v["f"] + v["i"]))


_TANH = Equation("c", *(rf"\tanh({part})" for part in _sum("c")))
_LINEAR = Equation("c", "W_h x_t + b_h", "{c_x} {c_b:+}")
_SHOWN = Equation("h", r"o_t \cdot \tanh(C_t)", r"{o} \cdot \tanh({C})")
_LSTM = CellPage(
    {
        "forget": (_gate("f"),),
        "write": (_gate("i"), _TANH),
        "update": (_mix("C", ("f_t", "{f}"), ("i_t", "{i}")),),
        "output": (_gate("o"), _SHOWN),
    },
    state="C",
    keep=_own("f"),
    write=_own("i"),
    show=_own("o"),
)

PAGES: dict[str, CellPage] = {
    "lstm": _LSTM,
    "peephole": dataclasses.replace(
        _LSTM,
        stages=_LSTM.stages
        | {
            "forget": (_gate("f", "C_{t-1}"),),
            "write": (_gate("i", "C_{t-1}"), _TANH),
            "output": (_gate("o", "C_t"), _SHOWN),
        },
    ),
    "coupled": dataclasses.replace(
        _LSTM,
        stages=_LSTM.stages
        | {
            "write": (_TANH,),
            "update": (_mix("C", ("f_t", "{f}"), ("(1 - f_t)", "(1 - {f})")),),
        },
        write=_rest("f"),
    ),
    "gru": CellPage(
        {
            "reset": (_gate("r", biases=2),),
            "candidate": (
                Equation(
                    "c",
                    r"\tanh(W_h x_t + b_h + r_t \cdot (U_h h_{t-1} + b'_h))",
                    r"\tanh({c_x} {c_b:+} + {r} \cdot ({c_h} {c_b2:+}))",
                ),
            ),
            "forget": (_gate("z", biases=2),),
            "update": (_mix("h", ("z_t", "{z}"), ("(1 - z_t)", "(1 - {z})")),),
        },
        state="h",
        keep=_own("z"),
        write=_rest("z"),
    ),
    "mingru": CellPage(
        {
            "write": (_gate("z", recurrent=False), _LINEAR),
            "update": (_mix("h", ("(1 - z_t)", "(1 - {z})"), ("z_t", "{z}")),),
        },
        state="h",
        keep=_rest("z"),
        write=_own("z"),
    ),
    "minlstm": CellPage(
        {
            "forget": (_gate("f", recurrent=False),),
            "write": (_gate("i", recurrent=False), _LINEAR),
            "update": (
                _mix(
                    "h",
                    (r"\frac{f_t}{f_t + i_t}", r"\frac{{{f}}}{{{f} + {i}}}"),
                    (r"\frac{i_t}{f_t + i_t}", r"\frac{{{i}}}{{{f} + {i}}}"),
                ),
            ),
        },
        state="h",
        keep=_share("f"),
        write=_share("i"),
    ),
    "rnn": CellPage(
        {
            "anew": (
                Equation("h", r"\varphi(W x_t + U h_{t-1} + b)", r"\varphi({h_x} {h_h:+} {h_b:+})"),
            )
        },
        state="h",
    ),
}
WIDE = 42  # letters of LaTeX: longer does not fit a phone together with the result
ACTIVATIONS = {"tanh": r"\tanh", "sigmoid": r"\sigma", "relu": r"\mathrm{relu}"}


class Number(float):
    """Three places after the point; "+" always with its sign, "()" in brackets when negative."""

    def __format__(self, spec: str) -> str:
        if spec == "+":
            return f"{float(self):+.3f}"
        text = f"{float(self):.3f}"
        return f"({text})" if spec == "()" and self < 0 else text


def left_side(value: str, state: str) -> str:
    """The symbol of a value, LaTeX."""
    return rf"\tilde {state}_t" if value == "c" else f"{value}_t"


def lines(
    equation: Equation, state: str, activation: str, values: Values, replaced: bool
) -> list[str]:
    """LaTeX: the equation in symbols, then in numbers; of a value that was replaced, the number
    alone."""
    symbol = ACTIVATIONS[activation]
    own = Number(values[equation.value])
    numbers = {name: Number(value) for name, value in values.items()}
    right = equation.symbols.replace(r"\varphi", symbol)
    put_in = equation.numbers.replace(r"\varphi", symbol).format(**numbers)
    first = f"{left_side(equation.value, state)} = {right}"
    if replaced:
        return [first, rf"\rightarrow\; {own}"]
    if len(put_in) > WIDE:
        return [first, f"= {put_in}", f"= {own}"]
    return [first, f"= {put_in} = {own}"]
