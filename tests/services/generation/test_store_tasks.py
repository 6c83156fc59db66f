"""Leases: one holder at a time, and a former one can change nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from asyncpg import Pool

from services.generation import store_tasks
from services.generation.states import Task
from services.generation.store_tasks import End, Held, Lease, LostLease
from tests.services.generation.conftest import PROJECT, Workshop

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
    held = await store_tasks.claim_task(db, worker, lease)
    assert held is not None
    return held


async def _taken_over(db: Pool, worker: str = "second") -> Held:
    held = await store_tasks.take_over(db, worker, LONG)
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


async def test_many_claim_at_once_and_each_task_has_one_holder(workshop: Workshop) -> None:
    for _ in range(6):
        await workshop.create()

    claims = await asyncio.gather(
        *(store_tasks.claim_task(workshop.db, f"worker-{number}", LONG) for number in range(12))
    )

    held = [claim.lease.task for claim in claims if claim]
    assert len(held) == len(set(held)) == 6


async def test_a_provider_never_has_more_tasks_open_than_its_slots(workshop: Workshop) -> None:
    for _ in range(3):
        await workshop.create("stoppable")
    await workshop.create("plain")

    claims = await asyncio.gather(
        *(store_tasks.claim_task(workshop.db, f"worker-{number}", LONG) for number in range(8))
    )

    assert sorted(claim.provider for claim in claims if claim) == ["providers/plain", "providers/stoppable"]


async def test_users_take_turns(workshop: Workshop) -> None:
    for _ in range(4):
        await workshop.create()
    await workshop.db.execute("UPDATE tasks SET creator = 'users/flooding'")
    await workshop.create()

    served = [(await _claimed(workshop.db)).creator for _ in range(3)]

    assert served == ["users/flooding", "users/ada", "users/flooding"]


async def test_only_who_vanished_has_died(workshop: Workshop) -> None:
    await workshop.create()
    first = await _claimed(workshop.db)
    await store_tasks.let_go(workshop.db, first.lease)

    released = await _taken_over(workshop.db)
    await store_tasks.give_up(workshop.db, released.lease)
    died = await _taken_over(workshop.db, "third")

    assert (released.deaths, died.deaths) == (0, 1)


async def test_a_held_task_is_nobody_elses(workshop: Workshop) -> None:
    await workshop.create()
    await _claimed(workshop.db)

    assert await store_tasks.take_over(workshop.db, "second", LONG) is None
    assert await store_tasks.claim_task(workshop.db, "second", LONG) is None


async def test_a_task_that_was_put_back_waits_its_time(workshop: Workshop) -> None:
    await workshop.create()
    held = await _claimed(workshop.db)
    await store_tasks.put_back(workshop.db, held.lease, LONG)
    assert await store_tasks.claim_task(workshop.db, "second", LONG) is None

    await workshop.db.execute("UPDATE tasks SET run_at = now()")

    assert (await _claimed(workshop.db, "second")).lease.epoch == 2


async def test_a_task_carries_what_is_to_be_sent(workshop: Workshop) -> None:
    generation = await workshop.create(count=3, seed=9)

    first, second = await _claimed(workshop.db), await _claimed(workshop.db)

    assert (first.first_index, first.call.count, first.call.seed) == (0, 2, 9)
    assert (second.first_index, second.call.count, second.call.seed) == (2, 1, 11)
    assert (first.name, first.project, first.creator) == (generation.name, PROJECT, "users/ada")
    assert first.profile.revision == 7


async def _bring_to(db: Pool, lease: Lease, state: Task) -> None:
    if state is Task.CLAIMED:
        return
    await store_tasks.begin_attempt(db, lease, "first-attempt")
    if state is Task.SUBMITTED:
        await store_tasks.keep_handle(db, lease, {"id": "kept"})
    if state is Task.FETCHING:
        await store_tasks.keep_answer(db, lease, 1, None)
