"""From a stream of pieces to a blob that a row speaks of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from runtime.database import Database
from services.media import formats, store_blobs
from services.media.blobs import Blobs, Incoming
from services.media.formats import Facts


async def receive(incoming: Incoming, pieces: AsyncIterator[bytes]) -> None:
    """Take all pieces. Raises IMAGE_REFUSED as soon as they are too many, and STORAGE_FULL."""
    async for piece in pieces:
        if incoming.size + len(piece) > formats.MAX_BYTES:
            raise formats.refused(f"it has more than {formats.MAX_BYTES >> 20} MiB")
        await incoming.write(piece)


@asynccontextmanager
async def recorded(
    pool: asyncpg.Pool, blobs: Blobs, incoming: Incoming, sha256: bytes, facts: Facts
) -> AsyncIterator[Database]:
    """A transaction in which a published blob is there and will stay, for the row that shall refer to it.

    The collector may be removing the same bytes, left by someone else,
    at this moment; once we hold the row's lock it cannot. So they are looked for then, and published again if
    they have gone.
    """
    async with pool.acquire() as db, db.transaction():
        await store_blobs.insert_blob(db, sha256, incoming.size, facts)
        if not await blobs.holds(sha256):
            await incoming.publish()
        yield db
