"""The lesson: measures the shipped models, draws the figures and puts the numbers into the text.

    python -m benchmarks.lesson [--train] [--draw]

Writes docs/lesson.en.md and docs/lesson.ko.md, their figures in docs/lesson/, and there
measured.json, what the models are measured to do. --train trains anew what the wave needs (some
minutes) and writes trainings.json; --draw measures nothing and uses both as they are. How fast
cells learn is read from benchmarks/train.json. The words are in text.en.md and text.ko.md beside
this file, with ${name} where a number goes.
"""

from __future__ import annotations

import argparse
import json
import string
from pathlib import Path
from typing import Any

from benchmarks.lesson.figures import all_figures
from benchmarks.lesson.numbers import claims, numbers
from textgen import shipped

HERE = Path(__file__).parent
DOCS = shipped.HOME / "docs"
MEASURED, TRAINED = DOCS / "lesson/measured.json", DOCS / "lesson/trainings.json"
LANGUAGES = ("en", "ko")


def pages(found: dict[str, Any], learned: dict[str, Any]) -> dict[str, str]:
    """Name of the file in docs/ -> what it holds."""
    made = {}
    for language in LANGUAGES:
        for name, sheet in all_figures(found, learned, language).items():
            made[f"lesson/{name}.{language}.svg"] = sheet.svg()
        text = (HERE / f"text.{language}.md").read_text(encoding="utf-8")
        made[f"lesson.{language}.md"] = string.Template(text).substitute(
            numbers(found, learned, language)
        )
    return made


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def save(file: Path, found: dict[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    text = json.dumps(rounded(found), ensure_ascii=False, separators=(",", ":"))
    file.write_text(text + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """Numbers with five digits: more is noise, and a long file."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", action="store_true", help="learn the wave anew")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    if arguments.train:
        from benchmarks.lesson.trainings import trained

        save(TRAINED, trained())
    if not arguments.draw:
        from benchmarks.lesson import measure

        save(MEASURED, measure.everything())
    found, learned = read(MEASURED), read(TRAINED)
    for name, text in pages(found, learned).items():
        (DOCS / name).write_text(text, encoding="utf-8")
    wrong = [claim for claim, holds in claims(found, learned).items() if not holds]
    if wrong:
        raise SystemExit("the text says what these models do not show: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
