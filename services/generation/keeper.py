"""Keeping a lease while its task is worked on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from runtime.database import Database
from services.generation import store_tasks
from services.generation.store_tasks import Lease, LostLease
from services.generation.trouble import TROUBLE

log = structlog.get_logger()

_AGAIN_SECONDS = 0.2


class Keeper:
    """Renews a lease, and hears when the task's end is asked for.

    Its own clock serves one thing: after two thirds of a lease without a renewal it gives the lease up, well
    before someone else can take it.
    """

    def __init__(self, db: Database, lease: Lease, length: timedelta, claimed_at: float) -> None:
        self.lease = lease
        self.cancel_asked = asyncio.Event()
        self._db = db
        self._length = length
        self._ours_until = claimed_at + self._trusted_seconds
        self._look = asyncio.Event()
        self._quiet = asyncio.Lock()
        self._over = False

    def look(self) -> None:
        """Renew at once: something may have been said about the task."""
        self._look.set()

    def certain(self) -> None:
        """Raise LostLease unless the lease is surely ours just now."""
        if asyncio.get_running_loop().time() >= self._ours_until:
            raise LostLease(self.lease.task)

    @asynccontextmanager
    async def last_write(self) -> AsyncIterator[None]:
        """Around the write that ends the lease: a renewal just then would take the end for a loss."""
        async with self._quiet:
            yield
            self._over = True

    async def keep(self) -> None:
        """Renew until the lease is over. Raises LostLease when that cannot be done in time."""
        wait = self._length.total_seconds() / 3
        while True:
            await self._sleep(wait)
            async with self._quiet:
                if self._over:
                    return
                self.certain()
                wait = self._length.total_seconds() / 3 if await self._renewed() else _AGAIN_SECONDS

    async def _renewed(self) -> bool:
        asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(self._ours_until):
                cancel_asked = await store_tasks.renew_lease(self._db, self.lease, self._length)
        except TROUBLE as error:
            log.warning("database.lost", error=type(error).__name__)
            return False
        self._ours_until = asked_at + self._trusted_seconds
        if cancel_asked:
            self.cancel_asked.set()
        return True

    async def _sleep(self, seconds: float) -> None:
        self._look.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._look.wait()
        except TimeoutError:
            return

    @property
    def _trusted_seconds(self) -> float:
        return self._length.total_seconds() * 2 / 3
