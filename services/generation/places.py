"""Pictures left on the local disk for media, when it is on the same host; then they need not cross gRPC."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog
from inkweld.media.v1 import images_pb2, images_pb2_grpc

log = structlog.get_logger()

# How often media is asked for a place again when it had none, or is somewhere else.
AGAIN_SECONDS = 60.0
_ASK_SECONDS = 5.0


@dataclass(frozen=True)
class Place:
    """A directory that media handed out."""

    id: str
    directory: Path


class Places:
    """The place this process has in media, once it is known that both see the same disk."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._images = images_pb2_grpc.ImageServiceStub(channel)
        self._place: Place | None = None
        self._ask_at = 0.0
        self._asking = asyncio.Lock()

    @asynccontextmanager
    async def leave(self, data: bytes) -> AsyncIterator[str]:
        """Write a picture where media finds it, and give the name to say; empty where that cannot be done.

        Media syncs it. What it has not taken when the block ends is removed.
        """
        place = await self._find()
        path = place.directory / secrets.token_hex(16) if place else None
        if place is None or path is None or not await asyncio.to_thread(_write, path, data):
            yield ""
            return
        try:
            yield f"{place.id}/{path.name}"
        finally:
            path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Media did not find what was left: it has other places now, or none."""
        self._place = None

    async def _find(self) -> Place | None:
        now = asyncio.get_running_loop().time()
        if self._place is None and now >= self._ask_at:
            async with self._asking:
                if self._place is None and now >= self._ask_at:
                    self._place = await self._ask()
                    self._ask_at = now + (AGAIN_SECONDS if self._place is None else 0.0)
        return self._place

    async def _ask(self) -> Place | None:
        try:
            answer = await self._images.OpenPlace(images_pb2.OpenPlaceRequest(), timeout=_ASK_SECONDS)
        except grpc.aio.AioRpcError as error:
            log.info("place.missed", code=error.code().name)
            return None
        directory = Path(answer.directory)
        shared = bool(answer.place) and await asyncio.to_thread(_proves, directory, answer.proof)
        log.info("place.opened" if shared else "place.missed", place=answer.place)
        return Place(answer.place, directory) if shared else None


def _proves(directory: Path, proof: bytes) -> bool:
    try:
        return (directory / "proof").read_bytes() == proof
    except OSError:
        return False


def _write(path: Path, data: bytes) -> bool:
    """Write a new file, or nothing: a full disk and a place that has gone are for media to explain."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True
