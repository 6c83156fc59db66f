"""The network under httpcore: resolve, check every address, dial the checked one, note what left.

An exception's class cannot tell whether a request went out; the count of bytes written can. Reading hands
over all that has arrived, which costs half of what 64 KiB at a time costs on a picture.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any, cast

import httpcore

from runtime.egress.addresses import Address

Policy = Callable[[str, int, Sequence[Address]], bool]

CONNECT_SECONDS = 5.0
PAUSE_BYTES = 1 << 20
GATHERED_BYTES = 1 << 19
# The head is parsed line by line: a little at a time, and not much of it.
HEAD_BYTES = 1 << 18
HEAD_READ_BYTES = 1 << 16
# What chunked transfer adds to a body.
FRAMING_BYTES = 1 << 20


class Blocked(Exception):
    """The policy does not let this address be dialled."""


class TooLarge(Exception):
    """More arrived than the call allows."""


class Wire:
    """What one call wrote and may read."""

    def __init__(self, max_bytes: int) -> None:
        self.bytes_sent = 0
        self.most: int | None = HEAD_READ_BYTES
        self._left = HEAD_BYTES
        self._body = max_bytes + FRAMING_BYTES
        self._coming = 0

    @property
    def least(self) -> int:
        """How much to wait for before it is handed on."""
        return max(1, min(GATHERED_BYTES, self._coming))

    def gather(self, length: int) -> None:
        """A body of that length comes, all of which is wanted: a large part at a time costs less than many.

        Its beginning may have come with the head.
        """
        self._coming = length - HEAD_READ_BYTES

    def head_ended(self) -> None:
        """From here on the body's budget counts, and all that has arrived is read at once."""
        self.most = None
        self._left = self._body

    def receive(self, data: bytes) -> bytes:
        self._left -= len(data)
        self._coming -= len(data)
        if self._left < 0:
            raise TooLarge
        return data


class Dialer(httpcore.AsyncNetworkBackend):
    """Connects a call, where its policy allows. Later calls on the connection bring wires of their own."""

    def __init__(self, wire: Wire, policy: Policy) -> None:
        self.wire = wire
        self._policy = policy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del (
            timeout,
            local_address,
            socket_options,
        )  # the call has one total deadline, and nothing sets the others
        addresses = await _resolve(host, port)
        if not self._policy(host, port, addresses):
            raise Blocked
        return Stream(self, await _dial(addresses, port))


class Stream(httpcore.AsyncNetworkStream):
    """An open connection."""

    def __init__(self, dialer: Dialer, inbox: "_Inbox") -> None:
        self._dialer = dialer
        self._inbox = inbox

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del max_bytes, timeout
        return self._dialer.wire.receive(await self._inbox.take(self._dialer.wire.most))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        if not buffer:
            return
        self._inbox.check_open()
        self._dialer.wire.bytes_sent += len(buffer)
        await self._inbox.put(buffer)

    async def aclose(self) -> None:
        await self._inbox.abort()

    async def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del timeout
        await self._inbox.start_tls(ssl_context, server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        # How httpcore asks whether an idle connection is still good.
        return self._inbox.stirred() if info == "is_readable" else self._inbox.transport_info(info)


class _Inbox(asyncio.Protocol):
    """Keeps what arrives until it is taken, and stops the sender when nobody takes it."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._least = 1
        self._ended = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        if self._size > PAUSE_BYTES:
            self._transport.pause_reading()
        if self._size >= self._least:
            self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._error = exc
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def take(self, most: int | None, least: int = 1) -> bytes:
        """All that has arrived, or the most of it, once it is enough; nothing at the end."""
        self._least = least
        while self._size < least and not self._ended:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        if self._chunks:
            data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._chunks.clear()
            paused, self._size = self._size > PAUSE_BYTES, 0
            if most is not None and len(data) > most:
                self._chunks.append(data[most:])
                self._size, data = len(data) - most, data[:most]
            if paused and self._size <= PAUSE_BYTES and not self._ended:
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise httpcore.ReadError from self._error
        return b""

    def check_open(self) -> None:
        """A connection known to be closed takes no byte, so none is counted."""
        if self._ended or self._transport.is_closing():
            raise httpcore.WriteError

    def stirred(self) -> bool:
        """Whether something came, be it the end."""
        return bool(self._chunks) or self._ended or self._transport.is_closing()

    async def put(self, data: bytes) -> None:
        self._transport.write(data)
        await self._writable.wait()
        if self._error is not None:
            raise httpcore.WriteError from self._error

    async def start_tls(self, context: SSLContext, host: str | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(self._transport, self, context, server_hostname=host)
        except BaseException:
            await self.abort()
            raise
        if secured is None:  # closed during the handshake
            raise httpcore.ConnectError
        self._transport = secured

    async def abort(self) -> None:
        self._transport.abort()
        await asyncio.sleep(0)  # lets the loop close the socket

    def transport_info(self, info: str) -> Any:
        return self._transport.get_extra_info(info)

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


async def _resolve(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError from error
    # In the resolver's order, each once.
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))


async def _dial(addresses: Sequence[Address], port: int) -> _Inbox:
    """The first address that answers. They are literals: nothing is resolved again."""
    loop = asyncio.get_running_loop()
    failed: OSError | None = None
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, inbox = await loop.create_connection(_Inbox, str(address), port)
        except OSError as error:
            failed = error
        else:
            return inbox
    raise httpcore.ConnectError from failed
