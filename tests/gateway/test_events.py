"""Server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator

import orjson
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb

from gateway import events
from runtime.failure import Failure, not_found
from tests.gateway.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

WATCH = "/v1/projects/atlas/generations/g:watch"
QUEUED = pb.GenerationEvent(number=1, queued=pb.GenerationEvent.Queued(position=2))
READY = pb.GenerationEvent(number=2, image_ready=pb.GenerationEvent.ImageReady())


async def test_messages_become_events(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = [QUEUED, READY]

    reply = await front.http.get(WATCH, headers=front.bearer())

    assert reply.headers["content-type"].startswith("text/event-stream")
    first, second = reply.text.removeprefix("retry: 1000\n\n").strip().split("\n\n")
    assert first.startswith('id: 1\nevent: queued\ndata: {"number":"1"')
    assert second.startswith("id: 2\nevent: imageReady\n")
    assert orjson.loads(first.partition("data: ")[2])["queued"] == {"position": 2}


async def test_a_browser_resumes_where_it_was(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = [READY]

    await front.http.get(f"{WATCH}?after=0", headers=front.bearer() | {"last-event-id": "1"})

    assert front.memory.last.after == 1


async def test_a_wrong_event_id_is_refused(front: Front) -> None:
    reply = await front.http.get(WATCH, headers=front.bearer() | {"last-event-id": "-1; x"})

    assert reply.status_code == 400


async def test_an_error_at_the_start_is_a_status(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = not_found("projects/atlas/generations/g")

    reply = await front.http.get(WATCH, headers=front.bearer())

    assert reply.status_code == 404


async def test_nothing_more_to_come_stops_the_browser(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = []

    reply = await front.http.get(WATCH, headers=front.bearer())

    assert reply.status_code == 204


async def test_headers_do_not_wait_for_the_first_message(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = [3.0, QUEUED]
    begun = time.monotonic()

    async with front.http.stream("GET", WATCH, headers=front.bearer()) as reply:
        assert reply.status_code == 200
        assert time.monotonic() - begun < 2


async def test_an_error_on_the_way_ends_the_stream(front: Front) -> None:
    late = Failure(ErrorReason.SERVICE_UNAVAILABLE, "Draining.")
    front.memory.answers["WatchGeneration"] = [QUEUED, late]

    reply = await front.http.get(WATCH, headers=front.bearer())

    assert reply.status_code == 200
    assert reply.text.count("id: ") == 1
    assert "error" not in reply.text


async def test_a_silent_stream_has_a_heartbeat(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    front.memory.answers["WatchGeneration"] = [QUEUED, 0.3, READY]

    reply = await front.http.get(WATCH, headers=front.bearer())

    assert reply.text.count(": still here") >= 2
    assert reply.text.count("id: ") == 2


async def test_a_reader_who_leaves_ends_the_call(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = [QUEUED, 5.0, READY]
    async with front.http.stream("GET", WATCH, headers=front.bearer()) as reply:
        await _until_data(reply.aiter_lines())

    ends = time.monotonic() + 1
    while "WatchGeneration" not in front.memory.cancelled:
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def test_streams_end_when_the_process_does(front: Front) -> None:
    front.memory.answers["WatchGeneration"] = [QUEUED, 5.0, READY]
    begun = time.monotonic()

    async with front.http.stream("GET", WATCH, headers=front.bearer()) as reply:
        lines = reply.aiter_lines()
        await _until_data(lines)
        front.watchers.end()
        rest = [line async for line in lines]

    assert time.monotonic() - begun < 2
    assert not [line for line in rest if line.startswith("id:")]


async def _until_data(lines: AsyncIterator[str]) -> None:
    while not (await anext(lines)).startswith("data:"):
        pass
