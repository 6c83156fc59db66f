"""Workers AI's API: one picture for each call, in one of several wrappings, and the list of models."""

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from deploy.sandbox import dialect, keys
from deploy.sandbox import workersai_errors as errors
from deploy.sandbox import workersai_request as requests
from deploy.sandbox.desk import Desk, Done, Order, Refusal, in_base64
from deploy.sandbox.scripts import Act
from deploy.sandbox.workersai_facts import MODELS, TEXT, Model

NAME = "workersai"


def mounts(desk: Desk) -> list[Mount]:
    ai = Ai(desk)
    routes = [
        Route("/run/{model:path}", ai.run, methods=["POST"]),
        Route("/models/search", ai.search),
    ]
    prefix = "/client/v4/accounts/{account}/ai"
    return [dialect.mount(desk, NAME, prefix, routes, refuse=errors.refuse, unknown=_unknown)]


def _unknown(request: Request, status: int) -> Refusal:
    return errors.error(status, 7003, f"Could not route to {request.url.path}")


class Ai:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, request: Request) -> Response:
        _authorize(request)
        name = request.path_params["model"]
        if name not in MODELS:
            raise errors.error(404, 5007, f"No such model {name} or task")
        asked = await requests.read(request, MODELS[name], self._desk)
        order = Order(asked.model.id, asked.subject.prompt, 1, str(asked.model.price))

        async def work(act: Act) -> Done:
            await asyncio.sleep(self._desk.pause(act))
            none = act.pictures == 0
            picture = b"" if none else await self._desk.drawn(asked.subject, asked.form, act)
            return Done(_answer(asked.model, picture, act))

        return await self._desk.take(request, order, errors.refuse, work)

    async def search(self, request: Request) -> Response:
        _authorize(request)
        query = request.query_params
        task, words = query.get("task", ""), query.get("search", "").lower()
        number, size = _page(query.get("page", "1"), 1), _page(query.get("per_page", "50"), 50)
        found = [
            model.listed(index)
            for index, model in enumerate((*MODELS.values(), TEXT))
            if task in ("", model.task) and words in model.id
        ]
        shown = found[(number - 1) * size : number * size]
        told = {"count": len(shown), "page": number, "per_page": size, "total_count": len(found)}
        return _json({"success": True, "errors": [], "messages": [], "result": shown, "result_info": told})


def _page(text: str, default: int) -> int:
    return int(text) if text.isdigit() and int(text) else default


def _answer(model: Model, picture: bytes, act: Act) -> Response:
    kind = act.answer or model.answer
    if kind == "raw":
        return Response(picture, media_type=f"image/{model.form}")
    cut = Act(truncate="base64") if act.truncate == "base64" else Act()
    text = b"".join(in_base64(picture, cut)).decode() if picture else ""
    said: Any = {"image": text} if kind == "image" else text
    if kind == "result":
        said = {"result": {"image": text}, "success": True, "errors": [], "messages": []}
    return _json(said)


def _authorize(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not keys.opens(NAME, key):
        raise errors.refuse("wrong_key", 401)
    if request.path_params["account"] not in keys.ACCOUNTS:
        raise errors.error(
            404, 7003, "Could not route to the account, perhaps your object identifier is invalid"
        )


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
