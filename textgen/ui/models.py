"""Which models there are, and one loaded copy of each for all sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from textgen import shipped
from textgen.errors import TextgenError
from textgen.runs.run_folder import WEIGHTS, read_config
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.evaluation.copying import CopyMeter
    from textgen.generation.generator import Generator

RUNS = Path("runs")  # in the working directory, as on the command line
FIRST = "lstm-char"  # how the name of what the app opens with ends
LONGEST_PROMPT = 5000  # characters
KEPT = 16  # loaded models; the one used longest ago goes first


def available() -> dict[str, Path]:
    """name -> folder: what is shipped, the page's language first, then the runs, newest first."""
    ready = [file.parent for file in shipped.MODELS.glob(f"*/{WEIGHTS}")]
    ready.sort(
        key=lambda f: (not f.name.startswith(language()), not f.name.endswith(FIRST), f.name)
    )
    trained = sorted(RUNS.glob(f"*/{WEIGHTS}"), key=lambda f: -f.stat().st_mtime)
    names = {folder.name: folder for folder in ready}
    for file in trained:
        name = file.parent.name
        names[f"runs/{name}" if name in names else name] = file.parent
    return names


def trained_on(task: str) -> dict[str, Path]:
    """Those of `available` that were trained on the task file of this name."""
    found = {}
    for name, folder in available().items():
        try:
            corpus = read_config(folder).get("corpus")
        except TextgenError:
            continue
        if isinstance(corpus, dict) and corpus.get("task") == task:
            found[name] = folder
    return found


def short_name(name: str) -> str:
    """speaker-lstm-ko -> LSTM; any other name as it is."""
    task, _, rest = name.partition("-")
    return rest.rpartition("-")[0].upper() if task == "speaker" and "-" in rest else name


def name_of_run(run: str) -> str:
    """How `available` calls the run folder runs/`run`."""
    return f"runs/{run}" if (shipped.MODELS / run / WEIGHTS).is_file() else run


def load(folder: Path) -> Generator:
    """The model in `folder`, read once until its weights change."""
    with st.spinner(t("write.loading")):
        return _load(str(folder), (folder / WEIGHTS).stat().st_mtime_ns)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _load(folder: str, changed: int) -> Generator:
    from textgen.generation.generator import load as load_generator

    keep_programs()
    return load_generator(folder)


def copy_meter(generator: Generator, folder: Path) -> CopyMeter | None:
    """For the text that the model in `folder` was trained on; None where that is not at hand."""
    with st.spinner(t("colour.reading")):
        meter = _copy_meter(generator, str(folder), generator.hash)
    if meter is None:
        _copy_meter.clear(generator, str(folder), generator.hash)  # it may be there the next time
    return meter


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _copy_meter(_generator: Generator, folder: str, mark: str) -> CopyMeter | None:
    from textgen.data.training_data import material_at_hand
    from textgen.evaluation.copying import CopyMeter

    material = material_at_hand(_generator.card, shipped.HOME)
    return CopyMeter(material.text) if material else None


def keep_programs() -> None:
    """Streamlit ends every run of a page with `keras.backend.clear_session()`, after which each
    program of TensorFlow is prepared anew, in the best part of a second."""
    from textgen.backend import keras

    keras.backend.clear_session = lambda: None


def first_prompt(folder: Path) -> str:
    """What the model's own samples began with; no TensorFlow is needed to know."""
    try:
        return str(read_config(folder)["training"].get("prompt", ""))[:LONGEST_PROMPT]
    except TextgenError:
        return ""


def described(generator: Generator) -> list[str]:
    """cell and size, tokenizer, parameters, bits per character, hash."""
    config = generator.config
    metrics: Any = generator.card.get("metrics") or {}
    bits = metrics.get("val_bits_per_char") if isinstance(metrics, dict) else None
    return [
        f"{config.cell.upper()} {config.num_layers} × {config.hidden_size}",
        t(f"tokenizer.{generator.tokenizer.name}"),
        t("write.parameters", count=generator.num_parameters),
        t("write.bits", bits=bits) if isinstance(bits, int | float) else "",
        generator.hash,
    ]
