"""Keeping a lease, and giving it up in time."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from services.generation import store_tasks
from services.generation.keeper import Keeper
from services.generation.states import Task
from services.generation.store_claims import Held
from services.generation.store_tasks import End, LostLease
from services.generation.trouble import persist
from tests.services.generation.claims import claim_task
from tests.services.generation.conftest import Workshop

SHORT = timedelta(seconds=0.6)


async def claimed(workshop: Workshop) -> Held:
    await workshop.create()
    held = await claim_task(workshop.db, "worker", SHORT)
    assert held is not None
    return held


def keeper(workshop: Workshop, held: Held, length: timedelta = SHORT) -> Keeper:
    return Keeper(workshop.db, held.lease, length, asyncio.get_running_loop().time())


async def test_a_lease_that_cannot_be_renewed_is_given_up_before_it_ends(workshop: Workshop) -> None:
    held = await claimed(workshop)
    # A pool whose database has gone.
    away = await asyncpg.create_pool(workshop.url, min_size=0)
    await away.close()
    began = asyncio.get_running_loop().time()

    with pytest.raises(LostLease):
        await Keeper(away, held.lease, SHORT, began).keep()

    assert asyncio.get_running_loop().time() - began >= SHORT.total_seconds() * 2 / 3


async def test_whoever_slept_through_its_lease_knows_before_it_looks(workshop: Workshop) -> None:
    held = await claimed(workshop)
    sleeper = Keeper(workshop.db, held.lease, SHORT, asyncio.get_running_loop().time() - 1)

    with pytest.raises(LostLease):
        sleeper.certain()


async def test_a_cancel_is_heard_at_the_next_look(workshop: Workshop) -> None:
    held = await claimed(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    keeping = keeper(workshop, held, timedelta(minutes=1))
    task = asyncio.create_task(keeping.keep())
    await asyncio.sleep(0)
    await store_tasks.cancel_tasks(workshop.db, held.generation)

    keeping.look()
    async with asyncio.timeout(5):
        await keeping.cancel_asked.wait()

    task.cancel()
    await asyncio.wait((task,))


async def test_the_end_of_a_task_is_not_a_loss(workshop: Workshop) -> None:
    held = await claimed(workshop)
    keeping = keeper(workshop, held, timedelta(minutes=1))
    task = asyncio.create_task(keeping.keep())
    await asyncio.sleep(0)

    async with keeping.last_write():
        keeping.look()
        await asyncio.sleep(0.05)
        await store_tasks.finish_task(workshop.db, held.lease, End(Task.FAILED))

    async with asyncio.timeout(5):
        await task


async def test_a_transaction_is_done_again_while_the_database_is_away() -> None:
    tries = 0

    async def third_time() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionRefusedError
        return "done"

    assert (await persist(third_time), tries) == ("done", 3)
