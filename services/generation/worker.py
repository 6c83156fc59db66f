"""Takes tasks from the queue and works on several at once, until it is asked to stop."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

import structlog

from runtime import database
from runtime.names import new_id
from services.generation import store_tasks
from services.generation.attempt import Parts, work
from services.generation.keeper import Keeper
from services.generation.store_tasks import Held, LostLease
from services.generation.trouble import TROUBLE

log = structlog.get_logger()

# The queue is asked this often, whatever notifications say; spread, so that processes do not ask together.
POLL_SECONDS = (0.5, 1.5)


@dataclass(frozen=True)
class Running:
    """A task being worked on here."""

    held: Held
    keeper: Keeper


class Worker:
    """One process's share of the queue."""

    def __init__(self, parts: Parts, *, at_once: int, lease: timedelta) -> None:
        self._parts = parts
        self._lease = lease
        self._name = new_id()
        self._free = asyncio.Semaphore(at_once)
        self._news = asyncio.Event()
        self._running: dict[asyncio.Task[None], Running] = {}

    async def run(self, url: str, draining: asyncio.Event, drain_seconds: float) -> None:
        """Work until `draining`; then finish what has begun, and let go of what takes longer."""
        listening = asyncio.create_task(database.listen(url, "tasks", self._heard))
        claiming = asyncio.create_task(self._claim())
        stopping = asyncio.create_task(draining.wait())
        try:
            await asyncio.wait((listening, claiming, stopping), return_when=asyncio.FIRST_COMPLETED)
            claiming.cancel()
            await asyncio.wait((claiming,))
            if self._running:
                await asyncio.wait(self._running, timeout=drain_seconds)
        finally:
            for task in (listening, claiming, stopping):
                task.cancel()
            await asyncio.wait((listening, claiming, stopping))
            await self._let_go()
        # A bug in one of the two is not to be slept through.
        for task in (listening, claiming):
            if not task.cancelled():
                task.result()

    async def _claim(self) -> None:
        while True:
            await self._free.acquire()
            try:
                claimed_at, held = await self._next()
            except asyncio.CancelledError:
                self._free.release()
                raise
            keeper = Keeper(self._parts.db, held.lease, self._lease, claimed_at)
            task = asyncio.create_task(self._work(held, keeper))
            self._running[task] = Running(held, keeper)
            task.add_done_callback(self._done)

    async def _next(self) -> tuple[float, Held]:
        """Wait for a task. Cancelled in the middle of a claim it may hold one for the length of a lease."""
        while True:
            # Cleared before the look: what is queued during it is looked for again.
            self._news.clear()
            claimed_at = asyncio.get_running_loop().time()
            try:
                held = await store_tasks.claim_task(self._parts.db, self._name, self._lease)
            except TROUBLE as error:
                log.warning("database.lost", error=type(error).__name__)
                held = None
            if held is not None:
                return claimed_at, held
            try:
                async with asyncio.timeout(random.uniform(*POLL_SECONDS)):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _work(self, held: Held, keeper: Keeper) -> None:
        lease = held.lease
        log.info(
            "task.claimed", task=lease.task, epoch=lease.epoch, state=str(held.state), deaths=held.deaths
        )
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(keeper.keep())
                await work(self._parts, held, keeper)
                keeping.cancel()
        except* LostLease:
            log.warning("lease.lost", task=lease.task, epoch=lease.epoch)
        except* Exception:  # one poisonous task must not end the others
            log.exception("task.crashed", task=lease.task)
            await self._give_up(held)

    async def _give_up(self, held: Held) -> None:
        """Count this as a death, and let the task be judged by its rows at once."""
        try:
            await store_tasks.give_up(self._parts.db, held.lease)
        except (*TROUBLE, LostLease) as error:
            log.warning("task.abandoned", task=held.lease.task, error=type(error).__name__)

    async def _let_go(self) -> None:
        """Leave what is still running to others, who go on where its rows say it is."""
        left = dict(self._running)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        for running in left.values():
            try:
                await store_tasks.let_go(self._parts.db, running.held.lease)
            except (*TROUBLE, LostLease) as error:
                log.warning("task.abandoned", task=running.held.lease.task, error=type(error).__name__)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._free.release()
        # Its provider may have had no other slot.
        self._news.set()

    def _heard(self, said: str) -> None:
        """Look: for new tasks, and whether the end of one that runs here was asked for."""
        self._news.set()
        for running in self._running.values():
            if said in ("", running.held.generation):
                running.keeper.look()
