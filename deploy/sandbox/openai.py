"""OpenAI's image API: models, generations, edits, streams."""

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from deploy.sandbox import dialect, events, keys, openai_edits, openai_request
from deploy.sandbox import openai_answer as answer
from deploy.sandbox import openai_errors as errors
from deploy.sandbox.desk import Desk, Done, Order, Refusal
from deploy.sandbox.drawing.picture import Subject
from deploy.sandbox.events import Events
from deploy.sandbox.openai_facts import MODELS, Model
from deploy.sandbox.openai_request import Asked
from deploy.sandbox.scripts import Act

NAME = "openai"


def mounts(desk: Desk) -> list[Mount]:
    images = Images(desk)
    routes = [
        Route("/models", images.models),
        Route("/models/{model}", images.model),
        Route("/images/generations", images.generations, methods=["POST"]),
        Route("/images/edits", images.edits, methods=["POST"]),
    ]
    return [dialect.mount(desk, NAME, "/v1", routes, refuse=errors.refuse, unknown=_unknown)]


def _unknown(request: Request, status: int) -> Refusal:
    message = f"Invalid URL ({request.method} {request.url.path})"
    return errors.error(status, None, errors.REQUEST, message)


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
        return await self._take(request, await openai_request.read(request))

    async def edits(self, request: Request) -> Response:
        _authorize(request)
        return await self._take(request, await openai_edits.read(request, self._desk))

    async def _take(self, request: Request, asked: Asked) -> Response:
        order = Order(asked.model.id, asked.prompt, asked.n, answer.price(asked))

        async def work(act: Act) -> Done:
            count = asked.n if act.pictures is None else act.pictures
            seconds = self._desk.pause(act)
            if asked.stream:
                return Done(await self._stream(asked, act, seconds))
            await asyncio.sleep(seconds)
            pictures = [await self._desk.draw(asked.subject(i), asked.form, act) for i in range(count)]
            usage = answer.usage(asked, count, plain=act.plain_usage)
            return Done(answer.whole(asked, pictures, usage, act.url))

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
                frames.append(answer.failure())
                break
            picture = await self._desk.draw(subject, asked.form, act)
            usage = answer.usage(asked, 1, plain=True)
            frames.append(answer.event("completed", asked, picture, usage=usage))
        return Events([*frames, events.DONE], pause, errors.headers())

    async def _partials(self, asked: Asked, subject: Subject, act: Act) -> list[bytes]:
        count = asked.partials if act.partials is None else act.partials
        if not count:
            return []
        painting = await self._desk.paint(subject, asked.form)
        frames = []
        for number in range(count):
            sketch = await self._desk.sketch(painting, subject, asked.form, (number + 1) / (count + 1))
            frames.append(answer.event("partial_image", asked, sketch, partial_image_index=number))
        return frames


def _authorize(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise errors.error(401, None, errors.REQUEST, "You didn't provide an API key.")
    if not keys.opens(NAME, key):
        raise errors.refuse("wrong_key", 401)


def _described(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": "system",
        "shutdown_date": model.shutdown,
    }


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), headers=errors.headers(), media_type="application/json")
