"""The API of `textgen serve`: what a client gets, and what is refused."""

import asyncio
import json
import time
from unicodedata import normalize

import numpy as np
import pytest
from starlette.testclient import TestClient

from served_models import LOCAL, MODELS, asked, client
from textgen.generation.generator import Generator
from textgen.serve import server
from textgen.serve.request import LONGEST_PROMPTS, MOST_TEXTS
from textgen.serve.server import make_app


def choices(body):
    answer = asked(body)
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"]


def events(body):
    """What a stream holds, its end left off."""
    answer = asked(body | {"stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *lines, last = [line for line in answer.text.split("\n\n") if line]
    assert last == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]


# --- what is written ------------------------------------------------------------------------------


def test_the_models_are_listed():
    api = client()
    listed = api.get("/v1/models").json()
    assert listed["object"] == "list" and [m["id"] for m in listed["data"]] == [*MODELS]
    assert api.get("/v1/models/jamo").json() == listed["data"][1]
    assert api.get("/v1/models/other").status_code == 404


def test_a_voice_is_asked_for_by_the_name_of_the_model():
    own = MODELS["mine"]
    drawn = np.random.default_rng(1).normal(size=(2, *own.network.state_shape)).astype("f4")
    voices = dict(zip(["철수", "영희, 1=2"], drawn, strict=True))
    poets = Generator(own.network, own.tokenizer, name="poets", hash="0", voices=voices)
    models = {"poets": poets, "poets@home": own}
    listed = client(models).get("/v1/models").json()["data"]
    assert [m["id"] for m in listed] == ["poets", "poets@철수", "poets@영희, 1=2", "poets@home"]
    for name in ("poets@철수", "poets@영희, 1=2", "poets@철수=0.5", "poets", "poets@home"):
        answer = asked({"model": name, "prompt": "나는", "seed": 1}, models=models).json()
        model = poets.in_voice(name.partition("@")[2]) if name[5:] not in ("", "@home") else own
        expected = model.generate("나는", max_new_tokens=16, seed=1, engine="numpy").text
        assert answer["choices"][0]["text"] == expected and answer["model"] == name
        assert client(models).get(f"/v1/models/{name}").json()["id"] == name
    for name, said in (
        ("poets@민수", "poets: label is '민수': choose from 철수"),
        ("poets@철수=9", "poets: label gives '철수' the share 9.0"),
        ("poets@home@철수", "poets@home: label is '철수': this model has no labels"),
        ("others@철수", "there is no model 'others@철수' here: ask for poets, poets@home"),
    ):
        answer = asked({"model": name}, models=models)
        assert answer.status_code == 404 and answer.json()["error"]["message"].startswith(said)
    answer = asked({"model": "mine@철수"})
    assert answer.json()["error"]["message"] == "mine: label is '철수': this model has no labels"


def test_the_same_seed_gives_the_text_of_generate():
    options = {"temperature": 0.7, "top_p": 0.9, "top_k": 20, "seed": 5}
    (choice,) = choices({"prompt": "나는", "max_tokens": 40, **options})
    expected = MODELS["mine"].generate("나는", max_new_tokens=40, engine="numpy", **options)
    assert choice == {
        "index": 0,
        "text": expected.text,
        "logprobs": None,
        "finish_reason": "length",
    }


def test_an_answer_says_what_it_is_and_how_much():
    answer = asked({"prompt": ["나는", "너"], "n": 2}).json()
    assert answer["object"] == "text_completion" and answer["model"] == "mine"
    assert answer["id"].startswith("cmpl-") and abs(answer["created"] - time.time()) < 60
    assert answer["system_fingerprint"] == "01234567"
    usage = {"prompt_tokens": 3, "completion_tokens": 64, "total_tokens": 67}  # 16 unless asked
    assert answer["usage"] == usage
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]


def test_several_texts_of_several_prompts_come_in_their_order():
    found = choices({"prompt": ["나", "너"], "n": 2, "echo": True, "seed": 1})
    assert [choice["text"][0] for choice in found] == ["나", "나", "너", "너"]
    assert len({choice["text"] for choice in found}) == 4


def test_a_stop_string_ends_a_text_and_is_not_in_it():
    whole = choices({"max_tokens": 60, "seed": 3})[0]["text"]
    stop = whole[20:22]
    (choice,) = choices({"max_tokens": 60, "seed": 3, "stop": [stop, "없는 말"]})
    assert choice["finish_reason"] == "stop"
    assert choice["text"] == whole[: whole.index(stop)]
    assert choices({"max_tokens": 60, "seed": 3, "stop": stop}) == [choice]


@pytest.mark.parametrize("name", MODELS)
def test_a_stream_holds_what_the_answer_holds(name):
    body = {"model": name, "prompt": ["나는", "the"], "max_tokens": 30, "seed": 2, "n": 2}
    body |= {"logprobs": 2, "echo": True, "stop": ["ㅋ"]}
    parts = events(body)
    for whole in choices(body):
        own = [c for part in parts for c in part["choices"] if c["index"] == whole["index"]]
        assert "".join(c["text"] for c in own) == whole["text"]
        for key in whole["logprobs"]:
            assert [x for c in own for x in c["logprobs"][key]] == whole["logprobs"][key]
        assert [c["finish_reason"] for c in own if c["finish_reason"]] == [whole["finish_reason"]]


def test_lines_and_parts_of_lines_may_be_stops():
    """The stop may lie across two steps, and in a prompt that is sent back."""
    whole = choices({"max_tokens": 200, "seed": 3})[0]["text"]
    for stop in ("\n", whole[40:43], "\n\n\n\n"):
        body = {"max_tokens": 200, "seed": 3, "stop": stop, "prompt": "", "echo": True}
        (choice,) = choices(body)
        assert choice["text"] == whole.partition(stop)[0]
        parts = [c["text"] for part in events(body) for c in part["choices"]]
        assert "".join(parts) == choice["text"]


def test_a_stop_may_be_in_the_form_of_a_mac():
    whole = choices({"max_tokens": 60, "seed": 3})[0]["text"]
    syllable = next(c for c in whole if "가" <= c <= "힣")
    (choice,) = choices({"max_tokens": 60, "seed": 3, "stop": normalize("NFD", syllable)})
    assert choice["text"] == whole.partition(syllable)[0] and choice["finish_reason"] == "stop"


def test_half_a_character_is_read_as_an_unknown_one():
    body = {"model": "mine", "prompt": "나\ud800", "echo": True, "stop": "\udcff", "logprobs": 1}
    answer = client().post(
        "/v1/completions", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert answer.json()["choices"][0]["text"].startswith("나\ufffd")


def test_a_stream_ends_with_the_usage_where_it_is_asked_for():
    *_, last = events({"prompt": "나는", "stream_options": {"include_usage": True}})
    assert last["choices"] == [] and last["usage"]["total_tokens"] == 18


# --- how likely it is -----------------------------------------------------------------------------


def test_an_echo_is_scored_as_score_does():
    text = "나는 한국 사람이야"
    (choice,) = choices({"prompt": text, "max_tokens": 0, "echo": True, "logprobs": 3})
    assert choice["text"] == text and choice["finish_reason"] == "length"
    log, expected = choice["logprobs"], MODELS["mine"].score(text).tokens
    assert log["tokens"] == [*text] and log["text_offset"] == [*range(len(text))]
    np.testing.assert_allclose(log["token_logprobs"], [t.logprob for t in expected], atol=1e-6)
    for token, best in zip(expected, log["top_logprobs"], strict=True):
        assert len(best) == 3 + (token.rank > 3) and token.text in best
        assert (max(best, key=best.get) == token.text) == (token.rank == 1)


def test_what_is_written_is_logged_as_generate_does():
    body = {"prompt": "나는", "max_tokens": 12, "seed": 4}
    log = choices({**body, "logprobs": 2})[0]["logprobs"]
    expected = MODELS["mine"].generate(
        "나는", max_new_tokens=12, seed=4, top_logprobs=2, engine="numpy"
    )
    assert log["token_logprobs"] == pytest.approx(expected.logprobs)
    assert all(len(best) in (2, 3) for best in log["top_logprobs"])
    assert choices({**body, "logprobs": 0})[0]["logprobs"]["top_logprobs"] is None


def test_tokens_begin_where_their_syllable_may_begin():
    (choice,) = choices({"model": "jamo", "prompt": "나는", "echo": True, "logprobs": 0})
    offsets = choice["logprobs"]["text_offset"]
    assert offsets[:5] == [0, 0, 0, 1, 1] and offsets == sorted(offsets)
    assert offsets[-1] <= len(choice["text"])


# --- what is refused ------------------------------------------------------------------------------

BAD = {
    "temperature is 11": {"temperature": 11},
    "temperature is not a number": {"temperature": float("nan")},
    'top_p is "all": give a number': {"top_p": "all"},
    "top_k is 2.5: give a whole number": {"top_k": 2.5},
    'temperature is {"a": null}: give a number': {"temperature": {"a": None}},
    "n is true: give a whole number": {"n": True},
    "echo is 1: give true or false": {"echo": 1},
    "max_tokens is 2001: give a value of at least 0 and at most 2000": {"max_tokens": 2001},
    "max_tokens is -1": {"max_tokens": -1},
    "max_tokens is 2.5: give a whole number": {"max_tokens": 2.5},
    "n is 33": {"n": MOST_TEXTS + 1},
    "n is 0": {"n": 0},
    "the request is for 34 texts": {"n": 2, "prompt": ["a"] * 17},
    f"prompt has {LONGEST_PROMPTS + 1} characters": {"prompt": "a" * (LONGEST_PROMPTS + 1)},
    "prompt is an empty list": {"prompt": []},
    "prompt holds 3": {"prompt": [3, 4]},
    'prompt holds {"text": "가"}': {"prompt": {"text": "가"}},
    "the prompt 'Ω' has only characters this model has never seen": {"prompt": "Ω"},
    "logprobs is 50 for about 64000 tokens": {"logprobs": 50, "max_tokens": 2000, "n": 32},
    "logprobs is 5 for about 288000 tokens": {
        **{"logprobs": 5, "max_tokens": 0, "n": 32, "prompt": "a" * 9000, "echo": True}
    },
    "stop holds 7": {"stop": [7]},
    "stop holds 17 texts": {"stop": ["a"] * 17},
    "stop holds false": {"stop": False},
    "stop holds an empty text": {"stop": ""},
    'stream is "yes": give true or false': {"stream": "yes"},
    "seed is -1": {"seed": -1},
    "seed is true": {"seed": True},
    "logprobs is 51": {"logprobs": 51},
    "best_of is 3, which is not had": {"best_of": 3},
    'logit_bias is {"5": 1}, which is not had': {"logit_bias": {"5": 1}},
    "there is no option 'max_token': give max_tokens": {"max_token": 5},
    "model is 5: give one of mine, jamo, pieces": {"model": 5},
    "model is not given: give one of mine, jamo, pieces": {"model": None},
    "stream_options is given without stream": {"stream_options": {"include_usage": True}},
    "stream_options is 4": {"stream": True, "stream_options": 4},
}


@pytest.mark.parametrize("said", BAD)
def test_bad_input_is_one_line(said):
    text = json.dumps({"model": "mine"} | BAD[said])  # with NaN, which httpx would not send
    answer = client().post(
        "/v1/completions", content=text, headers={"content-type": "application/json"}
    )
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["type"] == "invalid_request_error"
    assert error["message"].startswith(said) and "\n" not in error["message"]


def test_what_is_no_request_is_refused():
    api = client()
    typed = {"content-type": "application/json"}
    for content in (b"", b"{", b"[]", b"\xff", b"[" * 10**5, b"1" * 5000):
        assert api.post("/v1/completions", content=content, headers=typed).status_code == 400
    assert api.post("/v1/completions", content=b"{}").status_code == 400  # a page might send it
    large = api.post("/v1/completions", content=b" " * ((1 << 20) + 1), headers=typed)
    assert large.status_code == 413
    assert api.get("/v1/completions").status_code == 405
    assert "send POST to /v1/completions" in api.get("/v1/completions").json()["error"]["message"]
    chat = api.post("/v1/chat/completions", json={"messages": []})
    assert chat.status_code == 404 and "there is no chat" in chat.json()["error"]["message"]
    typed = {"content-type": "Application/JSON; charset=utf-8"}
    assert api.post("/v1/completions", content=b'{"model": "mine"}', headers=typed).is_success
    assert asked({"model": "other"}).status_code == 404


def test_what_is_not_asked_for_may_be_said():
    choices(
        {"best_of": 1, "suffix": None, "logit_bias": None, "presence_penalty": 0.0, "user": "u"}
    )
    answer = client({"mine": MODELS["mine"]}).post("/v1/completions", json={"prompt": "나"})
    assert answer.json()["model"] == "mine"  # the only one


def test_the_key_is_asked_for():
    for headers, status in (
        ({}, 401),
        ({"authorization": "Bearer other"}, 401),
        ({"authorization": "Bearer sësam"}, 200),
    ):
        sent = {name: value.encode() for name, value in headers.items()}
        assert client(key="sësam").get("/v1/models", headers=sent).status_code == status


def test_another_name_of_this_machine_is_not_answered():
    assert client(base_url="http://evil.example").get("/v1/models").status_code == 403
    assert client(base_url="http://evil.example", local=False).get("/v1/models").status_code == 200
    assert client(base_url="http://[::1]:8000").get("/v1/models").status_code == 200
    for host in (b"\xff", b"localhost@evil.example", b"evil.example:65536", b"[::1", b"localhost/"):
        answer = client().get("/v1/models", headers={"host": host})
        assert answer.status_code == 403


def test_more_than_can_be_written_at_once_come_again(monkeypatch):
    monkeypatch.setattr(server, "MOST_AT_ONCE", 0)
    assert asked({}).status_code == 429


def test_a_request_is_counted_until_its_last_byte(monkeypatch):
    monkeypatch.setattr(server, "MOST_AT_ONCE", 1)

    async def three_requests():
        told, ended = [], asyncio.Event()

        async def slow(scope, receive, send):
            await send({"type": "http.response.start", "status": 200})
            await ended.wait()

        async def send(message):
            told.extend([message["status"]] if "status" in message else [])

        app = server._AtOnce(slow)
        first = asyncio.create_task(app({"type": "http"}, None, send))
        await asyncio.sleep(0)
        await app({"type": "http"}, None, send)  # while the first is answered
        ended.set()
        await first
        await app({"type": "http"}, None, send)
        return told

    assert asyncio.run(three_requests()) == [200, 429, 200]


def asked_in_parts(messages):
    """The status of the answer to a request that comes so; what is not there is waited for."""

    async def ask():
        told, left = [], list(messages)
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": headers}

        async def receive():
            return left.pop(0) if left else await asyncio.sleep(60)

        async def send(message):
            told.append(message.get("status"))

        await make_app(MODELS)(scope | {"query_string": b""}, receive, send)
        return told[0]

    return asyncio.run(ask())


def test_who_hangs_up_or_never_ends_holds_no_place(monkeypatch):
    begun = {"type": "http.request", "body": b"{", "more_body": True}
    assert asked_in_parts([begun, {"type": "http.disconnect"}]) == server.NOBODY
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    assert asked_in_parts([begun]) == 408


def test_a_server_that_fails_says_no_more_than_that(monkeypatch):
    monkeypatch.setattr(server, "read_request", lambda *_: 1 / 0)
    api = TestClient(make_app(MODELS), base_url=LOCAL, raise_server_exceptions=False)
    answer = api.post("/v1/completions", json={})
    assert answer.status_code == 500 and "division" not in answer.text
