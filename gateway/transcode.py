"""HTTP to gRPC for every annotated method, with no code for any one of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.calls import Call
from gateway.events import Events
from gateway.leaving import Watchers, stopping
from gateway.methods import Method, methods
from gateway.printing import to_json
from gateway.routes import Table
from gateway.session import Sessions, check_origin
from gateway.transfer import Download, Upload

UNARY_SECONDS = 60.0


class Answer(Protocol):
    """What is sent back."""

    @property
    def status_code(self) -> int: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> None: ...


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Unary:
    """A method with one request and one answer."""

    start: Callable[..., Any]
    sessions: Sessions

    async def __call__(self, call: Call) -> Answer:
        message = await call.message()
        reply = await self._reply(self.start(message, metadata=call.metadata, timeout=UNARY_SECONDS), call)
        headers = self.sessions.of_answer(call.method, reply, call.http.headers)
        return Response(
            to_json(reply),
            headers={"content-type": "application/json", "cache-control": "no-store"} | headers,
        )

    async def _reply(self, started: Any, call: Call) -> Any:
        try:
            async with stopping(call.http.receive, started.cancel):
                return await started
        except asyncio.CancelledError:
            if _is_ours(started):
                raise ClientDisconnect from None
            raise


def _is_ours(started: Any) -> bool:
    """Whether the call was cancelled because its client left, and not because this task is to end."""
    task = asyncio.current_task()
    return bool(started.cancelled() and task is not None and not task.cancelling())


class Api:
    """All that is under /v1."""

    def __init__(
        self, channels: Mapping[str, grpc.aio.Channel], sessions: Sessions, watchers: Watchers
    ) -> None:
        self._sessions = sessions
        self._watchers = watchers
        found = [(m.verb, m.template, (m, self._handler(m, channels[m.upstream]))) for m in methods()]
        self._table: Table[tuple[Method, Handler]] = Table(found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        with_cookie = bool(self._sessions.secret(request.headers))
        check_origin(request.method, request.headers, with_cookie=with_cookie)
        (method, handler), variables = self._table.find(request.method, scope["raw_path"].decode("latin-1"))
        # An ended session must not keep anyone from signing in.
        jwt = "" if method.public else await self._sessions.jwt(request.headers)
        answer = await handler(Call(request, method, variables, jwt))
        await answer(scope, receive, send)

    def _handler(self, method: Method, channel: grpc.aio.Channel) -> Handler:
        make: Any
        if method.uploads:
            make = channel.stream_unary
        else:
            make = channel.unary_stream if method.streams else channel.unary_unary
        start = make(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=None if method.downloads else method.response.FromString,
        )
        if method.uploads:
            return Upload(start)
        if method.downloads:
            return Download(start, self._watchers)
        return Events(start, self._watchers) if method.streams else Unary(start, self._sessions)
