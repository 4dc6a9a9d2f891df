"""Train: choose a text, read what the doctor finds, watch a model learn it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.cells import CELLS
from textgen.config import ModelConfig, TokenizerConfig, TrainConfig
from textgen.errors import TextgenError
from textgen.options import build, options_of
from textgen.text.doctor import Diagnosis
from textgen.text.read_config import ReadConfig
from textgen.training.cost import expected_seconds
from textgen.ui import figures, models, training_text, widgets
from textgen.ui.charts import curves as charts
from textgen.ui.messages import t
from textgen.ui.processes import trainings

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

state = st.session_state
TICK = 1.5  # seconds between two looks at a run
SHOWN_SAMPLES = 3
NEW = "new training"  # instead of a run's name: the form


def main() -> None:
    widgets.header("train")
    known = trainings.all_runs()
    watched = watched_run(known)
    try:
        if watched is None:
            form(known)
        else:
            st.button(t("train.new"), icon=":material/arrow_back:", type="tertiary", on_click=watch)
            tick = TICK if watched.alive else None
            st.fragment(monitor, run_every=tick)(watched.name, watched.alive)
    except TextgenError as error:
        widgets.error(error)


def watched_run(known: list[trainings.Run]) -> trainings.Run | None:
    """The run in the address or chosen before; on a first visit, one that is under way."""
    names = {run.name: run for run in known}
    chosen = st.query_params.get("run") or state.get("run")
    if chosen is None:
        chosen = next((run.name for run in known if run.alive), NEW)
    if chosen not in names:
        watch()
        return None
    watch(chosen)
    return names[chosen]


def watch(name: str | None = None) -> None:
    """Show this run from now on; the form without one."""
    state["run"] = name or NEW
    if name is not None:
        st.query_params["run"] = name
    else:
        st.query_params.pop("run", None)


# --- the form -----------------------------------------------------------------------------------


def form(known: list[trainings.Run]) -> None:
    """A text, what the doctor says of it, and the settings to train with."""
    source = training_text.choose_text()
    if source is not None:
        path, stem = source
        column, reading = training_text.choose_reading(path)
        text = f"{path}:{column}" if column else str(path)
        diagnosis, beginning = training_text.examine(
            text, build(ReadConfig, reading), training_text.changed(path)
        )
        training_text.corpus_facts(diagnosis)
        model = choose_model()
        settings = choose_settings(diagnosis, beginning, model)
        train_button(text, stem, reading | settings)
        if not model:
            widgets.line([how_long(diagnosis, settings)])
    if known:
        st.divider()
        earlier(known)


def choose_model() -> str:
    """The run or the shipped model to begin from; "" to begin anew."""
    known = models.available()
    name = st.selectbox(
        t("train.from"),
        ["", *known],
        format_func=lambda name: name or t("train.anew"),
        key="from",
        help=t("help.from"),
    )
    if not name:
        return ""
    folder = known[name]
    return folder.name if folder.parent == shipped.MODELS else str(folder)


def choose_settings(diagnosis: Diagnosis, beginning: str, model: str) -> dict[str, object]:
    """What the suggestion says, to be changed; keyed by it, so that a new text resets it.

    model: that it begins from, whose tokens, cell and size stay; "" where it begins anew.
    """
    hint = diagnosis.suggestion
    mark = f"{diagnosis.characters}/{diagnosis.alphabet_size}"
    tokenizers = list(options_of(TokenizerConfig)["tokenizer"][0].choices or ())
    if not model:
        st.caption(widgets.plain(training_text.translated("reason", hint.reason)))

    def number(column: DeltaGenerator, name: str, cls: type, start: int, step: int = 1) -> int:
        rule, _, _ = options_of(cls)[name]
        low, high = int(rule.low or 0), int(rule.high or 10_000)
        label = t(f"option.{name}")
        return column.number_input(
            label, low, high, start, step, key=f"{name} {mark}", help=t(f"help.{name}")
        )

    def prompt(column: DeltaGenerator) -> str:
        return column.text_input(
            t("option.prompt"), beginning, key=f"prompt {mark}", help=t("help.prompt")
        )

    if model:
        left, right = st.columns(2)
        return {
            "from": model,
            "epochs": number(left, "epochs", TrainConfig, hint.epochs),
            "prompt": prompt(right),
        }
    left, middle, right = st.columns(3)
    options: dict[str, object] = {
        "tokenizer": left.selectbox(
            t("option.tokenizer"),
            tokenizers,
            tokenizers.index(hint.tokenizer),
            format_func=models.tokenizer_label,
            key=f"tokenizer {mark}",
            help=t("help.tokenizer"),
        ),
        "cell": middle.selectbox(
            t("option.cell"),
            list(CELLS),
            list(CELLS).index(ModelConfig().cell),
            format_func=str.upper,
            key=f"cell {mark}",
            help=t("help.cell"),
        ),
    }
    options["epochs"] = number(right, "epochs", TrainConfig, hint.epochs)
    left, middle, right = st.columns(3)
    options["hidden_size"] = number(left, "hidden_size", ModelConfig, hint.hidden_size, 32)
    options["num_layers"] = number(middle, "num_layers", ModelConfig, 1)
    options["prompt"] = prompt(right)
    if options["tokenizer"] == "sentencepiece":
        pieces = hint.vocab_size or TokenizerConfig().vocab_size
        options["vocab_size"] = number(st.container(), "vocab_size", TokenizerConfig, pieces, 100)
    return options


TOKENS = {"sentencepiece": 0.5, "jamo": 2.0}  # of a character, about; of others 1
JAMO = 100  # kinds, with digits and signs


def how_long(diagnosis: Diagnosis, settings: dict[str, object]) -> str:
    """About how long it will take: it is not known before the first steps on this machine."""
    model, epochs = build(ModelConfig, settings), build(TrainConfig, settings).epochs
    tokenizer = build(TokenizerConfig, settings)
    # one from elsewhere counts as characters do
    kinds = {"sentencepiece": tokenizer.vocab_size, "jamo": JAMO}
    tokens = int(diagnosis.characters * TOKENS.get(tokenizer.tokenizer, 1.0) * epochs)
    vocabulary = kinds.get(tokenizer.tokenizer, diagnosis.alphabet_size)
    fast, slow = (
        max(1, math.ceil(seconds / 60)) for seconds in expected_seconds(model, vocabulary, tokens)
    )
    return t("train.how_long", fast=fast, slow=slow)


def train_button(text: str, stem: str, settings: dict[str, object]) -> None:
    """A name for the run, and its start."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            t("train.name"),
            trainings.free_name(stem),
            key=f"name {trainings.free_name(stem)}",
            width=260,
        )
        pressed = st.button(t("train.train"), type="primary", key="train")
    if pressed:
        name = trainings.checked_name(name)
        trainings.start(text, name, settings)
        watch(name)
        st.rerun()


def earlier(known: list[trainings.Run]) -> None:
    """The last runs, to be opened."""
    st.subheader(t("train.earlier"), anchor=False)
    for run in known[:8]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                widgets.plain(run.name),
                key=f"open {run.name}",
                type="tertiary",
                on_click=watch,
                args=(run.name,),
            )
            st.caption(t(f"state.{run.state}"), width="content")


# --- the monitor --------------------------------------------------------------------------------


def monitor(name: str, was_alive: bool) -> None:
    """One run: state, figures, curve, samples. Runs again by itself while the run is alive."""
    run = trainings.read(name)
    if run.alive != was_alive:
        st.rerun()
    st.subheader(widgets.plain(name), anchor=False)
    progress(run)
    actions(run)
    rows = trainings.history(name)
    if len(rows):
        curve(run, rows)
    written = trainings.latest_samples(name, SHOWN_SAMPLES)
    for sample in written:
        label = t("train.after_epoch", epoch=sample.get("epoch", ""))
        widgets.sample(label, str(sample.get("text", "")))


def progress(run: trainings.Run) -> None:
    """The state of a run, and its figures."""
    status = run.status
    done = status.get("step", 0) / max(status.get("steps") or 1, 1)
    if run.state == "starting":
        st.progress(0.0, t("state.starting"))
        return
    if run.state == "failed":
        widgets.error(run.message or t("train.no_message"))
    if not status:
        return
    if run.state != "failed":
        st.progress(1.0 if run.state == "finished" else min(done, 1.0), t(f"state.{run.state}"))
    facts = [(t("train.epoch"), f"{status.get('epoch', 0)} / {status.get('epochs', 0)}")]
    if isinstance(bits := status.get("bits_per_char"), int | float):
        facts.append((t("train.bits"), f"{bits:.3f}"))
    left = status.get("seconds_left")
    if run.state != "running" or isinstance(left, int | float):  # else it is being compiled
        facts.append((t("train.speed"), f"{status.get('tokens_per_second', 0):,.0f}"))
    facts.append((t("train.elapsed"), widgets.clock(status.get("seconds") or 0)))
    if run.state == "running" and isinstance(left, int | float):
        facts.append((t("train.left"), widgets.clock(left)))
    widgets.facts(facts)
    if back := status.get("rolled_back"):
        st.caption(t("train.rolled_back", **back))


def actions(run: trainings.Run) -> None:
    """What can be done with a run in its state."""
    with st.container(horizontal=True):
        if run.alive:
            stop_button(run.name)
        if run.resumable and st.button(t("train.resume"), key="resume run"):
            state.pop("stopping", None)
            trainings.resume(run.name)
            st.rerun()
        if run.writable and st.button(t("train.write"), type="primary", key="write with it"):
            model = models.name_of_run(run.name)
            for key in ("texts", "model", "prompt", "opened"):
                state.pop(key, None)
            page = str(Path(__file__).with_name("1_write.py"))
            st.switch_page(page, query_params={"model": model})


def stop_button(name: str) -> None:
    """Asks a run to stop, and says so at once: it goes on to the end of its step, and saves."""
    stopping = state.get("stopping") == name
    if st.button(t("train.stop"), key="stop run", disabled=stopping) and not stopping:
        trainings.stop(name)
        state["stopping"] = name
        st.rerun(scope="fragment")
    if stopping:
        st.caption(t("train.stopping"))


def curve(run: trainings.Run, rows: pd.DataFrame) -> None:
    """Bits per character so far."""
    steps, epochs = run.status.get("steps"), run.status.get("epochs")
    per_step = epochs / steps if steps and epochs else 1.0
    names = {
        "training": t("train.training"),
        "validation": t("train.validation"),
        "epoch": t("train.epoch") if steps else t("train.step"),
        "bits": t("train.bits"),
    }
    chart = charts.loss_curve(rows, per_step, names)
    figures.chart(chart, rows, "curve", figures.run_origin(run.folder, run.alive))
    widgets.line([t("train.curve_how")])


main()
