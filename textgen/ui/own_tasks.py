"""Tasks of one's own: written from a form or taken from a file, looked over, kept beside the runs.

Nothing of Streamlit in here. A task is a TOML file, runs/tasks/NAME.toml, its filler beside it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

from textgen import shipped
from textgen.data.phrases import BLANK
from textgen.data.recall_task import SENTENCE, Task, read_task
from textgen.errors import ConfigError, RunError, TextgenError
from textgen.runs.atomic_files import write_file
from textgen.text.nfc import nfc
from textgen.ui.processes.trainings import TASKS

FEW_FACTS, FEW_WAYS, FEW_SENTENCES = 4, 2, 30
LARGEST_FILLER = 1 << 20  # characters
DROPPED = 0.2  # of the sentences, at most, that name a fact or an answer
COMMONEST = 0.5  # of the facts, at most, with one answer
_NAME = re.compile(r"\w[\w-]{0,39}")
_ARTICLE = re.compile(r"\[[^\[\]/]+/[^\[\]/]+\]\s*$")  # [a/an], [은/는] before the blank


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong with a task. code: of the catalogues; values: what they put in; stops: whether
    nothing can be learned of a task like this."""

    code: str
    values: dict[str, object]
    stops: bool = False


def available() -> dict[str, Path]:
    """name -> file of every task that is kept, in their order."""
    return {file.stem: file for file in sorted(TASKS.glob("*.toml"))}


def toml_of(pairs: str, facts: str, questions: str) -> str:
    """The task that a form describes, a line each: "fact = answer", and sentences with `BLANK`.

    Raises `ConfigError` for a line of `pairs` without "=".
    """
    lines = {"facts": _lines(facts), "questions": _lines(questions)}
    text = "".join(f"{name} = [{', '.join(map(_quoted, of))}]\n" for name, of in lines.items())
    text += 'filler = ["filler.txt"]\n\n[pairs.own]\n'
    for line in _lines(pairs):
        fact, sign, answer = (part.strip() for part in line.partition("="))
        if not sign or not fact:
            raise ConfigError(f"{line!r} is no pair: write fact = answer, a line for each")
        text += f"{_quoted(fact)} = {_quoted(answer)}\n"
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in nfc(text).splitlines() if line.strip()]


def _quoted(text: str) -> str:
    """A string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def checked(toml: str, filler: str) -> tuple[Task, list[Finding]]:
    """(the task, what is wrong with it). The filler stands for every file that the task names.

    Raises `ConfigError` for what is no task, and `CorpusError` for filler that is none.
    """
    if len(filler) > LARGEST_FILLER:
        raise ConfigError(
            f"the filler has {len(filler):,} characters: give at most {LARGEST_FILLER:,}"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.toml"
        _write(path, toml, filler)
        try:
            task = read_task(path)
        except TextgenError as error:
            raise type(error)(str(error).replace(f"{folder}/", "")) from error
    return task, findings(task, filler)


def findings(task: Task, filler: str) -> list[Finding]:
    """What makes a task too easy, too small or impossible."""
    found: list[Finding] = []
    words = sorted({*task.facts, *task.answers, *task.places.values()}, key=len, reverse=True)
    for way in (*task.plain.facts, *task.plain.questions):
        if told := [word for word in words if word in way.replace(BLANK, "")]:
            found.append(Finding("leak", {"phrase": way, "word": told[0]}, stops=True))
    for way in task.plain.questions:
        if _ARTICLE.search(way.split(BLANK)[0]):
            found.append(Finding("particle", {"phrase": way}, stops=True))
    counts = Counter(task.answer_to(fact) for fact in task.facts)
    (answer, most), *_ = counts.most_common(1)
    if most > COMMONEST * len(task.facts):
        values = {"answer": answer, "count": most, "all": len(task.facts)}
        found.append(Finding("one_answer", values))
    if wrong := [a for a in task.answers if "\ufffd" in a or a != a.strip() or "\n" in a]:
        found.append(Finding("unspellable", {"answers": ", ".join(map(repr, wrong))}, stops=True))
    if len(task.facts) < FEW_FACTS:
        found.append(Finding("few_facts", {"count": len(task.facts), "least": FEW_FACTS}))
    if min(len(task.plain.facts), len(task.plain.questions)) < FEW_WAYS:
        found.append(Finding("few_ways", {"least": FEW_WAYS}))
    if len(task.filler) < FEW_SENTENCES:
        values = {"count": len(task.filler), "least": FEW_SENTENCES}
        found.append(Finding("few_sentences", values))
    sentences = {s.strip() for s in SENTENCE.findall(nfc(filler))} - {""}
    dropped = len(sentences) - len(task.filler)
    if dropped > DROPPED * len(sentences):
        found.append(Finding("dropped", {"count": dropped, "all": len(sentences)}))
    return found


def keep(name: str, toml: str, filler: str) -> Path:
    """Keep a task as runs/tasks/`name`.toml. Raises `ConfigError` for a name that is taken or no
    plain name, `RunError` where it cannot be written."""
    name = nfc(name.strip())
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the name {name!r} cannot be a file: use letters, digits, - and _, at most 40"
        )
    path = TASKS / f"{name}.toml"
    if path.exists() or (shipped.TASKS / path.name).exists():
        raise ConfigError(f"the name {name!r} is taken: choose another")
    try:
        TASKS.mkdir(parents=True, exist_ok=True)
        _write(path, toml, filler)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}; free some space") from error
    return path


def _write(path: Path, toml: str, filler: str) -> None:
    """The file of a task and, beside it, that of its filler, which it names."""
    text = path.with_suffix(".txt")
    named = f'filler = ["{text.name}"]\n'
    rest = re.sub(r"(?ms)^(held_out_)?filler\s*=\s*(\[.*?\]|\"[^\"]*\"|'[^']*')\s*$", "", nfc(toml))
    write_file(text, nfc(filler).encode("utf-8", "replace"))
    write_file(path, (named + rest.lstrip("\n")).encode("utf-8", "replace"))
