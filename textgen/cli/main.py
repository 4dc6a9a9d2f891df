"""The `textgen` command. Parsing needs no TensorFlow, so `--help` answers at once."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from textgen import log, shipped
from textgen.cli.arguments import parser
from textgen.config import EvaluateConfig, SweepConfig
from textgen.errors import BAD_INPUT, INTERRUPTED, ConfigError, TextgenError
from textgen.log import logger
from textgen.options import build, options_of
from textgen.runs.recipe import CONFIGS, read_recipe
from textgen.terminal import long_table, show
from textgen.text.read_config import ReadConfig


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a `TextgenError` becomes one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is no error
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    whole = parser()
    for argument in sys.argv[1:] if arguments is None else arguments:
        if argument.startswith("-:"):  # which argparse takes for an option
            whole.error(f"{argument} is no option: write /dev/stdin{argument[1:]} for a column")
    parsed = whole.parse_args(arguments)
    try:
        with log.command():
            COMMANDS[parsed.command](parsed)
        sys.stdout.flush()
    except TextgenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `textgen generate ... | head`
        sys.stderr.close()
        sys.exit(0)


def _train(parsed: argparse.Namespace) -> None:
    values = {k: v for k, v in vars(parsed).items() if any(k in options_of(c) for c in CONFIGS)}
    recipe = _recipe(parsed.config)
    source = parsed.corpus or recipe.pop("corpus", None)
    out = parsed.resume or parsed.out or recipe.get("out")
    recipe.pop("out", None)
    if out is None:
        raise ConfigError("no run folder given: add --out RUN")
    if parsed.resume and parsed.out and Path(parsed.resume) != Path(parsed.out):
        raise ConfigError(
            f"--resume names {parsed.resume} and --out {parsed.out}: leave one of them out"
        )
    if parsed.resume is not None and not Path(out).is_dir():  # before any worker is begun
        raise ConfigError(f"{out} is no run to go on with: leave out --resume to begin one there")
    if parsed.workers is not None:
        _refuse_streams(source or [], "of several workers each reads the text")
        from textgen.training.launch import again, launch

        sys.exit(launch(parsed.workers, again(parsed, values), Path(out)))
    if parsed.resume is None:
        _start(source, out, recipe, values, parsed.budget)
    else:
        _resume(parsed, out, recipe, values)
    print(f"saved to {out}: textgen generate {out} --prompt ...", file=sys.stderr)


def _start(
    source: Any, out: str, recipe: dict[str, Any], flags: dict[str, Any], budget: str | None
) -> None:
    if not source:
        raise ConfigError("no text given: name a file, a folder or hf:NAME")
    settings = recipe | flags
    model, tokens, training = (build(cls, settings) for cls in CONFIGS)
    from textgen.training.budget import seconds_of
    from textgen.training.train import start

    seconds = seconds_of(budget) if budget else 0.0
    text = _one_or_all(source)
    with _interruption_explained(out):
        start(text, out, model, tokens, training, seconds, fixed=set(settings), given=set(flags))


def _resume(
    parsed: argparse.Namespace, out: str, recipe: dict[str, Any], flags: dict[str, Any]
) -> None:
    fixed = ["budget"] * bool(parsed.budget) + sorted(set(flags) - {"epochs"})
    if fixed:
        raise ConfigError(
            f"{fixed[0]} cannot change on --resume: leave it out (only epochs may change)"
        )
    if recipe:
        logger.warning(
            f"note: {out} goes on with its own settings, not with those of {parsed.config}"
        )
    from textgen.training.train import resume

    source = _one_or_all(parsed.corpus) if parsed.corpus else None
    with _interruption_explained(out):
        resume(out, source, flags.get("epochs"))


def _recipe(name: str | None) -> dict[str, Any]:
    return read_recipe(shipped.find(Path(name), shipped.RECIPES)) if name else {}


@contextlib.contextmanager
def _interruption_explained(out: str) -> Iterator[None]:
    """Say how a training goes on that is stopped while within."""
    from textgen.training.stop_request import Interrupted

    try:
        yield
    except Interrupted as stop:
        message = f"stopped and saved: textgen train --resume {out} goes on"
        raise Interrupted(message) from stop


def _race(parsed: argparse.Namespace) -> None:
    from textgen.tuning.race import race, report

    values = {k: v for k, v in vars(parsed).items() if any(k in options_of(c) for c in CONFIGS)}
    model, tokens, training = (build(cls, values) for cls in CONFIGS)
    source = _one_or_all(parsed.corpus)
    results = race(source, parsed.out, parsed.cells, model, tokens, training, set(values))
    show(report(results))


def _sweep(parsed: argparse.Namespace) -> None:
    from textgen.tuning.search_space import read_space

    space = read_space(Path(parsed.space))
    recipe = _recipe(parsed.config)
    recipe |= {k: v for k, v in vars(parsed).items() if k in options_of(ReadConfig)}
    _refuse_streams(parsed.corpus, "each trial of a sweep reads the text")
    from textgen.tuning.sweep import Sweep

    sweep = Sweep(parsed.corpus, parsed.out, space, recipe, build(SweepConfig, vars(parsed)))
    if not sweep.run():
        with contextlib.suppress(TextgenError):  # there may be nothing to report yet
            show(sweep.known.report())
        raise KeyboardInterrupt("stopped: the same command goes on")
    show(sweep.known.report())


def _refuse_streams(sources: str | Sequence[str], reason: str) -> None:
    """Raises `ConfigError` for what can be read but once."""
    from textgen.text.files import is_stream

    for source in [sources] if isinstance(sources, str) else sources:
        if is_stream(source):
            raise ConfigError(f"{source} can be read once, and {reason}: give a file")


def _one_or_all(source: Any) -> Any:
    return source[0] if isinstance(source, list) and len(source) == 1 else source


def _generate(parsed: argparse.Namespace) -> None:
    from textgen.generation.generator import load
    from textgen.generation.options import generation_options

    if parsed.num_samples < 1:
        raise ConfigError(f"num_samples is {parsed.num_samples}: give at least 1")
    known = generation_options()
    options = {k: v for k, v in vars(parsed).items() if k in known}
    if "stop_strings" in options:
        options["stop_strings"] = tuple(options["stop_strings"])
    model = load(parsed.run)
    if parsed.json or parsed.num_samples > 1:
        written = model.generate_batch([parsed.prompt] * parsed.num_samples, **options)
        _warn_unknown(written[0].unknown)
        for number, one in enumerate(written, 1):
            if parsed.json:
                print(json.dumps(dataclasses.asdict(one), ensure_ascii=False))
            else:
                print(f"--- {number} (seed {one.seed})\n{one.prompt}{one.text}\n")
        return
    chunks = model.stream(parsed.prompt, **options)  # a bad prompt is refused here
    _warn_unknown(model.tokenizer.unknown_characters(parsed.prompt))
    print(parsed.prompt, end="", flush=True)
    for chunk in chunks:
        print(chunk.text, end="", flush=True)
    print()
    print(f"seed {chunk.seed}, finish_reason {chunk.finish_reason}", file=sys.stderr)


def _warn_unknown(unknown: list[str]) -> None:
    if unknown:
        shown = " ".join(repr(c) for c in unknown[:20])
        print(f"note: the model has never seen {shown}", file=sys.stderr)


def _score(parsed: argparse.Namespace) -> None:
    from textgen.generation.generator import load
    from textgen.text.corpus import load_corpus
    from textgen.text.readers import names_a_text

    text = parsed.text
    if not parsed.words and names_a_text(text):
        text = load_corpus(text, build(ReadConfig, vars(parsed))).text
    model = load(parsed.run)
    score = model.score(text)
    _warn_unknown(score.unknown)
    print(f"bits_per_char {score.bits_per_char:.4f} ({len(score.tokens)} tokens)")
    if parsed.tokens:
        rows = [[repr(t.text), f"{math.exp(t.logprob):.4f}", f"{t.rank}"] for t in score.tokens]
        print(long_table(["token", "probability", "rank"], rows))


def _probe(parsed: argparse.Namespace) -> None:
    from textgen.data.recall_task import read_task
    from textgen.evaluation.recall_probe import (
        CONTROLS,
        DISTANCES,
        Scorer,
        as_csv,
        probe,
        report,
        task_of,
    )
    from textgen.generation.generator import load

    model = load(parsed.run)
    task = read_task(parsed.task) if parsed.task else task_of(model)
    controls = tuple(CONTROLS) if parsed.controls else ("none",)
    found = probe(
        Scorer(model, task),
        parsed.distances or DISTANCES,
        parsed.n,
        controls,
        parsed.variant,
        parsed.held_out,
        parsed.seed,
    )
    show(report(found))
    _save(parsed.json, lambda: json.dumps(found.as_dict(), ensure_ascii=False, indent=2) + "\n")
    _save(parsed.csv, lambda: as_csv(found))


def _evaluate(parsed: argparse.Namespace) -> None:
    from textgen.evaluation import context_length, evaluation_tables
    from textgen.evaluation.evaluate import evaluate
    from textgen.generation.generator import load

    config = build(EvaluateConfig, vars(parsed))
    model = load(parsed.run)
    text, training_text = _texts(model.card, parsed)
    found = evaluate(model, text, training_text, config)
    show(evaluation_tables.report(found))
    result = dataclasses.asdict(found)
    if parsed.look_back or parsed.contexts:
        contexts = parsed.contexts or context_length.CONTEXTS
        rows = context_length.context_curve(model, text, contexts, parsed.n, config.seed)
        show(["", *context_length.report(rows)])
        result["look_back"] = [dataclasses.asdict(row) for row in rows]
    _save(parsed.json, lambda: json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    _save(parsed.csv, lambda: evaluation_tables.as_csv(found))


def _texts(card: dict[str, Any], parsed: argparse.Namespace) -> tuple[str, str | None]:
    """What to evaluate on, and what the model was trained on where that is at hand."""
    from textgen.data.sources import as_trained_on, find_training_text
    from textgen.data.streamed_text import held_out_of
    from textgen.text.corpus import load_corpus

    reading = {k: v for k, v in vars(parsed).items() if k in options_of(ReadConfig)}
    config = build(ReadConfig, reading)
    if reading:
        card = card | {"training": card["training"] | reading}
    own, run = as_trained_on(card, parsed.text), shipped.find(Path(parsed.run), shipped.MODELS)
    held_out = own.held_out_text if own else held_out_of(run, card, parsed.text)
    if held_out is None:
        text = load_corpus(parsed.text, config).text
    elif held_out:
        text = held_out
        print(f"{parsed.text}: the end that {parsed.run} held out")
    else:
        raise ConfigError(
            f"{parsed.run} was trained on all of {parsed.text}: give a text it has not seen"
        )
    if parsed.train:
        if held_out_of(run, card, parsed.train) is not None:
            raise ConfigError(
                f"{run} streamed {parsed.train}: give --train a part that fits in memory"
            )
        known = as_trained_on(card, parsed.train)
        return text, known.text if known else load_corpus(parsed.train, config).text
    known = own or find_training_text(card)
    return text, known.text if known else None


def _save(path: Path | None, text: Callable[[], str]) -> None:
    if path is not None:
        from textgen.runs.atomic_files import write_file

        write_file(path, text().encode())


def _corpus(parsed: argparse.Namespace) -> None:
    from textgen.text.corpus import load_corpus
    from textgen.text.doctor import as_dict, diagnose, report

    corpus = load_corpus(_one_or_all(parsed.corpus), build(ReadConfig, vars(parsed)))
    diagnosis = diagnose(corpus)
    if parsed.json:
        print(json.dumps(as_dict(diagnosis), ensure_ascii=False))
    else:
        show(report(diagnosis))


def _app(parsed: argparse.Namespace) -> None:
    flags = [f"--server.address={parsed.host}", f"--server.port={parsed.port}"]
    os.execv(sys.executable, [sys.executable, "-m", "textgen.ui.app", *flags])


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "train": _train,
    "race": _race,
    "sweep": _sweep,
    "generate": _generate,
    "score": _score,
    "probe": _probe,
    "evaluate": _evaluate,
    "corpus": _corpus,
    "app": _app,
}
