"""Race: the same text, the same time, several cells. Which gets farther, and at what price?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from textgen import shipped
from textgen.cells import CELLS, make_cell
from textgen.errors import TextgenError
from textgen.ui import figures, page_parts, widgets
from textgen.ui.charts import race as race_charts
from textgen.ui.messages import language, t
from textgen.ui.processes import races, trainings

state = st.session_state
TICK = 1.0  # seconds between two looks
FIRST_CELLS = ("RNN", "LSTM", "GRU")
SECONDS, EPOCHS = (10, 20, 40, 80, 160), (2, 5, 10, 20, 40)
TASK_EPOCHS = (4, 8, 16)
UNREACHED = 1_000_000  # epochs, or patience: something else ends the training
COMMON = {"embedding_size": 32, "sample_length": 0, "patience": UNREACHED}
# of documents with a question: settings with which a gated cell learns short distances in a minute
OF_TASK = {
    "distance": 60,
    "answer_weight": 30,
    "learning_rate": 0.01,
    "chrono": 200,
    "steps_per_epoch": 100,
}


def main() -> None:
    widgets.header("race")
    try:
        source, options = choose_text_and_time()
        cells, size = choose_cells()
        race = shown()
        alive = race is not None and race.run.alive
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(t("race.start"), type="primary", key="start", disabled=alive or not cells):
                settings = COMMON | options | {"hidden_size": size}
                if cells == ["rnn"]:
                    settings.pop("chrono", None)  # it has no gate to set
                state["race"] = races.start(source, cells, settings)
                st.rerun()
            if alive and race is not None:
                st.button(t("train.stop"), key="stop", on_click=trainings.stop, args=(race.name,))
        if race is None:
            table([], cells, size)
        else:
            st.fragment(watch, run_every=TICK if alive else None)(race.name, alive)
        four_times(size)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("race.how"), t("race.source"))


# --- what is raced --------------------------------------------------------------------------------


def choose_text_and_time() -> tuple[Path, dict[str, float]]:
    """The text, and what says when a cell's time is up."""
    texts = {
        folder.name: folder / "prose"
        for folder in sorted(shipped.CORPORA.iterdir())
        if (folder / "prose").is_dir()
    }
    texts |= {task.stem: task for task in sorted(shipped.TASKS.glob("*.toml"))}
    left, middle, right = st.columns([3, 3, 4], vertical_alignment="bottom", gap="medium")
    first = list(texts).index(language()) if language() in texts else 0
    name = left.selectbox(
        t("train.text"), list(texts), first, key="text", bind="query-params", format_func=text_name
    )
    if texts[name].suffix == ".toml":
        # its documents grow longer from epoch to epoch, so it has no end by the clock
        epochs = right.select_slider(
            t("option.epochs"),
            TASK_EPOCHS,
            8,
            key="task_epochs",
            bind="query-params",
            help=t("help.epochs"),
        )
        return texts[name], OF_TASK | {"epochs": epochs}
    limit = widgets.worded(
        middle.segmented_control,
        t("race.same"),
        ("seconds", "steps"),
        "same",
        lambda s: t(f"race.{s}"),
        required=True,
    )
    if limit == "seconds":
        seconds = right.select_slider(
            t("race.seconds_each"), SECONDS, 20, key="seconds", bind="query-params"
        )
        return texts[name], {"epochs": UNREACHED, "max_seconds": seconds}
    epochs = right.select_slider(
        t("option.epochs"), EPOCHS, 10, key="epochs", bind="query-params", help=t("help.epochs")
    )
    return texts[name], {"epochs": epochs}


def text_name(name: str) -> str:
    """What the page calls a text or a task."""
    known = {"ko": t("corpora.ko"), "en": t("corpora.en")}
    return known.get(name) or t("race.task", name=name)


def choose_cells() -> tuple[list[str], int]:
    """(the cells, in the order of their turns; hidden_size of each)."""
    left, right = st.columns([6, 4], vertical_alignment="bottom", gap="medium")
    names = [cell.upper() for cell in CELLS]
    cells = left.pills(
        t("race.cells"),
        names,
        selection_mode="multi",
        default=list(FIRST_CELLS),
        key="cells",
        bind="query-params",
        wrap=True,
    )
    size = right.select_slider(
        t("option.hidden_size"),
        (32, 64, 128, 256),
        128,
        key="size",
        bind="query-params",
        help=t("help.hidden_size"),
    )
    return [name.lower() for name in names if name in cells], size


def shown() -> races.Race | None:
    """The race begun here or named in the address, else the last one there was."""
    name = state.get("race") or st.query_params.get("race") or races.newest()
    if name is None or not races.exists(name):
        return None
    st.query_params["race"] = name
    return races.read(name)


# --- the race -------------------------------------------------------------------------------------


def watch(name: str, was_alive: bool) -> None:
    """How far each cell is. Runs again by itself while the race is on."""
    race = races.read(name)
    if race.run.alive != was_alive:
        st.rerun()
    if race.run.state == "failed":
        widgets.error(race.run.message or t("train.no_message"))
    progress(race)
    facts = [text_name(race.source), f"{t('option.hidden_size')} {race.hidden_size}"]
    widgets.line([*facts, f"{race.seconds:g} {t('race.seconds')}" if race.seconds else ""])
    rows = races.courses(race)
    if len(rows):
        finished = [figures.run_origin(race.run.folder / cell) for cell in race.results]
        origin = " · ".join([text_name(race.source), *finished])
        words = {
            "seconds": t("race.seconds"),
            "step": t("race.steps"),
            "bits": t("train.bits"),
            "training": t("train.training"),
            "cell": t("option.cell"),
        }
        for place, across in zip(st.columns(2, gap="large"), ("seconds", "step"), strict=True):
            with place:
                chart = race_charts.course(rows, across, words)
                figures.chart(chart, rows, f"race-{across}", origin)
    table(list(race.results.values()), race.cells, race.hidden_size, task=race.task)
    weaker(race)


def progress(race: races.Race) -> None:
    """Whose turn it is."""
    if not race.run.alive:
        return
    done = len(race.results) / max(len(race.cells), 1)
    cell = race.current
    st.progress(done, t("race.turn", cell=cell.upper()) if cell else t("state.starting"))


def table(
    results: list[dict[str, Any]], cells: list[str], size: int, *, task: bool = False
) -> None:
    """One row for each cell; what has not been measured yet is left empty."""
    by_cell = {result["cell"]: result for result in results}
    head = [
        "",
        t("race.parameters"),
        t("race.step_time"),
        t("race.steps"),
        t("race.held_out"),
        t("race.horizon") if task else t("race.looks_back"),
    ]
    rows = []
    for cell in cells:
        result = by_cell.get(cell)
        measured = ["", "", "", ""]
        if result is not None:
            measured = [
                f"{result['ms_per_step']:.1f} ms",
                f"{result['steps']:,}",
                f"{result['bits_per_char']:.3f}",
                "" if result["reach"] is None else f"{result['reach']:,}",
            ]
        rows.append([cell.upper(), f"{parameters(cell, size):,}", *measured])
    widgets.table(head, rows)


def weaker(race: races.Race) -> None:
    """The lesson's sentence about the GRU, on this race."""
    if not {"gru", "lstm"} <= race.results.keys():
        return
    from textgen.interpret.verdicts import MARGIN, FasterButWeaker

    verdict = FasterButWeaker(
        **{
            f"{cell}_{short}": race.results[cell][figure]
            for cell in ("gru", "lstm")
            for short, figure in (("ms", "ms_per_step"), ("bits", "bits_per_char"))
        },
        frequencies=race.frequencies,
    )
    measured = t("race.evidence_gru", **vars(verdict), margin=MARGIN)
    if not max(verdict.gru_bits, verdict.lstm_bits) < race.frequencies:
        measured += " " + t("race.too_early", bits=race.frequencies)
    page_parts.claim(
        t("race.claim_gru"),
        verdict.verdict,
        measured,
    )


def parameters(cell: str, size: int) -> int:
    """How many numbers a recurrent layer of the race has."""
    return make_cell(cell).parameters(COMMON["embedding_size"], size)


def four_times(size: int) -> None:
    """The lesson's sentence about the parameters, counted on layers of this size."""
    from textgen.interpret.verdicts import FourTimes

    verdict = FourTimes(parameters("lstm", size), parameters("rnn", size))
    page_parts.claim(
        t("race.claim_four"),
        verdict.verdict,
        t("race.evidence_four", lstm=verdict.lstm, rnn=verdict.rnn, ratio=verdict.ratio),
        everywhere=True,
    )


main()
