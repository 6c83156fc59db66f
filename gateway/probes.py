"""Whether the process lives, and whether all that it needs answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
import orjson
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.configuration import Configuration

_SECONDS = 1.0
_SERVING = "SERVING"


class Liveness:
    """The process lives, whatever may be missing around it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _json(200, {"status": "alive"})(scope, receive, send)


@dataclass(frozen=True)
class Readiness:
    """Ready while every part answers; otherwise the answer names those that do not."""

    channels: Mapping[str, grpc.aio.Channel]
    configuration: Configuration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        states = await asyncio.gather(*(_state(channel) for channel in self.channels.values()))
        parts = dict(zip(self.channels, states, strict=True))
        parts["configuration"] = _SERVING if self.configuration.arrived else "NOT_ARRIVED"
        ready = all(state == _SERVING for state in parts.values())
        body = {"status": "ready" if ready else "waiting", "parts": parts}
        await _json(200 if ready else 503, body)(scope, receive, send)


async def _state(channel: grpc.aio.Channel) -> str:
    try:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        answer = await check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def _json(code: int, body: object) -> Response:
    return Response(orjson.dumps(body), code, {"cache-control": "no-store"}, media_type="application/json")
