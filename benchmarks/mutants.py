"""Small errors put into a module, one at a time: do its tests notice?

    python benchmarks/mutants.py [--number 60] [--seed 1] [--json FILE] [MODULE ...]

A mutant is the module with one comparison, operator, constant, condition or statement changed. It
is killed when a test fails, or takes far longer than it should. `--number` draws so many of each
module's mutants; all are hours. One that lives although no test could tell it from the module is
told apart, with the reason (`ALIKE`), and does not count.
"""

from __future__ import annotations

import argparse
import ast
import copy
import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TESTS = {
    "generation/sampling": ["tests/test_sampling.py"],
    "tokenizers/tokenizer": ["tests/test_tokenizer.py"],
    "runs/atomic_files": ["tests/test_run_folder.py", "tests/test_resume.py"],
    "runs/array_file": ["tests/test_run_folder.py", "tests/test_resume.py"],
    "runs/run_folder": ["tests/test_run_folder.py", "tests/test_resume.py"],
}
SPEAKERS = ("Error", "option", "refused", "_unwritable")
# what a line contains -> (changes of it, why nothing that is promised differs)
ALIKE: dict[str, tuple[tuple[str, ...], str]] = {
    "axis=-1": (("-1 without its sign",), "of two axes, the last is axis 1"),
    "logits.shape[-1]": (("-1 without its sign",), "of two axes, the last is axis 1"),
    "logits > 0, logits / penalty": (("Gt -> GtE",), "0 stays 0, divided or multiplied"),
    "constant_values=-1": (("1 -> 2",), "no id is negative, whichever number says so"),
    "NEVER = -1e30": (("1e+30 -> 1e+30",), "so large a number and one more are the same"),
    'if cls.form == "NFC"': (
        ("'NFC' -> 'NFCx'", "condition -> False"),
        "what is NFC already is brought into NFC again",
    ),
    "def train(cls, text: str, *, vocab_size: int = 2000": (
        ("'unigram' -> 'unigramx'", "2000 -> 2001"),
        "an abstract method's own defaults are never used",
    ),
    "np.zeros(points.max() + 2": (("2 -> 3",), "one place more in the table is never looked up"),
    "num_threads=1": (("1 -> 2",), "the ids are the same, however many threads find them"),
    "_MAX_JSON = 1 << 24": (("24 -> 25", "1 -> 2"), "a limit twice as high does as well"),
    'getattr(os, "O_NOFOLLOW", 0)': (("0 -> 1",), "the default is for systems that lack it"),
    "temporary.unlink(missing_ok=True)": (
        ("True -> False",),
        "what is missing is no error either way",
    ),
}
OPPOSITE: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """line: of the module, and its text. change: in words. source: the whole module."""

    module: str
    line: int
    text: str
    change: str
    source: str

    @property
    def alike(self) -> str | None:
        """Why it does what the module does, where it does."""
        reasons = (
            why
            for part, (changes, why) in ALIKE.items()
            if part in self.text and self.change in changes
        )
        return next(reasons, None)


def mutants(module: str) -> list[Mutant]:
    """Every mutant of `module`; messages, docstrings, types and imports are left as they are."""
    source = (ROOT / f"textgen/{module}.py").read_text(encoding="utf-8")
    tree, lines = ast.parse(source), ["", *source.splitlines()]
    found = []
    for index, (node, parents) in enumerate(_walk(tree, ())):
        if any(_is_talk(parent) for parent in (*parents, node)):
            continue
        for change in range(3):
            mutated = copy.deepcopy(tree)
            other = next(n for i, (n, _) in enumerate(_walk(mutated, ())) if i == index)
            word = _change(other, change)
            if word is None:
                break
            text = ast.unparse(ast.fix_missing_locations(mutated))
            line = getattr(node, "lineno", 0)
            found.append(Mutant(module, line, lines[line].strip(), word, text))
    return found


def _walk(
    node: ast.AST, parents: tuple[ast.AST, ...]
) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    yield node, parents
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, (*parents, node))


def _is_talk(node: ast.AST) -> bool:
    """What no test should hang on: words to a person, and what only a type checker reads."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(SPEAKERS):
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.arg | ast.AnnAssign | ast.JoinedStr)


def _change(node: ast.AST, which: int) -> str | None:
    """Change `node` in place in way `which`; what was done, None where there is no such way."""
    if isinstance(node, ast.Compare) and which == 0:
        return _swap(node.ops, 0)
    if isinstance(node, ast.BoolOp | ast.BinOp) and which == 0:
        kind = OPPOSITE.get(type(node.op))
        if kind is None:
            return None
        before, node.op = type(node.op).__name__, kind()  # type: ignore[assignment]
        return f"{before} -> {kind.__name__}"
    if isinstance(node, ast.If | ast.IfExp | ast.While) and which < 2:
        node.test = ast.Constant(bool(which))
        return f"condition -> {bool(which)}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub) and which == 0:
        was, node.op = ast.unparse(node), ast.UAdd() if isinstance(node.op, ast.USub) else node.op
        if isinstance(node.op, ast.Not):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        return f"{was} without its sign"
    if isinstance(node, ast.Constant) and which == 0:
        return _other_constant(node)
    if isinstance(node, ast.Return) and node.value is not None and which == 0:
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            return None
        node.value = ast.Constant(None)
        return "returns None"
    if isinstance(node, ast.Expr | ast.AugAssign | ast.Raise) and which == 0:
        was = ast.unparse(node).splitlines()[0][:40]
        node.__class__, node.__dict__ = ast.Pass, {}  # type: ignore[assignment]
        return f"without {was}"
    return None


def _swap(operators: list[ast.cmpop], at: int) -> str | None:
    before = type(operators[at])
    operators[at] = OPPOSITE[before]()  # type: ignore[call-overload]
    return f"{before.__name__} -> {OPPOSITE[before].__name__}"


def _other_constant(node: ast.Constant) -> str | None:
    before = node.value
    if isinstance(before, bool):
        node.value = not before
    elif isinstance(before, int | float):
        node.value = before + 1
    elif isinstance(before, str) and before:
        node.value = before + "x"
    else:
        return None
    return f"{before!r} -> {node.value!r}"


def killed(mutant: Mutant, work: Path, seconds: float) -> bool:
    """Whether a test of the module fails on it, in a copy of the project."""
    (work / f"textgen/{mutant.module}.py").write_text(mutant.source, encoding="utf-8")
    return not _pass(mutant.module, work, seconds)


def _pass(module: str, work: Path, seconds: float) -> bool:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        *TESTS[module],
    ]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(work)}
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=environment,
            timeout=seconds,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def killed_of(row: dict[str, Any]) -> float:
    """The share killed, of those that a test could kill."""
    share: float = 1 - len(row["survived"]) / max(row["tried"] - len(row["alike"]), 1)
    return share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=list(TESTS), metavar="MODULE")
    parser.add_argument("--number", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "project"
        work.mkdir()
        for name in ("textgen", "tests", "benchmarks", "corpora", "tasks", "pyproject.toml"):
            copy_of = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy_of(ROOT / name, work / name)
        for module in parsed.modules:
            whole = (ROOT / f"textgen/{module}.py").read_text(encoding="utf-8")
            began = time.monotonic()
            if not _pass(module, work, 600):
                raise SystemExit(f"the tests of {module} fail as it is")
            limit = 3 * (time.monotonic() - began) + 30
            every = mutants(module)
            drawn = random.Random(parsed.seed).sample(every, min(parsed.number, len(every)))
            row: dict[str, Any] = {
                "module": module,
                "mutants": len(every),
                "tried": 0,
                "survived": [],
                "alike": [],
            }
            for mutant in drawn:
                row["tried"] += 1
                if not killed(mutant, work, limit):
                    told = f"{module}.py:{mutant.line}: `{mutant.text}`, {mutant.change}"
                    if why := mutant.alike:
                        row["alike"].append(f"{told}: {why}")
                    else:
                        row["survived"].append(told)
                        print(told, file=sys.stderr, flush=True)
                print(
                    f"{module}: {row['tried']}/{len(drawn)} of {len(every)}, "
                    f"killed {killed_of(row):.0%}",
                    file=sys.stderr,
                    flush=True,
                )
            (work / f"textgen/{module}.py").write_text(whole, encoding="utf-8")
            rows.append(row)
            if parsed.json:
                parsed.json.write_text(json.dumps(rows, indent=2) + "\n")
    for row in rows:
        print(
            f"{row['module']}: {killed_of(row):.0%} of {row['tried']} killed, of {row['mutants']}"
        )


if __name__ == "__main__":
    main()
