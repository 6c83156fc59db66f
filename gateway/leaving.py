"""Noticing that a client has left, so that what is done for it alone can stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.types import Receive

_MOMENT_SECONDS = 0.05


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


@asynccontextmanager
async def stopping(receive: Receive, stop: Callable[[], object]) -> AsyncIterator[None]:
    """Call `stop` if the client leaves meanwhile.

    It begins to look after a moment: most calls are over by then, and to look costs as much as some of them.
    """
    looking: list[asyncio.Task[None]] = []

    def look() -> None:
        looking.append(asyncio.create_task(_gone(receive)))
        looking[0].add_done_callback(lambda gone: None if gone.cancelled() else stop())

    timer = asyncio.get_running_loop().call_later(_MOMENT_SECONDS, look)
    try:
        yield
    finally:
        timer.cancel()
        for task in looking:
            task.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
