"""What the pages that look into a model share: a model and a document to choose, what is pinned, a
claim with its verdict, and how a figure is computed."""

from __future__ import annotations

import html
import random
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from textgen.data.recall_documents import Document, Writer
from textgen.data.recall_task import Task, read_task
from textgen.data.token_positions import ids_before_blank
from textgen.interpret import lesson
from textgen.ui import address, cached, models, passages, widgets
from textgen.ui.components.token_figure import Pin
from textgen.ui.messages import PAGES, language, t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.interpret import Trace
    from textgen.interpret.verdicts import Verdict

state = st.session_state
FIRST = "LSTM"
NEAREST, FARTHEST, AT_FIRST = 20, 1500, lesson.DISTANCE  # characters from fact to answer
LARGEST_SEED = 2**31 - 1


# --- what is looked at ----------------------------------------------------------------------------


def choose() -> tuple[Model, Task | None, Document] | None:
    """One model, and what it reads: a document of the task of the page's language, which the model
    was trained on, or, of any model, a text of one's own."""
    if passages.own_text():
        model = passages.choose_model()
        return model, None, passages.choose_answer(model, passages.choose_text(model))
    return choose_of_task()


def choose_of_task() -> tuple[Model, Task, Document] | None:
    """One model that was trained on the task of the page's language, and a document of it."""
    task = the_task()
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    if not available:
        st.info(t("parts.no_model", task=widgets.plain(task.path.name)))
        return None
    names = list(available)
    first = FIRST if FIRST in names else names[0]
    name = widgets.one_of(t("write.model"), names, first, "model")
    task, document = choose_document()
    return models.load(available[name]), task, document


def choose_models(task: Task, first: Sequence[str]) -> dict[str, Model]:
    """Some of the models that were trained on the task, by their short names; `first` at first."""
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    names = st.pills(
        t("remember.models"),
        list(available),
        selection_mode="multi",
        key="cells",
        default=[name for name in available if name in first],
        bind="query-params",
        wrap=True,
    )
    return {name: models.load(available[name]) for name in available if name in names}


def choose_document(at_first: int = AT_FIRST) -> tuple[Task, Document]:
    """A document on filler that no model was trained on; each control lives in the address.

    at_first: the distance with which the page opens, in characters.
    """
    task = the_task()
    if state.get("fact") not in task.facts:
        state["fact"] = address.choice("fact", task.facts) or telling_fact(task)
    with st.container(key="document choice"):  # on a phone the distance comes last, by style.css
        left, middle, right, last = st.columns(
            [2, 3, 2, 2], vertical_alignment="bottom", gap="medium"
        )
    fact = left.selectbox(t("remember.fact"), task.facts, key="fact", bind="query-params")
    middle.slider(
        t("remember.distance"),
        NEAREST,
        FARTHEST,
        at_first,
        10,
        key="distance",
        bind="query-params",
    )
    widgets.worded(
        right.selectbox,
        t("remember.variant"),
        task.variants,
        "variant",
        lambda v: t(f"variant.{v}"),
    )
    last.button(t("remember.refill"), on_click=refill, icon=":material/shuffle:", type="tertiary")
    return task, document_with(task, fact)


def telling_fact(task: Task) -> str:
    """The first fact of which the page's first model shows that it remembers it: it knows the
    answer, and would not have said it without the fact. Measured on the model."""
    available = {models.short_name(n): f for n, f in models.trained_on(task.path.name).items()}
    if FIRST not in available:
        return task.facts[0]
    return cached.telling_fact(models.load(available[FIRST]), task)


def document_with(task: Task, fact: str) -> Document:
    """The chosen document with this fact: the same filler and wording for every fact."""
    drawn = random.Random(str(filler_seed()))
    return Writer(task, ("filler",)).write(drawn, fact, distance(), variant())


def other_story(task: Task, fact: str) -> Document:
    """A document like `document_with`, on filler that no choice of the page leads to."""
    return Writer(task, ("filler",)).write(random.Random("another"), fact, distance(), variant())


def filler_seed() -> int:
    """What the filler of the document is drawn with."""
    filler = address.number("filler", 0, LARGEST_SEED)
    return 1 if filler is None else filler


def distance() -> int:
    return int(state.get("distance", AT_FIRST))


def variant() -> str:
    return str(state.get("variant", "plain"))


def the_task() -> Task:
    """The one that was chosen: one of the user's own, else the shipped one."""
    own = passages.task_file()
    return shipped_task() if own is None else read_task(own)


def own_task(task: Task, model: Model) -> Task:
    """The task that a model was trained on: the page's, or its short form."""
    corpus = model.card.get("corpus")
    name = corpus.get("task") if isinstance(corpus, dict) else None
    return task if name in (None, task.path.name) else models.shipped_task(str(name))


def shipped_task() -> Task:
    """That of the lesson's sentence, in the page's language."""
    return models.shipped_task(f"speaker-{language()}.toml")


def page_file(name: str) -> Path:
    """The file of a page of the app."""
    (file,) = PAGES.glob(f"[0-9]*_{name}.py")
    return file


def refill() -> None:
    st.query_params["filler"] = str(secrets.randbits(31))


def choose_layer(model: Model) -> int:
    """A layer, from 0; a model with one layer asks nothing."""
    layers = model.config.num_layers
    if layers == 1:
        return 0
    numbers = [str(k + 1) for k in range(layers)]
    return (
        int(st.selectbox(t("step.layer"), numbers, key="layer", bind="query-params", width=90)) - 1
    )


def note_need(model: Model) -> None:
    """By what the units are ranked."""
    by = "silence" if model.network.cell.forgets_by is None else "forget"
    widgets.line([t(f"parts.need_{by}")])


def gates_of(model: Model) -> tuple[str, ...]:
    """The names of the gates of the model's cell."""
    return model.network.cell.gates


def tokens(model: Model, document: Document) -> list[str]:
    """The text of each token up to the blank; what stands before the first is a line's end."""
    _, *others = ids_before_blank(model.tokenizer, document)
    return ["↵", *(model.tokenizer.token(token) for token in others)]


def time_scales(model: Model, values: Mapping[str, Array]) -> Array:
    """How long each unit of a gated cell remembers, in tokens [U]."""
    from textgen.interpret import time_scale

    return time_scale(np.asarray(model.network.cell.retained(values)))


def show_document(document: Document) -> None:
    """The document with its fact and its blank marked."""
    end = document.opening_end
    opening, filler = document.before[:end], document.before[end:]
    told = f"<mark>{html.escape(opening)}</mark>" if opening else ""
    blank = f'<span class="tg-blank">{html.escape(document.answer) or "?"}</span>'
    st.html(
        f'<div class="tg-document" tabindex="0">{told}'
        f"<span>{html.escape(filler)}</span>{blank}{html.escape(document.ending)}</div>"
    )


# --- a cell of a figure that is pinned, kept in the address ---------------------------------------

UNPINNED = "none"


def pinned(tokens: int, units: int = 0, default: int | None = None) -> Pin:
    """The unit and the token in the address, of as many as there are.

    default: the unit where the address names none that there is.
    """
    unit = address.number("unit", 0, units - 1)
    if unit is None and st.query_params.get("unit") != UNPINNED:
        unit = default
    return Pin(None if unit is None else str(unit), address.number("token", 0, tokens - 1))


def pin(chosen: Pin) -> None:
    """Keep a pinned unit and token in the address."""
    st.query_params["unit"] = UNPINNED if chosen.row is None else chosen.row
    pin_token(chosen)


def pin_token(chosen: Pin) -> None:
    """Keep a pinned token in the address."""
    if chosen.token is None:
        st.query_params.pop("token", None)
    else:
        st.query_params["token"] = str(chosen.token)


# --- what is said of it ---------------------------------------------------------------------------


MARKS = {"holds": "✓", "fails": "✗", "open": "?"}


def claim(sentence: str, verdict: Verdict, measured: str, *, everywhere: bool = False) -> None:
    """A sentence of the lesson, whether it holds, and the measurement that says so. everywhere:
    that it is no matter of the model and its text."""
    kind = verdict.value
    words = t(f"parts.{kind}_everywhere") if everywhere else t(f"parts.{kind}")
    said = f"{MARKS[kind]} {html.escape(words)}"
    st.html(
        f'<div class="tg-claim tg-{kind}"><p>{html.escape(sentence)}</p>'
        f"<p><b>{said}</b> {widgets.glossed(measured)}</p></div>"
    )


def how(text: str, source: str) -> None:
    """How a figure is computed, folded away."""
    with st.expander(t("parts.how")):
        words, where = widgets.glossed(text), html.escape(source)
        st.html(f'<p class="tg-intro">{words}</p><p><small>{where}</small></p>')


def replay_error(*traces: Trace) -> None:
    """How close what is shown comes to what the trained layers compute."""
    from textgen.interpret.verdicts import TOLERANCE

    error = max(trace.error for trace in traces)
    mark = "✓" if error < TOLERANCE else "✗"
    said = t("parts.replay", error=widgets.power(error), limit=widgets.power(TOLERANCE))
    widgets.line([f"{mark} {said}"])
