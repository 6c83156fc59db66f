"""What came of work on a task, in one transaction each: task, attempt, pictures, events, generation."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from asyncpg import Pool
from google.type import money_pb2
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1 import images_pb2

from runtime.database import Database
from runtime.failure import Failure
from runtime.names import new_id
from services.generation import store, store_events, store_tasks
from services.generation.keeper import Keeper
from services.generation.providers import Handle
from services.generation.states import Task
from services.generation.store_claims import Held
from services.generation.store_tasks import End
from services.generation.trouble import TROUBLE, persist

log = structlog.get_logger()


class Results:
    """Writes what came of one held task. Every write is fenced by its lease."""

    def __init__(self, db: Pool, held: Held, keeper: Keeper) -> None:
        self._db = db
        self._held = held
        self._keeper = keeper

    async def begun(self) -> str:
        """The intent to send."""
        attempt, doubt = new_id(), False

        async def write() -> None:
            nonlocal doubt
            again, doubt = doubt, True
            # A commit whose answer got lost has happened, or has not: the row tells.
            if not (again and await store_tasks.has_attempt(self._db, attempt)):
                await store_tasks.begin_attempt(self._db, self._held.lease, attempt)

        await persist(write)
        await self._tell()
        return attempt

    async def accepted(self, handle: Handle) -> None:
        """The provider's handle."""
        await persist(lambda: store_tasks.keep_handle(self._db, self._held.lease, handle))

    async def progressed(self, progress: pb.GenerationEvent.Progress) -> None:
        """One event, for those who watch."""
        try:
            async with self._locked() as db:
                await store_tasks.hold_task(db, self._held.lease)
                event = pb.GenerationEvent(progress=progress)
                await store_events.append_event(db, self._held.generation, event)
        except TROUBLE as error:
            # The next one says more anyway.
            log.warning("database.lost", error=type(error).__name__)
        await self._tell()

    async def sketched(self, index: int, sketch: bytes) -> None:
        """How a picture looks so far, for those who watch."""
        try:
            async with self._locked() as db:
                await store_tasks.hold_task(db, self._held.lease)
                at = self._held.first_index + index
                await store_events.append_partial(db, self._held.generation, at, sketch)
        except TROUBLE as error:
            # As with progress.
            log.warning("database.lost", error=type(error).__name__)
        await self._tell()

    async def answered(self, pictures: int, cost: money_pb2.Money | None) -> None:
        """The answer is there and staged."""
        await persist(lambda: store_tasks.keep_answer(self._db, self._held.lease, pictures, cost))

    async def succeeded(
        self,
        images: Sequence[images_pb2.Image],
        seeds: Mapping[int, int],
        adaptations: Sequence[pb.Adaptation],
        end: End,
    ) -> None:
        """The pictures are drafts in media; now the generation has them too."""
        pictures = [
            pb.GeneratedImage(
                index=image.index,
                image=image.name,
                width=image.width,
                height=image.height,
                seed=seeds.get(image.index - self._held.first_index),
            )
            for image in sorted(images, key=lambda image: image.index)
        ]
        await self._end("ANSWERED", None, end, pictures, adaptations)

    async def failed(self, failure: Failure, end: End) -> None:
        """There is nothing, and this is why."""
        outcome = "LOST" if end.may_have_been_billed else "REFUSED"
        await self._end(outcome, ErrorReason.Name(failure.reason), end)

    async def cancelled(self, *, may_have_been_billed: bool) -> None:
        """It was stopped."""
        end = End(Task.CANCELLED, may_have_been_billed=may_have_been_billed)
        await self._end("CANCELLED", None, end)

    async def put_back(self, failure: Failure, wait: timedelta) -> None:
        """No work was done; the task waits and is tried again."""

        async def write() -> None:
            async with self._locked() as db:
                await store_tasks.put_back(db, self._held.lease, wait)
                await store_tasks.end_attempt(
                    db, self._held.lease, "REFUSED", ErrorReason.Name(failure.reason)
                )

        async with self._keeper.last_write():
            await persist(write)
        log.info("task.postponed", task=self._held.lease.task, reason=ErrorReason.Name(failure.reason))

    async def _end(
        self,
        outcome: str,
        reason: str | None,
        end: End,
        pictures: Sequence[pb.GeneratedImage] = (),
        adaptations: Sequence[pb.Adaptation] = (),
    ) -> None:
        ready = pb.GenerationEvent.ImageReady
        events = [pb.GenerationEvent(image_ready=ready(image=picture)) for picture in pictures]

        async def write() -> None:
            async with self._db.acquire() as db, db.transaction():
                await store_tasks.finish_task(
                    db, self._held.lease, end, outcome=outcome, reason=reason, pictures=pictures
                )
                if adaptations:
                    await store.add_adaptations(db, self._held.generation, adaptations)
                await store.refresh_generation(db, self._held.generation, events)

        async with self._keeper.last_write():
            await persist(write)
        log.info("task.finished", task=self._held.lease.task, state=str(end.state), reason=reason)
        await self._tell()

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Database]:
        """A transaction that holds the generation's lock."""
        async with self._db.acquire() as db, db.transaction():
            await store.lock_generation(db, self._held.generation)
            yield db

    async def _tell(self) -> None:
        """Hint to watchers. They look for themselves too, so it may be lost."""
        try:
            await store_events.notify_events(self._db, self._held.generation)
        except TROUBLE as error:
            log.warning("database.lost", error=type(error).__name__)
