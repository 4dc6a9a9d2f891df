"""`textgen serve`: models behind the completions API of OpenAI."""

from __future__ import annotations

import argparse
import importlib.util
import os

from textgen.cli.leaving import add_yes, look_before
from textgen.cli.listening import listen
from textgen.errors import ConfigError, MissingPart, shown
from textgen.generation.generator import Generator, load

KEY = "TEXTGEN_API_KEY"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "runs",
        nargs="+",
        metavar="run",
        help="run folders, shipped models' names, or hf://user/name",
    )
    command.add_argument(
        "--host",
        default="localhost",
        help="where it listens (default localhost: this machine alone)",
    )
    command.add_argument("--port", type=int, default=8000, metavar="INT", help="(default 8000)")
    command.add_argument(
        "--api-key",
        default=os.environ.get(KEY),
        metavar="TEXT",
        help=f"answer only who knows it (default ${KEY}, which other users of the machine cannot "
        "read from the list of processes)",
    )
    add_yes(command)


def run(parsed: argparse.Namespace) -> None:
    for part in ("starlette", "uvicorn"):
        if importlib.util.find_spec(part) is None:
            raise MissingPart(f"to serve needs {part}: pip install 'textgen-recurrent[serve]'")
    if parsed.api_key == "":  # of a variable that is not set: it would let everyone in
        raise ConfigError(f"--api-key or {KEY} is empty: give a key, or leave it out")
    import uvicorn

    from textgen.serve.server import HERE, make_app

    models = models_of(parsed.runs)
    local = parsed.host in HERE
    for model in models.values() if not local else ():  # others will read what it writes
        print(f"{model.name}: {look_before(model, parsed.yes)}", flush=True)
    app = make_app(models, parsed.api_key or "", local=local)
    listening = listen(parsed.host, parsed.port)
    port = listening.getsockname()[1]
    if not local and not parsed.api_key:
        print("anyone who reaches it can write with it: --api-key says who may", flush=True)
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    print(f"http://{host}:{port}/v1 serves {', '.join(models)}", flush=True)
    settings = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
    uvicorn.Server(settings).run(sockets=[listening])


def models_of(runs: list[str]) -> dict[str, Generator]:
    """The models by their names. Raises `ConfigError` where two have the same, or one has none that
    can be written."""
    models: dict[str, Generator] = {}
    for run in runs:
        model = load(run)
        if model.name in models:
            raise ConfigError(f"two models have the name {model.name!r}: rename the folder of one")
        if not model.name.isprintable():  # no client could ask for it
            raise ConfigError(f"a model has the name {shown(model.name)}: rename its folder")
        models[model.name] = model
    return models
