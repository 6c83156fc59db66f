"""Following generations: one LISTEN tells all watchers of a process when to look, a poll what it missed."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

import structlog
from inkweld.generation.v1 import generations_pb2 as pb

from runtime import database
from runtime.database import Database
from services.generation import store_events
from services.generation.trouble import TROUBLE

log = structlog.get_logger()

POLL_SECONDS = 2.0
PAGE = 200


class Watcher:
    """One who follows a generation, and the number of the last event it has."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.news = asyncio.Event()


class Hub:
    """Tells watchers that their generation has news, whichever process made them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._watchers: defaultdict[str, set[Watcher]] = defaultdict(set)

    async def run(self, url: str) -> None:
        """Listen and poll, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(database.listen(url, "events", self._heard))
            group.create_task(self._poll())

    async def follow(self, generation: str, after: int) -> AsyncGenerator[pb.GenerationEvent, None]:
        """All events after a number, old and new, until the last."""
        watcher = Watcher(after)
        self._watchers[generation].add(watcher)
        over = False
        try:
            while True:
                # Cleared before the look: news that come during it are looked at again.
                watcher.news.clear()
                events = await store_events.select_events(self._db, generation, watcher.number, PAGE)
                for event in events:
                    watcher.number = event.number
                    yield event
                    if event.HasField("finished"):
                        return
                if over and not events:
                    return
                # Who has the last event, or says so, is told no more; but it may have come just now.
                over = not events and await store_events.has_ended(self._db, generation)
                if not over and len(events) < PAGE:
                    await watcher.news.wait()
        finally:
            self._watchers[generation].discard(watcher)
            if not self._watchers[generation]:
                del self._watchers[generation]

    def _heard(self, generation: str) -> None:
        """Wake those who watch a generation; all of them when it is not said which."""
        heard = [generation] if generation else list(self._watchers)
        for name in heard:
            for watcher in self._watchers.get(name, ()):
                watcher.news.set()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self._watchers:
                continue
            try:
                last = await store_events.select_last_numbers(self._db, self._watchers)
            except TROUBLE as error:
                log.warning("database.lost", error=type(error).__name__)
                continue
            for generation, watchers in self._watchers.items():
                for watcher in watchers:
                    if last.get(generation, 0) > watcher.number:
                        watcher.news.set()
