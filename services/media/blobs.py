"""Where bytes live: each content once, under its SHA-256. What every store promises."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

T = TypeVar("T")
Look: TypeAlias = Callable[[bytes, memoryview], T]

READ_BYTES = 1 << 20


class Incoming(Protocol):
    """A blob being received. Nobody sees it before `publish`; leaving its block forgets what was not."""

    @property
    def path(self) -> Path:
        """The bytes so far, for reading, once `seal` has returned."""
        ...

    @property
    def size(self) -> int:
        """Bytes received."""
        ...

    async def write(self, piece: bytes) -> None:
        """Take the next piece. Raises STORAGE_FULL."""
        ...

    async def seal(self, look: Look[T]) -> tuple[bytes, T]:
        """The SHA-256 of all that came, and what `look`, called in a thread, makes of hash and bytes."""
        ...

    async def publish(self) -> None:
        """Make it the blob of its hash, safe from a power cut. Harmless when there is one.

        Raises STORAGE_FULL.
        """
        ...

    async def store(self, look: Look[T]) -> tuple[bytes, T]:
        """Seal, and publish unless `look` raises, without coming back in between."""
        ...


@dataclass(frozen=True)
class Place:
    """A directory in which another process of this host may leave bytes."""

    id: str
    directory: Path
    proof: bytes


class Blobs(Protocol):
    """A store of blobs."""

    def receive(self) -> AbstractAsyncContextManager[Incoming]:
        """Begin a blob."""
        ...

    async def open_place(self) -> Place | None:
        """A new place; None for a store that has none."""
        ...

    def take(self, name: str, size: int) -> AbstractAsyncContextManager[Incoming]:
        """Begin a blob with bytes left at `{place}/{file}`. Raises FileNotFoundError here or in `store`."""
        ...

    async def holds(self, sha256: bytes) -> bool:
        """Whether the blob is there."""
        ...

    def read(self, sha256: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `offset`, in pieces of at most `READ_BYTES`. Raises FileNotFoundError."""
        ...

    def local(self, sha256: bytes) -> AbstractAsyncContextManager[Path]:
        """A file with the bytes, for a decoder."""
        ...

    async def remove(self, sha256: bytes) -> None:
        """Remove the blob if it is there. The caller has made sure that nothing refers to it."""
        ...

    async def strays(self, older_than_seconds: float) -> list[bytes]:
        """Remove temporary files of that age, and list the blobs of that age."""
        ...
