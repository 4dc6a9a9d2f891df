"""The API over HTTP: /v1/models, /v1/completions."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as Http
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textgen.errors import ConfigError, TextgenError
from textgen.generation.generator import Generator
from textgen.serve.completion import Completion
from textgen.serve.request import read_request

MOST_AT_ONCE = 100  # requests that are written or wait for their turn
LARGEST_BODY = 1 << 20
NOBODY = 499  # of an answer that is not read: the client has hung up
KINDS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
HERE = ("localhost", "127.0.0.1", "::1")  # the names of this machine
CALLED_HERE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE | re.ASCII)
# for what Starlette says of a request that goes nowhere
NOWHERE = {
    HTTPStatus.NOT_FOUND.phrase: "there is nothing at this address: models go on with a text, by "
    "POST /v1/completions (there is no chat), and GET /v1/models lists them",
    HTTPStatus.METHOD_NOT_ALLOWED.phrase: "this address is not asked in this way: send POST to "
    "/v1/completions, GET to /v1/models",
}
PATIENCE = 30.0  # seconds in which a request has to come, and a part of the answer to be taken
VOICE = "@"  # between the name of a model and the label in whose voice it is to write
SLICE = 1 << 16  # bytes of an answer that are handed over at a time


def make_app(models: Mapping[str, Generator], key: str = "", *, local: bool = True) -> Starlette:
    """The API of `models`, by their names. key: what a client must know, where there is one.

    local: answer only who calls this machine by a name of its own, so that no page of the web can
    have a browser call it by another.
    """
    api = _Api(models, key, local)
    return Starlette(
        routes=[
            Route("/v1/models", api.list_models),
            Route("/v1/models/{name:path}", api.one_model),
            Route(
                "/v1/completions",
                api.completions,
                methods=["POST"],
                middleware=[Middleware(_AtOnce)],
            ),
        ],
        exception_handlers={
            HTTPException: _refused,
            TextgenError: _bad,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
    )


class _AtOnce:
    """Turns away who comes while `MOST_AT_ONCE` requests are answered: each from its first byte to
    the last that is sent. Who takes nothing of what is sent for `PATIENCE` is let go."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._number = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._number >= MOST_AT_ONCE:
            full = _error(429, f"{MOST_AT_ONCE} requests are being written: try again soon")
            await full(scope, receive, send)
            return
        self._number += 1
        clock = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):  # uvicorn then closes the connection
            try:
                async with asyncio.timeout(None) as limit:

                    async def send_in_time(message: Message) -> None:
                        limit.reschedule(clock.time() + PATIENCE)
                        await send(message)
                        if not limit.expired():  # in that very moment
                            limit.reschedule(None)

                    await self._app(scope, receive, send_in_time)
            finally:
                self._number -= 1


class _Api:
    """The answers. One of a model is computed in threads, a step at a time."""

    def __init__(self, models: Mapping[str, Generator], key: str, local: bool) -> None:
        self._models, self._key, self._local = models, key, local
        self._began = int(time.time())

    async def list_models(self, http: Http) -> Response:
        self._admit(http)
        names = [
            name
            for own, model in self._models.items()
            for name in (own, *(f"{own}{VOICE}{label}" for label in model.labels))
        ]
        return JSONResponse({"object": "list", "data": [*map(self._about, names)]})

    async def one_model(self, http: Http) -> Response:
        self._admit(http)
        self._model(http.path_params["name"])
        return JSONResponse(self._about(http.path_params["name"]))

    async def completions(self, http: Http) -> Response:
        self._admit(http)
        request = read_request(await _json(http), self._models)
        model = self._model(request.model)
        completion = await run_in_threadpool(Completion, model, request)
        if request.settings.stream:
            return StreamingResponse(self._events(completion), media_type="text/event-stream")
        parts = []
        async for new in iterate_in_threadpool(completion.parts()):
            if await http.is_disconnected():
                return Response(status_code=NOBODY)
            parts += new
        # a long one takes a while to write down, in which others are to be heard
        answer = await run_in_threadpool(lambda: JSONResponse(completion.whole(parts)))
        return StreamingResponse(_slices(bytes(answer.body)), headers=answer.headers)

    async def _events(self, completion: Completion) -> AsyncIterator[str]:
        """The parts as events of a stream."""
        about, request = completion.about, completion.request
        async for new in iterate_in_threadpool(completion.parts()):
            for part in new:
                yield _event(about | {"choices": [completion.choice(part)]})
        if request.usage:
            yield _event(about | {"choices": [], "usage": completion.usage()})
        yield "data: [DONE]\n\n"

    def _admit(self, http: Http) -> None:
        """Raise `HTTPException` for a client that calls another machine, or has not the key."""
        # the header itself: where it is no name, Starlette would put that of this machine
        if self._local and not CALLED_HERE.fullmatch(http.headers.get("host", "")):
            raise HTTPException(403, "this server answers its own machine: see --host")
        given = http.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key and not hmac.compare_digest(given.encode("latin-1"), self._key.encode()):
            raise HTTPException(401, "the API key is not the one of --api-key: give that one")

    def _model(self, name: str) -> Generator:
        """The model of that name, or the one before a label, in its voice. Raises
        `HTTPException`."""
        if name in self._models:
            return self._models[name]
        # the longest first: a name may have the sign of a voice in it
        for own in sorted(self._models, key=len, reverse=True):
            if name.startswith(own + VOICE):
                try:
                    return self._models[own].in_voice(name.removeprefix(own + VOICE))
                except ConfigError as error:
                    raise HTTPException(404, f"{own}: {error}") from None
        known = ", ".join(self._models)
        raise HTTPException(404, f"there is no model {name[:100]!r} here: ask for {known}")

    def _about(self, name: str) -> dict[str, object]:
        return {"id": name, "object": "model", "created": self._began, "owned_by": "textgen"}


async def _json(http: Http) -> object:
    """What a client sent. Raises `ConfigError` and `HTTPException`."""
    # a page of the web may send text to another machine unasked, but not this
    if http.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise ConfigError("the request is not of the type application/json: send it as that")
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for some in http.stream():
                body += some
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413, f"the request is larger than {LARGEST_BODY} bytes")
    except TimeoutError:
        raise HTTPException(408, f"the request took more than {PATIENCE:.0f} s: send it") from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ConfigError("the request is no JSON: send a JSON object") from None


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    """A body in parts, of which the next is handed over when the one before was taken."""
    for begin in range(0, len(body), SLICE):
        yield body[begin : begin + SLICE]


def _event(content: dict[str, object]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


def _error(status: int, message: str) -> Response:
    about = {"message": message, "type": KINDS.get(status, "invalid_request_error")}
    return JSONResponse({"error": about | {"param": None, "code": None}}, status)


async def _refused(http: Http, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, NOWHERE.get(error.detail, error.detail))


async def _gone(http: Http, error: Exception) -> Response:
    return Response(status_code=NOBODY)


async def _bad(http: Http, error: Exception) -> Response:
    return _error(400, str(error))


async def _broken(http: Http, error: Exception) -> Response:  # which uvicorn writes down
    return _error(500, "the server has failed: see what it wrote")
