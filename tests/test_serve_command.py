"""`textgen serve` as a server that real clients call."""

import concurrent.futures
import contextlib
import dataclasses
import json
import shutil
import socket
import threading
import time

import httpx2
import pytest

from served_models import MODELS
from textgen import shipped
from textgen.cli import serve
from textgen.cli.main import main
from textgen.errors import ConfigError
from textgen.export.disclosure import Disclosure
from textgen.serve import server
from textgen.serve.server import make_app

NOTHING = Disclosure(None, None, 20, [])


def failed(capsys, *arguments):
    """What the command says on stderr."""
    with pytest.raises(SystemExit) as stop:
        main(["serve", *map(str, arguments)])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.count("\n") == 1
    return said


def test_what_cannot_be_served_is_one_line(tmp_path, capsys):
    assert "no run folder" in failed(capsys, tmp_path / "none")
    assert "port is 70000" in failed(capsys, "speaker-lstm-ko", "--port", 70000)
    assert "cannot listen at" in failed(capsys, "speaker-lstm-ko", "--host", "256.1.1.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failed(capsys, "speaker-lstm-ko", "--host", "127.0.0.1", "--port", port)
    assert "in use" in said
    with pytest.raises(ConfigError, match="two models have the name 'speaker-lstm-ko'"):
        serve.models_of(["speaker-lstm-ko", "speaker-lstm-ko"])


def test_a_model_whose_name_no_client_could_write_is_refused(tmp_path):
    run = tmp_path / "caf\udce9"
    shutil.copytree(shipped.MODELS / "speaker-rnn-en", run)
    with pytest.raises(ConfigError, match=r"a model has the name 'caf\\udce9': rename its folder"):
        serve.models_of([str(run)])


def test_a_model_that_writes_addresses_is_not_opened_to_others(capsys, monkeypatch):
    personal = dataclasses.replace(NOTHING, personal=["kim@example.com"])
    monkeypatch.setattr("textgen.cli.leaving.disclosure", lambda model: personal)
    said = failed(capsys, "speaker-rnn-en", "--host", "0.0.0.0")
    assert "'kim@example.com' and 0 others" in said and "--yes" in said


def test_an_empty_key_is_refused(capsys, monkeypatch):
    said = "--api-key or TEXTGEN_API_KEY is empty"
    assert said in failed(capsys, "speaker-rnn-en", "--api-key", "")
    monkeypatch.setenv("TEXTGEN_API_KEY", "")
    assert said in failed(capsys, "speaker-rnn-en")


@contextlib.contextmanager
def served(models):
    """The address of a server on loopback, which keeps little of what nobody takes."""
    import uvicorn

    listening = serve.listen("127.0.0.1", 0)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    running = uvicorn.Server(uvicorn.Config(make_app(models), log_level="warning"))
    thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.mark.slow
def test_the_client_of_openai_is_served():
    import openai

    with served(MODELS) as address, openai.OpenAI(base_url=address, api_key="none") as api:
        assert [model.id for model in api.models.list()] == [*MODELS]
        asked_for = {"model": "pieces", "prompt": "나는 ", "max_tokens": 20, "seed": 1}
        whole = api.completions.create(**asked_for, logprobs=2, extra_body={"top_k": 5})
        stream = api.completions.create(**asked_for, stream=True, extra_body={"top_k": 5})
        assert "".join(c.choices[0].text for c in stream) == whole.choices[0].text
        assert whole.usage.completion_tokens == len(whole.choices[0].logprobs.tokens) == 20
        with pytest.raises(openai.BadRequestError, match="temperature is 20"):
            api.completions.create(**asked_for, temperature=20)
        with pytest.raises(openai.NotFoundError, match="there is no model 'gpt'"):
            api.completions.create(model="gpt", prompt="a")


def test_thirty_clients_at_once_get_each_their_own_text():
    def ask(number):
        body = {"model": "mine", "prompt": "나는", "max_tokens": 40, "seed": number}
        return http.post("/completions", json=body).json()["choices"][0]["text"]

    with (
        served(MODELS) as address,
        httpx2.Client(base_url=address, timeout=60) as http,
        concurrent.futures.ThreadPoolExecutor(30) as clients,
    ):
        texts = list(clients.map(ask, range(30)))
    expected = [
        MODELS["mine"].generate("나는", max_new_tokens=40, seed=number, engine="numpy").text
        for number in range(30)
    ]
    assert texts == expected


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_takes_nothing_holds_its_place_for_a_while_alone(stream, monkeypatch):
    monkeypatch.setattr(server, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    asked = json.dumps({"model": "mine", "max_tokens": 600, "logprobs": 20, "stream": stream})
    head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
    with served(MODELS) as address, httpx2.Client(base_url=address) as http, socket.socket() as one:

        def status():
            body = {"model": "mine", "max_tokens": 1}
            return http.post("/completions", json=body).status_code

        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", int(address.split(":")[2].removesuffix("/v1"))))
        one.sendall(f"{head}\r\nContent-Length: {len(asked)}\r\n\r\n{asked}".encode())
        deadline = time.monotonic() + 30
        while status() == 200:  # until the request has come
            assert time.monotonic() < deadline
        while status() == 429:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert status() == 200
