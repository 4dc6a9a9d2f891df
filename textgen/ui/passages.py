"""What the pages that look into a model read: a document of a task, or any text under any model.

A text of one's own is a `Document` without a fact: what stands before the blank is the text, the
answer is how it is to go on. All of it lives in the address.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.errors import ConfigError, GenerationError, RunError
from textgen.ui import address, cached, models, own_tasks, widgets
from textgen.ui.messages import LANGUAGES, t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.interpret import Trace

SOURCES = ("task", "own")
VERSIONS = ("best", "last")  # of the weights of a run
LONGEST = 2000  # tokens of a text of one's own
CHARACTERS = 20_000  # what the box takes: a token is rarely longer than ten
ANSWER = 200  # characters
PARTS = ("training", "held_out")  # of the text that a model was trained on
PASSAGE = 300  # characters
SHORTEST_PART, LONGEST_PART = 4000, 15_000  # characters of a corpus that is read
AT_ONCE = 4  # models that read one text beside each other


def own_text_asked() -> bool:
    """What `own_text` will return, before its control is drawn."""
    asked = st.session_state.get("source") or address.choice("source", SOURCES)
    return asked == "own"


def own_text() -> bool:
    """Whether the page reads a text of one's own; the first control of the page. Else it reads
    documents of a task: the shipped one, or one of the user's."""
    return choose_source([*SOURCES, *own_sources()]) == "own"


def choose_task() -> None:
    """The shipped task or one of the user's; no question where there is none of those."""
    if own := own_sources():
        choose_source([SOURCES[0], *own])


def choose_source(sources: list[str]) -> str:
    return widgets.worded(
        st.segmented_control, t("parts.source"), sources, "source", source_name, required=True
    )


def own_sources() -> list[str]:
    """The tasks of the user's, as the control and the address name them."""
    return [f"task {name}" for name in own_tasks.available()]


def source_name(source: str) -> str:
    kind, _, name = source.partition(" ")
    return t("source.own_task", name=name) if name else t(f"source.{kind}")


def task_file() -> Path | None:
    """The file of the user's task that is chosen; None where the shipped one is."""
    _, _, name = str(st.session_state.get("source", "")).partition(" ")
    return own_tasks.available().get(name)


def all_models() -> dict[str, Path]:
    """name -> folder of every model that there is. Raises `RunError` where there is none."""
    available = models.available()
    if not available:
        raise RunError(t("parts.no_models"))
    return available


def choose_model() -> Model:
    """Any model that there is, shipped or trained here, with the weights that did best or those of
    its last save."""
    available = all_models()
    names = list(available)
    wanted = asked("any", "several")[:1]
    if wanted and wanted[0] not in available:
        st.session_state.pop("any", None)
        st.session_state["gone"] = wanted[0]
    elif wanted and not asked("any"):  # the first of those of another page
        st.session_state["any"] = wanted[0]
    # not another model in its place: one is to be chosen
    nothing = "gone" in st.session_state and st.session_state.get("any") is None
    first = None if nothing else 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(t("write.model"), names, first, key="any", bind="query-params")
        if name is None:
            raise RunError(t("parts.gone", names=st.session_state.get("gone", "")))
        st.session_state.pop("gone", None)
        folder = available[name]
        last = models.has_last_save(folder) and choose_version() == "last"
    model = models.load(folder, last=last)
    note_new_weights(f"{name} {last}", model)
    return in_voice(model)


def in_voice(model: Model, on_change: Callable[[], None] | None = None) -> Model:
    """The model in the voice that is chosen, of one that was trained with labels."""
    label = choose_label(model.labels, on_change)
    return model.in_voice({label: 1.0}) if label else model


def choose_label(labels: Sequence[str], on_change: Callable[[], None] | None = None) -> str | None:
    """Whose voice a text begins in; None for no one's, and where there are no labels."""
    state = st.session_state
    if state.get("label") not in (None, *labels):
        del state["label"]  # of another model
    if not labels:
        return None
    return st.selectbox(
        t("write.label"),
        labels,
        None,
        key="label",
        on_change=on_change,
        placeholder=t("write.no_label"),
        help=t("help.label"),
        bind="query-params",
    )


def choose_version() -> str:
    """Which weights of a run."""
    return widgets.worded(
        st.segmented_control,
        t("parts.version"),
        VERSIONS,
        "version",
        lambda name: t(f"version.{name}"),
        required=True,
        width="content",
    )


def choose_beside(model: Model) -> Model | None:
    """Another model to stand beside this one, unit by unit: the same before its training, another
    save of its run, or any model of the same size and tokenizer; None where none is asked for."""
    name, at, _ = model.name.partition("@")
    available = models.available()
    same_run = [n for n, f in available.items() if f.name == name and models.has_last_save(f)]
    others = [n for n, f in available.items() if f.name != name and models.is_alike(f, model)]
    words = {"none": t("beside.none"), "untrained": t("beside.untrained")}
    if same_run:
        words["same"] = t("version.best") if at else t("version.last")
    words |= {f"model {other}": other for other in others}
    chosen = widgets.worded(
        st.selectbox, t("parts.beside"), list(words), "beside", words.__getitem__, width=300
    )
    if chosen == "none":
        return None
    if chosen == "untrained":
        return cached.untrained(model)
    if chosen == "same":
        other = models.load(available[same_run[0]], last=not at)
        if other.hash == model.hash:
            st.caption(t("beside.same_weights"))
        return other
    other = models.load(available[chosen.removeprefix("model ")])
    if other.tokenizer.to_bytes() != model.tokenizer.to_bytes():
        raise ConfigError(t("beside.other_tokens", name=other.name, model=model.name))
    return other


def choose_models() -> dict[str, Model]:
    """Some of all models, the first at first; each, if asked for, beside itself before its training
    and at the last save of its run."""
    available = all_models()
    wanted = asked("several", "any")
    gone = [name for name in wanted if name not in available]
    if gone:
        st.caption(widgets.plain(t("parts.gone", names=", ".join(gone))))
    if wanted and (gone or not asked("several")):
        st.session_state["several"] = [name for name in wanted if name in available]
    names = st.multiselect(
        t("remember.models"),
        list(available),
        list(available)[:1],
        max_selections=AT_ONCE,
        key="several",
        bind="query-params",
    )
    chosen = {name: models.load(available[name]) for name in names}
    for name, model in chosen.items():
        note_new_weights(name, model)
    labels = list(dict.fromkeys(label for model in chosen.values() for label in model.labels))
    if label := choose_label(labels):
        chosen = {
            name: model.in_voice({label: 1.0}) if label in model.labels else model
            for name, model in chosen.items()
        }
    saved = [name for name in names if models.has_last_save(available[name])]
    if not saved or not st.toggle(t("parts.also_last"), key="also_last", bind="query-params"):
        return chosen
    last = {name: models.load(available[name], last=True) for name in saved}
    pairs = [(name, chosen[name]) for name in names]
    return dict([*pairs, *((model.name, model) for model in last.values())])


def asked(*keys: str) -> list[str]:
    """The models that the session or the address names, under the first key that names any."""
    for key in keys:
        said = st.session_state.get(key) or st.query_params.get_all(key)
        if said:
            return [said] if isinstance(said, str) else list(said)[:AT_ONCE]
    return []


def note_new_weights(key: str, model: Model) -> None:
    """A line where the weights are no longer those that this session saw at first."""
    before = st.session_state.setdefault("weights at first", {}).setdefault(key, model.hash)
    if before != model.hash:
        name = widgets.plain(model.name)
        st.caption(t("parts.new_weights", name=name, before=before, now=model.hash))


def choose_text(model: Model) -> str:
    """The text to read: typed, or a passage of what the model was trained on."""
    text = st.text_area(
        t("parts.text"),
        t("parts.example"),
        height=96,
        max_chars=CHARACTERS,
        key="text",
        bind="query-params",
    )
    with st.container(horizontal=True):
        for part in PARTS:
            st.button(
                t(f"passage.{part}"),
                key=f"passage {part}",
                on_click=take_passage,
                args=(model, part),
                type="tertiary",
                icon=":material/format_quote:",
            )
    if st.session_state.pop("no passage", False):
        st.caption(t("passage.none", name=widgets.plain(model.name)))
    if not text:
        raise GenerationError(t("parts.empty"))
    return text


def take_passage(model: Model, part: str) -> None:
    """Put a passage of the model's own text, from the beginning of a line, into the box."""
    data = models.training_text(model)
    text = "" if data is None else data.held_out_text if part == "held_out" else data.text
    if not text:
        st.session_state["no passage"] = True
        return
    at = secrets.randbelow(max(1, len(text) - PASSAGE))
    at = text.rfind("\n", 0, at + 1) + 1
    st.session_state["text"] = text[at : at + PASSAGE]


def choose_goal(model: Model, text: str) -> tuple[Document, str]:
    """(the text with its answer, the foil that the answer is weighed against): at first what the
    model itself finds likeliest to come next, and what comes second."""
    guess, second = next_tokens(model, trace(model, text), 2)
    left, right = st.columns(2)
    with left:
        answer = goal_box("answer", t("parts.answer"), guess)
    with right:
        foil = goal_box("against", t("parts.against"), second)
    note_unknown(model, text + answer + foil)
    return document(text, answer), foil


def choose_answer(model: Model, text: str) -> Document:
    """The text with its answer, at first what the model itself finds likeliest to come next."""
    (guess,) = next_tokens(model, trace(model, text), 1)
    answer = goal_box("answer", t("parts.answer"), guess)
    note_unknown(model, text + answer)
    return document(text, answer)


def goal_box(key: str, label: str, guess: str) -> str:
    """What is typed, or the guess, which is shown where nothing is."""
    shown = repr(guess)[1:-1].replace(" ", "␣")  # a newline and a space can be seen
    typed = st.text_input(label, max_chars=ANSWER, placeholder=shown, key=key, bind="query-params")
    return typed or guess


def note_unknown(model: Model, text: str) -> None:
    """A line for characters that the model has never seen."""
    if unknown := model.tokenizer.unknown_characters(text):
        st.caption(t("write.unknown", characters=widgets.plain(" ".join(unknown))))


def document(text: str, answer: str) -> Document:
    """A text of one's own, which goes on with `answer`."""
    return Document(text, answer, "", "", "", 0, 0, len(text))


def is_own(document: Document) -> bool:
    """Whether a document is a text of one's own, in which no fact is known."""
    return not document.fact


def trace(model: Model, text: str) -> Trace:
    """Every value of every unit while the model reads a text. Raises `ConfigError` for one that is
    too long."""
    ids = [model.tokenizer.start_id, *model.tokenizer.encode(text)]
    if len(ids) > LONGEST:
        raise ConfigError(t("parts.too_long", tokens=len(ids), most=LONGEST))
    return cached.trace(model, ids)


def corpus_of(model: Model) -> tuple[str, str]:
    """(a longer text for the model to read, which one it is): what was held out of its own text,
    that text itself, or, where it is not at hand, the included prose that it can spell best."""
    if data := models.training_text(model):
        for name, text in (("held_out", data.held_out_text), ("training", data.text)):
            if len(text) >= SHORTEST_PART:
                return text[:LONGEST_PART], t(f"corpus.{name}")
    texts = [cached.corpus(tongue) for tongue in LANGUAGES]
    unknown = [len(model.tokenizer.unknown_characters(text)) for text in texts]
    return texts[int(np.argmin(unknown))][:LONGEST_PART], t("corpus.included")


def next_tokens(model: Model, trace: Trace, number: int) -> dict[str, float]:
    """The likeliest tokens after a text, with their probabilities, best first."""
    return likeliest(model, np.exp(trace.logprobs[-1]), number)


def likeliest(model: Model, shares: Array, number: int) -> dict[str, float]:
    """The likeliest of all tokens, with their shares [V], best first; those without a text of their
    own, such as half a syllable, are passed over."""
    found: dict[str, float] = {}
    for token in np.argsort(-shares):
        text = model.tokenizer.decode([int(token)])
        if text and "\ufffd" not in text and int(token) != model.tokenizer.unk_id:
            found.setdefault(text, float(shares[token]))
        if len(found) == number:
            break
    return found
