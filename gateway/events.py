"""Streams of messages as server-sent events, which browsers resume by themselves."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf.message import Message
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.calls import Call
from gateway.errors import Refusal
from gateway.leaving import Watchers
from gateway.printing import to_json
from runtime.failure import invalid

log = structlog.get_logger()

HEARTBEAT_SECONDS = 15.0
_FIRST_SECONDS = 1.0
_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}


@dataclass(frozen=True)
class Events:
    """A method that answers with a stream of messages."""

    start: Callable[..., Any]
    watchers: Watchers

    async def __call__(self, call: Call) -> "Response | _Stream":
        if call.http.method == "HEAD":
            raise Refusal(405, "method", "A stream has no head to ask for.", {"allow": "GET"})
        message = await call.message()
        _resume(message, call.http.headers.get("last-event-id", ""))
        stream = self.start(message, metadata=call.metadata)
        # An error that comes at once is a proper status; a later one is found by the next connection.
        first = asyncio.create_task(stream.read())
        try:
            await asyncio.wait({first}, timeout=_FIRST_SECONDS)
            if first.done() and first.result() is grpc.aio.EOF:
                # There is nothing more to come: the one answer that makes a browser stop connecting.
                return Response(status_code=204)
        except BaseException:
            stream.cancel()
            raise
        return _Stream(stream, first, self.watchers)


class _Stream:
    """The answer: what comes from a stream that has begun, as events, until either side ends it."""

    status_code = 200

    def __init__(self, stream: Any, first: asyncio.Task[Any], watchers: Watchers) -> None:
        self._stream = stream
        self._next = first
        self._watchers = watchers
        self.headers = dict(_HEADERS)

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        head = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": head})
            await _write(send, b"retry: 1000\n\n")
            async with self._watchers.watch(receive) as gone:
                await self._pump(send, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except grpc.aio.AioRpcError as error:
            # The browser connects again and reads the reason as a status.
            log.info("stream.ended", code=error.code().name)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._stream.cancel()
            self._next.cancel()

    async def _pump(self, send: Send, gone: asyncio.Task[None]) -> None:
        while True:
            await asyncio.wait(
                {self._next, gone}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if gone.done():
                return
            if not self._next.done():
                await _write(send, b": still here\n\n")
                continue
            message = self._next.result()
            if message is grpc.aio.EOF:
                return
            await _write(send, _event(message))
            self._next = asyncio.create_task(self._stream.read())


def _resume(message: Message, last: str) -> None:
    if not last or "after" not in message.DESCRIPTOR.fields_by_name:
        return
    if not re.fullmatch("[0-9]{1,18}", last):
        raise invalid({"after": "must be the id of an event"})
    message.after = int(last)  # type: ignore[attr-defined]


def _event(message: Message) -> bytes:
    """One event: `id` is the message's number, `event` the name of what it holds."""
    lines = b""
    fields = message.DESCRIPTOR.fields_by_name
    if "number" in fields:
        lines += f"id: {message.number}\n".encode()  # type: ignore[attr-defined]
    for oneof in message.DESCRIPTOR.oneofs:
        held = message.WhichOneof(oneof.name)
        # `optional` makes a oneof of its own, with an underscore.
        if held and not oneof.name.startswith("_"):
            lines += f"event: {fields[held].json_name}\n".encode()
    return lines + b"data: " + to_json(message) + b"\n\n"


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})
