"""Task: facts, questions and answers of one's own, looked over, trained on and probed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from textgen.cells import CELLS
from textgen.data.recall_documents import documents
from textgen.data.recall_task import LARGEST_TASK, Task, read_task
from textgen.errors import ConfigError, TextgenError
from textgen.ui import cached, figures, models, own_tasks, page_parts, widgets
from textgen.ui.charts import curves as charts
from textgen.ui.messages import language, t
from textgen.ui.processes import trainings

if TYPE_CHECKING:
    from textgen.api import Model

state = st.session_state
WAYS = ("form", "upload", "kept")
LONGEST = 20_000  # characters of a box
TICK = 1.0  # seconds between two looks at a training
PROBED = 48  # documents of each distance
# settings with which a gated cell learns short distances in a minute or two
SETTINGS: dict[str, object] = {
    "hidden_size": 96,
    "embedding_size": 32,
    "distance": 60,
    "answer_weight": 30,
    "learning_rate": 0.01,
    "chrono": 200,
    "steps_per_epoch": 100,
    "patience": 99,
    "sample_length": 0,
}
EPOCHS = (4, 8, 16, 32)


def main() -> None:
    widgets.header("task")
    try:
        kept = own_tasks.available()
        way = widgets.worded(
            st.segmented_control,
            t("task.way"),
            WAYS if kept else WAYS[:2],
            "way",
            lambda name: t(f"task_way.{name}"),
            required=True,
        )
        if way == "kept":
            name = st.selectbox(t("task.name"), list(kept), key="task", bind="query-params")
            train_and_probe(read_task(kept[name]))
        else:
            write(way)
    except TextgenError as error:
        widgets.error(error)
    page_parts.how(t("task.how"), t("task.source"))


# --- a new task -----------------------------------------------------------------------------------


def write(way: str) -> None:
    """A form or a file, what is wrong with it, an example, and a name to keep it by."""
    toml = form() if way == "form" else upload()
    filler = st.text_area(
        t("task.filler"),
        cached.corpus(language()),
        height=120,
        key=f"filler text {language()}",
        help=t("task.filler_help"),
    )
    if toml is None:
        return
    task, found = own_tasks.checked(toml, filler)
    tell(task, found)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(t("task.name"), t("task.first_name"), key="task name", width=260)
        stops = any(finding.stops for finding in found)
        pressed = st.button(t("task.keep"), type="primary", key="keep", disabled=stops)
    if pressed:
        path = own_tasks.keep(name, toml, filler)
        state.pop("way", None)
        st.query_params.from_dict({"way": "kept", "task": path.stem, "lang": language()})
        st.rerun()


def form() -> str:
    """The TOML of what is typed, a line each."""
    left, right = st.columns(2, gap="medium")
    boxes = {}
    for name, column in (("pairs", left), ("facts", right), ("questions", right)):
        boxes[name] = column.text_area(
            t(f"task.{name}"),
            t(f"task_example.{name}"),
            height=260 if name == "pairs" else 108,
            max_chars=LONGEST,
            key=f"{name} {language()}",
        )
    return own_tasks.toml_of(**boxes)


def upload() -> str | None:
    """The TOML of a file; None while there is none."""
    file = st.file_uploader(t("task.file"), ["toml"], label_visibility="collapsed")
    if file is None:
        return None
    data = file.getvalue()
    if len(data) > LARGEST_TASK:
        raise ConfigError(f"{file.name} is larger than {LARGEST_TASK} bytes: give a task (TOML)")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file.name} is not UTF-8: save it as UTF-8") from error


def tell(task: Task, found: list[own_tasks.Finding]) -> None:
    """How large the task is, what is wrong with it, and a document of it."""
    widgets.facts(
        [
            (t("task.number_facts"), f"{len(task.facts)}"),
            (t("task.number_answers"), f"{len(task.answers)}"),
            (t("remember.chance"), f"{1 / len(task.answers):.1%}"),
            (t("task.number_sentences"), f"{len(task.filler):,}"),
        ]
    )
    for finding in found:
        say = st.error if finding.stops else st.warning
        say(widgets.plain(t(f"task_finding.{finding.code}", **finding.values)))
    if not found:
        widgets.line([f"✓ {t('task.sound')}"])
    (example,) = documents(task, 120, 1)
    page_parts.show_document(example)


# --- a task that is kept --------------------------------------------------------------------------


def train_and_probe(task: Task) -> None:
    """Train a cell on a task, and measure how far the models that learned it remember."""
    (example,) = documents(task, 120, 1)
    page_parts.show_document(example)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cells = [cell.upper() for cell in CELLS]
        cell = st.selectbox(t("option.cell"), cells, cells.index("LSTM"), key="cell", width=160)
        epochs = st.select_slider(t("option.epochs"), EPOCHS, EPOCHS[1], key="epochs", width=220)
        if st.button(t("task.train"), type="primary", key="train"):
            name = trainings.free_name(f"{task.path.stem}-{cell.lower()}")
            settings = SETTINGS | {"cell": cell.lower(), "epochs": epochs}
            if not CELLS[cell.lower()].gates:
                settings.pop("chrono")  # it has no gate to set
            trainings.start(task.path, name, settings)
            state["trained"] = name
    if started := state.get("trained"):
        alive = trainings.read(started).alive
        st.fragment(monitor, run_every=TICK if alive else None)(started, alive)
    trained = models.trained_on(task.path.name)
    if not trained:
        return
    st.subheader(t("remember.curve"), anchor=False)
    names = st.multiselect(
        t("remember.models"), list(trained), list(trained)[:3], max_selections=6, key="probed"
    )
    curve(task, {name: models.load(trained[name]) for name in names})
    with st.container(horizontal=True):
        for page in ("gates", "step", "evidence", "neurons"):
            st.page_link(
                str(page_parts.page_file(page)),
                label=t(f"{page}.title"),
                query_params={"lang": language(), "source": f"task {task.path.stem}"},
                icon=":material/arrow_forward:",
            )


def monitor(name: str, was_alive: bool) -> None:
    """How far the training is. Runs again by itself."""
    run = trainings.read(name)
    if run.alive != was_alive:
        st.rerun()  # it is now among the models
    if run.state == "failed":
        widgets.error(run.message or t("train.no_message"))
        return
    done = run.status.get("step", 0) / max(run.status.get("steps") or 1, 1)
    st.progress(min(done, 1.0), f"{name} · {t(f'state.{run.state}')}")
    if run.alive:
        st.button(t("train.stop"), key="stop", on_click=trainings.stop, args=(name,))


def curve(task: Task, compared: dict[str, Model]) -> None:
    """Right answers against distance, measured now."""
    frames, horizons, chance = [], {}, 1.0
    for name, model in compared.items():
        with st.spinner(t("remember.measuring", name=name)):
            probe = cached.probe(model, task, PROBED, "none")
        frame = pd.DataFrame(probe.rows).drop(columns="groups")
        frames.append(frame.assign(model=name, control=t("control.none")))
        horizons[name], chance = probe.horizon, probe.chance
    if not frames:
        return
    rows = pd.concat(frames)
    words = figures.recall_words()
    chart = charts.recall_curve(
        rows, horizons, [chance], words, charts.model_colours(list(compared))
    )
    origin = figures.measured(compared.values(), f"N = {PROBED}", 1)
    figures.chart(chart, rows, "recall", f"{origin} · {task.path.name}")


main()
