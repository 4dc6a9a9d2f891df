"""Where the files that come with textgen lie: beside the package in a checkout, within it in a
wheel, where setup.py puts them."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_IN_WHEEL = _PACKAGE / "share"

HOME = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent
CORPORA = HOME / "corpora"
MODELS = HOME / "models"
RECIPES = HOME / "recipes"
TASKS = HOME / "tasks"
WAVES = HOME / "waves"  # models of a wave, which no list of models of texts has


def find(path: Path, folder: Path) -> Path:
    """`path` as it is where something lies there, else what is shipped under that name.

    folder: one of those above. `speaker-ko`, `speaker-ko.toml` and `tasks/speaker-ko.toml` are then
    names of a shipped task; a path through any other folder is not.
    """
    if path.parent in (Path(), Path(folder.name)) and not path.exists():
        for name in (path.name, f"{path.name}.toml"):
            if (folder / name).exists():
                return folder / name
    return path


def models() -> list[str]:
    """The names of the shipped models."""
    return sorted(file.parent.name for file in MODELS.glob("*/config.json"))
