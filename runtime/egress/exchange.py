"""One request and its whole answer, within a deadline and a budget of bytes.

The transport is driven without an httpx client: what would follow redirects, keep cookies, read proxies from
the environment or repeat a call is not there.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from ssl import SSLContext

import httpcore
import httpx

from runtime.egress.frames import Frames
from runtime.egress.network import Dialer, Policy, TooLarge, Wire

MAX_HEADERS = 100
# Nobody sends pictures in crumbs, and every part costs time.
MAX_CRUMBS = 2000
CRUMB_BYTES = 256
INFLATE_STEP = 1 << 16
# zlib's automatic detection of gzip and deflate.
_ANY_WINDOW = 47
_INFLATED = ("gzip", "x-gzip", "deflate")


class Unreadable(Exception):
    """The answer is complete and cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    headers: httpx.Headers
    content: bytes


class Direct(httpx.AsyncBaseTransport):
    """A connection of its own for every request, dialled by the request's policy."""

    def __init__(self, tls: SSLContext) -> None:
        self._tls = tls

    def kept(self) -> "Kept":
        """The same with one connection for all."""
        return Kept(self._tls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = Line(request, self._tls)
        return await line.ask(request, last=True)


class Kept(httpx.AsyncBaseTransport):
    """One connection for requests that may be repeated: looks, which cost nothing.

    Its policy is asked when it is dialled, so all requests on it go to one origin; another gets a new one.
    """

    def __init__(self, tls: SSLContext) -> None:
        self._tls = tls
        self._line: Line | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._line is not None and self._line.is_busy:
            return await Line(request, self._tls).ask(request, last=True)
        request.headers.pop("connection", None)
        if self._line is not None and self._line.is_good_for(request):
            with suppress(httpcore.NetworkError, httpcore.ProtocolError):
                return await self._line.ask(request, last=False)
            # The server had hung up in this very moment.
        await self.aclose()
        self._line = Line(request, self._tls)
        return await self._line.ask(request, last=False)

    async def aclose(self) -> None:
        if self._line is not None:
            await self._line.aclose()


class Line:
    """A connection, with the wire of whichever call is on it."""

    def __init__(self, request: httpx.Request, tls: SSLContext) -> None:
        self._dialer = Dialer(request.extensions["wire"], request.extensions["policy"])
        self._origin = _url(request).origin
        self._connection = httpcore.AsyncHTTPConnection(
            self._origin, ssl_context=tls, network_backend=self._dialer
        )

    @property
    def is_busy(self) -> bool:
        return not (self._connection.is_idle() or self._connection.is_closed())

    def is_good_for(self, request: httpx.Request) -> bool:
        connection = self._connection
        return _url(request).origin == self._origin and connection.is_idle() and not connection.has_expired()

    async def ask(self, request: httpx.Request, *, last: bool) -> httpx.Response:
        """The answer as far as its head. After the `last` request the connection is closed."""
        self._dialer.wire = request.extensions["wire"]
        raw = httpcore.Request(
            request.method, _url(request), headers=request.headers.raw, content=request.stream
        )
        try:
            response = await self._connection.handle_async_request(raw)
        except BaseException:
            await self.aclose()
            raise
        self._dialer.wire.head_ended()
        body = _Body(response, self if last else None)
        return httpx.Response(response.status, headers=response.headers, stream=body)

    async def aclose(self) -> None:
        await self._connection.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, line: Line | None) -> None:
        self._response = response
        self._line = line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()
        if self._line is not None:
            await self._line.aclose()


def _url(request: httpx.Request) -> httpcore.URL:
    return httpcore.URL(
        scheme=request.url.raw_scheme,
        host=request.url.raw_host,
        port=request.url.port,
        target=request.url.raw_path,
    )


async def exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, wire: Wire, policy: Policy, max_bytes: int
) -> Answer:
    """Sends and reads to the end. The caller holds the deadline."""
    request.extensions = {"wire": wire, "policy": policy}
    response = await transport.handle_async_request(request)
    try:
        wire.gather(_length(response))
        raw = await _read(response, max_bytes)
    finally:
        await response.aclose()
    content = await _inflated(raw, response.headers.get("content-encoding", "identity"), max_bytes)
    return Answer(response.status_code, response.headers, content)


async def streamed(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, wire: Wire, policy: Policy, max_bytes: int
) -> AsyncGenerator[Answer, None]:
    """As `exchange`, with an answer for each server-sent event; one for all where there are none."""
    request.extensions = {"wire": wire, "policy": policy}
    response = await transport.handle_async_request(request)
    frames = Frames()
    try:
        if not _is_stream(response):
            wire.gather(_length(response))
            raw = await _read(response, max_bytes)
            content = await _inflated(raw, response.headers.get("content-encoding", "identity"), max_bytes)
            yield Answer(response.status_code, response.headers, content)
            return
        async with aclosing(_pieces(response, max_bytes)) as pieces:
            async for piece in pieces:
                for data in frames.take(piece):
                    if data.startswith(b"[DONE]"):
                        return
                    yield Answer(response.status_code, response.headers, data)
        for data in frames.last():
            yield Answer(response.status_code, response.headers, data)
    finally:
        await response.aclose()


def _is_stream(response: httpx.Response) -> bool:
    streams = response.headers.get("content-type", "").lower().startswith("text/event-stream")
    plain = response.headers.get("content-encoding", "identity").lower() == "identity"
    return response.is_success and streams and plain


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    return b"".join([part async for part in _pieces(response, max_bytes)])


async def _pieces(response: httpx.Response, max_bytes: int) -> AsyncGenerator[bytes, None]:
    if len(response.headers.raw) > MAX_HEADERS or _length(response) > max_bytes:
        raise TooLarge
    parts = size = 0
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101, as async transports answer
    async for part in response.stream:
        size += len(part)
        if size > max_bytes or (parts > MAX_CRUMBS and size < parts * CRUMB_BYTES):
            raise TooLarge
        parts += 1
        yield part


def _length(response: httpx.Response) -> int:
    length = response.headers.get("content-length", "0")
    if not length.isdecimal():
        raise TooLarge
    return int(length)


async def _inflated(raw: bytes, encoding: str, max_bytes: int) -> bytes:
    """We ask for `identity`; who compresses nevertheless is read in steps, off the loop."""
    if encoding.lower() == "identity":
        return raw
    if encoding.lower() not in _INFLATED:
        raise Unreadable
    return await asyncio.to_thread(_inflate, raw, max_bytes)


def _inflate(raw: bytes, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(_ANY_WINDOW)
    inflated = bytearray()
    while raw and not inflater.eof:
        try:
            inflated += inflater.decompress(raw, INFLATE_STEP)
        except zlib.error as error:
            raise Unreadable from error
        if len(inflated) > max_bytes:
            raise TooLarge
        raw = inflater.unconsumed_tail
    if not inflater.eof:
        raise Unreadable
    return bytes(inflated)
