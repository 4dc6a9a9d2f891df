"""What the lesson has to train for: RNN and LSTM on a wave, by textgen's own commands.

It takes minutes, so what was measured is kept in trainings.json, and measured anew when asked for.
Both read the wave equally often, so that the figures do not hang on what else the machine does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.start import processor
from textgen.api import load
from textgen.data import wave

WAVE_CELLS, WAVE_EPOCHS, WAVE_SIZE = ("rnn", "lstm"), 80, 64
WAVE_PROMPT, WAVE_SHOWN = 200, 400


def trained() -> dict[str, Any]:
    """What was measured, and on which machine."""
    with tempfile.TemporaryDirectory() as folder:
        return {"cores": os.cpu_count(), "processor": processor(), "wave": the_wave(Path(folder))}


def textgen(*arguments: Any) -> None:
    command = [sys.executable, "-m", "textgen", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def the_wave(folder: Path) -> dict[str, Any]:
    """Each cell reads the wave as often, and goes on with it: the levels, and the mean distance
    from the true ones; beside it that of a guess that always names the middle."""
    text = folder / "wave.txt"
    text.write_text(wave.spell(wave.heights(0, wave.LENGTH)), encoding="utf-8")
    at = wave.LENGTH + 333  # a moment after the end of the text
    prompt = wave.spell(wave.heights(at, WAVE_PROMPT))
    true = wave.levels(wave.spell(wave.heights(at + WAVE_PROMPT, WAVE_SHOWN)))
    found: dict[str, Any] = {
        "epochs": WAVE_EPOCHS,
        "hidden_size": WAVE_SIZE,
        "true": true.tolist(),
        "middle": float(np.abs(true - true.mean()).mean()),
        "continued": {},
        "error": {},
    }
    for cell in WAVE_CELLS:
        run = folder / f"wave-{cell}"
        flags = ["--cell", cell, "--hidden-size", WAVE_SIZE, "--epochs", WAVE_EPOCHS]
        textgen("train", text, "--out", run, *flags, "--patience", WAVE_EPOCHS)
        written = load(run).generate(prompt, max_new_tokens=WAVE_SHOWN, temperature=0.0, seed=1)
        ours = wave.levels(written.text)
        found["continued"][cell] = ours.tolist()
        found["error"][cell] = float(np.abs(ours - true).mean())
    return found
