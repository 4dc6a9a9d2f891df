"""Remember: a fact, much else, then the question. Which model still knows?"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.cells import CELLS
from textgen.data.recall_documents import Document, typed
from textgen.data.recall_task import Task, read_task
from textgen.errors import TextgenError
from textgen.ui import cached, models, page_parts, passages, widgets
from textgen.ui.charts import curves as charts
from textgen.ui.messages import language, t
from textgen.ui.processes import trainings

if TYPE_CHECKING:
    from textgen.api import Model

state = st.session_state
FIRST_CELLS = ("lstm", "gru", "rnn")
BLANK = "___"
ANSWERS_SHOWN = 12  # in a chart
TICK = 1.0  # seconds between two looks at a model in training
LIVE_EPOCHS = 3
QUICK, SURE = 96, 408  # documents of each distance
CONTROLS = ("none", "removed", "swapped", "zeroed")
TEXT_LENGTH = 6000  # characters of a shipped text that the last figure begins with


def main() -> None:
    widgets.header("remember")
    task = page_parts.the_task()
    try:
        available = models.trained_on(task.path.name)
        if available:
            compared = choose_models(available)
            watch(task, compared)
            curve(task, compared)
        live(task)
        ordinary()
    except TextgenError as error:
        widgets.error(error)


def choose_models(available: dict[str, Path]) -> dict[str, Model]:
    """What to compare: label -> model, their untrained twins among them when asked for."""
    labels = {name: models.short_name(name) for name in available}
    first = [n for n in available if labels[n].lower() in FIRST_CELLS]
    chosen = st.pills(
        t("remember.models"),
        list(available),
        selection_mode="multi",
        default=first or list(available)[:3],
        format_func=labels.__getitem__,
        key=f"models {language()}",
    )
    twins = st.toggle(t("remember.twins"), key="twins", bind="query-params")
    trained = {labels[name]: models.load(available[name]) for name in chosen}
    if not twins:
        return trained
    return trained | {
        t("remember.untrained", name=label): cached.untrained(model)
        for label, model in trained.items()
    }


# --- one document ---------------------------------------------------------------------------------


def watch(task: Task, compared: dict[str, Model]) -> None:
    """One document, and what each model has at the blank."""
    custom = st.toggle(t("remember.custom"), True, key="custom", bind="query-params")
    document = custom_document(task) if custom else page_parts.choose_document()[1]
    if document is None:
        return
    show_document(document)
    if not compared:
        return
    known = document.answer in task.answers
    columns = st.columns(len(compared), gap="medium")
    for column, (label, model) in zip(columns, compared.items(), strict=True):
        shares = cached.answers(model, task, document)
        best = max(shares, key=lambda answer: shares[answer])
        with column:
            right = known and best == document.answer
            verdict = t("remember.says", answer=best, share=shares[best])
            mark = ("✓ " if right else "✗ ") if known else ""
            st.html(
                f'<div class="tg-verdict"><b>{html.escape(label)}</b><br>'
                f"{mark}{html.escape(verdict)}</div>"
            )
            note_what_it_cannot_spell(task, model, document)
            rows = pd.DataFrame({"answer": list(shares), "share": list(shares.values())})
            if len(rows) > ANSWERS_SHOWN:
                rows = rows.nlargest(ANSWERS_SHOWN, "share").sort_index()
                st.caption(t("remember.likeliest", count=ANSWERS_SHOWN, all=len(shares)))
            rows["right"] = rows["answer"] == document.answer
            st.altair_chart(charts.shares(rows, t("remember.share")), key=f"shares {label}")


def custom_document(task: Task) -> Document | None:
    """A document of the user's, judged where it names one fact of the task."""
    text = st.text_area(t("remember.custom_text", blank=BLANK), t("remember.example"), height=140)
    if (number := text.count(BLANK)) != 1:
        several = t("remember.blanks", blank=BLANK, count=number)
        st.info(several if number else t("remember.no_blank", blank=BLANK))
        return None
    document = typed(task, text, BLANK)
    if not document.answer:
        st.caption(t("remember.not_judged"))
    return document


def note_what_it_cannot_spell(task: Task, model: Model, document: Document) -> None:
    """A line for answers, and one for characters, that the model's vocabulary does not have."""
    unknown = model.tokenizer.unknown_characters
    if answers := [answer for answer in task.answers if unknown(answer)]:
        st.caption(t("remember.unspellable", answers=widgets.plain(", ".join(answers))))
    passages.note_unknown(model, document.before + document.ending)


def show_document(document: Document) -> None:
    """The document with its fact and its blank marked."""
    end = document.opening_end
    opening, filler = document.before[:end], document.before[end:]
    blank = f'<span class="tg-blank">{html.escape(document.answer) or "?"}</span>'
    st.html(
        f'<div class="tg-document"><mark>{html.escape(opening)}</mark>'
        f"<span>{html.escape(filler)}</span>{blank}{html.escape(document.ending)}</div>"
    )


# --- the curve ------------------------------------------------------------------------------------


def curve(task: Task, compared: dict[str, Model]) -> None:
    """Right answers against distance, measured now, of each model on the task it was trained on."""
    if not compared:
        return
    st.subheader(t("remember.curve"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = widgets.one_of(t("remember.n"), [QUICK, SURE], QUICK, "n")
        with_controls = st.toggle(t("remember.controls"), key="controls", bind="query-params")
    words = {
        "model": t("remember.model"),
        "distance": t("remember.distance_axis"),
        "right": t("remember.right"),
        "chance": t("remember.chance"),
        "control": t("remember.control"),
        "horizon": t("remember.reach"),
    }
    place = st.empty()
    frames: list[pd.DataFrame] = []
    horizons: dict[str, int] = {}
    for control in CONTROLS if with_controls else CONTROLS[:1]:
        for label, model in compared.items():
            with st.spinner(t("remember.measuring", name=label)):
                probe = cached.probe(model, own_task(task, model), number, control)
            frame = pd.DataFrame(probe.rows).drop(columns="groups")
            frames.append(frame.assign(model=label, control=t(f"control.{control}")))
            horizons.setdefault(label, probe.horizon)  # the first control is none
            chart = charts.recall_curve(pd.concat(frames), horizons, probe.chance, words)
            place.altair_chart(chart, key=f"curve {control} {label}")
    widgets.facts(
        (label, t("remember.horizon", distance=reach)) for label, reach in horizons.items()
    )
    names = ", ".join(
        f"{label} {model.hash} ({own_task(task, model).path.name})"
        for label, model in compared.items()
    )
    st.caption(t("remember.how", n=number, models=widgets.plain(names)))


def own_task(task: Task, model: Model) -> Task:
    """The task that a model was trained on: the page's, or its short form."""
    name = model.card.get("corpus", {}).get("task", task.path.name)
    return task if name == task.path.name else read_task(shipped.TASKS / name)


# --- a model trained now --------------------------------------------------------------------------


def recipe(task: Task, cell: str) -> Path:
    """recipes/speaker-lstm-ko.toml for the task speaker-ko."""
    stem, _, tongue = task.path.stem.rpartition("-")
    return shipped.RECIPES / f"{stem}-{cell}-{tongue}.toml"


def live(task: Task) -> None:
    """Train a cell by its recipe for a few epochs, and watch it learn ever longer distances."""
    st.subheader(t("remember.live"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cells = [c for c in CELLS if recipe(task, c).is_file()]
        cell = st.selectbox(
            t("option.cell"),
            cells,
            cells.index(FIRST_CELLS[0]),
            format_func=str.upper,
            key="live cell",
            width=180,
        )
        if st.button(t("remember.train"), type="primary", key="train live") and cell:
            name = trainings.free_name(f"{task.path.stem}-{cell}")
            trainings.start_recipe(recipe(task, cell), name, epochs=LIVE_EPOCHS)
            state["live"] = name
    if current := state.get("live"):
        alive = trainings.read(current).alive
        st.fragment(monitor, run_every=TICK if alive else None)(current, alive)


def monitor(name: str, was_alive: bool) -> None:
    """How far the training is, and what it remembers by now. Runs again by itself."""
    run = trainings.read(name)
    if run.alive != was_alive:
        st.rerun()  # it is now among the models
    status = run.status
    done = status.get("step", 0) / max(status.get("steps") or 1, 1)
    if run.state == "failed":
        widgets.error(run.message)
        return
    st.progress(min(done, 1.0), f"{name} · {t(f'state.{run.state}')}")
    rows = trainings.recall(name)
    if len(rows):
        words = {
            "distance": t("remember.distance_axis"),
            "right": t("remember.right"),
            "seconds": t("remember.seconds"),
        }
        st.altair_chart(charts.recall_over_time(rows, words), key="live curve")
    if run.alive:
        st.button(t("train.stop"), key="stop live", on_click=trainings.stop, args=(name,))


# --- ordinary text --------------------------------------------------------------------------------


def shipped_text() -> str:
    """The beginning of a text of the page's language; empty where there is none."""
    try:
        file = shipped.CORPORA / language() / "prose/tales.txt"
        return file.read_text(encoding="utf-8")[:TEXT_LENGTH]
    except OSError:
        return ""


def ordinary() -> None:
    """Loss against context length, of any model on any text."""
    st.subheader(t("remember.ordinary"), anchor=False)
    st.html(f'<p class="tg-intro">{html.escape(t("remember.ordinary_intro"))}</p>')
    available = models.available()
    if not available:
        return
    name = st.selectbox(t("write.model"), list(available), key="context model")
    text = st.text_area(
        t("remember.text"),
        shipped_text(),
        height=120,
        max_chars=20_000,
        key=f"context text {language()}",
    )
    if not st.button(t("remember.measure"), key="measure context"):
        return
    model = models.load(available[name])
    with st.spinner(t("remember.measuring", name=name)):
        curve, looks_back = cached.context(model, text)
    words = {"context": t("remember.context"), "bits": t("remember.bits")}
    st.altair_chart(charts.context_curve(pd.DataFrame(curve), words), key="context curve")
    st.caption(t("remember.looks_back", count=looks_back))


main()
