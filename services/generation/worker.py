"""Takes tasks from the queue and works on several at once, until it is asked to stop."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

import structlog

from runtime import database
from runtime.names import new_id
from services.generation import store_claims, store_tasks
from services.generation.attempt import Parts, work
from services.generation.keeper import Keeper
from services.generation.store_claims import Held
from services.generation.store_tasks import LostLease
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
        self._at_once = at_once
        self._lease = lease
        self._name = new_id()
        self._news = asyncio.Event()
        self._look_for_dead_at = 0.0
        self._running: dict[asyncio.Task[None], Running] = {}

    async def run(self, url: str, draining: asyncio.Event, drain_seconds: float) -> None:
        """Work until `draining`; then finish what has begun, and let go of what takes longer."""
        listening = asyncio.create_task(database.listen(url, "tasks", self._heard))
        waking = asyncio.create_task(self._wake(draining))
        try:
            await self._claim(draining)
            if self._running:
                await asyncio.wait(self._running, timeout=drain_seconds)
        finally:
            listening.cancel()
            waking.cancel()
            await asyncio.gather(listening, waking, return_exceptions=True)
            await self._let_go()

    async def _wake(self, draining: asyncio.Event) -> None:
        await draining.wait()
        self._news.set()

    async def _claim(self, draining: asyncio.Event) -> None:
        while not draining.is_set():
            # Cleared before the look: what is queued during it is looked for again.
            self._news.clear()
            claimed_at = asyncio.get_running_loop().time()
            free = self._at_once - len(self._running)
            claimed = await self._next(free) if free else []
            for held in claimed:
                self._begin(held, claimed_at)
            if len(claimed) < free or not free:
                await self._pause()

    def _begin(self, held: Held, claimed_at: float) -> None:
        keeper = Keeper(self._parts.db, held.lease, self._lease, claimed_at)
        task = asyncio.create_task(self._work(held, keeper))
        self._running[task] = Running(held, keeper)
        task.add_done_callback(self._done)

    async def _next(self, most: int) -> list[Held]:
        now = asyncio.get_running_loop().time()
        try:
            if now >= self._look_for_dead_at:
                held = await store_claims.take_over(self._parts.db, self._name, self._lease)
                if held is not None:
                    self._news.set()
                    return [held]
                self._look_for_dead_at = now + POLL_SECONDS[0]
            return await store_claims.claim_tasks(self._parts.db, self._name, self._lease, most)
        except TROUBLE as error:
            log.warning("database.lost", error=type(error).__name__)
            return []

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(random.uniform(*POLL_SECONDS)):
                await self._news.wait()
        except TimeoutError:
            return

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
        self._look_for_dead_at = 0.0
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
        # Its provider may have had no other slot.
        self._news.set()

    def _heard(self, said: str) -> None:
        """Look: for new tasks, and whether the end of one that runs here was asked for."""
        self._news.set()
        for running in self._running.values():
            if said in ("", running.held.generation):
                running.keeper.look()
