"""A run on the Hugging Face Hub: what is sent of it, and its card in the Hub's form."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from textgen import shipped
from textgen.errors import ConfigError, RunError, shown
from textgen.log import logger
from textgen.runs.array_file import LARGEST_FILE
from textgen.runs.atomic_files import read_file
from textgen.runs.hub_models import errors_explained, is_on_hub, need_hub
from textgen.runs.model_card import CARD
from textgen.runs.ngrams import NGRAMS, ngrams_fit, of_network
from textgen.runs.run_config import Card, is_source, without_folder
from textgen.runs.run_folder import (
    CONFIG,
    HISTORY,
    LARGEST_CONFIG,
    WEIGHTS,
    read_config,
    tokenizer_class,
    weights_hash,
)
from textgen.runs.voices import VOICES

OPTIONAL = (HISTORY, VOICES, NGRAMS)  # not every run has them
# what a card of the Hub says of a measured model: https://huggingface.co/docs/hub/model-cards
RESULTS = """model-index:
- name: "{name}"
  results:
  - task:
      type: text-generation
    dataset:
      name: the held-out share of its training text
      type: text
    metrics:
    - type: bits_per_character
      name: bits per character
      value: {value:.4f}
"""


def push(run: str | Path, repository: str, *, private: bool = False, ngrams: bool = False) -> str:
    """Send a run to the repository "user/name", which is made where there is none; its address.

    What is needed to write goes, and the card and the course of training; of its text, the names of
    the files but not where they lie. All of it is one commit: it is there as a whole, or not. What
    an earlier one sent of voices, n-grams and the course, and this one does not, is taken off.
    private: for you alone; a repository that others can see is then left as it is. ngrams: whether
    those of its text go with it: runs of 8 tokens, from which longer passages can be put together
    again.
    Raises `RunError`, `ConfigError` for what is no name and for n-grams that the run has not,
    `MissingPart` without huggingface_hub.
    """
    check_names(run, repository)
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    files = files_of(shipped.find(Path(run), shipped.MODELS), repository, ngrams=ngrams)
    with errors_explained(f"hf://{repository}"):
        api = HfApi()
        # None: as the owner has set it for what is new
        api.create_repo(repository, private=private or None, exist_ok=True)
        there = api.model_info(repository)
        if private and not there.private:  # it was there before
            raise RunError(
                f"hf://{repository} is there, and not private: make it so on its page, or give "
                "another name"
            )
        known = {file.rfilename for file in there.siblings or ()}
        gone = [name for name in OPTIONAL if name in known and name not in files]
        api.create_commit(
            repository,
            [
                *(CommitOperationAdd(name, data) for name, data in files.items()),
                *map(CommitOperationDelete, gone),
            ],
            commit_message="Add a run of textgen",
        )
    if gone:
        logger.warning(
            f"note: taken off hf://{repository}: {', '.join(gone)}; its history still has what was "
            "there: to be rid of that, delete the repository on its page"
        )
    return f"hf://{repository}"


def check_names(run: str | Path, repository: str) -> None:
    """Raise `ConfigError` for a run that is on the Hub, and for a repository that is not named
    "user/name"; `MissingPart` without huggingface_hub."""
    if is_on_hub(run):
        raise ConfigError(f"{run} is on the Hub: give a run folder, or a shipped model")
    need_hub()
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repository)  # the Hub's own rule
        allowed = "/" in repository
    except HFValidationError:
        allowed = False
    if not allowed:
        raise ConfigError(
            f"the repository is {shown(repository)}: write user/name, as the Hub has it"
        )


def files_of(folder: Path, repository: str, *, ngrams: bool = False) -> dict[str, bytes]:
    """What is sent, by its names. ngrams: whether those of its text go with it. Raises `RunError`,
    and `ConfigError` for n-grams that the run has not, or has of other weights."""
    card = read_config(folder)
    if ngrams and not ngrams_fit(folder, weights_hash(folder)):
        raise ConfigError(f"{folder} has no n-grams of its weights: send the network alone")
    tokenizer = tokenizer_class(folder, card).filename
    files = {name: read_file(folder / name, LARGEST_FILE) for name in (WEIGHTS, tokenizer)}
    for name in OPTIONAL:
        if (folder / name).is_file() and (ngrams or name != NGRAMS):
            files[name] = read_file(folder / name, LARGEST_FILE)
    readme = ""
    if (folder / CARD).is_file():
        readme = read_file(folder / CARD, LARGEST_CONFIG).decode("utf-8", "replace")
    if not ngrams:  # nothing is told of what does not go along
        readme = "".join(line for line in readme.splitlines(keepends=True) if NGRAMS not in line)
        if isinstance(metrics := card.get("metrics"), dict):
            card["metrics"] = of_network(metrics)
    config = json.dumps(without_places(card), ensure_ascii=False, indent=2) + "\n"
    files[CONFIG] = config.encode("utf-8", "backslashreplace")
    files[CARD] = hub_card(readme, repository, card).encode()
    return files


def without_places(card: Card) -> Card:
    """config.json without the folders of this machine."""
    corpus, training, origin = card.get("corpus"), card.get("training"), card.get("from")
    public = card.copy()
    if isinstance(corpus, dict) and is_source(source := corpus.get("source")):
        names = [without_folder(one) for one in ([source] if isinstance(source, str) else source)]
        public["corpus"] = corpus | {"source": names[0] if isinstance(source, str) else names}
    if isinstance(training, dict) and isinstance(replay := training.get("replay"), str):
        text, equals, share = replay.rpartition("=")
        public["training"] = training | {"replay": without_folder(text) + equals + share}
    if isinstance(origin, dict) and isinstance(run := origin.get("run"), str):
        public["from"] = origin | {"run": without_folder(run)}
    return public


def hub_card(readme: str, repository: str, card: Card) -> str:
    """The card of a run with its result in the Hub's form, and how it is loaded from there."""
    name = repository.partition("/")[2]
    found = re.fullmatch(r"---\n(.*?\n)---\n(.*)", readme, re.DOTALL)
    front, body = found.groups() if found else ("library_name: textgen\n", readme)
    metrics = card.get("metrics")
    value = metrics.get("val_bits_per_char") if isinstance(metrics, dict) else None
    if isinstance(value, float) and math.isfinite(value) and "model-index:" not in front:
        front += RESULTS.format(name=name, value=value)
    body = re.sub(r'textgen\.load\("[^"\n]*"\)', f'textgen.load("hf://{repository}")', body)
    return f"---\n{front}---\n{body}"
