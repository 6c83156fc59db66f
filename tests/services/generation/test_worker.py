"""Work on tasks: what is drawn, what fails, what is stopped, and how."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from google.protobuf.struct_pb2 import Struct
from google.type.money_pb2 import Money
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.failure import Failure
from services.generation.providers import Accepted, Adaptation, Event, Finished, Image, Progress, Task
from tests.house import failure_of
from tests.services.generation.conftest import Workshop, until
from tests.services.generation.fakes import PICTURE, all_at_once, failing, hanging

_G = pb.Generation


def reason_of(generation: pb.Generation) -> ErrorReason:
    failure = Failure.from_status(generation.error)
    assert failure is not None
    return failure.reason


async def cancel(workshop: Workshop, generation: pb.Generation) -> pb.Generation:
    request = pb.CancelGenerationRequest(name=generation.name)
    cancelled: pb.Generation = await workshop.stub.CancelGeneration(request)
    return cancelled


async def test_a_generation_becomes_drafts_and_tells_how(workshop: Workshop) -> None:
    generation = await workshop.create(count=3, seed=5)

    async with workshop.working():
        events = await workshop.watched(generation)

    assert [event.number for event in events] == list(range(1, len(events) + 1))
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[:2] == ["queued", "started"] and kinds[-1] == "finished" and kinds.count("image_ready") == 3
    ended = events[-1].finished.generation
    assert ended.state == _G.SUCCEEDED and not ended.HasField("error") and not ended.may_have_been_billed
    assert [(image.index, image.seed) for image in ended.images] == [(0, 0), (1, 1), (2, 0)]
    assert ended == await workshop.stub.GetGeneration(pb.GetGenerationRequest(name=generation.name))
    assert {image.creator for image in workshop.images.committed.values()} == {"users/ada"}


async def test_what_is_known_only_afterwards_is_told(workshop: Workshop) -> None:
    changed = Adaptation("size", "64x64", "32x32", "It chose so.")

    async def script(task: Task) -> AsyncGenerator[Event, None]:
        yield Image(0, PICTURE)
        yield Finished(usage={"images": 1}, adaptations=[changed])

    workshop.plain.script = script
    price = Struct()
    price.update({"price_per_image": 0.04})
    workshop.config.now.profiles[0].model_config.CopyFrom(price)
    await workshop.reconfigured()
    generation = await workshop.create()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert ended.cost == Money(currency_code="USD", nanos=40_000_000)
    assert [change.sent for change in ended.plan.adaptations] == ["32x32"]


async def test_progress_is_told_but_not_every_step_of_it(workshop: Workshop) -> None:
    async def script(task: Task) -> AsyncGenerator[Event, None]:
        for step in range(200):
            yield Progress(fraction=step / 200)
        async for event in all_at_once(task):
            yield event

    workshop.plain.script = script
    generation = await workshop.create()

    async with workshop.working():
        events = await workshop.watched(generation)

    told = [event.progress.fraction for event in events if event.HasField("progress")]
    assert told[0] == 0 and len(told) < 20


@pytest.mark.parametrize(
    ("reason", "state", "billed"),
    [
        (ErrorReason.CONTENT_REFUSED, _G.FAILED, False),
        (ErrorReason.KEY_REJECTED, _G.FAILED, False),
        (ErrorReason.PROVIDER_RATE_LIMITED, _G.FAILED, False),
        (ErrorReason.ANSWER_UNUSABLE, _G.FAILED, True),
        (ErrorReason.ANSWER_LOST, _G.UNKNOWN, True),
    ],
)
async def test_a_failed_call_is_not_repeated_and_says_why(
    workshop: Workshop, reason: ErrorReason, state: int, *, billed: bool
) -> None:
    workshop.plain.script = failing(reason)
    generation = await workshop.create()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, ended.may_have_been_billed, reason_of(ended)) == (state, billed, reason)
    assert len(workshop.plain.asked) == 1
    assert await workshop.db.fetchval("SELECT reason FROM attempts") == ErrorReason.Name(reason)


async def test_what_was_never_sent_is_tried_again_a_few_times(workshop: Workshop) -> None:
    workshop.plain.script = failing(ErrorReason.PROVIDER_UNAVAILABLE)
    generation = await workshop.create()

    async with workshop.working():
        for tries in range(1, 4):
            await workshop.put_back(generation, tries)
            assert len(workshop.plain.asked) == tries
            await workshop.db.execute("UPDATE tasks SET run_at = '2000-01-01'")
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.FAILED, ErrorReason.PROVIDER_UNAVAILABLE)
    assert len(workshop.plain.asked) == await workshop.db.fetchval("SELECT count(*) FROM attempts") == 4


async def test_pictures_that_came_are_kept_when_the_rest_is_lost(workshop: Workshop) -> None:
    async def script(task: Task) -> AsyncGenerator[Event, None]:
        yield Image(0, PICTURE)
        raise Failure(ErrorReason.ANSWER_LOST, "Gone.")

    workshop.plain.script = script
    generation = await workshop.create(count=2)

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, len(ended.images)) == (_G.PARTIALLY_SUCCEEDED, 1)
    assert (ended.may_have_been_billed, reason_of(ended)) == (True, ErrorReason.ANSWER_LOST)


async def test_no_picture_and_one_that_is_none_are_unusable_answers(workshop: Workshop) -> None:
    async def nothing(task: Task) -> AsyncGenerator[Event, None]:
        yield Finished()

    workshop.plain.script = nothing
    workshop.images.unusable = True
    generations = [await workshop.create(), await workshop.create("queue")]

    async with workshop.working():
        ended = [await workshop.ended(generation) for generation in generations]

    assert [reason_of(generation) for generation in ended] == [ErrorReason.ANSWER_UNUSABLE] * 2
    assert all(generation.state == _G.FAILED and generation.may_have_been_billed for generation in ended)


async def test_pictures_that_media_does_not_take_were_paid_for(workshop: Workshop) -> None:
    async def no() -> None:
        raise Failure(ErrorReason.RESOURCE_NOT_FOUND, "Gone.")

    workshop.images.before_commit = no
    generation = await workshop.create()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, ended.may_have_been_billed) == (_G.FAILED, True)
    assert len(workshop.plain.asked) == 1


async def test_media_may_be_away_for_a_while(workshop: Workshop) -> None:
    workshop.images.away = 4
    generation = await workshop.create()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert ended.state == _G.SUCCEEDED
    assert len(workshop.plain.asked) == 1


async def test_a_bug_in_one_task_does_not_end_the_others(workshop: Workshop) -> None:
    async def broken(task: Task) -> AsyncGenerator[Event, None]:
        raise KeyError("a bug")
        yield

    workshop.plain.script = broken
    bad, good = await workshop.create(), await workshop.create("queue")

    async with workshop.working():
        ended = [await workshop.ended(generation) for generation in (bad, good)]

    assert [generation.state for generation in ended] == [_G.UNKNOWN, _G.SUCCEEDED]
    assert len(workshop.plain.asked) == 1


async def test_a_task_whose_workers_keep_dying_is_parked(workshop: Workshop) -> None:
    generation = await workshop.create()
    await workshop.db.execute(
        "UPDATE tasks SET state = 'CLAIMED', worker = 'dead', deaths = 2, lease_end = now() - interval '1 s'"
    )

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.FAILED, ErrorReason.TASK_PARKED)
    assert not workshop.plain.asked


async def test_the_switch_holds_between_accepting_and_sending(workshop: Workshop) -> None:
    generation = await workshop.create()
    workshop.config.now.settings.kill_switch = True
    await workshop.reconfigured()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.FAILED, ErrorReason.GENERATION_OFF)
    assert not workshop.plain.asked and not await workshop.db.fetchval("SELECT count(*) FROM attempts")


async def test_a_key_sealed_to_another_place_is_never_used(workshop: Workshop) -> None:
    workshop.config.sealed_to = "http://127.0.0.1:10"
    generation = await workshop.create()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.FAILED, ErrorReason.KEY_REJECTED)
    assert not workshop.plain.asked


async def test_what_is_sent_and_unanswered_at_the_deadline_is_unknown(workshop: Workshop) -> None:
    workshop.plain.script, _ = hanging()
    generation = await workshop.create()
    await workshop.db.execute("UPDATE tasks SET deadline = now() + interval '0.5 s'")

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.UNKNOWN, ErrorReason.GENERATION_EXPIRED)
    assert ended.may_have_been_billed


async def test_what_waits_past_its_deadline_expires_unsent(workshop: Workshop) -> None:
    generation = await workshop.create()
    await workshop.db.execute("UPDATE tasks SET deadline = now() - interval '1 s'")

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.EXPIRED, ErrorReason.GENERATION_EXPIRED)
    assert not workshop.plain.asked and not ended.may_have_been_billed


async def test_two_workers_share_the_queue(workshop: Workshop) -> None:
    generations = [await workshop.create() for _ in range(12)]
    first, second = workshop.worker(at_once=2), workshop.worker(at_once=2)

    async with workshop.working(first, second):
        ended = [await workshop.ended(generation) for generation in generations]

    assert {generation.state for generation in ended} == {_G.SUCCEEDED}
    assert len(workshop.plain.asked) == 12
    assert await workshop.db.fetchval("SELECT count(DISTINCT task) = count(*) FROM attempts")


async def test_long_work_keeps_its_lease(workshop: Workshop) -> None:
    async def slow(task: Task) -> AsyncGenerator[Event, None]:
        await asyncio.sleep(1.2)
        async for event in all_at_once(task):
            yield event

    workshop.plain.script = slow
    generation = await workshop.create()
    short = timedelta(seconds=0.5)

    async with workshop.working(workshop.worker(lease=short), workshop.worker(lease=short)):
        ended = await workshop.ended(generation)

    assert ended.state == _G.SUCCEEDED
    assert (await workshop.task(generation))["epoch"] == 1


async def test_a_queued_generation_is_cancelled_at_once(workshop: Workshop) -> None:
    generation = await workshop.create()

    cancelled = await cancel(workshop, generation)
    async with workshop.working():
        await workshop.watched(generation)

    assert (cancelled.state, cancelled.may_have_been_billed) == (_G.CANCELLED, False)
    assert not workshop.plain.asked
    with pytest.raises(Exception) as error:
        await cancel(workshop, generation)
    assert failure_of(error.value).reason == ErrorReason.GENERATION_ENDED


async def test_cancelling_reaches_the_provider(workshop: Workshop) -> None:
    workshop.stoppable.script, reached = hanging()
    generation = await workshop.create("stoppable")

    async with workshop.working():
        await reached.wait()
        cancelled = await cancel(workshop, generation)

    assert (cancelled.state, cancelled.may_have_been_billed) == (_G.CANCELLED, True)
    assert (workshop.stoppable.closed, workshop.stoppable.cancelled) == (1, 1)


async def test_a_picture_that_arrives_after_the_cancel_is_not_shown(workshop: Workshop) -> None:
    committing = asyncio.Event()

    async def never() -> None:
        committing.set()
        await asyncio.Event().wait()

    workshop.images.before_commit = never
    generation = await workshop.create()

    async with workshop.working():
        await committing.wait()
        cancelled = await cancel(workshop, generation)

    assert (cancelled.state, cancelled.may_have_been_billed) == (_G.CANCELLED, True)
    assert not cancelled.images


async def test_what_was_cancelled_under_a_dead_worker_ends_when_it_is_taken_over(workshop: Workshop) -> None:
    generation = await workshop.create()
    await workshop.db.execute(
        "UPDATE tasks SET state = 'CLAIMED', worker = 'dead', lease_end = now() + interval '1 hour'"
    )
    await workshop.db.execute("UPDATE tasks SET state = 'DISPATCHING', cancel_asked = true, tries = 1")
    await workshop.db.execute("UPDATE tasks SET lease_end = now() - interval '1 s'")

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, ended.may_have_been_billed) == (_G.CANCELLED, True)


async def test_draining_finishes_what_has_begun(workshop: Workshop) -> None:
    release = asyncio.Event()

    async def script(task: Task) -> AsyncGenerator[Event, None]:
        await release.wait()
        async for event in all_at_once(task):
            yield event

    workshop.plain.script = script
    begun, waiting = await workshop.create(), await workshop.create()

    async with workshop.working(workshop.worker(at_once=1), drain_seconds=10) as draining:
        await until(lambda: bool(workshop.plain.asked))
        draining.set()
        release.set()
        ended = await workshop.ended(begun)

    assert ended.state == _G.SUCCEEDED
    assert (await workshop.task(waiting))["state"] == "QUEUED"


async def test_what_takes_longer_than_the_drain_is_gone_on_with_elsewhere(workshop: Workshop) -> None:
    workshop.queue.script, reached = hanging(Accepted({"id": "7"}))
    generation = await workshop.create("queue")

    async with workshop.working():
        await reached.wait()
    task = await workshop.task(generation)
    assert (task["state"], task["worker"]) == ("SUBMITTED", None)
    async with workshop.working():
        ended = await workshop.ended(generation)

    assert ended.state == _G.SUCCEEDED
    assert (workshop.queue.resumed, len(workshop.queue.asked)) == ([{"id": "7"}], 1)
    assert (await workshop.task(generation))["deaths"] == 0


async def test_a_profile_that_was_pointed_elsewhere_does_not_move_what_was_accepted(
    workshop: Workshop,
) -> None:
    generation = await workshop.create("plain")
    workshop.config.now.profiles[0].provider = "providers/queue"
    await workshop.reconfigured()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert ended.state == _G.SUCCEEDED
    assert (len(workshop.plain.asked), len(workshop.queue.asked)) == (1, 0)


async def test_a_profile_that_was_deleted_is_no_longer_used(workshop: Workshop) -> None:
    generation = await workshop.create("plain")
    del workshop.config.now.profiles[0]
    await workshop.reconfigured()

    async with workshop.working():
        ended = await workshop.ended(generation)

    assert (ended.state, reason_of(ended)) == (_G.FAILED, ErrorReason.PROFILE_DISABLED)
    assert not workshop.plain.asked


async def test_a_picture_of_another_size_is_told(workshop: Workshop) -> None:
    workshop.images.height = 48
    generation = await workshop.create(count=2)

    async with workshop.working():
        ended = await workshop.ended(generation)

    told = [(change.field, change.asked, change.sent) for change in ended.plan.adaptations]
    assert told == [("size", "64x64", "64x48")]
