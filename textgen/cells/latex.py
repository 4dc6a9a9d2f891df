r"""The equations of a cell in LaTeX: in symbols, and with places for the numbers of one unit.

A place names what is put in: {f} the value f at this token, {was_C} that of C at the token before,
and {f_x}, {f_h}, {f_b}, {f_b2}, {f_C} the summands of the pre-activation of f: from the input, the
output before, the bias, the second bias, and the cell state (see `Cell.summands`). "+" behind the
colon asks for the sign, "()" for brackets around a negative number. \varphi is the activation.

The two are written differently. `numbers` is filled in by `str.format`: every brace of LaTeX is
doubled in it, and only those of a place are single. `symbols` is LaTeX as it stands:

    Equation("h", r"\mathrm{relu}(W x_t)", r"\mathrm{{relu}}({h_x})")
    Equation("h", r"\frac{f_t}{f_t + i_t}", r"\frac{{{f}}}{{{f} + {i}}}")
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Equation:
    r"""value: the name of what is computed. symbols, numbers: the right-hand side, twice.

    symbols: LaTeX as it stands, r"\mathrm{relu}(W x_t)". numbers: a template of `str.format`, in
    which braces of LaTeX are doubled, r"\mathrm{{relu}}({h_x})"; `textgen.cells.check` fills it in
    once, when the cell joins.
    """

    value: str
    symbols: str
    numbers: str


def place(block: str, summand: str) -> str:
    """The name under which a summand of a pre-activation is put in: "f_x"; "c_b2" for the "b'"."""
    return f"{block}_{summand}".replace("'", "2")


def pre_activation(
    name: str, peephole: str = "", *, recurrent: bool = True, biases: int = 1
) -> tuple[str, str]:
    """What σ or tanh of a block `name` is taken of: (symbols, numbers).

    peephole: the cell state that it reads, "C_{t-1}" or "C_t". recurrent: whether it reads h_{t-1}.
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


def gate(name: str, peephole: str = "", *, recurrent: bool = True, biases: int = 1) -> Equation:
    """σ of the pre-activation of `name`; the settings are those of `pre_activation`."""
    symbols, numbers = pre_activation(name, peephole, recurrent=recurrent, biases=biases)
    return Equation(name, rf"\sigma({symbols})", rf"\sigma({numbers})")


def candidate() -> Equation:
    """tanh of the pre-activation of c."""
    symbols, numbers = pre_activation("c")
    return Equation("c", rf"\tanh({symbols})", rf"\tanh({numbers})")


def mix(state: str, retained: tuple[str, str], written: tuple[str, str]) -> Equation:
    """The next state: the old one and the candidate, each times its share (symbols, numbers)."""
    return Equation(
        state,
        rf"{retained[0]} \cdot {state}_{{t-1}} + {written[0]} \cdot \tilde {state}_t",
        rf"{retained[1]} \cdot {{was_{state}:()}} + {written[1]} \cdot {{c:()}}",
    )
