"""Neurons: which units hold the fact, where else they fire, and what happens without them."""

from __future__ import annotations

import html
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.data.recall_task import Document, Task
from textgen.errors import TextgenError
from textgen.ui import page_parts, widgets
from textgen.ui.cached import looks, memory, stores
from textgen.ui.charts import neurons as neuron_charts
from textgen.ui.components.token_figure import token_figure
from textgen.ui.messages import language, t

if TYPE_CHECKING:
    from textgen.generation.generator import Generator

state = st.session_state
SHOWN = 12  # units
SILENT = (0, 1, 2, 4, 8, 16, 32, 64)
FIRES = 0.3  # the least output of a unit that fires
AROUND = 24  # tokens shown on either side of a stretch
FLIPPED = 0.9  # of the pairs
READ = 0.9  # of the documents


def main() -> None:
    widgets.header("neurons")
    try:
        chosen = page_parts.choose()
        if chosen is not None:
            look(*chosen)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("neurons.how"), t("neurons.source"))


def look(generator: Generator, task: Task, document: Document) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = page_parts.choose_layer(generator)
        part = choose_part(generator)
    ranked = np.argsort(-abs(looks.effects(generator, document, layer)), kind="stable")
    coloured(generator, document, layer, part, ranked)
    elsewhere(generator, document, layer)
    st.fragment(silence)(generator, task, document, layer, ranked)
    st.fragment(transplanted)(generator, task, document)
    read_off(generator, task, document, layer)


def choose_part(generator: Generator) -> str:
    """What is carried along, C where there is one, or what is shown of it."""
    names: tuple[str, ...] = generator.model.recurrent[0].STATE[::-1]
    if len(names) == 1:
        return names[0]
    return widgets.worded(
        st.segmented_control,
        t("neurons.part"),
        names,
        "part",
        lambda s: t(f"neurons_part.{s}"),
        required=True,
    )


# --- the text, coloured by one unit ---------------------------------------------------------------


def coloured(
    generator: Generator, document: Document, layer: int, part: str, ranked: np.ndarray
) -> None:
    read = looks.trace(generator, looks.blank(generator, document))
    units = ranked[:SHOWN]
    found = read.layers[layer][part][:, units]
    tokens = looks.texts(generator, document)
    token_figure(
        tokens,
        found.T,
        [str(unit) for unit in units],
        [page_parts.scale_of(generator, part, found)],
        key="units",
        title=t("neurons.best", n=len(units), part=part),
        caption=page_parts.origin(generator, tokens),
        value_word=part,
        row_word=t("step.unit"),
        pinned=page_parts.pinned(default=str(units[0])),
        on_pin=page_parts.pin,
        brush=chosen_span(generator, document, len(tokens)),
        on_span=brushed,
        marks=page_parts.marks(generator, document),
        rest=document.answer + document.ending,
    )
    page_parts.downloads(pd.DataFrame(found, columns=units).assign(text=tokens), "units", generator)
    page_parts.replay_error(read)


def brushed(first: int, last: int) -> None:
    state["span"] = (first, last)


def chosen_span(generator: Generator, document: Document, tokens: int) -> tuple[int, int]:
    """The first and the last token of the stretch."""
    span = state.get("span")
    if span is None:  # the slider that keeps it in the address stands further down
        asked = st.query_params.get_all("span")
        if len(asked) == 2 and all(part.isdigit() for part in asked):
            span = (int(asked[0]), int(asked[1]))
    if span is not None and 0 <= span[0] <= span[1] < tokens:
        return span[0], span[1]
    state.pop("span", None)
    return first_span(generator, document, tokens)


def first_span(generator: Generator, document: Document, tokens: int) -> tuple[int, int]:
    """The last two tokens of the word of the fact: more would fire too few units together."""
    encode, before = generator.tokenizer.encode, document.before
    word = max(before[: document.told].rfind(document.fact), 0)
    first, last = (len(encode(before[:end])) for end in (word, word + len(document.fact)))
    return min(max(first + 1, last - 1), tokens - 1), min(last, tokens - 1)


def elsewhere(generator: Generator, document: Document, layer: int) -> None:
    """Where in the shipped corpus the units that fire all through the brushed stretch fire too."""
    from textgen.interpret import matches

    ids = looks.blank(generator, document)
    st.subheader(t("neurons.elsewhere"), anchor=False)
    low, high = st.slider(
        t("neurons.span"),
        0,
        len(ids) - 1,
        first_span(generator, document, len(ids)),
        key="span",
        bind="query-params",
        help=t("neurons.span_help"),
    )
    read = looks.trace(generator, ids)
    text, corpus, h = stores.corpus_outputs(generator, language(), layer)
    units, found = matches(read.layers[layer]["h"][low : high + 1], h, FIRES)
    decode = generator.tokenizer.decode
    widgets.line(
        [
            f"‘{decode(ids[low : high + 1])}’",
            t("neurons.firing", n=len(units)),
            ", ".join(map(str, units[:SHOWN])),
        ]
    )
    ends = [(m.start - AROUND, m.start, m.start + high - low + 1) for m in found]
    # where a token that the model does not know hides a letter, the corpus still has it
    places = [
        [len(decode(corpus[: max(end, 0)])) for end in (*three, three[-1] + AROUND)]
        for three in ends
    ]
    stretches = [[text[a:b] for a, b in itertools.pairwise(place)] for place in places]
    rows = pd.DataFrame(stretches, columns=["before", "match", "after"])
    rows.insert(0, "share", [match.share for match in found])
    if rows.empty:
        st.info(t("neurons.nowhere"))
        return
    lines = "".join(
        f"<tr><td>{match.share:.0%}</td><td>{html.escape(before)}<mark>{html.escape(own)}</mark>"
        f"{html.escape(after)}</td></tr>"
        for match, (before, own, after) in zip(found, stretches, strict=True)
    )
    st.html(f'<table class="tg-found">{lines}</table>')
    page_parts.downloads(rows, "elsewhere", generator)


# --- experiments ----------------------------------------------------------------------------------


def silence(
    generator: Generator, task: Task, document: Document, layer: int, ranked: np.ndarray
) -> None:
    """The answer without some units, and without ever more of the best."""
    names = [str(unit) for unit in ranked]
    if not set(state.get("off", ())) <= set(names):
        state.pop("off", None)
    st.subheader(t("neurons.silence"), anchor=False)
    off = st.multiselect(t("neurons.off"), names, default=names[:1], key="off", bind="query-params")
    shares = {
        number: stores.answers_without(generator, task, document, layer, ranked[:number].tolist())
        for number in SILENT
        if number <= len(ranked)
    }
    after = stores.answers_without(generator, task, document, layer, [int(unit) for unit in off])
    left, right = st.columns(2, gap="large")
    with left:
        page_parts.answers(generator, "silenced", shares[0], after, t("neurons.silent"))
    rows = pd.DataFrame(
        {"number": list(shares), "share": [found[document.answer] for found in shares.values()]}
    )
    words = {"number": t("neurons.number"), "share": t("neurons.right_answer")}
    with right:
        page_parts.chart(neuron_charts.without(rows, words), rows, "without", generator)
    stands = all(
        max(found, key=lambda answer: found[answer]) == document.answer
        for found in (shares[0], shares[1])
    )
    page_parts.claim(
        t("neurons.claim_spread"),
        stands,
        t(
            "neurons.spread",
            unit=names[0],
            before=shares[0][document.answer],
            after=shares[1][document.answer],
        ),
    )


def transplanted(generator: Generator, task: Task, document: Document) -> None:
    """Another's state, or a part of it, handed over in the middle of the filler."""
    from textgen.interpret import transplant

    st.subheader(t("neurons.transplant"), anchor=False)
    ids, told = looks.blank(generator, document), looks.told_at(generator, document)
    names: tuple[str, ...] = generator.model.recurrent[0].STATE
    wholes = [names] if len(names) > 1 else []
    kinds = {" + ".join(parts): parts for parts in [*wholes, *((name,) for name in names[::-1])]}
    others = [fact for fact in task.facts if task.answer_to(fact) != document.answer]
    for key, allowed in (("donor", others), ("handed", kinds)):
        if state.get(key) not in allowed:
            state.pop(key, None)
    middle = (told + len(ids)) // 2
    if not told < state.get("at", middle) < len(ids):
        state.pop("at", None)
    columns = st.columns([2, 3, 2], vertical_alignment="bottom", gap="medium")
    fact = columns[0].selectbox(t("neurons.donor"), others, key="donor", bind="query-params")
    at = columns[1].slider(
        t("neurons.at"), told + 1, len(ids) - 1, middle, key="at", bind="query-params"
    )
    with columns[2]:
        chosen = st.segmented_control(
            t("neurons.handed"),
            list(kinds),
            default="C" if "C" in kinds else names[0],
            required=True,
            key="handed",
            bind="query-params",
        )
    donor = page_parts.written(task, fact)
    left = len(ids) - at
    scorer = memory.scorer(generator, task)
    end = transplant(
        generator.model, ids, looks.blank(generator, donor), at, kinds[chosen or next(iter(kinds))]
    )
    (row,) = scorer.shares_of(end, [document.ending])
    before = memory.shares(generator, task, document)
    after = dict(zip(task.answers, map(float, row), strict=True))
    one, many = st.columns(2, gap="large")
    with one:
        page_parts.answers(generator, "transplant", before, after, t("neurons.after"))
    found = {}
    with many, st.spinner(t("neurons.pairs")):
        for kind, parts in kinds.items():
            found[kind] = stores.flips(
                generator, task, page_parts.distance(), page_parts.variant(), left, parts
            )
        rows = pd.DataFrame([{"parts": kind} | vars(flips) for kind, flips in found.items()])
        words = {
            "parts": t("neurons.handed"),
            "share": t("neurons.flipped"),
            "own": t("neurons.kept"),
        }
        page_parts.chart(neuron_charts.flips(rows, FLIPPED, words), rows, "flips", generator)
    part = names[-1]
    page_parts.claim(
        t("neurons.claim_transplant", part=part),
        found[part].share >= FLIPPED,
        t(
            "neurons.turned",
            share=found[part].share,
            low=found[part].low,
            high=found[part].high,
            n=found[part].n,
            left=left,
            limit=FLIPPED,
        ),
    )


def read_off(generator: Generator, task: Task, document: Document, layer: int) -> None:
    """A linear probe for the answer on each part of the state, all along the document."""
    st.subheader(t("neurons.stored"), anchor=False)
    with st.spinner(t("neurons.probing")):
        found = stores.readable(generator, task, page_parts.distance(), page_parts.variant(), layer)
    rows = pd.DataFrame(
        [(left, share, part) for part, course in found.items() for left, share in course.items()],
        columns=["left", "accuracy", "part"],
    )
    told = len(looks.blank(generator, document)) - 1 - looks.told_at(generator, document)
    words = {
        "left": t("gradients.distance"),
        "accuracy": t("neurons.readable"),
        "part": t("neurons.part"),
        "chance": t("remember.chance"),
        "told": t("exhibit.told"),
    }
    chance = 1 / len(task.answers)
    page_parts.chart(neuron_charts.readable(rows, told, chance, words), rows, "stored", generator)
    part = generator.model.recurrent[0].STATE[-1]
    after = [share for left, share in found[part].items() if left <= told]
    page_parts.claim(
        t("neurons.claim_stored", part=part),
        min(after) >= READ,
        t(
            "neurons.least",
            least=min(after),
            last=found[part][0],
            n=stores.FILLERS * len(task.facts),
            limit=READ,
        ),
    )


main()
