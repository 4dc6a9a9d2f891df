"""Pieces that several pages use. Text from outside is shown as text, never as markup."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from textgen.generation.sampling import TRANSFORMS
from textgen.options import Option, options_of
from textgen.ui import address
from textgen.ui.messages import LANGUAGES, choose_language, has, language, language_query, t
from textgen.ui.messages.errors import in_words

T = TypeVar("T")

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
# what a slider spans where the allowed range is too wide for one: (low, high, step)
SPANS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.0, 2.0, 0.05),
    "top_k": (0, 200, 1),
    "min_p": (0.0, 0.5, 0.01),
    "repetition_penalty": (0.5, 2.0, 0.05),
}
COMMON = ("temperature", "top_p")  # the other options lie behind "more"
STARTS = {"temperature": 0.8}  # small models ramble at 1


def plain(text: object) -> str:
    """`text` with everything that Markdown would read as markup escaped."""
    return _MARKDOWN.sub(r"\\\1", str(text)).replace("\n", " ")


def style() -> None:
    """The rules of style.css."""
    st.html(f"<style>{(Path(__file__).parent / 'style.css').read_text()}</style>")


def say_language() -> None:
    """Tell the browser, and who reads the page aloud, in which language it is."""
    place = st.components.v2.component(
        "textgen_language",
        js="export default ({ data }) => { document.documentElement.lang = data.language; };",
    )
    place(data={"language": language()}, key="language of the page")


def top_bar(groups: Mapping[str, Sequence[st.Page]], chosen: st.Page) -> None:
    """Links to the pages by their groups, and the language switch. What is looked at goes along."""
    along = language_query() | address.carried()
    with st.container(horizontal=True, vertical_alignment="center", key="top bar"):
        for group, pages in groups.items():
            with st.container(
                horizontal=True, vertical_alignment="center", width="content", key=f"group {group}"
            ):
                if group:
                    name = html.escape(t(f"groups.{group}"))
                    st.html(f'<span class="tg-group">{name}</span>', width="content")
                for page in pages:
                    title = f"**{page.title}**" if page == chosen else page.title
                    st.page_link(page, label=title, query_params=along)
        st.session_state["language switch"] = language()
        with st.container(
            width="stretch", horizontal=True, horizontal_alignment="right", key="language bar"
        ):
            st.segmented_control(
                t("page.language"),
                list(LANGUAGES),
                format_func=LANGUAGES.__getitem__,
                required=True,
                key="language switch",
                on_change=choose_language,
                args=("language switch",),
                label_visibility="collapsed",
            )


def header(name: str, *, own: bool = False) -> None:
    """Title and the page's few sentences; own: those for a text of one's own."""
    st.title(t(f"{name}.title"), anchor=False)
    intro = t(f"{name}.{'own_intro' if own else 'intro'}")
    st.html(f'<p class="tg-intro">{glossed(intro)}</p>')


TERMS = ("unit", "nat", "bits", "tau", "token", "saturated", "epoch", "held_out")


def glossed(text: str) -> str:
    """HTML of a text in which each term of the glossary, where it comes first, tells its meaning to
    who points at it, touches it or comes to it by keys."""
    meanings = {t(f"glossary.{term}"): t(f"glossary.{term}_is") for term in TERMS}
    seen: set[str] = set()

    def explained(found: re.Match[str]) -> str:
        word = found[0]
        if word in seen:
            return html.escape(word)
        seen.add(word)
        meaning = html.escape(meanings[word])
        return (
            f'<span class="tg-term" tabindex="0" role="note" data-meaning="{meaning}" '
            f'aria-label="{html.escape(word)}: {meaning}">{html.escape(word)}</span>'
        )

    # not within another word of Latin letters: the s of many is left outside
    words = "|".join(re.escape(word) for word in sorted(meanings, key=len, reverse=True))
    parts = re.split(rf"((?<![a-zA-Z])(?:{words})(?=s?(?![a-zA-Z])))", text)
    return "".join(
        explained(match) if (match := re.fullmatch(words, part)) else html.escape(part)
        for part in parts
    )


def error(message: object) -> None:
    """One line, in the language of the page where it has words for it."""
    st.error(plain(in_words(str(message))))


def line(parts: Iterable[object]) -> None:
    """Small facts in one line."""
    shown = " · ".join(html.escape(str(part)) for part in parts if part)
    st.html(f'<div class="tg-line">{shown}</div>')


def legend(before: str, swatch: str, after: str) -> None:
    """What a colour means; `swatch` is a class of style.css."""
    st.html(
        f'<div class="tg-legend">{html.escape(before)}<i class="{swatch}"></i>'
        f"{html.escape(after)}</div>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Labelled numbers side by side, the labels explained by the glossary."""
    cells = "".join(f"<div><dt>{glossed(k)}</dt><dd>{html.escape(v)}</dd></div>" for k, v in pairs)
    st.html(f'<dl class="tg-facts">{cells}</dl>')


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A table of words and numbers; the first column names its row."""
    top = "".join(f"<th>{html.escape(text)}</th>" for text in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    st.html(
        f'<div class="tg-table"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def running_text(prompt: str, text: str, *, caret: bool) -> str:
    """HTML of a text on its way."""
    mark = '<span class="tg-caret"></span>' if caret else ""
    return (
        f'<div class="tg-text"><span class="tg-prompt">{html.escape(prompt)}</span>'
        f"{html.escape(text)}{mark}</div>"
    )


def one_of(label: str, options: Sequence[T], default: T, key: str, **settings: Any) -> T:
    """A choice of exactly one option; the address keeps it."""
    if st.session_state.get(key, default) not in options:
        st.session_state.pop(key, None)
    chosen = st.segmented_control(
        label, options, default=default, required=True, key=key, bind="query-params", **settings
    )
    return default if chosen is None else chosen  # an address may say `?key=`


def worded(
    widget: Callable[..., str],
    label: str,
    options: Sequence[str],
    key: str,
    words: Callable[[str], str],
    **settings: object,
) -> str:
    """A choice shown in the page's language, the first at first; the address keeps the option
    itself, where Streamlit would keep its words."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = address.choice(key, options) or options[0]
    chosen = widget(label, options, key=key, format_func=words, **settings)
    if chosen == options[0]:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen
    return chosen


def sampling_sliders(names: Iterable[str]) -> None:
    """A slider for each named option of the transforms; its value lives in the address."""
    declared = {k: v for cls in TRANSFORMS for k, v in options_of(cls).items()}
    for name in names:
        option_slider(name, *declared[name])


def rare_options() -> list[str]:
    """The options that are not `COMMON`."""
    return [name for cls in TRANSFORMS for name in options_of(cls) if name not in COMMON]


def option_slider(name: str, rule: Option, default: Any, kind: type) -> None:
    """A slider over the range of one option, named and explained in the page's language."""
    # `kind` is the type of the default: the fields are Any, so that they may be tensors
    low, high, step = SPANS.get(name, (rule.low or 0, rule.high or 1, 1 if kind is int else 0.05))
    if rule.low_open and low == rule.low:
        low += step
    start = STARTS.get(name, default)
    low, high, step, start = (kind(v) for v in (low, high, step, start))
    st.slider(
        t(f"option.{name}") if has(f"option.{name}") else name.replace("_", " "),
        low,
        high,
        start,
        step,
        key=name,
        bind="query-params",
        help=t(f"help.{name}") if has(f"help.{name}") else rule.help,
    )


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float) -> str:
    """1.5e-06 -> 1.5×10⁻⁶."""
    if value == 0:
        return "0"
    digits, exponent = f"{value:.1e}".split("e")
    ten = raised(10, int(exponent))
    return ten if digits == "1.0" else f"{digits}×{ten}"


def number(value: float) -> str:
    """To three digits: 0.81, 13,781, 2.7×10⁻⁵."""
    if 0.001 <= abs(value) < 1000:
        return f"{value:.3g}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else power(value)


def raised(value: float, exponent: int) -> str:
    """0.9, 100 -> 0.9¹⁰⁰."""
    return f"{value:g}{str(exponent).translate(RAISED)}"


def clock(seconds: float) -> str:
    """75 -> 1:15."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sample(label: str, text: str) -> None:
    """A text that a model wrote, under a small label."""
    st.html(
        f'<div class="tg-sample"><small>{html.escape(label)}</small>'
        f'<div class="tg-text">{html.escape(text)}</div></div>'
    )
