"""Remember: a fact, much else, then the question. Which model still knows?"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen import shipped
from textgen.cells import CELLS
from textgen.data.recall_documents import Document
from textgen.data.recall_task import Task
from textgen.data.typed_documents import facts_named, is_denied, one_blank, typed
from textgen.errors import TextgenError
from textgen.text.nfc import nfc
from textgen.ui import answers, cached, figures, models, page_parts, passages, widgets
from textgen.ui.charts import curves as charts
from textgen.ui.messages import language, t
from textgen.ui.processes import trainings

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.evaluation.recall_probe import Probe

state = st.session_state
FIRST_CELLS = ("RNN", "LSTM", "GRU")
BLANK = "___"
ANSWERS_SHOWN = 12  # in a chart
NAMES_SHOWN = 16  # of a task, where a text has none of them
LONGEST = 5000  # characters of a document of one's own
UNLIKELY = 0.5  # that any answer comes: below, what a model would write is another thing
TICK = 1.0  # seconds between two looks at a model in training
LIVE_EPOCHS = 3
QUICK, SURE = 96, 408  # documents of each distance
CONTROLS = ("none", "removed", "swapped", "zeroed")
TEXT_LENGTH = 6000  # characters of a shipped text that the last figure begins with


def main() -> None:
    widgets.header("remember")
    try:
        passages.choose_task()
        task = page_parts.the_task()
        if models.trained_on(task.path.name):
            compared = choose_models(task)
            watch(task, compared)
            curve(task, compared)
        live(task)
        ordinary()
    except TextgenError as error:
        widgets.error(error)


def choose_models(task: Task) -> dict[str, Model]:
    """What to compare: label -> model, each as it was before training too when asked for."""
    trained = page_parts.choose_models(task, FIRST_CELLS)
    if not st.toggle(t("remember.twins"), key="twins", bind="query-params"):
        return trained
    return trained | {
        t("remember.untrained", name=label): cached.untrained(model)
        for label, model in trained.items()
    }


def colours_of(compared: dict[str, Model]) -> dict[str, str]:
    """The colour of each model; one before its training is paler than itself."""
    trained = charts.model_colours([label for label in compared if not untrained(label, compared)])
    pale = {t("remember.untrained", name=label): f"{colour}88" for label, colour in trained.items()}
    return {label: (trained | pale)[label] for label in compared}


def untrained(label: str, compared: dict[str, Model]) -> bool:
    return any(label == t("remember.untrained", name=other) for other in compared)


# --- one document ---------------------------------------------------------------------------------


def watch(task: Task, compared: dict[str, Model]) -> None:
    """One document, and what each model has at the blank."""
    shipped_task = task.path.parent == shipped.TASKS  # the example is of its kind
    custom = st.toggle(t("remember.custom"), shipped_task, key="custom", bind="query-params")
    document = custom_document(task) if custom else page_parts.choose_document()[1]
    if document is None:
        return
    page_parts.show_document(document)
    if not compared:
        return
    shares = {label: cached.answers(model, task, document) for label, model in compared.items()}
    without = {label: answers.untold(model, task, document) for label, model in compared.items()}
    colours = colours_of(compared)
    answers.rows(
        [answers.Row(label, colours[label], shares[label], without[label]) for label in compared],
        document.answer,
        judged_how(task, document, custom),
    )
    if custom:
        note_other_words(task, compared, document)
    seed = None if custom else page_parts.filler_seed()
    widgets.line([figures.measured(compared.values(), seed=seed)])
    for label, model in compared.items():
        note_what_it_was_taught(task, label, model, document)
    note_unknown_characters(compared, document)
    if st.toggle(t("remember.all_answers"), key="all", bind="query-params"):
        for column, label in zip(st.columns(len(compared), gap="medium"), compared, strict=True):
            with column:
                origin = figures.measured([compared[label]], seed=seed)
                all_answers(label, shares[label], without[label] or {}, document.answer, origin)


def judged_how(task: Task, document: Document, custom: bool) -> str:
    """What the marks mean; or why there are none: no fact of the task is named, several are, or
    one is denied."""
    if document.answer in task.answers:
        return t("answer.legend") + (" " + t("remember.only_names") if custom else "")
    named = facts_named(task, document.before)
    if denied := [match[0] for _, match in named if is_denied(document.before, match)]:
        return t("remember.denied", names=", ".join(dict.fromkeys(denied)))
    if named:
        return t("remember.several", names=", ".join(dict.fromkeys(match[0] for _, match in named)))
    known = [task.places.get(word, word) for word in task.names]
    more = len(known) - NAMES_SHOWN
    names = ", ".join(known[:NAMES_SHOWN]) + (t("remember.more", count=more) if more > 0 else "")
    return t("remember.none_named", names=names)


def all_answers(
    label: str, shares: dict[str, float], without: dict[str, float], right: str, origin: str
) -> None:
    """The likeliest answers of a model, and how likely each is without the fact. origin: whose."""
    st.caption(widgets.plain(label))
    rows = pd.DataFrame({"answer": list(shares), "share": list(shares.values())})
    rows["without"] = rows["answer"].map(without).astype(float)
    rows["right"] = rows["answer"] == right
    rows = rows.nlargest(ANSWERS_SHOWN, "share")
    figures.chart(charts.shares(rows, t("remember.share")), rows, f"answers-{label}", origin)


def custom_document(task: Task) -> Document | None:
    """A document of the user's, judged where it names one fact of the task."""
    text = st.text_area(
        t("remember.custom_text", blank=BLANK),
        t("remember.example"),
        height=140,
        max_chars=LONGEST,
        key="story",
        bind="query-params",
    )
    text = one_blank(nfc(text), BLANK)  # some systems type Hangul in parts
    if (number := text.count(BLANK)) != 1:
        several = t("remember.blanks", blank=BLANK, count=number)
        missing = t("remember.cut", longest=LONGEST) if len(text) >= LONGEST else ""
        st.info(several if number else f"{missing} {t('remember.no_blank', blank=BLANK)}".strip())
        return None
    return typed(task, text, BLANK)


def note_what_it_was_taught(task: Task, label: str, model: Model, document: Document) -> None:
    """A line for a task of its own that a model was taught, and for answers that its vocabulary
    does not have."""
    unspellable = [answer for answer in task.answers if model.tokenizer.unknown_characters(answer)]
    own = page_parts.own_task(task, model)
    easier = t("remember.other_task", answers=len(own.answers), name=own.path.stem)
    notes = [
        easier if own is not task else "",
        t("remember.unspellable", answers=", ".join(unspellable)) if unspellable else "",
    ]
    if any(notes):
        widgets.line([label, *notes])


def note_unknown_characters(compared: dict[str, Model], document: Document) -> None:
    """A line for the characters that models have never seen: one for all that lack the same."""
    lacking: dict[str, list[str]] = {}
    for label, model in compared.items():
        if unknown := model.tokenizer.unknown_characters(document.before + document.ending):
            seen = (c if c.isprintable() else f"U+{ord(c):04X}" for c in unknown)
            lacking.setdefault(" ".join(seen), []).append(label)
    for characters, labels in lacking.items():
        widgets.line([", ".join(labels), t("write.unknown", characters=characters)])


def note_other_words(task: Task, compared: dict[str, Model], document: Document) -> None:
    """A line for each model that would rather write something else than any of the answers."""
    for label, model in compared.items():
        if (share := cached.any_answer(model, task, document)) < UNLIKELY:
            widgets.line([label, t("remember.other_words", share=f"{share:.1%}")])


# --- the curve ------------------------------------------------------------------------------------


def curve(task: Task, compared: dict[str, Model]) -> None:
    """Right answers against distance, measured now, of each model on the task it was trained on."""
    if not compared:
        return
    st.subheader(t("remember.curve"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = widgets.one_of(t("remember.n"), [QUICK, SURE], QUICK, "n")
        with_controls = st.toggle(t("remember.controls"), key="controls", bind="query-params")
    words = figures.recall_words()
    with st.container(key="figure recall"):
        place = st.empty()
    frames: list[pd.DataFrame] = []
    probes: dict[str, Probe] = {}
    for control in CONTROLS if with_controls else CONTROLS[:1]:
        for label, model in compared.items():
            with st.spinner(t("remember.measuring", name=label)):
                probe = cached.probe(model, page_parts.own_task(task, model), number, control)
            frame = pd.DataFrame(probe.rows).drop(columns="groups")
            frames.append(frame.assign(model=label, control=t(f"control.{control}")))
            probes.setdefault(label, probe)  # the first control is none
            horizons = {label: found.horizon for label, found in probes.items()}
            chances = [found.chance for found in probes.values()]
            chart = charts.recall_curve(
                pd.concat(frames), horizons, chances, words, colours_of(compared)
            )
            place.altair_chart(chart, key=f"curve {control} {label}")
    tell(probes)
    tasks = [page_parts.own_task(task, model).path.name for model in compared.values()]
    origin = figures.measured(compared.values(), f"N = {number}", 1)
    figures.saved(pd.concat(frames), "recall", f"{origin} · {', '.join(dict.fromkeys(tasks))}")
    st.caption(t("remember.how", n=number))


def tell(probes: dict[str, Probe]) -> None:
    """The story of each curve, in a sentence."""
    from textgen.interpret.verdicts import recalled

    lines = []
    for label, probe in probes.items():
        found = recalled(probe.rows, probe.horizon, probe.chance)
        story = t(f"story.{found.story}", **vars(found))
        if found.story == "fades" and found.lost:
            story += " " + t("story.lost", lost=found.lost)
        lines.append(f"<li><b>{html.escape(label)}</b> {html.escape(story)}</li>")
    st.html(f'<ul class="tg-stories">{"".join(lines)}</ul>')


# --- a model trained now --------------------------------------------------------------------------


def recipe(task: Task, cell: str) -> Path:
    """recipes/speaker-lstm-ko.toml for the task speaker-ko."""
    stem, _, tongue = task.path.stem.rpartition("-")
    return shipped.RECIPES / f"{stem}-{cell}-{tongue}.toml"


def live(task: Task) -> None:
    """Train a cell by its recipe for a few epochs, and watch it learn ever longer distances."""
    cells = [c for c in CELLS if recipe(task, c).is_file()]
    if not cells:
        return
    st.subheader(t("remember.live"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cell = st.selectbox(
            t("option.cell"),
            cells,
            cells.index("lstm"),
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
        chart = charts.recall_over_time(rows, words)
        figures.chart(chart, rows, "live-recall", figures.run_origin(run.folder))
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
    name = st.selectbox(t("write.model"), list(available), key="context", bind="query-params")
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
    rows = pd.DataFrame(curve)
    tokens = t("parts.tokens", n=f"{len(model.tokenizer.encode(text)):,}")
    origin = figures.measured([model], tokens)
    figures.chart(charts.context_curve(rows, words), rows, "context", origin)
    st.caption(t("remember.looks_back", count=looks_back))


main()
