"""Following a generation: nothing is missed, nothing comes twice."""

import asyncio
from collections.abc import AsyncGenerator

import grpc
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.names import leaf
from services.generation.providers import Event, Progress, Task
from services.generation.watch import Hub
from tests.house import failure_of
from tests.services.generation.conftest import Workshop
from tests.services.generation.fakes import all_at_once, hanging


async def many_steps(task: Task) -> AsyncGenerator[Event, None]:
    for step in range(5):
        yield Progress(fraction=step / 5)
        await asyncio.sleep(0.02)
    async for event in all_at_once(task):
        yield event


async def test_several_watchers_see_the_same_from_wherever_they_begin(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.generation.attempt.PROGRESS_SECONDS", 0.0)
    workshop.plain.script = many_steps
    generation = await workshop.create()

    async with workshop.working():
        early = [asyncio.create_task(workshop.watched(generation, after)) for after in (0, 0, 1, 3)]
        seen = [await watching for watching in early]

    late = await workshop.watched(generation)
    assert [event.number for event in late] == list(range(1, len(late) + 1))
    assert seen == [late, late, late[1:], late[3:]]
    assert [event.progress.fraction for event in late if event.HasField("progress")] == [
        0,
        0.2,
        0.4,
        0.6,
        0.8,
    ]


async def test_a_watcher_that_was_cut_goes_on_where_it_stopped(workshop: Workshop) -> None:
    workshop.plain.script = many_steps
    generation = await workshop.create()
    first = workshop.stub.WatchGeneration(pb.WatchGenerationRequest(name=generation.name))

    async with workshop.working():
        got = [await first.read(), await first.read()]
        first.cancel()
        rest = await workshop.watched(generation, got[-1].number)

    assert [*got, *rest] == await workshop.watched(generation)


async def test_leaving_does_not_stop_the_work(workshop: Workshop) -> None:
    workshop.plain.script, reached = hanging()
    generation = await workshop.create()
    watching = workshop.stub.WatchGeneration(pb.WatchGenerationRequest(name=generation.name))

    async with workshop.working():
        await watching.read()
        await reached.wait()
        watching.cancel()
        await asyncio.sleep(0.1)

        assert not workshop.plain.closed


async def test_news_come_by_the_poll_when_notifications_are_lost(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.generation.watch.POLL_SECONDS", 0.05)
    deaf = Hub(workshop.db)
    polling = asyncio.create_task(deaf._poll())
    generation = await workshop.create()

    async with workshop.working(), asyncio.timeout(20):
        events = [event async for event in deaf.follow(leaf(generation.name), 0)]

    assert events[-1].HasField("finished")
    polling.cancel()
    await asyncio.wait((polling,))


async def test_a_generation_that_is_not_there_cannot_be_watched(workshop: Workshop) -> None:
    generation = await workshop.create()

    for name in (f"{generation.name}x", generation.name.replace("atlas", "other")):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await workshop.watched(pb.Generation(name=name))
        assert failure_of(error.value).reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_whoever_has_the_last_event_is_not_kept_waiting(workshop: Workshop) -> None:
    generation = await workshop.create()
    async with workshop.working():
        events = await workshop.watched(generation)

    assert await workshop.watched(generation, len(events)) == []
    assert await workshop.watched(generation, 1000) == []
