"""Bytes in and out: bodies handed on in pieces, and downloads with ranges, validators and inert headers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1.images_pb2 import BytesInfo
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.calls import Call
from gateway.errors import Refusal
from gateway.leaving import Watchers
from gateway.printing import to_json
from gateway.ranges import answer_head, span_of, unsatisfiable
from runtime.failure import Failure, from_rpc_error

UPLOAD_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20
_SILENCE_SECONDS = 30.0
_UPLOAD_SECONDS = 300.0  # 64 MiB at 2 Mbit/s

# What HTTP says in headers and gRPC in fields.
_OWN = ("read_offset", "read_limit", "if_none_match")
_DATA_TAG = b"\x12"


@dataclass(frozen=True)
class Upload:
    """A method that takes bytes: the body in pieces, beside query parameters in the first message."""

    start: Callable[..., Any]

    async def __call__(self, call: Call) -> Response:
        first = call.method.request()
        call.fill(first)
        stream = self.start(metadata=call.metadata, timeout=_UPLOAD_SECONDS)
        try:
            await self._send(stream, first, call)
            return Response(to_json(await stream), headers={"content-type": "application/json"})
        finally:
            stream.cancel()

    async def _send(self, stream: Any, message: Message, call: Call) -> None:
        kind = call.http.headers.get("content-type", "")
        try:
            async for piece in _regular(call.pieces(UPLOAD_BYTES)):
                getattr(message, call.method.body).MergeFrom(HttpBody(content_type=kind, data=piece))
                await stream.write(message)
                message = call.method.request()
            await stream.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            # The service stopped listening. Why, the stream will say.
            return


@dataclass(frozen=True)
class Download:
    """A method that answers with bytes, whose first message says what is to come.

    `start` gives the messages as they came; they are HttpBody.
    """

    start: Callable[..., Any]
    watchers: Watchers

    async def __call__(self, call: Call) -> "Response | _Bytes":
        message, version = _asked(call)
        span = span_of(call.http.headers.get("range"))
        if span is not None:
            message.read_offset, message.read_limit = span
        wanted = call.http.headers.get("if-range")
        stream, info, kind = await self._begin(message, call, ranged=span is not None)
        if span is not None and wanted is not None and wanted != info.etag:
            stream.cancel()
            message.read_offset = message.read_limit = 0
            span = None
            stream, info, kind = await self._begin(message, call, ranged=False)
        answer = _Bytes(stream, self.watchers, *answer_head(info, kind, version, ranged=span is not None))
        return replace(answer, silent=call.http.method == "HEAD" or info.not_modified)

    async def _begin(self, message: Message, call: Call, *, ranged: bool) -> tuple[Any, BytesInfo, str]:
        stream = self.start(message, metadata=call.metadata)
        try:
            first = await _read(stream)
        except grpc.aio.AioRpcError as error:
            stream.cancel()
            if ranged and (failure := from_rpc_error(error)) and "read_offset" in failure.fields:
                raise unsatisfiable(await self._total(message, call)) from error
            raise
        info, begin = BytesInfo(), HttpBody() if first is grpc.aio.EOF else HttpBody.FromString(first)
        if not begin.extensions or not begin.extensions[0].Unpack(info):
            stream.cancel()
            raise TypeError("the stream of bytes does not begin with what it is about to send")
        return stream, info, begin.content_type

    async def _total(self, message: Any, call: Call) -> int:
        """How many bytes there are, for a range that lies outside of them."""
        message.read_offset = message.read_limit = 0
        stream, info, _ = await self._begin(message, call, ranged=False)
        stream.cancel()
        return info.total_bytes


@dataclass(frozen=True)
class _Bytes:
    """The answer of a download."""

    stream: Any
    watchers: Watchers
    status_code: int
    headers: dict[str, str]
    silent: bool = False

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        head = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status_code, "headers": head})
        try:
            if not self.silent:
                async with self.watchers.watch(receive) as gone:
                    await self._pump(send, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.stream.cancel()

    async def _pump(self, send: Send, gone: asyncio.Task[None]) -> None:
        while not gone.done():
            piece = await _read(self.stream)
            if piece is grpc.aio.EOF:
                return
            # `send` waits while the reader is slow, and at once forgets what one who left would have got.
            await send({"type": "http.response.body", "body": _data(piece), "more_body": True})


def _data(message: bytes) -> bytes | memoryview:
    """The bytes in a serialized HttpBody, uncopied when it holds nothing else; copying costs a third."""
    for at in range(2, min(len(message), 5) + 1):
        if message[:at] == _DATA_TAG + _varint(len(message) - at):
            return memoryview(message)[at:]
    return bytes(HttpBody.FromString(message).data)


def _varint(number: int) -> bytes:
    """A number as the wire has it: seven bits a byte, the lowest first."""
    held = bytearray()
    while number > 0x7F:
        held.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*held, number))


async def _read(stream: Any) -> Any:
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            return await stream.read()
    except TimeoutError:
        raise Failure(ErrorReason.SERVICE_UNAVAILABLE, "The bytes do not arrive. Try again.") from None


def _asked(call: Call) -> tuple[Any, str]:
    """The request, and the version of the content that its address names by `v`."""
    message: Any = call.method.request()
    parameters = parse_qsl(call.http.url.query, keep_blank_values=True)
    version = next((value for key, value in parameters if key == "v"), "")
    call.fill(message, query=urlencode([pair for pair in parameters if pair[0] != "v"]), own=_OWN)
    message.if_none_match = call.http.headers.get("if-none-match", "")
    return message, version


async def _regular(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces of a regular size, at least one: what a socket yields is small."""
    held = bytearray()
    while (piece := await _soon(pieces)) is not None:
        held += piece
        while len(held) > _PIECE_BYTES:
            yield bytes(held[:_PIECE_BYTES])
            del held[:_PIECE_BYTES]
    yield bytes(held)


async def _soon(pieces: AsyncIterator[bytes]) -> bytes | None:
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            return await anext(pieces, None)
    except TimeoutError:
        raise Refusal(408, "body", "The body stopped arriving.", {"connection": "close"}) from None
