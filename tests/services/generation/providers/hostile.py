"""A provider that means harm: raw TCP on loopback, a fault at one step, all else as it should be."""

import asyncio
import base64
import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.runtime.egress.loopback import headers
from tests.services.generation.providers.fakes import PNG

PICTURE = PNG + b"x" * 600
ENCODED = base64.b64encode(PICTURE).decode()

# What each kind answers with when it does what it was asked to do.
GOOD: dict[str, Any] = {
    "openai": {"data": [{"b64_json": ENCODED}]},
    "openrouter": {"data": [{"b64_json": ENCODED}]},
    "falai": {"images": [{"url": f"data:image/png;base64,{ENCODED}"}]},
    "stable-diffusion": {"images": [ENCODED], "info": "{}"},
    "workersai": {"result": {"image": ENCODED}},
}


@dataclass(frozen=True)
class Target:
    """A kind, and the step of its work at which the fault strikes; `call` is every step."""

    kind: str
    step: str = "call"

    def __str__(self) -> str:
        return f"{self.kind}/{self.step}"

    @property
    def content_type(self) -> str:
        return "text/event-stream" if self.step == "stream" else "application/json"

    @property
    def good(self) -> bytes:
        return json.dumps(GOOD.get(self.kind, {})).encode()

    def wrapped(self, document: bytes) -> bytes:
        return b"data: " + document + b"\n\n" if self.step == "stream" else document


Play = Callable[[asyncio.StreamWriter, Target], Awaitable[None]]
# The steps at which a path is asked for; a step that is not here is any.
_STEPS = {"status": "/work/status", "result": "/work", "file": "/file.png"}


class Server:
    """Plays a fault to whoever comes to the target's step."""

    def __init__(self, target: Target, play: Play, *, reads: bool) -> None:
        self.target = target
        self.port = 0
        self.requests: list[bytes] = []
        self._play = play
        self._reads = reads
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if not self._reads and self.target.step == "call":
                await self._play(writer, self.target)
                return
            await self._answer(reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(headers(head).get("content-length", "0"))
        self.requests.append(head + await reader.readexactly(length))
        path = re.split(rb"[ ?]", head)[1].decode()
        if self.target.step in ("call", "stream") or path == _STEPS[self.target.step]:
            await self._play(writer, self.target)
        else:
            await whole(self._polite(path))(writer, self.target)

    def _polite(self, path: str) -> bytes:
        work = f"{self.url}/work"
        if path == "/work/status":
            return b'{"status": "COMPLETED"}'
        if path == "/file.png":
            return PICTURE
        if self.target.kind != "falai":
            return json.dumps({"data": [{"url": f"{self.url}/file.png"}]}).encode()
        if path == "/work":
            return json.dumps({"images": [{"url": f"{self.url}/file.png"}]}).encode()
        urls = {"status_url": f"{work}/status", "response_url": work, "cancel_url": f"{work}/cancel"}
        return json.dumps({"request_id": "r", **urls}).encode()

    def close(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()


@asynccontextmanager
async def serving(target: Target, play: Play, *, reads: bool = True) -> AsyncIterator[Server]:
    served = Server(target, play, reads=reads)
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        served.close()
        await asyncio.sleep(0)


def head(target: Target, *lines: str, status: str = "200 OK") -> bytes:
    fields = "".join(f"{line}\r\n" for line in (f"Content-Type: {target.content_type}", *lines))
    return f"HTTP/1.1 {status}\r\n{fields}\r\n".encode()


def raw(data: bytes) -> Play:
    """Exactly these bytes, then the end."""

    async def play(writer: asyncio.StreamWriter, _: Target) -> None:
        writer.write(data)

    return play


def whole(body: bytes, *lines: str, status: str = "200 OK") -> Play:
    """A whole answer."""

    async def play(writer: asyncio.StreamWriter, target: Target) -> None:
        writer.write(head(target, f"Content-Length: {len(body)}", *lines, status=status) + body)

    return play


def document(text: bytes, *lines: str) -> Play:
    """An answer, or where the kind streams an event, of this JSON."""

    async def play(writer: asyncio.StreamWriter, target: Target) -> None:
        await whole(target.wrapped(text), *lines)(writer, target)

    return play


def good(change: Callable[[bytes], bytes], *lines: str) -> Play:
    """The kind's own good answer, after a change."""

    async def play(writer: asyncio.StreamWriter, target: Target) -> None:
        await whole(target.wrapped(change(target.good)), *lines)(writer, target)

    return play


def headed(rest: bytes, *lines: str) -> Play:
    """A good head, and whatever bytes behind it."""

    async def play(writer: asyncio.StreamWriter, target: Target) -> None:
        writer.write(head(target, *lines) + rest)

    return play


def again(piece: bytes, *lines: str, first: bytes | None = None, pause: float = 0.0) -> Play:
    """A beginning, then the same piece for as long as anybody listens."""

    async def play(writer: asyncio.StreamWriter, target: Target) -> None:
        writer.write(head(target, *lines) if first is None else first)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return play


async def silence(writer: asyncio.StreamWriter, _: Target) -> None:
    await writer.wait_closed()


async def reset(writer: asyncio.StreamWriter, _: Target) -> None:
    writer.transport.abort()


def bomb(megabytes: int) -> bytes:
    """Gzip of so many zeros, made once: a thousandth of what it grows to."""
    return gzip.compress(bytes(megabytes << 20), mtime=0)
