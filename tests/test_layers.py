"""Each package, and each file within one, imports only from those above it in the design."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "textgen"
# The packages and lone files of textgen, and the files of each package, from the top down. A cell
# or a page is one new file and no word here: of its package no order is asked, but no circle.
ORDER = {
    "errors": [],
    "guesses": [],
    "arrays": [],
    "log": [],
    "terminal": [],
    "options": [],
    "shipped": [],
    "backend": [],
    "array_ops": [],
    "text": [
        "nfc",
        "stretches",
        "read_config",
        "source",
        "files",
        "formats",
        "decoder",
        "korean",
        "legacy_encodings",
        "encodings",
        "chats",
        "plain_text",
        "columns",
        "dialect",
        "table_survey",
        "delimited",
        "json_values",
        "json_records",
        "parquet",
        "hub",
        "subtitles",
        "markup",
        "documents",
        "pdf",
        "readers",
        "corpus",
        "chunks",
        "findings",
        "oddities",
        "doctor",
    ],
    "tokenizers": ["detokenizer", "sentencepiece_model", "tokenizer"],
    "cells": [],
    "config": [],
    "network": [],
    "cross_entropy": [],
    "model": [],
    "ngrams": ["counts", "witten_bell", "mixture"],
    "runs": [
        "run_config",
        "recipe",
        "atomic_files",
        "array_file",
        "run_folder",
        "voices",
        "ngrams",
        "model_card",
        "hub_models",
    ],
    "data": [
        "noise",
        "phrases",
        "recall_task",
        "filler",
        "wave",
        "recall_documents",
        "typed_documents",
        "token_positions",
        "batches",
        "lanes",
        "document_batches",
        "training_data",
        "text_in_memory",
        "lines",
        "labelled_text",
        "replayed_text",
        "streamed_text",
        "task_documents",
        "sources",
    ],
    "generation": [
        "sampling",
        "utf8",
        "decoder",
        "copy_guard",
        "compiled_decoder",
        "engine",
        "fair_queue",
        "options",
        "beam_search",
        "scoring",
        "text_stream",
        "voices",
        "generator",
        "lists",
        "prefix_reader",
        "next_words",
        "draft",
    ],
    "evaluation": [
        "batch_reader",
        "choices",
        "recall_probe",
        "recall_tables",
        "wave",
        "context_length",
        "ngram",
        "copying",
        "overlap",
        "variety",
        "particles",
        "character_kinds",
        "neural_cache",
        "dynamic_evaluation",
        "evaluate",
        "evaluation_tables",
        "voices",
    ],
    "interpret": [
        "replay",
        "trace",
        "sums",
        "measures",
        "gradient_flow",
        "backward",
        "goals",
        "effects",
        "patterns",
        "features",
        "unit_probe",
        "verdicts",
        "storage",
        "fact_course",
        "lesson",
        "questions",
        "untrained",
        "without_units",
        "texts",
    ],
    "training": [
        "distributed",
        "voices",
        "trainer",
        "optimizers",
        "validation",
        "divergence",
        "state",
        "saves",
        "history",
        "progress",
        "samples",
        "stop_request",
        "time_limit",
        "loop",
        "speed",
        "cost",
        "plan",
        "budget",
        "beginning",
        "new_voice",
        "ngrams",
        "interpolation",
        "assembly",
        "train",
        "launch",
    ],
    "api": [],
    "llm_plugin": [],
    "export": [
        "symbols",
        "cell_script",
        "vocabulary",
        "page",
        "rounding",
        "disclosure",
        "token_note",
        "stock_layers",
        "onnx_model",
        "push",
    ],
    "importing": ["hdf5_apart", "keras_file", "stock_stack", "characters", "foreign_run"],
    "serve": ["request", "token_log", "completion", "server"],
    "tuning": ["search_space", "trials", "sweep", "race"],
    "cli": [
        "sources",
        "train",
        "race",
        "sweep",
        "generate",
        "draft_screen",
        "write",
        "voice",
        "score",
        "probe",
        "evaluate",
        "trace",
        "leaving",
        "listening",
        "export",
        "push",
        "import_model",
        "serve",
        "corpus",
        "app",
        "arguments",
        "main",
    ],
    "ui": [],
}


def imported(path):
    """The dotted names within textgen that a file imports: "errors", "text.nfc"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "textgen":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textgen."):
            base = node.module.removeprefix("textgen.")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("textgen."):
                    yield alias.name.removeprefix("textgen.")


def files_of(room):
    lone = PACKAGE / f"{room}.py"
    return [lone] if lone.is_file() else sorted((PACKAGE / room).rglob("*.py"))


def test_every_room_and_every_file_has_its_place():
    rooms = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    rooms |= {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").is_file()}
    assert rooms == set(ORDER)
    for room, order in ORDER.items():
        if order:
            assert {p.stem for p in files_of(room)} - {"__init__"} == set(order), room
    told = re.findall(r"^textgen/(\w+)(?:\.py|/)", (ROOT / "README.md").read_text(), re.M)
    assert set(told) <= rooms


@pytest.mark.parametrize("room", ORDER)
def test_imports_point_upwards(room):
    rooms = list(ORDER)
    allowed = {*rooms[: rooms.index(room)], room, "__version__"}
    for file in files_of(room):
        assert {name.split(".")[0] for name in imported(file)} <= allowed, file


@pytest.mark.parametrize("room", [room for room, order in ORDER.items() if order])
def test_files_of_a_room_import_only_those_above_them(room):
    order = ORDER[room]
    for index, name in enumerate(order):
        found = set(imported(PACKAGE / room / f"{name}.py"))
        below = {f"{room}.{other}" for other in order[index:]}
        assert found.isdisjoint(below), name


def test_no_files_import_in_a_circle():
    files = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        files[name.removesuffix(".__init__")] = path
    needed = {name: files.keys() & {*imported(path)} - {name} for name, path in files.items()}
    TopologicalSorter(needed).prepare()  # raises `CycleError`, which names the files


def test_parsing_a_command_needs_no_tensorflow():
    code = (
        "import sys, textgen.cli.arguments, textgen.cli.main;"
        "import textgen.text.corpus, textgen.tokenizers.tokenizer;"
        "textgen.cli.arguments.parser();"
        "print({'tensorflow', 'keras', 'datasets'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stderr == "" and found.stdout == "set()\n"
