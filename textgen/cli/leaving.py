"""What a model would tell whoever gets it, said before it leaves this machine."""

from __future__ import annotations

import argparse

from textgen.errors import ConfigError, shown
from textgen.export.disclosure import Disclosure, disclosure
from textgen.generation.generator import Generator


def add_yes(command: argparse.ArgumentParser) -> None:
    """The flag that lets a model go that writes addresses."""
    command.add_argument(
        "--yes",
        action="store_true",
        help="also where the model writes what looks like a mail address or a phone number",
    )


def look_before(model: Generator, yes: bool, given_away: str = "") -> str:
    """What the model would tell, in words. given_away: what else is sent that somebody must have
    said `yes` to. Raises `ConfigError` where there is such, or where the model writes an address or
    a number, and nobody did."""
    found = disclosure(model)
    asked = [given_away] if given_away else []
    if found.personal:
        asked.append(
            f"{model.name} writes what looks like a mail address or a phone number, "
            f"{shown(found.personal[0])} and {len(found.personal) - 1} others: look whose they are"
        )
    if asked and not yes:
        raise ConfigError(f"{'; '.join(asked)}, and add --yes to let it go all the same")
    return "\n".join([*asked, in_words(found)])


def in_words(found: Disclosure) -> str:
    """What the model would tell of its training text."""
    if found.greedy is None or found.sampled is None:
        return "the text it was trained on is not here, so what it copies is not known"
    return (
        f"verbatim from its training text, {found.shortest} characters or more in a row: "
        f"{found.greedy:.0%} of its likeliest text, {found.sampled:.0%} of what it draws"
    )
