"""A figure on a page: the chart, whose it is and on what it was measured, its scale, and its
downloads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd
import streamlit as st

from textgen.data.recall_documents import Document
from textgen.data.token_positions import fact_end, ids_before_blank
from textgen.ui import models, page_parts, passages, widgets
from textgen.ui.components.chart_saver import chart_saver
from textgen.ui.components.token_figure import Scale
from textgen.ui.messages import t

if TYPE_CHECKING:
    from textgen.api import Model
    from textgen.arrays import Array

SATURATED = 3.0  # where tanh is nearly 1


def chart(figure: alt.LayerChart, rows: pd.DataFrame, name: str, origin: str = "") -> None:
    """A figure, whose it is, and its downloads."""
    with st.container(key=f"figure {name}"):
        st.altair_chart(figure, key=name)
    saved(rows, name, origin)


def saved(rows: pd.DataFrame, name: str, origin: str) -> None:
    """Beneath the figure in the container `figure NAME`: whose it is, and its downloads."""
    if origin:
        widgets.line([origin])
    downloads(rows, name, origin, f"figure {name}")


def downloads(rows: pd.DataFrame, name: str, origin: str = "", container: str = "") -> None:
    """A menu: the numbers as CSV, and the chart in `container`, a key, as SVG and PNG. Every file
    says whose it is."""

    def table() -> str:  # of a long text megabytes: only when it is asked for
        return (rows.assign(origin=origin) if origin else rows).to_csv(index=False)

    key = f"save {name}"
    with st.popover(t("parts.save"), type="tertiary", icon=":material/download:", key=key):
        st.download_button(
            "CSV", table, f"{name}.csv", "text/csv", key=f"csv {name}", on_click="ignore"
        )
        if container:
            chart_saver(container, name, origin)


def recall_words() -> dict[str, str]:
    """What `charts.recall_curve` calls its columns."""
    return {
        "model": t("remember.model"),
        "distance": t("remember.distance_axis"),
        "right": t("remember.right"),
        "chance": t("remember.chance"),
        "control": t("remember.control"),
        "horizon": t("remember.reach"),
    }


def symbol(model: Model, name: str) -> str:
    """How the equations write a value: the candidate as what it may become."""
    return model.network.cell.carried + "\u0303" if name == "c" else name


def scale_end(values: Array) -> float:
    """The end of a scale for these: their largest size, of two figures."""
    return float(f"{max(float(abs(values).max()), 0.01):.1e}")


def scale_of(model: Model, name: str, values: Array) -> Scale:
    """A gate from 0 to 1, anything else about zero; C only as far as tanh(C) still grows."""
    if name in page_parts.gates_of(model):
        return Scale("share", t("gates.share"))
    end = scale_end(values)
    if name == "C" and end > SATURATED:
        return Scale("signed", t("gates.clipped", limit=SATURATED), SATURATED)
    return Scale("signed", symbol(model, name), end)


def whose(model: Model) -> str:
    """Which model, and which weights, were measured."""
    return f"{model.name} {model.hash}"


def measured(compared: Iterable[Model], n: str = "", seed: int | None = None) -> str:
    """Whose figure it is: which weights, measured on how much, and the seed of what was drawn."""
    drawn = "" if seed is None else t("write.seed", seed=seed)
    return " · ".join(part for part in (", ".join(map(whose, compared)), n, drawn) if part)


def run_origin(folder: Path, in_training: bool = False) -> str:
    """Whose figure of a training it is: the run, its weights where they are final, and its seed."""
    seed = models.card_of(folder).get("training", {}).get("seed", "")
    weights = "" if in_training else models.hash_of(folder)
    return f"{folder.name} {weights} · {t('write.seed', seed=seed)}"


def origin(document: Document, *compared: Model) -> str:
    """Whose figure of a document it is."""
    read = dict.fromkeys(len(ids_before_blank(m.tokenizer, document)) for m in compared)
    seed = None if passages.is_own(document) else page_parts.filler_seed()
    return measured(compared, t("parts.tokens", n=", ".join(map(str, read))), seed)


def marks(model: Model, document: Document) -> list[tuple[int, str]]:
    """Where the sentence with the fact ends, if there is one."""
    if passages.is_own(document):
        return []
    return [(fact_end(model.tokenizer, document), t("parts.fact_end"))]
