"""Remember: a fact, much else, then the question. Which model still knows?"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen.cells import CELLS
from textgen.data.recall_task import Document, Task
from textgen.errors import TextgenError
from textgen.ui import models, page_parts, widgets
from textgen.ui.cached import memory
from textgen.ui.charts import curves as charts
from textgen.ui.messages import language, t
from textgen.ui.processes import trainings

if TYPE_CHECKING:
    from textgen.generation.generator import Generator

state = st.session_state
FIRST_CELLS = ("lstm", "gru", "rnn")
BLANK = "___"
TICK = 1.0  # seconds between two looks at a model in training
LIVE_EPOCHS = 3
QUICK, SURE = 96, 408  # documents of each distance


def main() -> None:
    widgets.header("remember")
    task = page_parts.the_task()
    try:
        available = models.trained_on(task.path.name)
        if available:
            generators = choose_models(available)
            watch(task, generators)
            curve(task, generators)
        live(task)
        ordinary()
    except TextgenError as error:
        widgets.error(error)


def choose_models(available: dict[str, Path]) -> dict[str, Generator]:
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
    found = {labels[name]: models.load(available[name]) for name in chosen}
    if twins:
        found |= {
            t("remember.untrained", name=label): memory.untrained(available[name])
            for label, name in zip(list(found), chosen, strict=True)
        }
    return found


# --- one document ---------------------------------------------------------------------------------


def watch(task: Task, generators: dict[str, Generator]) -> None:
    """One document, and what each model has at the blank."""
    own = st.toggle(t("remember.own"), key="own", bind="query-params")
    document = own_document() if own else page_parts.choose_document()[1]
    if document is None:
        return
    show_document(document)
    if not generators:
        return
    known = document.answer in task.answers
    columns = st.columns(len(generators), gap="medium")
    for column, (label, generator) in zip(columns, generators.items(), strict=True):
        shares = memory.shares(generator, task, document)
        best = max(shares, key=lambda answer: shares[answer])
        with column:
            right = known and best == document.answer
            verdict = t("remember.says", answer=best, share=shares[best])
            mark = ("✓ " if right else "✗ ") if known else ""
            st.html(
                f'<div class="tg-verdict"><b>{html.escape(label)}</b><br>'
                f"{mark}{html.escape(verdict)}</div>"
            )
            rows = pd.DataFrame({"answer": list(shares), "share": list(shares.values())})
            rows["right"] = rows["answer"] == document.answer
            st.altair_chart(charts.shares(rows, t("remember.share")), key=f"shares {label}")


def own_document() -> Document | None:
    text = st.text_area(t("remember.own_text", blank=BLANK), t("remember.example"), height=140)
    if text.count(BLANK) != 1:
        st.info(t("remember.no_blank", blank=BLANK))
        return None
    before, ending = text.split(BLANK)
    return Document(before, "", ending, "", "", 0, len(before))


def show_document(document: Document) -> None:
    told, rest = document.before[: document.told], document.before[document.told :]
    blank = f'<span class="tg-blank">{html.escape(document.answer) or "?"}</span>'
    st.html(
        f'<div class="tg-document"><mark>{html.escape(told)}</mark>'
        f"<span>{html.escape(rest)}</span>{blank}{html.escape(document.ending)}</div>"
    )


# --- the curve ------------------------------------------------------------------------------------


def curve(task: Task, generators: dict[str, Generator]) -> None:
    """Right answers against distance, measured now."""
    if not generators:
        return
    st.subheader(t("remember.curve"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.segmented_control(
            t("remember.n"),
            [QUICK, SURE],
            default=QUICK,
            required=True,
            key="n",
            bind="query-params",
        )
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
    for control in memory.CONTROLS if with_controls else memory.CONTROLS[:1]:
        for label, generator in generators.items():
            with st.spinner(t("remember.measuring", name=label)):
                found = memory.measured(generator, task, number, control)
            frames.append(memory.frame(found).assign(model=label, control=t(f"control.{control}")))
            horizons.setdefault(label, found.horizon)  # the first control is none
            chart = charts.recall_curve(pd.concat(frames), horizons, found.chance, words)
            place.altair_chart(chart, key=f"curve {control} {label}")
    widgets.facts(
        (label, t("remember.horizon", distance=reach)) for label, reach in horizons.items()
    )
    seen = ", ".join(f"{label} {g.hash}" for label, g in generators.items())
    st.caption(t("remember.how", n=number, models=widgets.plain(seen)))


# --- a model trained now --------------------------------------------------------------------------


def live(task: Task) -> None:
    st.subheader(t("remember.live"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cells = [c for c in CELLS if memory.recipe(task, c).is_file()]
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
            trainings.start_recipe(memory.recipe(task, cell), name, epochs=LIVE_EPOCHS)
            state["live"] = name
    if current := state.get("live"):
        alive = trainings.read(current).alive
        st.fragment(monitor, run_every=TICK if alive else None)(current, alive)


def monitor(name: str, was_alive: bool) -> None:
    run = trainings.read(name)
    if run.alive != was_alive:
        st.rerun()  # it is now among the models
    status = run.status
    done = status.get("step", 0) / max(status.get("steps") or 1, 1)
    if run.state == "failed":
        widgets.error(run.message)
        return
    st.progress(min(done, 1.0), f"{name} · {t(f'state.{run.state}')}")
    rows = memory.recall_of(run.folder)
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
        memory.some_text(language()),
        height=120,
        max_chars=20_000,
        key=f"context text {language()}",
    )
    if not st.button(t("remember.measure"), key="measure context"):
        return
    generator = models.load(available[name])
    with st.spinner(t("remember.measuring", name=name)):
        rows, reach = memory.context(generator, text)
    words = {"context": t("remember.context"), "bits": t("remember.bits")}
    st.altair_chart(charts.context_curve(rows, words), key="context curve")
    st.caption(t("remember.looks_back", count=reach))


main()
