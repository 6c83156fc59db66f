"""Work on one held task, from where its rows say it is to its end.

Nothing is sent before its intent is committed, and nothing is sent twice: what is found sent and unanswered
is looked for in media, resumed by its handle, or ends UNKNOWN.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

import structlog
from asyncpg import Pool
from google.type import money_pb2
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1 import images_pb2

from runtime.egress import Endpoint
from runtime.failure import Failure
from services.generation import pricing
from services.generation.contact import LEAST_SECONDS, Contact, Contacts
from services.generation.drafts import Drafts
from services.generation.inputs import Inputs
from services.generation.keeper import Keeper
from services.generation.planner import Planner
from services.generation.providers import (
    Accepted,
    Cancellable,
    Event,
    Finished,
    Handle,
    Image,
    Partial,
    Progress,
    Provider,
    Resumable,
)
from services.generation.results import Results
from services.generation.sizes import came_out
from services.generation.states import SENT, Task
from services.generation.store_claims import Held
from services.generation.store_tasks import End

log = structlog.get_logger()

MAX_DEATHS = 3
MAX_TRIES = 4
PROGRESS_SECONDS = 0.25  # between events that say no more than how far it is
SKETCH_SECONDS = 0.7  # between pictures of how it looks
RESUME_SECONDS = 1.0
CANCEL_SECONDS = 5.0

_R = ErrorReason
# No work was done, so that trying again costs nothing.
_NO_WORK = frozenset({_R.PROVIDER_UNAVAILABLE, _R.SERVICE_UNAVAILABLE})
# With a handle the work goes on without us, so that looking again may find it.
_LOOK_AGAIN = frozenset({_R.PROVIDER_UNAVAILABLE, _R.PROVIDER_RATE_LIMITED, _R.ANSWER_LOST})
# The provider may have drawn, and billed.
_DOUBTFUL = frozenset({_R.ANSWER_LOST, _R.ANSWER_UNUSABLE})


@dataclass(frozen=True)
class Parts:
    """What work on tasks needs."""

    db: Pool
    contacts: Contacts
    drafts: Drafts
    inputs: Inputs
    planner: Planner


async def work(parts: Parts, held: Held, keeper: Keeper) -> None:
    """Bring a task to its end, or to the end that was asked for meanwhile."""
    attempt = Attempt(parts, held, keeper)
    if held.cancel_asked:
        await attempt.stop()
        return
    running = asyncio.create_task(attempt.run())
    asked = asyncio.create_task(keeper.cancel_asked.wait())
    try:
        await asyncio.wait((running, asked), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
            return
    finally:
        running.cancel()
        asked.cancel()
        await asyncio.gather(running, asked, return_exceptions=True)
    await attempt.stop()


class Attempt:
    """One holder's work on a task."""

    def __init__(self, parts: Parts, held: Held, keeper: Keeper) -> None:
        self._parts = parts
        self._held = held
        self._keeper = keeper
        self._results = Results(parts.db, held, keeper)
        self._sent = held.state in SENT
        self._answered = held.state is Task.FETCHING
        self._handle: Handle | None = held.handle
        self._staged: dict[int, images_pb2.StagedImage] = {}
        self._seeds: dict[int, int] = {}
        self._told = 0.0
        self._sketched = 0.0

    async def run(self) -> None:
        """Work until the task has ended, or waits again."""
        left = self._held.seconds_left
        # Taken over late, it still gets a while to save what has been paid for.
        try:
            async with asyncio.timeout(max(left, LEAST_SECONDS) if self._sent else left):
                try:
                    await self._proceed()
                except Failure as failure:
                    await self._make_the_best_of(failure)
        except TimeoutError:
            expired = Failure(_R.GENERATION_EXPIRED, "The generation was not finished in time.")
            # Sent and unanswered is not the same as never begun.
            state = Task.UNKNOWN if self._sent and not self._staged else Task.EXPIRED
            await self._results.failed(expired, End(state, expired.to_status(), self._sent))
        except Failure as failure:
            await self._fail(failure)

    async def stop(self) -> None:
        """End the task because someone asked; the provider is told where it can be."""
        if self._sent:
            try:
                async with asyncio.timeout(CANCEL_SECONDS):
                    await self._tell_provider()
            except (Failure, TimeoutError) as error:
                log.info("cancel.unheard", task=self._held.lease.task, error=type(error).__name__)
        await self._results.cancelled(may_have_been_billed=self._sent)

    async def _proceed(self) -> None:
        if self._held.deaths >= MAX_DEATHS:
            raise Failure(_R.TASK_PARKED, "The task's worker died too often.")
        if self._held.state is Task.CLAIMED:
            await self._begin()
        else:
            await self._go_on()

    async def _begin(self) -> None:
        contact = await self._parts.contacts.open(self._held)
        facts = self._parts.planner.facts(contact.kind.KIND, self._held.call.model)
        call = await self._parts.inputs.complete(self._held, facts)
        api = contact.endpoint(await self._results.begun())
        self._keeper.certain()
        self._sent = True
        await self._draw(contact.kind, api, contact.kind.generate(call, api))

    async def _go_on(self) -> None:
        """Another worker had the task: find out how far it came."""
        there = await self._parts.drafts.fence(self._held)
        self._staged = {picture.index: picture for picture in there.staged}
        found = len(there.staged) + len(there.committed)
        expected = self._held.expected or self._held.count
        if found < expected and self._held.state is Task.SUBMITTED and await self._resume():
            return
        if not found:
            raise Failure(_R.ANSWER_LOST, "The worker ended before an answer was stored.")
        await self._keep(there.committed, missing=_lost(expected - found) if found < expected else None)

    async def _resume(self) -> bool:
        """Go on by the provider's handle; False when there is no way to."""
        contact = await self._contact()
        if self._handle is None or contact is None or not isinstance(contact.kind, Resumable):
            return False
        api = contact.endpoint(self._held.lease.task)
        await self._draw(contact.kind, api, contact.kind.resume(self._handle, api))
        return True

    async def _contact(self) -> Contact | None:
        """The way to a provider that has the task: config may be away, but the task cannot go back."""
        while True:
            try:
                return await self._parts.contacts.open(self._held)
            except Failure as failure:
                if failure.reason != _R.SERVICE_UNAVAILABLE:
                    log.warning("task.unresumed", task=self._held.lease.task, reason=_R.Name(failure.reason))
                    return None
            await asyncio.sleep(RESUME_SECONDS)

    async def _draw(self, kind: Provider, api: Endpoint, events: AsyncGenerator[Event, None]) -> None:
        """Take what the provider says to its end; where there is a handle, look again after a break."""
        while True:
            try:
                finished = await self._consume(events)
            except Failure as failure:
                if (
                    self._handle is None
                    or not isinstance(kind, Resumable)
                    or failure.reason not in _LOOK_AGAIN
                ):
                    raise
                await asyncio.sleep(RESUME_SECONDS)
                events = kind.resume(self._handle, api)
            else:
                model = self._parts.planner.facts(kind.KIND, self._held.call.model)
                cost = pricing.cost(model, finished.usage, self._held.call.config)
                await self._keep(cost=cost, adaptations=_changes(finished))
                return

    async def _consume(self, events: AsyncGenerator[Event, None]) -> Finished:
        # The generator stands still at each event until it has been recorded.
        async with aclosing(events):
            async for event in events:
                match event:
                    case Accepted(handle):
                        await self._results.accepted(handle)
                        self._handle = handle
                    case Progress():
                        await self._progressed(event)
                    case Partial(index, data):
                        await self._sketch(index, data)
                    case Image(index, data, seed):
                        await self._stage(index, data, seed)
                    case Finished():
                        return event
        raise Failure(_R.ANSWER_UNUSABLE, "The provider's answer has no end.", provider=self._held.provider)

    async def _progressed(self, progress: Progress) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told >= PROGRESS_SECONDS:
            self._told = now
            await self._results.progressed(
                pb.GenerationEvent.Progress(fraction=progress.fraction, position=progress.position)
            )

    async def _sketch(self, index: int, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if index >= self._held.count or now - self._sketched < SKETCH_SECONDS:
            return
        self._sketched = now
        if sketch := await self._parts.inputs.sketch(data):
            await self._results.sketched(index, sketch)

    async def _stage(self, index: int, data: bytes, seed: int | None) -> None:
        # What was not asked for has no place in the generation.
        if index >= self._held.count:
            return
        self._staged[index] = await self._parts.drafts.stage(self._held, index, data)
        if seed is not None:
            self._seeds[index] = seed

    async def _keep(
        self,
        committed: Sequence[images_pb2.Image] = (),
        *,
        cost: money_pb2.Money | None = None,
        adaptations: Sequence[pb.Adaptation] = (),
        missing: Failure | None = None,
    ) -> None:
        """Make what is staged drafts of the generation; the task has succeeded, if perhaps not in full."""
        found, asked = len(self._staged) + len(committed), self._held.count
        if not found:
            raise Failure(_R.ANSWER_UNUSABLE, "The provider sent no picture.", provider=self._held.provider)
        if found < asked and missing is None:
            missing = Failure(_R.ANSWER_UNUSABLE, f"The provider sent {found} of {asked} pictures.")
        if not self._answered:
            await self._results.answered(found, cost)
            self._answered = True
        staged = [self._staged[index] for index in sorted(self._staged)]
        images = [*committed, *(await self._parts.drafts.commit(self._held, staged) if staged else ())]
        doubtful = missing is not None and missing.reason == _R.ANSWER_LOST
        end = End(Task.SUCCEEDED, missing.to_status() if missing else None, may_have_been_billed=doubtful)
        changes = [*adaptations, *_other_sizes(self._held.call.size, images, adaptations)]
        await self._results.succeeded(images, self._seeds, changes, end)

    async def _make_the_best_of(self, failure: Failure) -> None:
        """Keep the pictures that came before it; try again where nothing was sent. Raises it otherwise."""
        fresh = self._held.state is Task.CLAIMED and self._handle is None
        if self._staged and not self._answered:
            await self._keep(missing=failure)
        elif fresh and failure.reason in _NO_WORK and self._held.tries < MAX_TRIES - 1:
            await self._results.put_back(failure, timedelta(seconds=2.0**self._held.tries))
        else:
            raise failure

    async def _fail(self, failure: Failure) -> None:
        lost = failure.reason == _R.ANSWER_LOST and not self._answered
        doubtful = self._answered or failure.reason in _DOUBTFUL
        parked = failure.reason == _R.TASK_PARKED and self._sent
        state = Task.UNKNOWN if lost else Task.FAILED
        end = End(state, failure.to_status(), may_have_been_billed=doubtful or parked)
        await self._results.failed(failure, end)

    async def _tell_provider(self) -> None:
        contact = await self._parts.contacts.open(self._held)
        if isinstance(contact.kind, Cancellable):
            await contact.kind.cancel(contact.endpoint(self._held.lease.task), self._handle)


def _lost(pictures: int) -> Failure:
    return Failure(_R.ANSWER_LOST, f"{pictures} pictures were lost before they were stored.")


def _other_sizes(
    asked: str, images: Sequence[images_pb2.Image], told: Sequence[pb.Adaptation]
) -> Iterator[pb.Adaptation]:
    """What the pixels show: pictures of another size than was sent, unless that has been told."""
    if not asked:
        return
    known = {change.sent for change in told if change.field == "size"}
    other = {
        (image.width, image.height) for image in images if not came_out(asked, image.width, image.height)
    }
    for width, height in sorted(other):
        if (got := f"{width}x{height}") not in known:
            yield pb.Adaptation(field="size", asked=asked, sent=got, why="The picture came out like this.")


def _changes(finished: Finished) -> Sequence[pb.Adaptation]:
    """What only the answer showed to be different."""
    return [
        pb.Adaptation(field=change.field, asked=change.asked, sent=change.sent, why=change.why)
        for change in finished.adaptations
    ]
