"""A foreign model as a run folder."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from textgen.config import TokenizerConfig
from textgen.errors import ConfigError, RunError
from textgen.generation.generator import Generator
from textgen.importing.characters import read_characters, with_characters
from textgen.importing.keras_file import LARGEST_FILE, REMEDY, read_keras_file
from textgen.importing.stock_stack import read_stack
from textgen.options import path_of
from textgen.runs import run_folder
from textgen.runs.atomic_files import read_file, write_file
from textgen.runs.run_config import RunConfig

CARD = """# {name}

A {layers} x {size} `{cell}` that was trained elsewhere, and read from {file} (SHA-256 {hash}) by
`textgen import`. What it was trained on is not known here, so it can write and be looked into, but
not be trained on.
"""
FILLED = """
Its layers had {sizes} units. All have {most} here: what was added has weights of zero, and no say.
"""


def import_model(file: Path, characters: Path | None, out: Path) -> Generator:
    """Read a Keras file and its list of characters into the new run folder `out`.

    characters: None: the note beside the file. Raises `TextgenError`; `out` is then as it was.
    """
    path_of(out, "--out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out is {out}, which is there: give another folder")
    data = read_file(file, LARGEST_FILE, REMEDY)
    listed = characters or file.with_suffix(".json")
    try:
        stack = read_stack(*read_keras_file(file, data))
        if characters is None and not listed.is_file():
            raise ConfigError(
                f"no list of characters lies at {listed}: say by --characters which id is which"
            )
        network, tokenizer = with_characters(listed, stack, *read_characters(listed))
    except RecursionError:
        raise RunError(f"{file} or {listed} nests what it says too deeply: {REMEDY}") from None
    config = RunConfig(network.config, TokenizerConfig(tokenizer.name, tokenizer.vocab_size))
    card = CARD.format(
        name=out.name,
        layers=network.config.num_layers,
        size=network.config.hidden_size,
        cell=network.config.cell,
        file=file.name,
        hash=hashlib.sha256(data).hexdigest(),
    )
    if len({*stack.units}) > 1:
        card += FILLED.format(sizes=" and ".join(map(str, stack.units)), most=max(stack.units))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".import-", dir=out.parent))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}; give another --out") from None
    try:
        write_file(made / "README.md", card.encode("utf-8", "backslashreplace"))
        run_folder.write_tokenizer(made, tokenizer)
        run_folder.save_model(made, network)
        run_folder.write_config(made, config)
        made.chmod(0o755)
        made.replace(out)
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}; give another --out") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Generator.from_run(out)
