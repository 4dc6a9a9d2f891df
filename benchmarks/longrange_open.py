"""What was typed that nobody trained on: a model of the speaker task on strangers' sentences.

    python -m benchmarks.longrange_open MODEL ... [--json FILE] [--few]

The lesson's sentence in ten spellings, fillers of thirty kinds, held-out ways to tell and to ask,
two persons, and names that were never trained on, some of them invented. The texts are in
benchmarks/strangers.toml and, a second set by somebody who had read nothing of the task but its
pairs, in benchmarks/strangers_second.toml; forms and chat by another such in
benchmarks/strangers_typed.toml; never in tasks/.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from textgen.data.phrases import BLANK, one_of, with_particles
from textgen.data.recall_documents import Document, Writer
from textgen.data.recall_task import Task
from textgen.evaluation.recall_probe import Scorer, measure, task_of
from textgen.generation.generator import load

TEXTS = Path(__file__).with_name("strangers.toml")
SECOND = Path(__file__).with_name("strangers_second.toml")
TYPED = Path(__file__).with_name("strangers_typed.toml")
# how the texts of a kind are typed, where it is not as they stand
CASES = {"chat": str.lower, "shouting": str.upper}
ASKED = "___"
FILLED = 300  # characters of a stranger's filler
SURE = 0.95
N = 420


def lesson(task: Task, spelling: str, facts: list[str]) -> list[Document]:
    found = []
    for fact in facts:
        before, ending = with_particles(spelling.replace(BLANK, fact)).split(ASKED)
        told = before.index(fact) + len(fact)
        found.append(
            Document(before, task.answer_to(fact), ending, fact, "", told, told, len(before))
        )
    return found


def filled(task: Task, filler: str, facts: list[str], seed: str) -> list[Document]:
    """A seen way to tell, the stranger's filler, a seen way to ask."""
    writer, found = Writer(task), []
    text = (filler * (FILLED // len(filler) + 1))[:FILLED]
    for fact in facts:
        rng = random.Random(seed)
        told, _ = writer.say(rng, rng.choice(writer.facts), fact)
        stem, ending = one_of(rng, rng.choice(writer.questions)).split(BLANK)
        before = f"{told} {text} {stem}"
        found.append(
            Document(
                before, task.answer_to(fact), ending, fact, "", len(told), len(told), len(before)
            )
        )
    return found


def told_and_asked(task: Task, tells: list[str], asks: list[str], n: int) -> Iterator[Document]:
    """Ways of strangers, over 150 characters of held-out filler."""
    writer = Writer(task, ("filler",))
    for k in range(n):
        rng = random.Random(k)
        fact = task.facts[k % len(task.facts)]
        told = with_particles(rng.choice(tells).replace(BLANK, fact))
        stem, ending = one_of(rng, rng.choice(asks).replace(ASKED, BLANK)).split(BLANK)
        before = told + writer.fill(rng, 150) + stem
        yield Document(
            before, task.answer_to(fact), ending, fact, "", len(told), len(told), len(before)
        )


def right(scorer: Scorer, documents: list[Document]) -> tuple[np.ndarray, np.ndarray]:
    """(whether the answer is the likeliest, its share) of each."""
    shares = scorer.shares(documents)
    wanted = scorer.wanted(documents)
    return shares.argmax(1) == wanted, shares[np.arange(len(shares)), wanted]


def measured(folder: str, few: bool) -> dict[str, Any]:
    model = load(folder)
    task = task_of(model)
    scorer = Scorer(model, task)
    n = N // 3 if few else N
    found = {"model": model.name, "hash": model.hash, **of_strangers(scorer, TEXTS, few)}
    cells: dict[str, tuple[Any, ...]] = {
        "facts held out at 150": (150, "plain", ("filler", "facts")),
        "questions held out at 150": (150, "plain", ("filler", "questions")),
        "both held out at 150": (150, "plain", ("filler", "phrasing")),
        "held-out noise at 300": (300, "plain", ("noise",)),
        "distractor at 100": (100, "distractor", ("filler",)),
        "correction at 100": (100, "correction", ("filler",)),
        "passing at 150": (150, "passing", ("filler",)),
        **{f"plain at {d}": (d, "plain", ("filler",)) for d in (20, 50, 150, 300, 1000, 2000)},
    }
    for name, (distance, variant, held_out) in cells.items():
        if variant in task.variants:
            row = measure(scorer, distance, n, variant=variant, held_out=held_out)
            found[name] = row.accuracy
    return found | {"second set": of_strangers(scorer, SECOND, few), **as_typed(scorer, few)}


def as_typed(scorer: Scorer, few: bool) -> dict[str, float]:
    """Forms, chat and what is shouted, with each fact; the lesson with the other words of a task;
    and, where letters have a case, strangers' sentences of both sets without it."""
    task, n = scorer.task, N // 3 if few else N
    tongue = "ko" if "ko" in task.path.stem else "en"
    facts, found = task.facts[:: 3 if few else 1], {}
    for kind, texts in tomllib.loads(TYPED.read_text(encoding="utf-8"))[tongue].items():
        documents = [document for text in texts for document in lesson(task, text, facts)]
        found[kind] = share_right(scorer, in_case(documents, CASES.get(kind)))
    sets = [tomllib.loads(file.read_text(encoding="utf-8"))[tongue] for file in (TEXTS, SECOND)]
    spellings = [spelling for own in sets for spelling in own["lesson"]]
    if task.others:
        words = list(task.others)
        documents = [d for spelling in spellings for d in lesson(task, spelling, words)]
        found["other words"] = share_right(scorer, documents)
    if tongue == "en":
        tells, asks = ([way for own in sets for way in own[name]] for name in ("tells", "asks"))
        documents = list(told_and_asked(task, tells, asks, n))
        for name, case in (("as they stand", None), ("small", str.lower), ("capitals", str.upper)):
            found[f"strangers of both sets, {name}"] = share_right(scorer, in_case(documents, case))
    return found


def in_case(documents: list[Document], case: Callable[[str], str] | None) -> list[Document]:
    """The documents in small letters, or capitals; the answers keep theirs."""
    if case is None:
        return documents
    return [
        dataclasses.replace(document, before=case(document.before), ending=case(document.ending))
        for document in documents
    ]


def share_right(scorer: Scorer, documents: list[Document]) -> float:
    return float(right(scorer, documents)[0].mean())


def of_strangers(scorer: Scorer, file: Path, few: bool) -> dict[str, Any]:
    """What a model does with the texts of a file."""
    task, n = scorer.task, N // 3 if few else N
    texts = tomllib.loads(file.read_text(encoding="utf-8"))
    own = texts["ko" if "ko" in task.path.stem else "en"]
    found: dict[str, Any] = {}
    # the lesson's own fact comes first in both languages
    sure, every = [], []
    for spelling in own["lesson"]:
        is_right, share = right(scorer, lesson(task, spelling, task.facts))
        sure.append(float(share[0]))
        every += is_right.tolist()
    found["lesson"] = {
        "spellings": sum(share >= SURE for share in sure),
        "shares": sure,
        "any fact": float(np.mean(every)),
        "n": len(every),
    }
    facts = task.facts[:: 3 if few else 1]
    by_kind = {
        kind: float(right(scorer, filled(task, text, facts, kind))[0].mean())
        for kind, text in texts["fillers"].items()
    }
    found["fillers"] = {
        "mean": float(np.mean(list(by_kind.values()))),
        "n": len(facts) * len(by_kind),
        "kinds": by_kind,
    }
    tells, asks = own["tells"], own["asks"]
    for name, ways in {
        "strangers tell": (tells, list(task.plain.questions)),
        "strangers ask": (list(task.plain.facts), asks),
        "strangers both": (tells, asks),
    }.items():
        documents = [d for d in told_and_asked(task, *ways_of(ways), n)]
        found[name] = share_right(scorer, documents)
    for name in ("unseen", "invented"):
        pairs = own[name]
        new = dataclasses.replace(task, pairs={name: pairs}, places={f: f for f in pairs})
        row = measure(Scorer(scorer.generator, new), 50, n, held_out=("filler",))
        found[f"{name} names at 50"] = row.accuracy
    return found


def ways_of(ways: tuple[list[str], list[str]]) -> tuple[list[str], list[str]]:
    """Without those of a task that need another word than the fact."""
    facts, questions = ways
    rng = random.Random(0)
    return [one_of(rng, f) for f in facts if BLANK in f], questions


def shown(found: dict[str, Any], indent: str = "  ") -> str:
    lines = [found["model"]] if "model" in found else []
    for name, value in found.items():
        if name == "lesson":
            lines.append(
                f"{indent}lesson {value['spellings']} of {len(value['shares'])} sure, "
                f"any fact {value['any fact']:.1%} (n {value['n']})"
            )
            lines.append(f"{indent}  " + " ".join(f"{share:.2f}" for share in value["shares"]))
        elif name == "fillers":
            lines.append(f"{indent}fillers {value['mean']:.1%} (n {value['n']})")
            kinds = " ".join(f"{kind} {share:.0%}" for kind, share in value["kinds"].items())
            lines.append(f"{indent}  {kinds}")
        elif isinstance(value, dict):
            lines += [f"{indent}{name}", shown(value, f"{indent}  ")]
        elif isinstance(value, float):
            lines.append(f"{indent}{name} {value:.1%}")
    return re.sub(r"\.0%", "%", "\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--few", action="store_true", help="a third of the documents")
    arguments = parser.parse_args()
    every = []
    for folder in arguments.models:
        every.append(measured(folder, arguments.few))
        print(shown(every[-1]), flush=True)
        if arguments.json:
            text = json.dumps(every, ensure_ascii=False, indent=1)
            arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
