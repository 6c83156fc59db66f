"""OpenAI's image API: models, generations, streams."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from deploy.sandbox import openai_errors as errors
from deploy.sandbox import openai_request
from deploy.sandbox.desk import KEY, Desk, Done, Door, Order, Refusal
from deploy.sandbox.drawing.picture import Subject
from deploy.sandbox.openai_facts import MODELS, Model
from deploy.sandbox.openai_request import Asked
from deploy.sandbox.pieces import Pieces, Text, listed
from deploy.sandbox.scripts import Act

NAME = "openai"
PARTIAL_TOKENS = 100


def mounts(desk: Desk) -> list[Mount]:
    images = Images(desk)
    routes = [
        Route("/models", images.models),
        Route("/models/{model}", images.model),
        Route("/images/generations", images.generations, methods=["POST"]),
    ]
    door = Middleware(Door, desk=desk, dialect=NAME, refuse=errors.refuse)
    handlers = {Refusal: _refused, HTTPException: _unknown}
    return [Mount("/v1", Starlette(routes=routes, middleware=[door], exception_handlers=handlers))]


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101 - Starlette cannot say it
    return refusal.response()


async def _unknown(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    message = f"Invalid URL ({request.method} {request.url.path})"
    return errors.error(status, None, errors.REQUEST, message).response()


class Images:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def models(self, request: Request) -> Response:
        _authorize(request)
        return _json({"object": "list", "data": [_described(model) for model in MODELS.values()]})

    async def model(self, request: Request) -> Response:
        _authorize(request)
        name = request.path_params["model"]
        if name not in MODELS:
            raise errors.no_such_model(name)
        return _json(_described(MODELS[name]))

    async def generations(self, request: Request) -> Response:
        _authorize(request)
        asked = await openai_request.read(request)
        order = Order(asked.model.id, asked.prompt, asked.n, _price(asked))

        async def work(act: Act) -> Done:
            count = asked.n if act.pictures is None else act.pictures
            seconds = self._desk.seconds if act.seconds is None else act.seconds
            if asked.stream:
                return Done(await self._stream(asked, act, seconds))
            await asyncio.sleep(seconds)
            pictures = [await self._desk.draw(asked.subject(i), asked.form, act) for i in range(count)]
            usage = _usage(asked, count, plain=act.plain_usage)
            return Done(_answer(asked.chosen(), pictures, usage))

        return await self._desk.take(request, order, errors.refuse, work)

    async def _stream(self, asked: Asked, act: Act, seconds: float) -> Response:
        """Everything is drawn before the first byte, since the charge has to be noted by then."""
        pause = seconds / (asked.partials + 1)
        await asyncio.sleep(pause)
        frames = []
        count = asked.n if act.pictures is None else act.pictures
        for index in range(count):
            subject = asked.subject(index)
            frames += await self._partials(asked, subject, act)
            if act.stream_error:
                frames.append(_failure())
                break
            picture = await self._desk.draw(subject, asked.form, act)
            frames.append(_frame("completed", asked, picture, usage=_usage(asked, 1, plain=True)))
        return Events([*frames, b"data: [DONE]\n\n"], pause)

    async def _partials(self, asked: Asked, subject: Subject, act: Act) -> list[bytes]:
        count = asked.partials if act.partials is None else act.partials
        if not count:
            return []
        painting = await self._desk.paint(subject, asked.form)
        frames = []
        for number in range(count):
            sketch = await self._desk.sketch(painting, subject, asked.form, (number + 1) / (count + 1))
            frames.append(_frame("partial_image", asked, sketch, partial_image_index=number))
        return frames


class Events(Response):
    """Server-sent events, one after a pause."""

    def __init__(self, frames: list[bytes], pause: float) -> None:
        super().__init__(headers=errors.headers(), media_type="text/event-stream")
        del self.headers["content-length"]
        self._frames = frames
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for frame in self._paced():
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _paced(self) -> AsyncIterator[bytes]:
        for index, frame in enumerate(self._frames):
            if index and not frame.startswith(b"data: [DONE]"):
                await asyncio.sleep(self._pause)
            yield frame


def _authorize(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise errors.error(401, None, errors.REQUEST, "You didn't provide an API key.")
    if key != KEY:
        raise errors.refuse("wrong_key", 401)


def _described(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": "system",
        "shutdown_date": model.shutdown,
    }


def _usage(asked: Asked, count: int, *, plain: bool) -> dict[str, Any]:
    text, image = _tokens(asked, count)
    usage: dict[str, Any] = {
        "total_tokens": text + image,
        "input_tokens": text,
        "output_tokens": image,
        "input_tokens_details": {"text_tokens": text, "image_tokens": 0},
    }
    if not plain:
        usage["output_tokens_details"] = {"image_tokens": image, "text_tokens": 0}
    return usage


def _tokens(asked: Asked, count: int) -> tuple[int, int]:
    each = asked.model.image_tokens(asked.size, asked.quality) + PARTIAL_TOKENS * asked.partials
    return max(1, len(asked.prompt) // 4), each * count


def _price(asked: Asked) -> str:
    text, image = _tokens(asked, asked.n)
    return str((text * asked.model.text_in + image * asked.model.image_out) / Decimal(1_000_000))


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), headers=errors.headers(), media_type="application/json")


def _answer(chosen: dict[str, Any], pictures: list[Text], usage: dict[str, Any]) -> Response:
    head, tail = orjson.dumps(chosen)[:-1], orjson.dumps({"usage": usage})[1:]
    data = listed(pictures, b'{"b64_json":"', b'"}')
    return Pieces((head, b',"data":[', *data, b"],", tail), errors.headers())


def _frame(kind: str, asked: Asked, picture: Text, **more: Any) -> bytes:
    name = f"image_generation.{kind}"
    chosen = asked.chosen()
    created = chosen.pop("created")
    document = orjson.dumps({"type": name, "created_at": created, **chosen, **more})
    return b"".join(
        (b"event: ", name.encode(), b"\ndata: ", document[:-1], b',"b64_json":"', *picture, b'"}\n\n')
    )


def _failure() -> bytes:
    said = errors.refuse("server_error", 500).body
    return b"event: error\ndata: " + orjson.dumps({"type": "error", **said}) + b"\n\n"
