"""Noticing that a client has left, so that what is done for it alone can stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive


class Watchers:
    """Open answers, and whether their readers are still there."""

    def __init__(self) -> None:
        self._watches: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def watch(self, receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
        """A task that is done once the client has left, or once `end` was called."""
        gone = asyncio.create_task(_gone(receive))
        self._watches.add(gone)
        try:
            yield gone
        finally:
            self._watches.discard(gone)
            gone.cancel()

    def end(self) -> None:
        """End all answers without an end of their own, so that a process can stop; readers connect anew."""
        for gone in self._watches:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
