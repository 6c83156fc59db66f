"""OpenAI's image API: models, generations, streams."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
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
from deploy.sandbox.desk import KEY, Desk, Door, Done, Order, Refusal
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.openai_facts import MODELS, Model
from deploy.sandbox.scripts import Act

NAME = "openai"
FIELDS = frozenset(
    "prompt model n size quality background output_format output_compression moderation stream partial_images user "
    "safety_identifier".split()
)
PARTIAL_TOKENS = 100


@dataclass(frozen=True)
class Asked:
    """A checked request, with what `auto` was turned into."""

    model: Model
    prompt: str
    n: int
    size: str
    quality: str
    background: str
    output_format: str
    compression: int
    stream: bool
    partials: int

    @property
    def form(self) -> Form:
        return Form(self.output_format, self.compression, transparent=self.background == "transparent")

    def subject(self, index: int) -> Subject:
        width, height = (int(part) for part in self.size.split("x"))
        return Subject(self.prompt, index, width, height)

    def chosen(self) -> dict[str, Any]:
        return {
            "created": int(time.time()),
            "background": self.background,
            "output_format": self.output_format,
            "quality": self.quality,
            "size": self.size,
        }


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
        asked = check(await _body(request))
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
            for partial in range(asked.partials):
                fraction = (partial + 1) / (asked.partials + 1)
                sketch = await self._desk.sketch(subject, asked.form, fraction)
                frames.append(_frame("partial_image", asked, sketch, partial_image_index=partial))
            if act.stream_error:
                frames.append(_failure())
                break
            picture = await self._desk.draw(subject, asked.form, act)
            frames.append(_frame("completed", asked, picture, usage=_usage(asked, 1, plain=True)))
        return Events([*frames, b"data: [DONE]\n\n"], pause)


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


def check(body: dict[str, Any]) -> Asked:
    """The request, or the refusal it deserves."""
    if unknown := sorted(body.keys() - FIELDS):
        raise errors.invalid(unknown[0], f"Unknown parameter: '{unknown[0]}'.", "unknown_parameter")
    prompt = _prompt(body)
    model = MODELS.get(body.get("model", "dall-e-2"))
    if model is None:
        raise errors.no_such_model(body.get("model", "dall-e-2"))
    if not model.pictures:
        raise errors.invalid("model", f"Invalid value: '{model.id}'. The model does not draw pictures.")
    quality = _one_of(body, "quality", ("auto", *model.qualities))
    background = _one_of(body, "background", ("auto", "transparent", "opaque"))
    output_format = _one_of(body, "output_format", ("png", "jpeg", "webp"))
    _one_of(body, "moderation", ("auto", "low"))
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise _wrong_type("stream", "a boolean")
    partials = _integer(body, "partial_images", 0, 0, 3)
    if partials and not stream:
        raise errors.invalid("partial_images", "Partial images are only supported with streaming.")
    if background == "transparent" and output_format == "jpeg":
        raise errors.invalid("background", "Transparent background is not supported for JPEG output format.")
    return Asked(
        model=model,
        prompt=prompt,
        n=_integer(body, "n", 1, 1, 10),
        size=_size(body, model),
        quality="medium" if quality == "auto" else quality,
        background="opaque" if background == "auto" else background,
        output_format=output_format,
        compression=_compression(body, output_format),
        stream=stream,
        partials=partials,
    )


def _prompt(body: dict[str, Any]) -> str:
    prompt = body.get("prompt")
    if prompt is None:
        raise errors.invalid("prompt", "Missing required parameter: 'prompt'.", "missing_required_parameter")
    if not isinstance(prompt, str):
        raise _wrong_type("prompt", "a string")
    if not prompt:
        raise errors.invalid("prompt", "Invalid 'prompt': empty string.", "empty_string")
    if len(prompt) > 32_000:
        message = "Invalid 'prompt': string too long. Expected a string with maximum length 32000."
        raise errors.invalid("prompt", message, "string_above_max_length")
    return prompt


def _size(body: dict[str, Any], model: Model) -> str:
    size = body.get("size") or "auto"
    if not isinstance(size, str):
        raise _wrong_type("size", "a string")
    if size == "auto":
        return "1024x1024"
    if problem := model.size_problem(size):
        raise errors.invalid("size", problem)
    return size


def _compression(body: dict[str, Any], output_format: str) -> int:
    if body.get("output_compression") is not None and output_format == "png":
        message = "Compression is not supported for PNG output format."
        raise errors.invalid("output_compression", message)
    return _integer(body, "output_compression", 100, 0, 100)


def _one_of(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """The value, or the first of those allowed when there is none."""
    value = body.get(name)
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise errors.invalid(name, f"Invalid value: '{value}'. Supported values are: {', '.join(allowed)}.")
    return str(value)


def _integer(body: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(name, "an integer")
    if value < low:
        message = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}."
        raise errors.invalid(name, message, "integer_below_min_value")
    if value > high:
        message = f"Invalid '{name}': integer above maximum value. Expected a value <= {high}."
        raise errors.invalid(name, message, "integer_above_max_value")
    return value


def _wrong_type(name: str, wanted: str) -> Refusal:
    return errors.invalid(name, f"Invalid type for '{name}': expected {wanted}.", "invalid_type")


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        message = "We could not parse the JSON body of your request."
        raise errors.error(400, None, errors.REQUEST, message)
    return body


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


def _answer(chosen: dict[str, Any], pictures: list[bytes], usage: dict[str, Any]) -> Response:
    # The pictures are ASCII already; passing megabytes through a JSON writer would only copy them twice more.
    data = b",".join(b'{"b64_json":"' + picture + b'"}' for picture in pictures)
    head, tail = orjson.dumps(chosen)[:-1], orjson.dumps({"usage": usage})[1:]
    body = b"".join((head, b',"data":[', data, b"],", tail))
    return Response(body, headers=errors.headers(), media_type="application/json")


def _frame(kind: str, asked: Asked, picture: bytes, **more: Any) -> bytes:
    name = f"image_generation.{kind}"
    document = orjson.dumps({"type": name, **asked.chosen(), **more})
    return b"".join(
        (b"event: ", name.encode(), b"\ndata: ", document[:-1], b',"b64_json":"', picture, b'"}\n\n')
    )


def _failure() -> bytes:
    said = errors.refuse("server_error", 500).body
    return b"event: error\ndata: " + orjson.dumps({"type": "error", **said}) + b"\n\n"
