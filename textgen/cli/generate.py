"""`textgen generate`: a model writes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys

from textgen import options
from textgen.data.sources import as_trained_on
from textgen.errors import ConfigError, counted
from textgen.generation.copy_guard import CopyGuard, check_longest
from textgen.generation.generator import Generator, guarded, load
from textgen.generation.lists import ListWriter, check_list, whole_text
from textgen.generation.options import generation_config, generation_options, option_classes
from textgen.generation.text_stream import Chunk, joined
from textgen.terminal import harmless
from textgen.text.corpus import load_corpus
from textgen.tokenizers.tokenizer import Tokenizer

ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", help="a run folder, a shipped model's name, or hf://user/name")
    command.add_argument(
        "--prompt",
        default="",
        help=r"what the text begins with: \n is a newline; - reads it from standard input",
    )
    command.add_argument(
        "--num-samples", type=int, default=1, metavar="INT", help="texts to write (default 1)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object for each text")
    add_label(command)
    command.add_argument(
        "--list", type=int, metavar="N", help="write N items, one a line, of a model of lines"
    )
    command.add_argument("--unique", action="store_true", help="of a list: no item twice")
    command.add_argument(
        "--new", action="store_true", help="of a list: no item that is a line of the training text"
    )
    add_max_copied(command, "--new and --max-copied")
    for cls in option_classes():
        options.add_arguments(command, cls)


def add_max_copied(command: argparse.ArgumentParser, looked_up_for: str) -> None:
    """The arguments that say what may be copied, and of which text."""
    command.add_argument(
        "--max-copied",
        type=int,
        metavar="N",
        help="no more than N characters in a row that stand in the training text",
    )
    command.add_argument(
        "--train",
        metavar="TEXT",
        help=f"the training text, for {looked_up_for} (default: where the run found it)",
    )


def add_label(command: argparse.ArgumentParser) -> None:
    """The argument that `model_of` reads beside the run."""
    command.add_argument(
        "--label",
        metavar="NAME",
        help="of a model trained with --label-by: in the voice of this label, or of several mixed: "
        "A=0.7,B=0.3",
    )


def model_of(parsed: argparse.Namespace) -> Generator:
    """The model that was named, in the voice that was. Raises as `load` and `in_voice` do."""
    model = load(parsed.run)
    return model if parsed.label is None else model.in_voice(parsed.label)


def run(parsed: argparse.Namespace) -> None:
    _check(parsed)
    known = generation_options()
    wanted = {k: v for k, v in vars(parsed).items() if k in known}
    if "stop_strings" in wanted:
        wanted["stop_strings"] = tuple(map(unescaped, wanted["stop_strings"]))
    prompt = unescaped(parsed.prompt)
    if parsed.prompt == "-":
        prompt = piped_in()
    check_options(parsed, wanted)
    if parsed.list is not None:
        check_list(parsed.list, prompt, wanted)
    model = model_of(parsed)
    text, guard = "", None
    if parsed.new or parsed.max_copied is not None:
        text = training_text(model, parsed.train)
    if parsed.max_copied is not None:
        guard = CopyGuard(text, parsed.max_copied, model.tokenizer)
    # what each JSON object begins with, None without JSON
    said = ({} if parsed.label is None else {"label": parsed.label}) if parsed.json else None
    if parsed.list is not None:
        items = text.split("\n") if parsed.new else ()
        writer = ListWriter(model, unique=parsed.unique, known=items, guard=guard)
        _write_list(writer, parsed.list, prompt, wanted, said)
    elif parsed.json or parsed.num_samples > 1:
        _write_several(model, prompt, parsed.num_samples, wanted, said, guard)
    else:
        _write_one(model, prompt, wanted, guard)


def _check(parsed: argparse.Namespace) -> None:
    """Raises `ConfigError` for what does not go together."""
    if parsed.num_samples < 1:
        raise ConfigError(f"num_samples is {parsed.num_samples}: give at least 1")
    if parsed.list is None and (parsed.unique or parsed.new):
        name = "unique" if parsed.unique else "new"
        raise ConfigError(f"{name} is for a list: add --list N, or leave it out")
    if parsed.list is not None and parsed.num_samples > 1:
        raise ConfigError("num_samples is not for a list: --list says how many items")
    if parsed.train and not parsed.new and parsed.max_copied is None:
        raise ConfigError("train would have no effect: it is for --new and --max-copied")
    if parsed.max_copied is not None:
        check_longest(parsed.max_copied)
    if (top := vars(parsed).get("top_logprobs")) and not parsed.json:
        raise ConfigError(
            f"top_logprobs is {top} without --json, which alone shows them: "
            "add --json, or leave it out"
        )


def check_options(parsed: argparse.Namespace, wanted: dict[str, object]) -> None:
    """Raise `ConfigError` for a bad option of generation before a model or a text is read."""
    loop = generation_config(**wanted).loop
    if parsed.max_copied is not None:
        guarded(loop)


def piped_in() -> str:
    """Standard input, without the newline at its end. Raises `ConfigError` where it is no text."""
    if sys.stdin is None:
        raise ConfigError("standard input is closed: pipe a text in, or give --prompt the words")
    if not hasattr(sys.stdin, "buffer"):  # a text that a program has put in its place
        return sys.stdin.read().removesuffix("\n")
    read = sys.stdin.buffer.read()
    for encoding in ("utf-8-sig", sys.stdin.encoding):  # the second: that of a Windows console
        try:
            return read.decode(encoding).replace("\r\n", "\n").removesuffix("\n")
        except UnicodeDecodeError as error:
            place = error.start + 1
    raise ConfigError(f"standard input is no text at byte {place:,}: pipe in a text in UTF-8")


def unescaped(text: str) -> str:
    r"""With \n, \t and \\ for what they stand for; any other backslash stays as it is."""
    return re.sub(r"\\([nt\\])", lambda match: ESCAPES[match[1]], text)


def training_text(model: Generator, source: str | None) -> str:
    """The text that was named, read as in training where it is that one; else what the run says.
    Raises `ConfigError` where that is not at hand."""
    if source is None:
        return whole_text(model, remedy="name it with --train TEXT")
    known = as_trained_on(model.card, source)
    return whole_text(model, known.corpus.text if known else load_corpus(source).text)


def _write_one(
    model: Generator, prompt: str, wanted: dict[str, object], guard: CopyGuard | None
) -> None:
    """Print a text as it is written."""
    chunks = model.stream(prompt, guard=guard, **wanted)  # a bad prompt is refused here
    warn_unknown(model.tokenizer, prompt)
    print(harmless(prompt), end="", flush=True)
    tokens = 0
    for chunk in chunks:
        tokens += len(chunk.token_ids)
        print(harmless(chunk.text), end="", flush=True)
    print()
    said = f"seed {chunk.seed}, finish_reason {chunk.finish_reason}"
    if guard is not None:
        said += f", {counted(guard.refused(0, tokens), 'token')} refused"
    print(said, file=sys.stderr)


def _write_several(
    model: Generator,
    prompt: str,
    number: int,
    wanted: dict[str, object],
    said: dict[str, object] | None,
    guard: CopyGuard | None,
) -> None:
    """Write texts at once, and print them when all have ended, or what there is at Ctrl-C."""
    texts: list[list[Chunk]] = [[] for _ in range(number)]
    steps = model.stream_batch([prompt] * number, guard=guard, **wanted)
    warn_unknown(model.tokenizer, prompt)
    refused = 0
    try:
        for chunks in steps:
            for text, chunk in zip(texts, chunks, strict=True):
                text.append(chunk)
    finally:
        for index, text in enumerate(texts):
            if not text:
                continue
            one = joined(prompt, text)
            refused += guard.refused(index, len(one.token_ids)) if guard else 0
            if said is not None:
                print(json.dumps(said | dataclasses.asdict(one), ensure_ascii=False))
            else:
                written = harmless(one.prompt + one.text)
                print(f"--- {index + 1} of {number} (seed {one.seed})\n{written}\n")
    if guard is not None:
        print(f"{counted(refused, 'token')} refused", file=sys.stderr)


def _write_list(
    writer: ListWriter,
    number: int,
    prompt: str,
    wanted: dict[str, object],
    said: dict[str, object] | None,
) -> None:
    """Print items as they are found, and at the end what was refused."""
    items = writer.write(number, prompt, **wanted)
    warn_unknown(writer.model.tokenizer, prompt)
    try:
        for item in items:
            line = harmless(item.text)
            if said is not None:
                line = json.dumps(said | dataclasses.asdict(item), ensure_ascii=False)
            print(line, flush=True)
    finally:
        parts = [f"{count} {why}" for why, count in writer.refused.most_common()]
        if writer.guard is not None:
            copied = f"copied over {writer.guard.longest} characters"
            parts.append(f"{counted(writer.refused_tokens, 'token')} that {copied}")
        print(f"seed {writer.seed}, refused: {', '.join(parts) or 'none'}", file=sys.stderr)


def warn_unknown(tokenizer: Tokenizer, text: str) -> None:
    """Say on stderr which characters of a text a model does not know, and how many that are."""
    if unknown := tokenizer.unknown_characters(text):
        shown = " ".join(repr(c) for c in unknown[:20]) + (" ..." if unknown[20:] else "")
        share = f"{100 * tokenizer.unknown_share(text):.3g} % of the text"
        print(f"note: the model has never seen {shown}: {share}", file=sys.stderr)
