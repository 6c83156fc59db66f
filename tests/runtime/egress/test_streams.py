"""Answers that come event by event."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress.frames import Frames
from runtime.failure import Failure
from tests.runtime.egress.loopback import Play, answer, endpoint, raw, serving

R = ErrorReason
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


async def came(play: Play, *, max_bytes: int = 30_000_000, seconds: float = 5) -> list[bytes]:
    async with serving(play) as server:
        api = endpoint(server.url, seconds=seconds, max_bytes=max_bytes)
        async with aclosing(api.stream("/x", {"a": 1})) as events:
            return [reply.content async for reply in events]


async def failure(play: Play, **limits: float) -> ErrorReason:
    with pytest.raises(Failure) as caught:
        await came(play, **limits)  # type: ignore[arg-type]
    return caught.value.reason


@given(st.data())
def test_events_come_whole_however_they_are_cut(data: st.DataObject) -> None:
    text = b": hello\r\nevent: x\r\ndata: one\r\n\r\ndata:two\ndata: more\n\n\n\ndata: {}\nid: 4\n\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=9)))
    frames, seen = Frames(), []

    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        seen += frames.take(text[start:end])

    assert seen + frames.last() == [b"one", b"two\nmore", b"{}"]


async def test_a_frame_of_ten_megabytes_comes_whole() -> None:
    large = b"x" * 10_000_000

    assert await came(raw(HEAD + b"data: 1\n\ndata: " + large + b"\n\ndata: [DONE]\n\n")) == [b"1", large]


async def test_the_last_event_needs_nothing_after_it() -> None:
    assert await came(raw(HEAD + b"data: 1\n\ndata: 2")) == [b"1", b"2"]


async def test_who_does_not_stream_has_one_answer() -> None:
    assert await came(answer(b'{"data": []}')) == [b'{"data": []}']


async def test_an_event_is_there_before_the_next() -> None:
    go_on = asyncio.Event()

    async def play(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"data: 1\n\n")
        await writer.drain()
        await go_on.wait()
        writer.write(b"data: 2\n\n")

    seen: list[bytes] = []
    async with serving(play) as server:
        async with aclosing(endpoint(server.url).stream("/x", {})) as events:
            async for reply in events:
                seen.append(reply.content)
                go_on.set()

    assert seen == [b"1", b"2"]


@pytest.mark.parametrize(
    ("play", "reason"),
    [
        (raw(HEAD), R.ANSWER_UNUSABLE),
        (raw(HEAD + b"data: " + b"x" * 2000), R.ANSWER_UNUSABLE),
        (raw(b"HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n"), R.PROVIDER_RATE_LIMITED),
        (raw(b""), R.ANSWER_LOST),
        (raw(HEAD.replace(b"\r\n\r\n", b"\r\ncontent-length: 99\r\n\r\n") + b"data: 1\n\n"), R.ANSWER_LOST),
    ],
)
async def test_what_goes_wrong_has_its_reason(play: Play, reason: ErrorReason) -> None:
    assert await failure(play, max_bytes=1000) == reason
