"""Each module imports only from those above it in the design, and some without TensorFlow."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "textgen"
ORDER = [
    "errors", "nfc", "options", "backend", "rows", "corpus", "pieces", "doctor", "streaming",
    "spmodel", "tokenizer", "documents", "dataset", "cells", "config", "recipe", "space",
    "cross_entropy", "model", "checkpoint", "sampling", "generate_options", "decoding", "beam",
    "generate", "reading", "longrange", "lookback", "ngram", "copying", "adaptation", "evaluate",
    "interpret", "model_card", "workers", "trainer", "callbacks", "divergence", "keeper",
    "streamed", "material", "recall", "budget", "train", "race", "vanishing", "launch", "ledger",
    "sweep", "arguments", "cli",
]  # fmt: skip


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "textgen":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textgen."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("textgen."))


def test_every_module_has_its_place():
    found = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    found |= {"cells", "interpret"}
    assert found == set(ORDER)
    told = re.findall(
        r"^textgen/(\w+)(?:\.py|/) ", (PACKAGE.parent / "README.md").read_text(), re.M
    )
    assert set(told) == found


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_upwards(module):
    above = ORDER[: ORDER.index(module)]
    files = [PACKAGE / f"{module}.py", *PACKAGE.glob(f"{module}/*.py")]
    found = {name for file in files if file.is_file() for name in imported(file)}
    assert found - {*above, module, "__version__"} == set()


def test_parsing_a_command_needs_no_tensorflow():
    code = (
        "import sys, textgen.arguments, textgen.cli, textgen.corpus, textgen.tokenizer;"
        "textgen.arguments.parser();"
        "print({'tensorflow', 'keras', 'datasets'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stderr == "" and found.stdout == "set()\n"
