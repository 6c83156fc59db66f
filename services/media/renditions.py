"""Smaller copies: WebP from the pixels alone, made when first asked for, stored as blobs of their own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

import asyncpg
from inkweld.media.v1 import images_pb2 as pb

from services.media import formats, store_blobs
from services.media.blobs import Blobs
from services.media.decoders import Decoders
from services.media.receiving import recorded

SIDES: Mapping[int, int] = MappingProxyType({pb.W256: 256, pb.W1024: 1024})

CONTENT_TYPE = formats.WEBP


class Renditions:
    """Makes each copy once, however many ask for it at the same time."""

    def __init__(self, pool: asyncpg.Pool, blobs: Blobs, decoders: Decoders) -> None:
        self._pool = pool
        self._blobs = blobs
        self._decoders = decoders
        self._making: dict[tuple[bytes, int], asyncio.Task[tuple[bytes, int]]] = {}

    async def find(self, source: bytes, side: int) -> tuple[bytes, int]:
        """Hash and size of the copy. Raises IMAGE_REFUSED for a picture that cannot be decoded after all."""
        made = await store_blobs.select_rendition(self._pool, source, side)
        if made is not None:
            return made
        key = (source, side)
        if key not in self._making:
            self._making[key] = making = asyncio.create_task(self._make(source, side))
            making.add_done_callback(lambda _: self._making.pop(key, None))
        # Who leaves does not stop it for the others.
        return await asyncio.shield(self._making[key])

    async def close(self) -> None:
        """Stop making copies."""
        for task in list(self._making.values()):
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    async def _make(self, source: bytes, side: int) -> tuple[bytes, int]:
        async with self._blobs.local(source) as path:
            copy = await self._decoders.shrink(path, side)
        async with self._blobs.receive() as incoming:
            await incoming.write(copy)
            sha256, facts = await incoming.store(lambda _, data: formats.inspect(data))
            async with recorded(self._pool, self._blobs, incoming, sha256, facts) as db:
                await store_blobs.insert_rendition(db, source, side, sha256)
        return sha256, len(copy)


@asynccontextmanager
async def open_renditions(pool: asyncpg.Pool, blobs: Blobs, decoders: Decoders) -> AsyncIterator[Renditions]:
    """Renditions that are no longer made when the block ends."""
    renditions = Renditions(pool, blobs, decoders)
    try:
        yield renditions
    finally:
        await renditions.close()
