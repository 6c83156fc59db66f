"""OpenRouter's API: pictures by its image API and by chat, listings, key and credits."""

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from deploy.sandbox import dialect, keys
from deploy.sandbox import openrouter_answer as answer
from deploy.sandbox import openrouter_errors as errors
from deploy.sandbox import openrouter_lists as lists
from deploy.sandbox import openrouter_request as requests
from deploy.sandbox.desk import Desk, Done, Order, Refusal
from deploy.sandbox.openrouter_account import Account
from deploy.sandbox.openrouter_request import Asked
from deploy.sandbox.pieces import Text
from deploy.sandbox.scripts import Act

NAME = "openrouter"
PARTIALS = 2


def mounts(desk: Desk) -> list[Mount]:
    router = Router(desk)
    routes = [
        Route("/images", router.images, methods=["POST"]),
        Route("/chat/completions", router.chat, methods=["POST"]),
        Route("/images/models", router.image_models),
        Route("/images/models/{author}/{slug}/endpoints", router.endpoints),
        Route("/models", router.models),
        Route("/key", router.key),
        Route("/credits", router.credits),
        Route("/generation", router.generation),
    ]
    return [dialect.mount(desk, NAME, "/api/v1", routes, refuse=errors.refuse, unknown=_unknown)]


def _unknown(_: Request, status: int) -> Refusal:
    return errors.error(status, "Method Not Allowed" if status == 405 else "Not Found")


class Router:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._account = Account(desk.ledger, NAME)

    async def images(self, request: Request) -> Response:
        _authorize(request)
        asked = await requests.read(request, self._desk)

        async def work(act: Act) -> Done:
            pictures, partials = await self._draw(asked, act)
            number = self._account.note(asked, len(pictures))
            if asked.stream:
                return Done(answer.stream(asked, pictures, partials, number, act))
            return Done(answer.whole(asked, pictures, number))

        return await self._desk.take(request, _order(asked), errors.refuse, work)

    async def chat(self, request: Request) -> Response:
        _authorize(request)
        asked = await requests.read_chat(request, self._desk)
        if asked is None:
            return _json(answer.words("gen-sandbox", "The sandbox draws; it has nothing to say."))

        async def work(act: Act) -> Done:
            pictures, _ = await self._draw(asked, act)
            number = self._account.note(asked, len(pictures))
            if act.text_only:
                return Done(_json(answer.words(number, "I cannot draw that.")))
            return Done(answer.chat(asked, pictures, number, act))

        return await self._desk.take(request, _order(asked), errors.refuse, work)

    async def _draw(self, asked: Asked, act: Act) -> tuple[list[Text], list[Text]]:
        """The pictures, and the partial ones of the first where somebody watches."""
        await asyncio.sleep(self._desk.pause(act))
        count = asked.count if act.pictures is None else act.pictures
        partials: list[Text] = []
        if asked.stream and asked.model.streams:
            subject, many = asked.subject(0), PARTIALS if act.partials is None else act.partials
            painting = await self._desk.paint(subject, asked.form)
            steps = [(step + 1) / (many + 1) for step in range(many)]
            partials = [await self._desk.sketch(painting, subject, asked.form, step) for step in steps]
        return [
            await self._desk.draw(asked.subject(index), asked.form, act) for index in range(count)
        ], partials

    async def image_models(self, _: Request) -> Response:
        return _json({"data": lists.image_models()})

    async def endpoints(self, request: Request) -> Response:
        name = f"{request.path_params['author']}/{request.path_params['slug']}"
        return _json(lists.endpoints(requests.find({"model": name})))

    async def models(self, request: Request) -> Response:
        said = request.query_params.get("output_modalities", "")
        found = lists.models({one for one in said.split(",") if one})
        start, limit = _count(request, "offset", "0"), _count(request, "limit", "500")
        page = found[start : start + limit]
        return _json({"data": page, "total_count": len(found), "links": {"next": None}})

    async def key(self, request: Request) -> Response:
        _authorize(request)
        return _json({"data": self._account.key()})

    async def credits(self, request: Request) -> Response:
        _authorize(request)
        return _json({"data": self._account.credits()})

    async def generation(self, request: Request) -> Response:
        _authorize(request)
        found = self._account.generation(request.query_params.get("id", ""))
        if found is None:
            raise errors.error(404, "Generation not found")
        return _json({"data": found})


def _count(request: Request, name: str, default: str) -> int:
    text = request.query_params.get(name, default)
    if not text.isascii() or not text.isdigit():
        raise errors.invalid(f"{name}: Expected number")
    return int(text)


def _order(asked: Asked) -> Order:
    return Order(asked.model.id, asked.prompt, asked.count, str(asked.price))


def _authorize(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise errors.error(401, "Missing Authentication header")
    if not keys.opens(NAME, key):
        raise errors.refuse("wrong_key", 401)


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
