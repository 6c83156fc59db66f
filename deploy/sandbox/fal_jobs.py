"""fal's work: what waits, what runs, what is done, and what becomes of it afterwards."""

import asyncio
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deploy.sandbox import fal_errors as errors
from deploy.sandbox.billing import Call, Outcome, now
from deploy.sandbox.desk import Refusal, refusal
from deploy.sandbox.fal_input import Asked
from deploy.sandbox.fal_output import Painter
from deploy.sandbox.scripts import Act

RUNNERS = 2
PLACE_SECONDS = 0.1
KEPT = 5000
DAY = 86_400
# Without stored payloads a result waits an hour, a large one six minutes.
SMALL_SECONDS, LARGE_SECONDS, LARGE_BYTES = 3600, 360, 10_240


class Stage(StrEnum):
    QUEUED = "IN_QUEUE"
    RUNNING = "IN_PROGRESS"
    DONE = "COMPLETED"


@dataclass
class Job:
    """`asked` is the checked input, or the refusal that will be the result."""

    call: Call
    act: Act
    app: str
    asked: Asked | Refusal
    origin: str
    stores: bool  # the payload is kept for a month
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    stage: Stage = Stage.QUEUED
    ahead: int = 0
    logs: list[dict[str, str]] = field(default_factory=list)
    begun: float = 0.0
    spent: float = 0.0
    until: float = float("inf")
    billed: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    output: dict[str, Any] | None = None
    refused: Refusal | None = None

    @property
    def url(self) -> str:
        """Where the job is; without what stood in the endpoint behind owner and name."""
        return f"{self.origin}/fal/queue/{self.app}/requests/{self.id}"

    @property
    def gone(self) -> bool:
        return time.monotonic() > self.until

    def say(self, message: str) -> None:
        self.logs.append({"message": message, "level": "INFO", "source": "sandbox", "timestamp": now()})

    async def stopped_within(self, seconds: float) -> bool:
        if not seconds:
            return self.stop.is_set()
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Jobs:
    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._desk = painter.desk
        self._runners = asyncio.Semaphore(RUNNERS)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: list[Job] = []

    async def add(self, job: Job) -> None:
        """Takes a job. One whose answer nobody will see is charged at once."""
        self._jobs[job.id] = job
        while len(self._jobs) > KEPT:
            self._jobs.popitem(last=False)
        job.call.handle, job.ahead = job.id, job.act.queue
        if job.act.withholds:
            await self._bill(job, Outcome.WITHHELD)
        self._desk.keep(self._run(job))

    def find(self, id: str) -> Job | None:
        job = self._jobs.get(id)
        return None if job is None or job.gone else job

    def position(self, job: Job) -> int:
        """How many are before it."""
        return job.ahead or (self._waiting.index(job) if job in self._waiting else 0)

    async def _run(self, job: Job) -> None:
        self._waiting.append(job)
        try:
            while job.ahead and not await job.stopped_within(PLACE_SECONDS):
                job.ahead -= 1
            async with self._runners:
                self._waiting.remove(job)
                await self._work(job)
        finally:
            self._end(job)

    async def _work(self, job: Job) -> None:
        if job.stop.is_set():
            job.refused = errors.refuse("cancelled", 499)
            return
        job.stage, job.begun = Stage.RUNNING, time.monotonic()
        job.say("Drawing.")
        late = refusal(job.act, errors.refuse) if job.act.refuses_late else None
        asked = late or job.asked
        if isinstance(asked, Refusal):
            job.refused = asked
            return
        if await job.stopped_within(self._desk.pause(job.act)) and job.act.cancel != "ignored":
            job.refused = errors.refuse("cancelled", 499)
            await self._bill(job, Outcome.CANCELLED)
            return
        job.output = await self._painter.paint(asked, job.origin, job.act)
        await self._bill(job, Outcome.ANSWERED)
        job.say("Done.")

    async def _bill(self, job: Job, outcome: Outcome) -> None:
        if isinstance(job.asked, Asked) and not job.billed:
            job.billed = True
            await self._desk.ledger.bill(job.call, job.asked.price, outcome)

    def _end(self, job: Job) -> None:
        large = len(repr(job.output)) >= LARGE_BYTES
        kept: float = 30 * DAY if job.stores else LARGE_SECONDS if large else SMALL_SECONDS
        kept = kept if job.act.expires_seconds is None else job.act.expires_seconds
        ended = time.monotonic()
        job.stage, job.until = Stage.DONE, ended + kept
        job.spent = ended - job.begun if job.begun else 0.0
