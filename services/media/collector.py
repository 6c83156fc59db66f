"""Removes what nothing refers to, and never what something does."""

import asyncio
from datetime import timedelta

import asyncpg
import structlog

from services.media import store_blobs
from services.media.blobs import Blobs

log = structlog.get_logger()

SWEEP_SECONDS = 300.0
BATCH = 200
# Looking through all files for those no row speaks of is done at start and then every so many sweeps.
SWEEPS_PER_SEARCH = 24 * 12
# Far longer than any upload takes.
STRAY_SECONDS = 24 * 3600.0
FENCES_AFTER = timedelta(days=60)


class Collector:
    """The loop, of which every replica may run one."""

    def __init__(self, pool: asyncpg.Pool, blobs: Blobs) -> None:
        self._pool = pool
        self._blobs = blobs

    async def run(self) -> None:
        """Sweep until cancelled. Trouble ends one sweep, not the loop."""
        sweeps = 0
        while True:
            try:
                if sweeps % SWEEPS_PER_SEARCH == 0:
                    await self.search(STRAY_SECONDS)
                await self.sweep()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("sweep.failed", error=type(error).__name__)
            sweeps += 1
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Let expired rows go, then the blobs that nothing refers to any more."""
        expired = await store_blobs.delete_expired(self._pool, FENCES_AFTER)
        removed = 0
        while unused := await store_blobs.select_unused(self._pool, BATCH):
            removed_now = sum([await self._remove(sha256) for sha256 in unused])
            removed += removed_now
            if not removed_now:
                break
        if expired or removed:
            log.info("sweep.finished", expired=expired, removed=removed)

    async def search(self, older_than_seconds: float) -> None:
        """Remove forgotten temporary files; give blobs without a row one, so that a sweep can judge them."""
        found = await self._blobs.strays(older_than_seconds)
        for at in range(0, len(found), BATCH):
            await store_blobs.insert_strays(self._pool, found[at : at + BATCH])

    async def _remove(self, sha256: bytes) -> bool:
        """Remove a blob, unless a reference to it has been made since it was found.

        The bytes go while the row is locked. Should the commit fail, a row without bytes is left that nothing
        refers to: the next sweep removes it, and who stores the same bytes in between looks for them and
        writes them anew.
        """
        async with self._pool.acquire() as db, db.transaction():
            if not await store_blobs.lock_unused(db, sha256):
                return False
            await self._blobs.remove(sha256)
            await store_blobs.delete_blob(db, sha256)
        return True
