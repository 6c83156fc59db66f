"""Pictures on their way, as those who watch see them."""

from collections.abc import AsyncGenerator

import pytest
from inkweld.generation.v1 import generations_pb2 as pb

from services.generation.providers import Event, Finished, Image, Partial, Task
from tests.services.generation.conftest import Workshop
from tests.services.generation.fakes import PICTURE, hanging


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generation.attempt.SKETCH_SECONDS", 0.0)


async def test_a_partial_is_seen_small_while_it_is_drawn(workshop: Workshop) -> None:
    workshop.plain.script, reached = hanging(
        Partial(0, b"\x89PNG and so on 1"), Partial(0, b"\x89PNG and so on 2")
    )
    generation = await workshop.create()
    seen: list[pb.GenerationEvent] = []

    async with workshop.working():
        await reached.wait()
        watching = workshop.stub.WatchGeneration(pb.WatchGenerationRequest(name=generation.name))
        async for event in watching:
            if event.HasField("partial"):
                seen.append(event)
            if len(seen) == 2:
                break
        watching.cancel()
        await workshop.stub.CancelGeneration(pb.CancelGenerationRequest(name=generation.name))

    assert [event.partial.index for event in seen] == [0, 0]
    assert seen[1].partial.data == b"sketch of nd so on 2"
    # Only the latest is kept.
    assert seen[0].partial.data == b""


async def test_when_it_has_ended_partials_are_gone_and_numbers_stay(workshop: Workshop) -> None:
    async def script(task: Task) -> AsyncGenerator[Event, None]:
        yield Partial(0, b"\x89PNG")
        yield Partial(0, b"no picture at all")
        yield Partial(7, b"\x89PNG of nothing asked for")
        yield Image(0, PICTURE)
        yield Finished()

    workshop.plain.script = script
    generation = await workshop.create()
    async with workshop.working():
        await workshop.ended(generation)

    events = await workshop.watched(generation)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.partial.data for event in events if event.HasField("partial")] == [b""]
    assert await workshop.db.fetchval("SELECT count(*) FROM partials") == 0


async def test_media_away_costs_a_sketch_and_nothing_else(workshop: Workshop) -> None:
    async def script(task: Task) -> AsyncGenerator[Event, None]:
        workshop.images.away = 1
        yield Partial(0, b"\x89PNG")
        workshop.images.away = 0
        yield Image(0, PICTURE)
        yield Finished()

    workshop.plain.script = script
    generation = await workshop.create()
    async with workshop.working():
        ended = await workshop.ended(generation)

    assert ended.state == pb.Generation.SUCCEEDED
