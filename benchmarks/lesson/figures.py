"""The figures of the lesson, each in English and in Korean, from what was measured."""

from __future__ import annotations

from benchmarks.lesson.cell_figures import cells, mingru, race, wave
from benchmarks.lesson.memory_figures import gradient, overlay, step
from benchmarks.lesson.recurrence_figures import powers, recall, sentence, slopes, unrolled
from benchmarks.lesson.style import Found
from benchmarks.lesson.svg import Sheet


def all_figures(found: Found, learned: Found, language: str) -> dict[str, Sheet]:
    """Name of the file -> the figure."""

    def say(english: str, korean: str) -> str:
        return korean if language == "ko" else english

    return {
        "1-unrolled": unrolled(found["unrolled"], say),
        "2-slopes": slopes(found["slopes"], say),
        "3-powers": powers(found["powers"], say),
        "4-sentence": sentence(found, say),
        "4-recall": recall(found["recall"], say),
        "5-step": step(found["step"], say),
        "6-gradient": gradient(found["gradient"], say),
        "7-overlay": overlay(found["overlay"], say),
        "8-cells": cells(found, say),
        "9-race": race(found["speed"], found["recall"], say),
        "10-mingru": mingru(found["speed"], say),
        "11-wave": wave(learned["wave"], say),
    }
