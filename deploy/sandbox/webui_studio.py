"""The one graphics card of the stand-in WebUI: one picture at a time, one progress for everybody."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image

from deploy.sandbox.desk import Desk
from deploy.sandbox.drawing.guide import Guide
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.pieces import Text
from deploy.sandbox.scripts import Act
from deploy.sandbox.webui_facts import Txt2Img


@dataclass
class Job:
    """A call that holds the card."""

    asked: Txt2Img
    prompt: str
    seed: int
    form: Form
    seconds: float
    id: str = ""
    guide: Guide | None = None
    begun: float = field(default_factory=time.monotonic)
    stamp: str = field(default_factory=lambda: f"{datetime.now():%Y%m%d%H%M%S}")  # noqa: DTZ005 - local, as the real one
    number: int = 0
    round_begun: float = field(default_factory=time.monotonic)
    interrupted: bool = False
    skipped: bool = False
    shown: asyncio.Task[Image.Image] | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def round_fraction(self) -> float:
        """How much of the current round of pictures is done."""
        spent = time.monotonic() - self.round_begun
        return min(1.0, spent / self.seconds) if self.seconds else 0.0

    def progress(self) -> float:
        rounds = self.asked.n_iter
        return min(1.0, 0.01 + (self.number + self.round_fraction()) / rounds)

    def begin(self, number: int) -> None:
        """Start the next round."""
        self.number, self.round_begun, self.skipped, self.shown = number, time.monotonic(), False, None
        self.stop.clear()

    def subjects(self) -> list[Subject]:
        """What the current round draws."""
        asked, first = self.asked, self.seed + self.number * self.asked.batch_size
        seeds = range(first, first + asked.batch_size)
        return [Subject(self.prompt, seed, asked.width, asked.height, self.guide) for seed in seeds]


class Studio:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._card = asyncio.Lock()
        self._kept: set[asyncio.Task[list[Text]]] = set()
        self.queued: list[str] = []
        self.completed: list[str] = []
        self.job: Job | None = None

    async def run(self, make: Callable[[], Job], task: str, act: Act) -> tuple[Job, list[Text]]:
        """The pictures of a job, in base64. It runs to its end even when nobody waits for it any more."""
        self.queued.append(task)
        started: list[Job] = []
        work = asyncio.create_task(self._hold(make, task, act, started))
        self._kept.add(work)
        work.add_done_callback(self._kept.discard)
        pictures = await asyncio.shield(work)
        return started[0], pictures

    async def _hold(self, make: Callable[[], Job], task: str, act: Act, started: list[Job]) -> list[Text]:
        async with self._card:
            self.queued.remove(task)
            self.job = make()
            started.append(self.job)
            try:
                return await self._draw(self.job, act)
            finally:
                self.job = None
                self.completed = [*self.completed[-15:], task]

    async def _draw(self, job: Job, act: Act) -> list[Text]:
        pictures: list[Text] = []
        for number in range(job.asked.n_iter):
            job.begin(number)
            pictures += await self._round(job, act)
            if job.interrupted:
                break
        return pictures

    async def _round(self, job: Job, act: Act) -> list[Text]:
        """The pictures that are made side by side; unfinished ones when somebody stopped them."""
        desk, subjects = self._desk, job.subjects()
        if desk.at_once(act):
            return [await desk.draw(subject, job.form, act) for subject in subjects]
        paintings = [asyncio.create_task(desk.paint(subject, job.form)) for subject in subjects]
        job.shown = paintings[0]
        stopped = await _stopped_within(job)
        fraction = job.round_fraction()
        pictures = []
        for subject, painting in zip(subjects, paintings, strict=True):
            if stopped:
                pictures.append(await desk.sketch(await painting, subject, job.form, fraction))
            else:
                pictures.append(await desk.write(await painting, subject, job.form, act))
        return pictures

    def interrupt(self) -> None:
        if self.job:
            self.job.interrupted = True
            self.job.stop.set()

    def skip(self) -> None:
        if self.job:
            self.job.skipped = True
            self.job.stop.set()

    async def preview(self) -> bytes | None:
        """The picture in the making, small; None when there is nothing to see yet."""
        job = self.job
        if job is None or job.shown is None or not job.shown.done():
            return None
        return await self._desk.preview(job.shown.result(), job.subjects()[0], job.round_fraction())

    def state(self) -> dict[str, Any]:
        job = self.job
        steps = job.asked.steps if job else 0
        return {
            "skipped": bool(job and job.skipped),
            "interrupted": bool(job and job.interrupted),
            "stopping_generation": False,
            "job": f"Batch {job.number + 1} out of {job.asked.n_iter}" if job else "",
            "job_count": job.asked.n_iter if job else 0,
            "job_timestamp": job.stamp if job else "0",
            "job_no": job.number if job else 0,
            "sampling_step": round(job.round_fraction() * steps) if job else 0,
            "sampling_steps": steps,
        }

    def eta(self) -> float:
        """Seconds left, as far as one can tell."""
        if self.job is None:
            return 0.0
        spent = time.monotonic() - self.job.begun
        return max(0.0, spent / self.job.progress() - spent)


async def _stopped_within(job: Job) -> bool:
    if not job.seconds:
        return False
    try:
        await asyncio.wait_for(job.stop.wait(), job.seconds)
    except TimeoutError:
        return False
    return True
