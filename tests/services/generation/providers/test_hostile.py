"""A hostile provider against every kind: each call ends in time, small, with the right reason, and alone."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import cache
from typing import Any, NamedTuple

import psutil
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Egress, Endpoint
from runtime.failure import Failure
from services.generation import catalogue
from services.generation.pricing import cost
from services.generation.providers import Event, Finished, Image, Progress, Task, discover
from tests.services.generation.providers import hostile
from tests.services.generation.providers.fakes import ACCOUNT, KEY
from tests.services.generation.providers.hostile import (
    GOOD,
    Play,
    Target,
    again,
    document,
    good,
    headed,
    raw,
    whole,
)

R = ErrorReason
# What never ends is cut off by the first deadline; all else ends by itself, on a busy machine too.
SHORT_SECONDS = 1.0
LONG_SECONDS = 10.0
GRACE = 2.0
MAX_BYTES = 2 << 20
MAX_GROWTH = 64 << 20
KINDS = discover()

EVERYWHERE = (
    *(Target(kind) for kind in KINDS),
    *(Target("falai", step) for step in ("status", "result", "file")),
    *(Target("openai", step) for step in ("file", "stream")),
)
# A file is no JSON: any bytes are one, and media judges them.
READ = tuple(target for target in EVERYWHERE if target.step != "file")
# Where the kind's own good answer is expected, not a step on the way to it.
ANSWERED = tuple(target for target in READ if target.kind in GOOD and str(target) != "falai/call")
ANSWERS = tuple(target for target in ANSWERED if target.step != "status")


class Fault(NamedTuple):
    """What is played, at which targets, and how it must end; None is with a picture."""

    play: Play
    reason: ErrorReason | None
    targets: tuple[Target, ...] = EVERYWHERE
    reads: bool = True  # the request, before it plays


DEEP = b"[" * 100_000 + b"]" * 100_000
BOMB = hostile.bomb(200)
HTTP = b"HTTP/1.1 200 OK\r\n"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"

LOST = {
    "silence": Fault(hostile.silence, R.ANSWER_LOST),
    "one byte a second": Fault(again(b" ", "Content-Length: 9999", pause=1), R.ANSWER_LOST),
    "one chunk at a time": Fault(
        again(b"1\r\n \r\n", "Transfer-Encoding: chunked", pause=0.1), R.ANSWER_LOST
    ),
    "endless slow headers": Fault(again(b"X: y\r\n", first=HTTP, pause=0.05), R.ANSWER_LOST),
    "endless headers": Fault(again(b"X: " + b"y" * 2000 + b"\r\n", first=HTTP), R.ANSWER_LOST),
    "a head that never ends": Fault(again(b"y", first=HTTP + b"X: ", pause=0.05), R.ANSWER_LOST),
    "interim answers, slowly": Fault(
        again(b"HTTP/1.1 103 Early Hints\r\n\r\n", first=b"", pause=0.05), R.ANSWER_LOST
    ),
    "gone before the work": Fault(hostile.reset, R.ANSWER_LOST, reads=False),
    "gone after the work": Fault(raw(b""), R.ANSWER_LOST),
    "reset after the work": Fault(hostile.reset, R.ANSWER_LOST),
    "less than it said": Fault(headed(b'{"data": [', "Content-Length: 100"), R.ANSWER_LOST),
    "half a head": Fault(raw(HTTP + b"Content-Le"), R.ANSWER_LOST),
    "half a chunk": Fault(headed(b"5\r\n{", "Transfer-Encoding: chunked"), R.ANSWER_LOST),
    "no HTTP": Fault(raw(b"\x00\xff\x00 nonsense\r\n\r\n"), R.ANSWER_LOST),
    "two lengths": Fault(headed(b"{}", "Content-Length: 2", "Content-Length: 3"), R.ANSWER_LOST),
    "a negative length": Fault(headed(b"{}", "Content-Length: -2"), R.ANSWER_LOST),
    "a length of a thousand digits": Fault(headed(b"{}", f"Content-Length: {'9' * 1000}"), R.ANSWER_LOST),
    "length and chunks": Fault(
        headed(b"{}", "Content-Length: 2", "Transfer-Encoding: chunked"), R.ANSWER_LOST
    ),
    "a chunk of negative size": Fault(headed(b"-1\r\n{}\r\n", "Transfer-Encoding: chunked"), R.ANSWER_LOST),
    "a header with a nul": Fault(headed(b"{}", "X: a\x00b", "Content-Length: 2"), R.ANSWER_LOST),
}

TOO_MUCH = {
    "a thousand headers": Fault(headed(b"{}", "Content-Length: 2", *["X: y"] * 1000), R.ANSWER_UNUSABLE),
    "a flood of interim answers": Fault(
        again(b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * 8000 + b"\r\n\r\n", first=b""), R.ANSWER_UNUSABLE
    ),
    "ten gigabytes, announced": Fault(again(b" " * 65536, "Content-Length: 10000000000"), R.ANSWER_UNUSABLE),
    "ten gigabytes, in chunks": Fault(
        again(b"10000\r\n" + b" " * 65536 + b"\r\n", "Transfer-Encoding: chunked"), R.ANSWER_UNUSABLE
    ),
    "ten gigabytes, to the end": Fault(again(b" " * 65536), R.ANSWER_UNUSABLE),
    "a bomb": Fault(whole(BOMB, "Content-Encoding: gzip"), R.ANSWER_UNUSABLE),
    "a bomb in a bomb": Fault(whole(BOMB, "Content-Encoding: gzip, gzip"), R.ANSWER_UNUSABLE),
    "half a bomb": Fault(whole(BOMB[:50], "Content-Encoding: gzip"), R.ANSWER_UNUSABLE),
    "zstd": Fault(whole(b"\x28\xb5\x2f\xfd" + bytes(100), "Content-Encoding: zstd"), R.ANSWER_UNUSABLE),
}

UNREADABLE = {
    name: Fault(document(text), R.ANSWER_UNUSABLE, READ)
    for name, text in {
        "broken JSON": b'{"data": [{"b64_json": "',
        "JSON 100 000 deep": DEEP,
        "a field 100 000 deep": b'{"ignored": ' + DEEP + b"}",
        "pictures 100 000 deep": b'{"data": ' + DEEP + b', "images": ' + DEEP + b"}",
        "a million pictures": b'{"data": ['
        + b"{}," * 500_000
        + b'{}], "images": ['
        + b"1," * 500_000
        + b"1]}",
        "two hundred thousand pictures": b'{"data": [' + b"{}," * 200_000 + b"{}]}",
        "a hundred thousand elsewhere": b'{"images": [' + b'{"url":1},' * 100_000 + b"{}]}",
        "NaN": b'{"data": NaN, "images": NaN, "result": NaN, "status": NaN}',
        "an endless number": b'{"data": 1' + b"0" * 100_000 + b', "status": 1e999, "images": 1e999}',
        "numbers for lists": b'{"data": 7, "images": 7, "result": 7, "status": 7}',
        "lists for numbers": b'{"data": {}, "images": {}, "result": [], "status": [], "request_id": []}',
        "nothing of a list": b'{"data": [null, 1, "x"], "images": [null, 1, []], "result": {"image": 7}}',
        "bytes that are no text": b'{"data": "\xff", "images": "\xff", "result": "\xff", "status": "\xff"}',
        "half a character": b'{"data": "\\ud800", "images": "\\ud800", "result": "\\ud800"}',
        "nothing": b"",
        "null": b"null",
        "a word": b'"picture"',
        "an empty result": b'{"data": [], "images": [], "result": {"image": ""}, "choices": []}',
        "a page": b"<html><body>It works!</body></html>",
    }.items()
}

SPOILT = {
    # The last of several keys of one name wins, as in every reader of JSON here.
    "repeated keys": Fault(
        good(lambda text: text[:-1] + b', "data": [], "images": [], "result": null}'),
        R.ANSWER_UNUSABLE,
        ANSWERS,
    ),
    "base64 cut short": Fault(
        good(lambda text: text.replace(hostile.ENCODED.encode(), hostile.ENCODED[:401].encode())),
        R.ANSWER_UNUSABLE,
        ANSWERS,
    ),
    "no base64": Fault(
        good(lambda text: text.replace(hostile.ENCODED.encode(), b"????" * 99)), R.ANSWER_UNUSABLE, ANSWERS
    ),
    "a good answer behind a bad one": Fault(
        headed(b"{}" + SMUGGLED, "Content-Length: 2"), R.ANSWER_UNUSABLE, READ
    ),
    "a bad answer behind a good one": Fault(
        good(lambda text: text + SMUGGLED), R.ANSWER_UNUSABLE, tuple(t for t in ANSWERS if t.step != "stream")
    ),
    "cookies": Fault(good(bytes, *["Set-Cookie: a=b; Path=/"] * 50), None, ANSWERS),
}

REFUSED = {
    "wait a billion seconds": Fault(
        whole(b"{}", "Retry-After: 1000000000", status="429 No"), R.PROVIDER_RATE_LIMITED, READ
    ),
    "wait a number without end": Fault(
        whole(b"{}", f"Retry-After: {'9' * 5000}", status="429 No"), R.PROVIDER_RATE_LIMITED, READ
    ),
    "wait until never": Fault(
        whole(b"{}", "Retry-After: Mon, 99 Foo 99999 99:99:99 GMT", status="429 No"),
        R.PROVIDER_RATE_LIMITED,
        READ,
    ),
    "an error 100 000 deep": Fault(whole(DEEP, status="401 No"), R.KEY_REJECTED, READ),
    "an error that is no text": Fault(
        whole(b'{"error": {"code": "\xff"}, "detail": "\xff"}', status="401 No"), R.KEY_REJECTED, READ
    ),
    "an error without end": Fault(again(b" " * 65536), R.ANSWER_UNUSABLE, READ),
}

FAULTS = {**LOST, **TOO_MUCH, **UNREADABLE, **SPOILT, **REFUSED}


@cache
def egress() -> Egress:
    """Certificates take a while to read."""
    return Egress()


def task(target: Target) -> Task:
    config = {"partial_images": 1} if target.step == "stream" else {}
    return Task(model="m", prompt="a fox", count=1, size="512x512", config=config)


def endpoint(target: Target, url: str, seconds: float) -> Endpoint:
    return egress().endpoint(
        url,
        KEY,
        KINDS[target.kind],
        provider="providers/test",
        attempt_id="a",
        seconds=seconds,
        max_bytes=MAX_BYTES,
        account=ACCOUNT,
    )


async def came(target: Target, url: str, seconds: float) -> list[Event]:
    kind, api = KINDS[target.kind], endpoint(target, url, seconds)
    async with aclosing(kind.generate(task(target), api)) as generated:
        return [event async for event in generated]


async def outcome(target: Target, url: str, seconds: float) -> Failure | list[Event]:
    """How it ended. Whatever is no failure of ours is a bug, and raised."""
    started = time.monotonic()
    try:
        return await came(target, url, seconds)
    except Failure as failure:
        return failure
    finally:
        assert time.monotonic() - started < seconds + GRACE, f"{target} took too long"


async def struck(target: Target, fault: Fault) -> Failure | list[Event]:
    async with hostile.serving(target, fault.play, reads=fault.reads) as server:
        seconds = SHORT_SECONDS if fault.reason == R.ANSWER_LOST else LONG_SECONDS
        return await outcome(target, server.url, seconds)


@asynccontextmanager
async def unharmed() -> AsyncIterator[None]:
    """Work of every kind at a provider that means well, while others suffer: it succeeds, and in time."""
    targets = [Target(kind, "result" if kind == "falai" else "call") for kind in GOOD]

    async def draw(target: Target) -> Failure | list[Event]:
        async with hostile.serving(target, good(bytes)) as server:
            return await outcome(target, server.url, LONG_SECONDS)

    drawing = [asyncio.create_task(draw(target)) for target in targets]
    yield
    for target, ended in zip(targets, await asyncio.gather(*drawing), strict=True):
        assert isinstance(ended, list), f"{target}: {ended}"
        assert [event.data for event in ended if isinstance(event, Image)] == [hostile.PICTURE], target


@asynccontextmanager
async def within_memory() -> AsyncIterator[None]:
    """The process grows by little, looked at ten times a second."""
    process = psutil.Process(os.getpid())
    before, most = process.memory_info().rss, 0

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
    most = max(most, process.memory_info().rss)
    assert most - before < MAX_GROWTH, f"grew by {(most - before) >> 20} MiB"


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_small_in_time_with_its_reason_and_alone(name: str) -> None:
    fault = FAULTS[name]

    async with within_memory(), unharmed():
        ended = await asyncio.gather(*(struck(target, fault) for target in fault.targets))

    found = {str(target): _reason(end) for target, end in zip(fault.targets, ended, strict=True)}
    wanted = None if fault.reason is None else R.Name(fault.reason)
    assert found == {str(target): wanted for target in fault.targets}
    assert KEY not in " ".join(str(end.to_status()) for end in ended if isinstance(end, Failure))


def _reason(end: Failure | list[Event]) -> str | None:
    if isinstance(end, Failure):
        return R.Name(end.reason)
    return None if any(isinstance(event, Image) for event in end) else "no picture"


ECHO = {
    "error": {"code": KEY, "type": KEY, "param": KEY, "message": KEY, "metadata": {"reasons": [KEY]}},
    "detail": [{"loc": ["body", KEY], "type": "image_load_error", "msg": KEY}],
    "errors": [{"code": 3030, "message": KEY}],
}


@pytest.mark.parametrize("status", [400, 401, 403, 413, 422, 429, 500])
async def test_a_provider_that_repeats_the_key_is_not_quoted(status: int) -> None:
    play = whole(
        json.dumps(ECHO).encode(), f"X-Request-Id: {KEY}", f"Retry-After: {KEY}", status=f"{status} {KEY}"
    )

    ended = await asyncio.gather(*(struck(target, Fault(play, None)) for target in READ))

    assert all(isinstance(end, Failure) for end in ended)
    assert KEY not in " ".join(str(end.to_status()) + str(end) for end in ended if isinstance(end, Failure))


async def test_waiting_has_an_end() -> None:
    fault = FAULTS["wait a billion seconds"]

    ended = await asyncio.gather(*(struck(target, fault) for target in fault.targets))

    assert {end.retry_after for end in ended if isinstance(end, Failure)} == {600.0}


HUGE = 10**30
PRICED = catalogue.load().offered("openai", "gpt-image-1.5")


@pytest.mark.parametrize("number", [HUGE, -HUGE, 2**63, -1])
async def test_numbers_are_of_a_size_that_can_be_kept(number: int) -> None:
    said = {"all_seeds": [number], "index_of_first_image": number}
    told: dict[str, dict[str, Any]] = {
        "openai": {"usage": {"input_tokens": number, "output_tokens": number}},
        "falai": {"seed": number},
        "stable-diffusion": {"info": json.dumps(said)},
        "openrouter": {"usage": {"cost": number}},
    }

    for target in ANSWERS:
        body = json.dumps({**GOOD[target.kind], **told.get(target.kind, {})}).encode()
        end = await struck(target, Fault(document(body), None))

        assert isinstance(end, list), target
        assert all(event.seed is None for event in end if isinstance(event, Image)), target
        assert isinstance(end[-1], Finished)
        cost(PRICED, end[-1].usage, {})


@pytest.mark.parametrize(("position", "told"), [(HUGE, 1_000_000), (-5, 0), (3, 3)])
async def test_a_place_in_the_queue_can_be_kept(position: int, told: int) -> None:
    waiting = document(json.dumps({"status": "IN_QUEUE", "queue_position": position}).encode())
    target = Target("falai", "status")

    async with hostile.serving(target, waiting) as server:
        api = endpoint(target, server.url, LONG_SECONDS)
        async with aclosing(KINDS["falai"].generate(task(target), api)) as generated:
            places = [await anext(generated), await anext(generated)]

    assert places[1] == Progress(position=told)


async def test_cookies_do_not_come_back() -> None:
    for target in ANSWERS:
        async with hostile.serving(target, FAULTS["cookies"].play) as server:
            api = endpoint(target, server.url, LONG_SECONDS)
            for _ in range(2):
                async with aclosing(KINDS[target.kind].generate(task(target), api)) as generated:
                    assert [event async for event in generated]

        assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_the_watch_over_memory_is_awake() -> None:
    with pytest.raises(AssertionError, match="grew"):
        async with within_memory():
            held = b"x" * (MAX_GROWTH + (16 << 20))
    assert held
