"""The page Units on a text of one's own.

What the units of any model do, where else they fire, and what the model writes without them.
"""

from __future__ import annotations

import html
import math
import secrets
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from textgen.interpret.features import OF_MEMORY
from textgen.ui import address, cached, figures, page_parts, passages, widgets
from textgen.ui.components.token_figure import token_figure
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array
    from textgen.interpret.unit_probe import FeatureProbe

state = st.session_state
SHOWN_UNITS = 12
ANSWER = "answer"  # instead of a feature: whose memory the words need that the text goes on with
AROUND = 24  # tokens shown on either side of a place
LENGTH = 120  # tokens that are written
LARGEST_SEED = 2**31 - 1


def look(model: Model, text: str, layer: int, part: str) -> None:
    """What the units do, in words and in the text; where else; and what is written without."""
    corpus, corpus_name = passages.corpus_of(model)
    with st.spinner(t("units.probing")):
        probes = cached.find_units(model, corpus, layer, part)
    table(model, probes, corpus_name)
    by = choose_feature(probes)
    found = next((probe for probe in probes if probe.feature == by), None)
    if found is None:
        document = passages.choose_answer(model, text)
        ranked = cached.units_by_need(model, None, document, layer)[:SHOWN_UNITS]
        page_parts.note_need(model)
    else:
        passages.note_unknown(model, text)
        ranked = np.array([score.unit for score in found.best], int)
        tell(found, part, corpus_name)
    beside = passages.choose_beside(model)
    unit = coloured(model, text, layer, part, ranked, by)
    if beside is not None:
        coloured(beside, text, layer, part, ranked, by, "-beside")
    elsewhere(model, corpus, corpus_name, layer, part, unit)
    st.fragment(write_without)(model, text, layer, ranked)


def feature_name(name: str) -> str:
    return t(f"feature.{name}")


def choose_feature(probes: list[FeatureProbe]) -> str:
    """What the units are ranked by: at first what one of them tells best."""
    names = [probe.feature for probe in probes if probe.best]
    # what no last character tells, where there is such a thing
    names.sort(key=lambda name: name not in OF_MEMORY)
    return widgets.worded(
        st.selectbox, t("units.rank"), [*names, ANSWER], "by", feature_name, width=340
    )


# --- what units do --------------------------------------------------------------------------------


def tell(found: FeatureProbe, part: str, corpus_name: str) -> None:
    """The best unit of a feature, and whether it says more than the base rate."""
    from textgen.interpret.verdicts import judged

    best = found.best[0]
    told = {"skill": best.skill, "low": found.low, "n": found.n, "corpus": corpus_name}
    if math.isnan(best.right):
        measured = t("units.measured_count", **told)
    else:
        measured = t("units.measured_flag", right=best.right, base=found.base, **told)
    sentence = t("units.claim", unit=best.unit, part=part, feature=feature_name(found.feature))
    page_parts.claim(sentence, judged(found.holds), measured)


def table(model: Model, probes: list[FeatureProbe], corpus_name: str) -> None:
    """Every feature with its best unit, weighed against the base rate."""
    rows = pd.DataFrame(
        [
            {
                "feature": probe.feature,
                "unit": probe.best[0].unit if probe.best else None,
                "right": probe.best[0].right if probe.best else None,
                "base": probe.base,
                "skill": probe.best[0].skill if probe.best else None,
                "low": probe.low,
                "together": probe.together,
                "n": probe.n,
                "found": probe.holds,
            }
            for probe in probes
        ]
    )
    st.subheader(t("units.all"), anchor=False)
    columns = ("unit", "right", "base", "skill", "together")
    head = ["", *(t(f"units.{name}") for name in columns), "N"]
    widgets.table(head, [in_words(probe) for probe in probes])
    widgets.line([figures.whose(model), corpus_name, t("units.table_how")])
    origin = figures.measured([model], f"N = {max(probe.n for probe in probes):,}")
    figures.downloads(rows, "what-units-do", f"{origin} · {corpus_name}")


def in_words(probe: FeatureProbe) -> list[str]:
    """A row of the table."""
    name = feature_name(probe.feature)
    if not probe.best:
        return [f"? {name}", t("units.rare"), "", "", "", "", f"{probe.n:,}"]
    best = probe.best[0]
    return [
        f"{'✓' if probe.holds else '✗'} {name}",
        str(best.unit),
        *("" if math.isnan(share) else f"{share:.1%}" for share in (best.right, probe.base)),
        f"{best.skill:.0%}",
        f"{probe.together:.0%}",
        f"{probe.n:,}",
    ]


def coloured(
    model: Model, text: str, layer: int, part: str, ranked: Array, by: str, mark: str = ""
) -> int:
    """The text in the colours of the best units; the one that is pinned. mark: what sets a second
    figure apart."""
    trace = passages.trace(model, text)
    values = trace.layers[layer][part][:, ranked]
    tokens = ["↵", *(model.tokenizer.token(i) for i in model.tokenizer.encode(text))]
    pinned = page_parts.pinned(len(tokens), model.config.hidden_size, int(ranked[0]))
    origin = figures.measured([model], t("parts.tokens", n=len(tokens)))
    told = {"n": len(ranked), "part": part, "feature": feature_name(by)}
    token_figure(
        tokens,
        values.T,
        [str(unit) for unit in ranked],
        [figures.scale_of(model, part, values)],
        key=f"units{mark}",
        title=f"{t('units.best', **told)} · {model.name}",
        caption=origin,
        value_word=part,
        row_word=t("step.unit"),
        pinned=pinned,
        on_pin=page_parts.pin,
    )
    rows = pd.DataFrame(values, columns=ranked).assign(text=tokens)
    figures.downloads(rows, f"units{mark}", origin)
    page_parts.replay_error(trace)
    return int(ranked[0]) if pinned.row is None else int(pinned.row)


def elsewhere(
    model: Model, corpus: str, corpus_name: str, layer: int, part: str, unit: int
) -> None:
    """Where in the longer text the pinned unit is farthest from what it mostly is."""
    from textgen.interpret.patterns import Match, in_context, strongest

    ids, values = cached.outputs(model, corpus, layer, part)
    course = values[:, unit].astype(np.float32)
    rows = pd.DataFrame(
        [
            (course[at], *in_context(model.tokenizer, corpus, ids, Match(at, 1.0), 1, AROUND))
            for at in strongest(course)
        ],
        columns=["value", "before", "match", "after"],
    )
    st.subheader(t("units.elsewhere", unit=unit), anchor=False)
    lines = "".join(
        f"<tr><td>{value:+.2f}</td><td>{html.escape(before)}<mark>{shown(match)}</mark>"
        f"{html.escape(after)}</td></tr>"
        for value, before, match, after in rows.itertuples(index=False)
    )
    st.html(f'<table class="tg-matches">{lines}</table>')
    origin = figures.measured([model], t("parts.tokens", n=len(ids)))
    widgets.line([origin, corpus_name, t("units.mean", mean=float(course.mean()), part=part)])
    figures.downloads(rows, "elsewhere", f"{origin} · {corpus_name}")


def shown(text: str) -> str:
    """HTML of a token, also of one that cannot be seen."""
    return html.escape(text.replace("\n", "↵").replace(" ", "␣"))


# --- without them ---------------------------------------------------------------------------------


def write_without(model: Model, text: str, layer: int, ranked: Array) -> None:
    """What the model writes after the text, and what it writes while some units are silent."""
    names = [str(unit) for unit in range(model.config.hidden_size)]
    st.subheader(t("units.without"), anchor=False)
    if not set(state.get("off", ())) <= set(names):
        state.pop("off", None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        off = st.multiselect(
            t("neurons.off"), names, [str(ranked[0])], key="off", bind="query-params"
        )
        st.button(
            t("units.another"), on_click=draw_seed, type="tertiary", icon=":material/shuffle:"
        )
    drawn = address.number("seed", 0, LARGEST_SEED)
    seed = 1 if drawn is None else drawn
    with st.spinner(t("units.writing")):
        before, after = (
            cached.written_without(model, text, layer, units, LENGTH, seed)
            for units in ([], [int(unit) for unit in off])
        )
    same = number_alike(before, after)
    for column, label, written in zip(
        st.columns(2, gap="large"),
        (t("step.before"), t("units.silent", units=", ".join(off))),
        (before, after),
        strict=True,
    ):
        with column:
            alike = f'<span class="tg-prompt">{html.escape(written[:same])}</span>'
            st.html(
                f'<div class="tg-sample"><small>{html.escape(label)}</small>'
                f'<div class="tg-text">{alike}{html.escape(written[same:])}</div></div>'
            )
    told = t("units.same", count=same) if before != after else t("units.unchanged")
    widgets.line(
        [told, t("write.seed", seed=seed), t("parts.tokens", n=LENGTH), figures.whose(model)]
    )


def number_alike(first: str, second: str) -> int:
    """How many characters two texts begin with alike."""
    shorter = min(len(first), len(second))
    return next((k for k in range(shorter) if first[k] != second[k]), shorter)


def draw_seed() -> None:
    st.query_params["seed"] = str(secrets.randbits(31))
