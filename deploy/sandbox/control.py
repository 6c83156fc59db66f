"""What is the sandbox's own: its log, its fault scripts, a page that says what it is."""

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from deploy.sandbox import keys, scripts
from deploy.sandbox.desk import Desk

ABOUT = {
    "sandbox": "A stand-in for image providers. It draws its pictures itself and charges nobody.",
    "dialects": {
        "openai": "/v1",
        "openrouter": "/api/v1",
        "fal": {host: f"/fal/{host}" for host in ("queue", "run", "api", "rest", "cdn", "files")},
        "workersai": "/client/v4",
        "webui": "/sdapi/v1",
    },
    "keys": {"any": keys.KEY, **keys.KEYS},
    "log": "/sandbox/log",
}


class Control:
    def __init__(self, desk: Desk, *, scripted: bool) -> None:
        self._desk = desk
        self._scripted = scripted

    def routes(self) -> list[Route | Mount]:
        own = [
            Route("/log", self.log),
            Route("/script", self.rules),
            Route("/script", self.add, methods=["POST"]),
            Route("/script", self.clear, methods=["DELETE"]),
        ]
        return [Route("/", self.about), Route("/healthz", self.about), Mount("/sandbox", routes=own)]

    async def about(self, _: Request) -> Response:
        return _json(ABOUT)

    async def log(self, _: Request) -> Response:
        return _json(self._desk.ledger.report())

    async def rules(self, _: Request) -> Response:
        return _json(self._desk.script.state())

    async def add(self, request: Request) -> Response:
        """Adds rules behind those in force."""
        if not self._scripted:
            return _json(
                {"error": "Faults can be ordered only when the sandbox was started with --scripted."}, 403
            )
        try:
            rules = scripts.read(await request.body())
        except msgspec.MsgspecError as error:
            return _json({"error": str(error)}, 400)
        self._desk.script.extend(rules)
        return _json(self._desk.script.state())

    async def clear(self, _: Request) -> Response:
        self._desk.script.clear()
        return _json([])


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
