"""Answers that do not arrive whole: hung, closed, reset, cut, broken."""

import asyncio
import contextlib
import functools
import socket
import struct
import zlib

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.sandbox.scripts import Act

WIRE = "inkweld.sandbox.wire"
GARBAGE = b'{"created": 1763800000, "data": [{"b64_json": "iVBORw0K'
DRIPS = 20
FLOOD = b"A" * (1 << 20)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which also lets the application at the connection, so that it can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.setdefault("extensions", {})[WIRE] = {"transport": self.transport}


class Faulty(Response):
    """Another answer, sent as badly as an act says."""

    def __init__(self, answer: ASGIApp, act: Act) -> None:
        super().__init__()
        self._answer = answer
        self._act = act
        if isinstance(answer, Response):
            # Who adds a header to this one means the one that is sent.
            self.raw_headers = answer.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        act = self._act
        send = _Bent(send, act)
        if act.hang:
            await _left(receive)
        elif act.close or act.reset:
            await _cut(scope, receive, reset=act.reset)
        elif act.garbage:
            await Response(GARBAGE, media_type="application/json")(scope, receive, send)
        elif act.bomb_megabytes:
            bomb = await asyncio.to_thread(_bomb, act.bomb_megabytes)
            headers = {"content-encoding": "gzip"}
            await Response(bomb, headers=headers, media_type="application/json")(scope, receive, send)
        elif act.flood_megabytes:
            await _flood(send, act.flood_megabytes)
        elif act.cut_after is not None:
            await self._cut_short(scope, receive, send, act.cut_after)
        else:
            await self._answer(scope, receive, send)

    async def _cut_short(self, scope: Scope, receive: Receive, send: Send, left: int) -> None:
        async def some(message: Message) -> None:
            nonlocal left
            if message["type"] != "http.response.body":
                await send(message)
                return
            body = message.get("body", b"")
            if len(body) >= left:
                await send({"type": "http.response.body", "body": body[:left], "more_body": True})
                await _cut(scope, receive, reset=False)
                raise _Cut
            left -= len(body)
            await send(message)

        with contextlib.suppress(_Cut):
            await self._answer(scope, receive, some)


class _Cut(Exception):
    """The connection is gone; what is left of the answer has nowhere to go."""


class _Bent:
    """Sends an answer with other headers, or slowly."""

    def __init__(self, send: Send, act: Act) -> None:
        self._send = send
        self._act = act

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._act.headers:
            headers = MutableHeaders(raw=list(message["headers"]))
            headers.update(self._act.headers)
            message = {**message, "headers": headers.raw}
        body = message.get("body", b"")
        if self._act.drip_seconds and body:
            size = -(-len(body) // DRIPS)
            for start in range(0, len(body), size):
                part = body[start : start + size]
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
                await asyncio.sleep(self._act.drip_seconds / DRIPS)
            message = {**message, "body": b""}
        await self._send(message)


@functools.cache
def _bomb(megabytes: int) -> bytes:
    """A short gzip body that becomes a long one."""
    squeeze = zlib.compressobj(9, wbits=31)
    parts = [squeeze.compress(b'{"data":"'), *(squeeze.compress(bytes(1 << 20)) for _ in range(megabytes))]
    return b"".join((*parts, squeeze.flush()))


async def _flood(send: Send, megabytes: int) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"data":"', "more_body": True})
    for _ in range(megabytes):
        await send({"type": "http.response.body", "body": FLOOD, "more_body": True})
    await send({"type": "http.response.body", "body": b'"}'})


async def _cut(scope: Scope, receive: Receive, *, reset: bool) -> None:
    wire = scope.get("extensions", {}).get(WIRE)
    if wire is None:
        raise ConnectionResetError("The sandbox cut the connection.")
    transport: asyncio.Transport = wire["transport"]
    if reset:
        # Closing with a linger time of nothing is what makes a TCP reset.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
    else:
        transport.close()
    await _left(receive)


async def _left(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
