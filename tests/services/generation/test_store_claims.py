"""Claims: one holder for a task, turns for users, slots for providers."""

import asyncio
from datetime import timedelta

from asyncpg import Pool

from services.generation import store_claims, store_tasks
from services.generation.store_claims import Held
from tests.services.generation.claims import claim_task
from tests.services.generation.conftest import PROJECT, Workshop

LONG = timedelta(minutes=1)


async def _claimed(db: Pool, worker: str = "first", lease: timedelta = LONG) -> Held:
    held = await claim_task(db, worker, lease)
    assert held is not None
    return held


async def _taken_over(db: Pool, worker: str = "second") -> Held:
    held = await store_claims.take_over(db, worker, LONG)
    assert held is not None
    return held


async def test_many_claim_at_once_and_each_task_has_one_holder(workshop: Workshop) -> None:
    for _ in range(6):
        await workshop.create()

    claims = await asyncio.gather(
        *(claim_task(workshop.db, f"worker-{number}", LONG) for number in range(12))
    )

    held = [claim.lease.task for claim in claims if claim]
    assert len(held) == len(set(held)) == 6


async def test_a_provider_never_has_more_tasks_open_than_its_slots(workshop: Workshop) -> None:
    for _ in range(3):
        await workshop.create("stoppable")
    await workshop.create("plain")

    claims = await asyncio.gather(*(claim_task(workshop.db, f"worker-{number}", LONG) for number in range(8)))

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

    assert await store_claims.take_over(workshop.db, "second", LONG) is None
    assert await claim_task(workshop.db, "second", LONG) is None


async def test_a_task_that_was_put_back_waits_its_time(workshop: Workshop) -> None:
    await workshop.create()
    held = await _claimed(workshop.db)
    await store_tasks.put_back(workshop.db, held.lease, LONG)
    assert await claim_task(workshop.db, "second", LONG) is None

    await workshop.db.execute("UPDATE tasks SET run_at = now()")

    assert (await _claimed(workshop.db, "second")).lease.epoch == 2


async def test_a_task_carries_what_is_to_be_sent(workshop: Workshop) -> None:
    generation = await workshop.create(count=3, seed=9)

    first, second = await _claimed(workshop.db), await _claimed(workshop.db)

    assert (first.first_index, first.call.count, first.call.seed) == (0, 2, 9)
    assert (second.first_index, second.call.count, second.call.seed) == (2, 1, 11)
    assert (first.name, first.project, first.creator) == (generation.name, PROJECT, "users/ada")
    assert first.profile.revision == 7
