"""Taking a task over from a worker that is gone: nothing is bought twice, nothing bought is lost."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1.images_pb2 import StagedImage

from runtime.failure import Failure
from services.generation import store_tasks
from services.generation.providers import Accepted, Event, Finished, Image, Task
from services.generation.store_claims import Held
from services.generation.store_tasks import LostLease
from tests.services.generation.claims import claim_task
from tests.services.generation.conftest import Workshop, until
from tests.services.generation.fakes import PICTURE, failing, hanging

_G = pb.Generation
_LONG = timedelta(minutes=1)


async def dying(workshop: Workshop) -> Held:
    """A worker's claim, just before it vanishes."""
    held = await claim_task(workshop.db, "dead", _LONG)
    assert held is not None
    return held


async def vanish(workshop: Workshop) -> None:
    """The worker is killed, and its lease has run out."""
    await workshop.db.execute("UPDATE tasks SET lease_end = now() - interval '1 s' WHERE worker IS NOT NULL")


async def stage(workshop: Workshop, held: Held, indexes: Sequence[int]) -> list[StagedImage]:
    return [await workshop.parts.drafts.stage(held, index, PICTURE + bytes([index])) for index in indexes]


async def taken_over(workshop: Workshop, generation: pb.Generation) -> pb.Generation:
    await vanish(workshop)
    async with workshop.working():
        return await workshop.ended(generation)


def reason_of(generation: pb.Generation) -> ErrorReason | None:
    failure = Failure.from_status(generation.error)
    return failure.reason if failure else None


async def test_killed_before_sending_it_is_drawn_by_the_next(workshop: Workshop) -> None:
    generation = await workshop.create()
    await dying(workshop)

    ended = await taken_over(workshop, generation)

    assert (ended.state, len(workshop.plain.asked)) == (_G.SUCCEEDED, 1)


async def test_killed_between_staging_and_finish_nothing_is_bought_again(workshop: Workshop) -> None:
    generation = await workshop.create(count=2)
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    await stage(workshop, held, [0, 1])
    workshop.images.away = 3

    ended = await taken_over(workshop, generation)

    assert (ended.state, [image.index for image in ended.images]) == (_G.SUCCEEDED, [0, 1])
    assert not ended.HasField("error") and not ended.may_have_been_billed
    assert not workshop.plain.asked


@pytest.mark.parametrize("committed", [False, True])
async def test_killed_around_the_commit_the_generation_gets_its_pictures(
    workshop: Workshop, *, committed: bool
) -> None:
    generation = await workshop.create(count=2)
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    staged = await stage(workshop, held, [0, 1])
    await store_tasks.keep_answer(workshop.db, held.lease, 2, None)
    if committed:
        await workshop.parts.drafts.commit(held, staged)

    ended = await taken_over(workshop, generation)

    assert ended.state == _G.SUCCEEDED
    assert {image.image for image in ended.images} == {i.name for i in workshop.images.committed.values()}
    assert not workshop.plain.asked


async def test_killed_with_a_part_of_the_answer_the_part_is_kept(workshop: Workshop) -> None:
    generation = await workshop.create(count=2)
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    await stage(workshop, held, [1])

    ended = await taken_over(workshop, generation)

    assert (ended.state, [image.index for image in ended.images]) == (_G.PARTIALLY_SUCCEEDED, [1])
    assert (ended.may_have_been_billed, reason_of(ended)) == (True, ErrorReason.ANSWER_LOST)


async def test_killed_while_sending_it_is_not_sent_again(workshop: Workshop) -> None:
    generation = await workshop.create()
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")

    ended = await taken_over(workshop, generation)

    assert (ended.state, ended.may_have_been_billed) == (_G.UNKNOWN, True)
    assert not workshop.plain.asked
    assert await workshop.db.fetchval("SELECT outcome FROM attempts") == "LOST"


async def test_killed_after_the_handle_was_stored_the_next_goes_on_with_it(workshop: Workshop) -> None:
    generation = await workshop.create("queue")
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    await store_tasks.keep_handle(workshop.db, held.lease, {"id": "7"})

    ended = await taken_over(workshop, generation)

    assert ended.state == _G.SUCCEEDED
    assert (workshop.queue.resumed, workshop.queue.asked) == ([{"id": "7"}], [])


async def test_a_handle_of_no_use_ends_unknown(workshop: Workshop) -> None:
    generation = await workshop.create()
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    await store_tasks.keep_handle(workshop.db, held.lease, {"id": "7"})

    ended = await taken_over(workshop, generation)

    assert (ended.state, ended.may_have_been_billed) == (_G.UNKNOWN, True)


async def test_while_the_provider_has_it_a_lost_look_is_repeated(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.generation.attempt.RESUME_SECONDS", 0.01)

    async def accepted_then_lost(task: Task) -> AsyncGenerator[Event, None]:
        yield Accepted({"id": "7"})
        raise Failure(ErrorReason.PROVIDER_UNAVAILABLE, "No route.")

    workshop.queue.script = accepted_then_lost
    generation = await workshop.create("queue")

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, len(workshop.queue.asked), len(workshop.queue.resumed)) == (_G.SUCCEEDED, 1, 1)


async def test_an_answer_staged_but_gone_from_media_is_a_failure_that_was_billed(workshop: Workshop) -> None:
    generation = await workshop.create()
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    await store_tasks.keep_answer(workshop.db, held.lease, 1, None)

    ended = await taken_over(workshop, generation)

    assert (ended.state, ended.may_have_been_billed) == (_G.FAILED, True)
    assert not workshop.plain.asked


async def test_what_was_staged_is_saved_even_after_the_deadline(workshop: Workshop) -> None:
    generation = await workshop.create()
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    await stage(workshop, held, [0])
    await workshop.db.execute("UPDATE tasks SET deadline = now() - interval '1 hour'")

    assert (await taken_over(workshop, generation)).state == _G.SUCCEEDED


async def test_a_frozen_worker_changes_nothing_when_it_thaws(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    thaw = asyncio.Event()
    reached = asyncio.Event()

    async def freezing(task: Task) -> AsyncGenerator[Event, None]:
        reached.set()
        await thaw.wait()
        yield Image(0, PICTURE)
        yield Finished()

    workshop.plain.script = freezing
    generation = await workshop.create()
    # It hears nothing, renews nothing and takes nothing.
    frozen = workshop.worker(at_once=1, lease=timedelta(minutes=5))
    monkeypatch.setattr(frozen, "_heard", lambda said: None)
    async with workshop.working(frozen):
        await reached.wait()
        await vanish(workshop)
        async with workshop.working():
            ended = await workshop.ended(generation)
        before = await workshop.task(generation)
        thaw.set()
        await until(lambda: workshop.plain.closed == 1)

    assert ended.state == _G.UNKNOWN
    assert await workshop.task(generation) == before
    assert not workshop.images.staged and workshop.images.refused == 1
    assert await workshop.stub.GetGeneration(pb.GetGenerationRequest(name=generation.name)) == ended


async def test_media_refuses_whoever_was_fenced_out(workshop: Workshop) -> None:
    generation = await workshop.create()
    held = await dying(workshop)
    await store_tasks.begin_attempt(workshop.db, held.lease, "attempt")
    staged = await stage(workshop, held, [0])
    await taken_over(workshop, generation)

    with pytest.raises(LostLease):
        await stage(workshop, held, [0])
    with pytest.raises(LostLease):
        await workshop.parts.drafts.commit(held, staged)
    with pytest.raises(LostLease):
        await workshop.parts.drafts.fence(held)


async def test_switched_off_in_between_what_has_a_handle_is_not_called_again(workshop: Workshop) -> None:
    workshop.queue.script, reached = hanging(Accepted({"id": "7"}))
    generation = await workshop.create("queue")
    async with workshop.working():
        await reached.wait()
    workshop.config.now.settings.images_enabled = False
    await workshop.reconfigured()

    ended = await taken_over(workshop, generation)

    assert (ended.state, workshop.queue.resumed) == (_G.UNKNOWN, [])


async def test_after_an_answer_there_is_no_second_try(workshop: Workshop) -> None:
    async def half(task: Task) -> AsyncGenerator[Event, None]:
        yield Image(0, PICTURE)
        raise Failure(ErrorReason.PROVIDER_UNAVAILABLE, "Gone.")

    workshop.plain.script = half
    whole, none = await workshop.create(count=2), await workshop.create("queue")
    workshop.queue.script = failing(ErrorReason.CALL_REFUSED)

    async with workshop.working():
        ended = [await workshop.ended(generation) for generation in (whole, none)]

    assert [generation.state for generation in ended] == [_G.PARTIALLY_SUCCEEDED, _G.FAILED]
    assert len(workshop.plain.asked) == len(workshop.queue.asked) == 1
