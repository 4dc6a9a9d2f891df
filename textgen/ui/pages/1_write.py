"""Write: a prompt goes in, text streams out, and every token can be looked into and replaced."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from textgen.errors import TextgenError
from textgen.ui import address, cached, models, page_parts, passages, samples, widgets
from textgen.ui.components.token_strip import Chosen, token_strip
from textgen.ui.messages import language_query, t

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from textgen.api import Model
    from textgen.evaluation.copying import CopyMeter

state = st.session_state
LARGEST_SEED = 2**31 - 1
COLOURS = ("probability", "copied", "counted", "none")
# seconds between two pictures of a text that is being written: a browser that is sent one a token
# draws nothing else, so that the button that stops it came when all was written
FRAME = 0.2
LOOK = ("evidence", "gates", "step", "gradients", "neurons")  # pages that can look at a token


def main() -> None:
    widgets.header("write")
    available = models.available()
    if not available:
        st.info(t("write.no_models"))
        return
    if state.get("model") not in (None, *available):
        del state["model"]  # its folder is gone
    left, right = st.columns([3, 1], gap="large")
    with right:  # on a phone: below the text
        controls()
    with left:
        desk(available)


def desk(available: dict[str, Path]) -> None:
    """Model, prompt, buttons and what was written."""
    name = st.selectbox(
        t("write.model"),
        list(available),
        key="model",
        bind="query-params",
        on_change=forget_samples,
    )
    folder = available[name]
    facts, voice = st.empty(), st.empty()
    prompt_area(name, models.first_prompt(folder))
    if "opened" not in state:  # the first sight of the page is a model that writes
        state["opened"] = True
        begin()
    if (length := len(state["prompt"])) > models.LONGEST_PROMPT:
        widgets.error(t("write.too_long", length=length, most=models.LONGEST_PROMPT))
    job: samples.Job | None = state.pop("job", None)
    buttons(running=job is not None)
    below = st.container()
    try:
        with facts:
            model = models.load(folder)
        with facts:
            widgets.line(models.described(model))
        with voice:
            model = passages.in_voice(model, on_change=forget_samples)
        with below:
            show_samples(model, job)
    except TextgenError as error:
        with below:
            widgets.error(error)


def controls() -> None:
    """The options of generation; each lives in the address and, under its name, in the state."""
    st.slider(
        t("option.max_new_tokens"), 20, 2000, 200, 20, key="max_new_tokens", bind="query-params"
    )
    widgets.sampling_sliders(widgets.COMMON)
    widgets.one_of(t("write.samples"), [1, 2, 3, 4], 1, "samples")
    choose_seed()
    with st.expander(t("write.more")):
        widgets.sampling_sliders(widgets.rare_options())


def choose_seed() -> None:
    """A seed, or none; kept in the address here, because Streamlit fails at one like 1e999."""
    if "seed" not in state:
        state["seed"] = address.number("seed", 0, LARGEST_SEED)
    seed = st.number_input(
        t("option.seed"),
        0,
        LARGEST_SEED,
        None,
        1,
        key="seed",
        placeholder=t("write.random"),
        help=t("help.seed"),
    )
    if seed is None:
        st.query_params.pop("seed", None)
    else:
        st.query_params["seed"] = str(seed)


def chosen_options() -> dict[str, object]:
    """The options of generation as they stand now."""
    # from the state, not from an argument of a callback: that would be as old as the last run,
    # and a click on Write may come together with the prompt just typed
    names = ("max_new_tokens", "seed", *widgets.COMMON, *widgets.rare_options())
    return {name: state[name] for name in names}


def prompt_area(name: str, suggested: str) -> None:
    """The prompt; a model's own suggestion changes with the model until something is typed."""
    before = state.get("suggested prompt")
    if before != (name, suggested):
        if before is not None and state.get("prompt") == before[1]:
            state["prompt"] = suggested
        state["suggested prompt"] = (name, suggested)
    st.text_area(
        t("write.prompt"),
        suggested,
        height=96,
        key="prompt",
        bind="query-params",
    )


def buttons(*, running: bool) -> None:
    """Write, continue, regenerate; while a text is being written, stop."""
    has_texts = bool(state.get("texts"))
    with st.container(horizontal=True):
        if running:
            # any interaction ends the run that is writing; this one does nothing else
            st.button(t("write.stop"), type="primary", key="stop")
            return
        st.button(t("write.write"), type="primary", key="write", on_click=begin)
        st.button(t("write.continue"), key="continue", on_click=go_on, disabled=not has_texts)
        st.button(
            t("write.regenerate"),
            key="regenerate",
            on_click=begin,
            args=(True,),
            disabled=not has_texts,
        )


def begin(anew: bool = False) -> None:
    """Write from the prompt; `anew` with another seed, even where one was fixed."""
    if len(state["prompt"]) > models.LONGEST_PROMPT:
        return  # the page says so
    if anew and state["seed"] is not None:
        state["seed"] = secrets.randbits(31)
    state["texts"], state["job"] = samples.begin(
        state["prompt"], state["samples"] or 1, chosen_options()
    )


def go_on(rows: list[int] | None = None) -> None:
    """Write on at the end of all texts, or of those in `rows`."""
    state["job"] = samples.Job(rows or list(range(len(state["texts"]))), chosen_options())


def forget_samples() -> None:
    """Drop what was written: tokens of one model mean nothing to another."""
    state.pop("texts", None)


def show_samples(model: Model, job: samples.Job | None) -> None:
    texts: list[samples.Sample] = state.get("texts", [])
    if not texts:
        return
    colour = colours(model)
    meter = models.copy_meter(model) if colour == "copied" else None
    legend(colour, meter)
    number = len(texts)
    abreast = 2 if number == 4 else number
    cells = [cell for _ in range(0, number, abreast) for cell in st.columns(abreast, gap="large")]
    if job is not None:
        write(model, texts, job, [cell.empty() for cell in cells])
        st.rerun()
    for row, (sample, cell) in enumerate(zip(texts, cells, strict=False)):
        with cell:
            show(model, row, sample, colour, meter)
    notes(texts)
    st.download_button(
        t("write.download"),
        together(model, texts),
        f"{model.name}.txt",
        "text/plain",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def write(
    model: Model, texts: list[samples.Sample], job: samples.Job, places: list[DeltaGenerator]
) -> None:
    """Stream into `places`. A click on Stop raises out of one of them: what is written stays."""
    tokenizer = model.tokenizer

    def draw() -> None:
        for row, (sample, place) in enumerate(zip(texts, places, strict=False)):
            text = sample.streamed
            if row not in job.rows:
                text = sample.text(tokenizer).removeprefix(sample.prompt)
            place.html(widgets.running_text(sample.prompt, text, caret=row in job.rows))

    draw()
    drawn = time.monotonic()
    try:
        for _ in samples.write(model, texts, job):
            if time.monotonic() - drawn >= FRAME:
                draw()
                drawn = time.monotonic()
    except TextgenError:
        state["texts"] = [sample for sample in texts if sample.tokens]
        raise


def colours(model: Model) -> str:
    """What the colour of a token tells; who predicted it, of a model with n-grams."""
    known = [name for name in COLOURS if name != "counted" or model.mixture is not None]
    if state.get("colour") not in (None, *known):
        del state["colour"]  # of another model
    return widgets.worded(
        st.segmented_control,
        t("colour.label"),
        known,
        "colour",
        lambda name: t(f"colour.{name}"),
        required=True,
    )


def legend(colour: str, meter: CopyMeter | None) -> None:
    if colour == "probability":
        widgets.legend(t("colour.likely"), "tg-surprise", t("colour.surprising"))
    elif colour == "counted":
        widgets.legend(t("colour.by_network"), "tg-counted", t("colour.by_ngrams"))
    elif meter is not None:
        widgets.legend("", "tg-copied", t("colour.verbatim", count=meter.shortest))
    elif colour == "copied":
        st.caption(t("colour.absent"))


def show(
    model: Model, row: int, sample: samples.Sample, colour: str, meter: CopyMeter | None
) -> None:
    copied = samples.copies(sample, model.tokenizer, meter) if meter else None
    counted: list[float] = []
    if colour == "counted":
        ids = [token.token_id for token in sample.tokens]
        counted = cached.counted(model, sample.prompt, ids)
    data = samples.strip_data(sample, model.tokenizer, copied, counted)
    pages = {name: t(f"{name}.title") for name in LOOK}
    chosen = token_strip(data, key=f"strip {row}", colour=colour, pages=pages)
    if copied is not None:
        st.caption(t("colour.share", share=copied.share, length=copied.length))
    if chosen is None:
        return
    if chosen.page:
        look_inside(model, sample, chosen)
        return
    sample.cut(chosen.index, chosen.token_id)
    go_on([row])
    st.rerun()


def look_inside(model: Model, sample: samples.Sample, chosen: Chosen) -> None:
    """Go to the page that looks at these tokens, with the text before them and them to come."""
    end = chosen.index + chosen.count
    before, with_them = (
        samples.Sample(sample.prompt, sample.tokens[:k]).text(model.tokenizer)
        for k in (chosen.index, end)
    )
    if not with_them.startswith(before):  # the prompt's last syllable was completed
        before = with_them[:-1]
    asked = {
        "source": "own",
        "any": state["model"],
        "several": state["model"],
        "text": before or "\n",
        "answer": with_them.removeprefix(before),
        "token": str(len(model.tokenizer.encode(before or "\n"))),
    }
    for key in (*asked, "against", "unit", "version"):
        state.pop(key, None)  # what was looked at before
    if label := state.get("label"):
        asked["label"] = label
    page = LOOK[LOOK.index(chosen.page)]  # none but these
    st.switch_page(str(page_parts.page_file(page)), query_params=language_query() | asked)


def notes(texts: list[samples.Sample]) -> None:
    """Unknown characters of the prompt, and the seed with a way to keep it."""
    unknown = list(dict.fromkeys(c for sample in texts for c in sample.unknown))
    if unknown:
        st.caption(t("write.unknown", characters=widgets.plain(" ".join(unknown[:20]))))
    seed = texts[0].seed
    if seed is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("write.seed", seed=seed), width="content")
        if state.get("seed") != seed:
            st.button(t("write.keep_seed"), type="tertiary", on_click=keep_seed, args=(seed,))


def keep_seed(seed: int) -> None:
    state["seed"] = seed


def together(model: Model, texts: list[samples.Sample]) -> str:
    return "\n\n\n".join(sample.text(model.tokenizer) for sample in texts) + "\n"


main()
