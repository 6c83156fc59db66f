"""Leases: one holder at a time, and a former one can change nothing."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from asyncpg import Pool

from services.generation import store_claims, store_tasks
from services.generation.states import Task
from services.generation.store_claims import Held
from services.generation.store_tasks import End, Lease, LostLease
from tests.services.generation.claims import claim_task
from tests.services.generation.conftest import Workshop

LONG = timedelta(minutes=1)
OVER = timedelta(seconds=-1)

# Everything a worker ever writes.
WRITES: dict[str, Callable[[Pool, Lease], Awaitable[object]]] = {
    "renew": lambda db, lease: store_tasks.renew_lease(db, lease, LONG),
    "begin": lambda db, lease: store_tasks.begin_attempt(db, lease, "an-attempt"),
    "handle": lambda db, lease: store_tasks.keep_handle(db, lease, {"id": "stale"}),
    "answer": lambda db, lease: store_tasks.keep_answer(db, lease, 1, None),
    "finish": lambda db, lease: store_tasks.finish_task(db, lease, End(Task.FAILED)),
    "put back": lambda db, lease: store_tasks.put_back(db, lease, timedelta()),
    "let go": store_tasks.let_go,
    "give up": store_tasks.give_up,
    "hold": store_tasks.hold_task,
}


async def _claimed(db: Pool, worker: str = "first", lease: timedelta = LONG) -> Held:
    held = await claim_task(db, worker, lease)
    assert held is not None
    return held


async def _taken_over(db: Pool, worker: str = "second") -> Held:
    held = await store_claims.take_over(db, worker, LONG)
    assert held is not None
    return held


@pytest.mark.parametrize("state", [Task.CLAIMED, Task.DISPATCHING, Task.SUBMITTED, Task.FETCHING])
async def test_whoever_lost_a_task_can_write_nothing(workshop: Workshop, state: Task) -> None:
    await workshop.create()
    stale = await _claimed(workshop.db, lease=OVER)
    await _bring_to(workshop.db, stale.lease, state)
    await workshop.db.execute("UPDATE tasks SET lease_end = now() - interval '1 second'")
    taken = await _taken_over(workshop.db)
    before = await workshop.db.fetchrow("SELECT * FROM tasks")

    for write in WRITES.values():
        with pytest.raises(LostLease):
            await write(workshop.db, stale.lease)

    assert await workshop.db.fetchrow("SELECT * FROM tasks") == before
    assert (taken.lease.epoch, taken.state) == (stale.lease.epoch + 1, state)


async def test_without_the_fence_a_late_worker_overwrites_paid_work(workshop: Workshop) -> None:
    """The damage that the fence prevents: kept, so that a checker gone blind is noticed."""
    await workshop.create()
    stale = await _claimed(workshop.db, lease=OVER)
    await _bring_to(workshop.db, stale.lease, Task.FETCHING)
    await _taken_over(workshop.db)

    # What finish_task would be with a completion by id alone.
    await workshop.db.execute(
        "UPDATE tasks SET state = 'FAILED', worker = NULL, lease_end = NULL WHERE id = $1", stale.lease.task
    )

    assert await workshop.db.fetchval("SELECT state FROM tasks") == "FAILED"
    with pytest.raises(LostLease):
        await store_tasks.finish_task(workshop.db, Lease(stale.lease.task, 2, "second"), End(Task.SUCCEEDED))


async def _bring_to(db: Pool, lease: Lease, state: Task) -> None:
    if state is Task.CLAIMED:
        return
    await store_tasks.begin_attempt(db, lease, "first-attempt")
    if state is Task.SUBMITTED:
        await store_tasks.keep_handle(db, lease, {"id": "kept"})
    if state is Task.FETCHING:
        await store_tasks.keep_answer(db, lease, 1, None)
