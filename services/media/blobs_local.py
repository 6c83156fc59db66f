"""Blobs on the local disk.

A blob is never half-written, whenever the power goes: bytes go to a temporary name and are synced, the name
of their hash is linked to them, the directory is synced, and only then may a row speak of them.
"""

import asyncio
import errno
import hashlib
import mmap
import os
import re
import secrets
import stat
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.media.blobs import READ_BYTES, Look, Place

P = ParamSpec("P")
T = TypeVar("T")

# Enough waiting syncs for the disk to put them into one.
THREADS = 16
WRITE_BYTES = 1 << 20
TEMPORARY = "tmp"
PLACES = "places"
PROOF = "proof"

_FILE = re.compile("[0-9a-f]{32}")
_FULL = {errno.ENOSPC, errno.EDQUOT}


@asynccontextmanager
async def open_local(root: Path) -> AsyncIterator["LocalBlobs"]:
    """The store in a directory of the local disk."""
    (root / TEMPORARY).mkdir(parents=True, exist_ok=True, mode=0o700)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="blobs") as threads:
        yield LocalBlobs(root, threads)


class LocalBlobs:
    """Blobs at `ab/cd/<sha256>`. Names are made of hashes and our own random numbers, nothing else."""

    def __init__(self, root: Path, threads: ThreadPoolExecutor) -> None:
        self._root = root
        self._threads = threads
        self._synced: set[str] = set()
        self._places: set[str] = set()

    def path(self, sha256: bytes) -> Path:
        """Where the blob of this hash is."""
        name = sha256.hex()
        return self._root / name[:2] / name[2:4] / name

    @asynccontextmanager
    async def receive(self) -> AsyncIterator["LocalIncoming"]:
        """See `Blobs`."""
        async with self._forgetting(LocalIncoming(self, self._temporary())) as incoming:
            yield incoming

    async def open_place(self) -> Place | None:
        """See `Blobs`."""
        place = Place(secrets.token_hex(16), self._root.absolute() / PLACES, secrets.token_bytes(32))
        place = replace(place, directory=place.directory / place.id)
        await self.in_thread(_make_place, place)
        self._places.add(place.id)
        return place

    @asynccontextmanager
    async def take(self, name: str, size: int) -> AsyncIterator["LocalIncoming"]:
        """See `Blobs`. Only places opened here are looked into: a caller's text becomes no path."""
        place, _, file = name.partition("/")
        if place not in self._places or not _FILE.fullmatch(file):
            raise FileNotFoundError("no such place")
        left = self._root / PLACES / place / file
        async with self._forgetting(TakenIncoming(self, self._temporary(), left, size)) as incoming:
            yield incoming

    def _temporary(self) -> Path:
        return self._root / TEMPORARY / secrets.token_hex(16)

    @asynccontextmanager
    async def _forgetting(self, incoming: "LocalIncoming") -> AsyncIterator["LocalIncoming"]:
        try:
            yield incoming
        finally:
            if incoming.published:
                incoming.forget()  # a name fewer; the bytes stay
            else:
                await self.in_thread(incoming.forget)

    async def holds(self, sha256: bytes) -> bool:
        """See `Blobs`. One `stat` of the local disk is cheaper than asking a thread."""
        return self.path(sha256).exists()

    async def read(self, sha256: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """See `Blobs`."""
        descriptor = await self.in_thread(os.open, self.path(sha256), os.O_RDONLY | os.O_CLOEXEC)
        try:
            while length > 0:
                piece = await self.in_thread(os.pread, descriptor, min(length, READ_BYTES), offset)
                if not piece:
                    raise FileNotFoundError(f"blob {sha256.hex()} ends early")
                yield piece
                offset, length = offset + len(piece), length - len(piece)
        finally:
            os.close(descriptor)

    @asynccontextmanager
    async def local(self, sha256: bytes) -> AsyncIterator[Path]:
        """See `Blobs`."""
        yield self.path(sha256)

    async def remove(self, sha256: bytes) -> None:
        """See `Blobs`."""
        await self.in_thread(self.path(sha256).unlink, missing_ok=True)

    async def strays(self, older_than_seconds: float) -> list[bytes]:
        """See `Blobs`."""
        return await self.in_thread(self._strays, time.time() - older_than_seconds)

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what waits for the disk where it makes nobody else wait. A full disk becomes STORAGE_FULL.

        A thread cannot be stopped. When the caller is cancelled this waits for it all the same, or else the
        cleaning up would close files that the thread still writes.
        """
        work = asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise Failure(ErrorReason.STORAGE_FULL, "The storage is full. Nothing was kept.") from error
            raise

    def link(self, temporary: Path, sha256: bytes) -> None:
        """Give the bytes the name of their hash, and make the name as safe as the bytes."""
        path = self.path(sha256)
        for directory in (path.parent.parent, path.parent):
            self._make_directory(directory)
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
        # Even if it was there: whoever linked it may not have come to the sync yet.
        sync_directory(path.parent)

    def _make_directory(self, path: Path) -> None:
        key = str(path.relative_to(self._root))
        if key not in self._synced:
            path.mkdir(exist_ok=True, mode=0o700)
            sync_directory(path.parent)
            self._synced.add(key)

    def _clear(self, place: Path, before: float) -> None:
        """Remove what was left and never taken, and the place itself unless it was opened by this process."""
        ours = place.name in self._places
        for path in place.iterdir():
            if path.is_file() and is_older(path, before) and not (ours and path.name == PROOF):
                path.unlink(missing_ok=True)
        if not ours and is_older(place, before):
            with suppress(OSError):  # not empty yet
                place.rmdir()

    def _strays(self, before: float) -> list[bytes]:
        for path in self._root.glob(f"{TEMPORARY}/*"):
            if is_older(path, before):
                path.unlink(missing_ok=True)
        for place in self._root.glob(f"{PLACES}/*"):
            self._clear(place, before)
        blobs = self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/" + "[0-9a-f]" * 64)
        return [bytes.fromhex(path.name) for path in blobs if is_older(path, before)]


class LocalIncoming:
    """See `Incoming`. Pieces are gathered and written in threads, hashed on the way."""

    def __init__(self, blobs: LocalBlobs, path: Path) -> None:
        self._blobs = blobs
        self._path = path
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._descriptor: int | None = None
        self._size = 0
        self.published = False

    @property
    def path(self) -> Path:
        """See `Incoming`."""
        return self._path

    @property
    def size(self) -> int:
        """See `Incoming`."""
        return self._size

    async def write(self, piece: bytes) -> None:
        """See `Incoming`."""
        self._pieces.append(piece)
        self._size += len(piece)
        self._waiting += len(piece)
        if self._waiting >= WRITE_BYTES:
            await self._blobs.in_thread(self._flush)

    async def seal(self, look: Look[T]) -> tuple[bytes, T]:
        """See `Incoming`."""
        return await self._blobs.in_thread(self._seal, look)

    async def publish(self) -> None:
        """See `Incoming`."""
        await self._blobs.in_thread(self._publish)

    async def store(self, look: Look[T]) -> tuple[bytes, T]:
        """See `Incoming`."""
        return await self._blobs.in_thread(self._store, look)

    def forget(self) -> None:
        """Close and remove the temporary name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
        for piece in pieces:
            self._hash.update(piece)
            write_all(self._descriptor, piece)

    def _seal(self, look: Look[T]) -> tuple[bytes, T]:
        self._flush()
        digest = self._hash.digest()
        if self._descriptor is None or not self._size:
            return digest, look(digest, memoryview(b""))
        # Not closed here: an error on its way up still refers to it.
        data = memoryview(mmap.mmap(self._descriptor, self._size, access=mmap.ACCESS_READ))
        return digest, look(digest, data)

    def _store(self, look: Look[T]) -> tuple[bytes, T]:
        sealed = self._seal(look)
        self._publish()
        return sealed

    def _publish(self) -> None:
        if self._descriptor is None:
            raise ValueError("publish before seal")
        os.fsync(self._descriptor)
        self._blobs.link(self._path, self._hash.digest())
        self.published = True


class TakenIncoming(LocalIncoming):
    """A blob that another process has written already: a file in one of our places, which becomes ours."""

    def __init__(self, blobs: LocalBlobs, path: Path, left: Path, size: int) -> None:
        super().__init__(blobs, path)
        self._left = left
        self._size = size

    def _flush(self) -> None:
        if self._descriptor is not None:
            return
        # Neither a link nor a pipe is followed or waited for.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self._descriptor = os.open(self._left, flags)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise FileNotFoundError("what was left is a link") from error
        found = os.fstat(self._descriptor)
        plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if not plain or found.st_uid != os.geteuid() or found.st_size != self._size:
            raise FileNotFoundError("what was left is not a file of ours of that size")
        # From here on nobody else has a name for it.
        self._left.rename(self._path)
        if not os.path.samestat(found, self._path.lstat()):
            raise FileNotFoundError("what was left has been replaced")
        if self._size:
            with mmap.mmap(self._descriptor, self._size, access=mmap.ACCESS_READ) as data:
                self._hash.update(data)


def _make_place(place: Place) -> None:
    place.directory.mkdir(parents=True, mode=0o700)
    (place.directory / PROOF).write_bytes(place.proof)


def write_all(descriptor: int, data: bytes) -> None:
    """Write it all, however little the system takes at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def is_older(path: Path, moment: float) -> bool:
    """Whether a file was last written before; one that has gone meanwhile was not."""
    try:
        return path.stat().st_mtime < moment
    except FileNotFoundError:
        return False


def sync_directory(path: Path) -> None:
    """Make the names in a directory safe from a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
