"""Faults to order, seen from the client's end of the connection."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pybase64
import pytest

from deploy.sandbox import scripts
from tests.deploy.sandbox.house import billed, inside, order, rules, sandbox

PATH = "/v1/images/generations"
SMALL = {"model": "gpt-image-2", "prompt": "a fox in the snow", "size": "1024x640", "output_format": "jpeg"}


async def outcomes(client: httpx.AsyncClient) -> list[str]:
    return [charge["outcome"] for charge in await billed(client)]


async def test_rules_are_refused_without_the_switch() -> None:
    async with sandbox(scripted=False, instant=True) as client:
        answer = await client.post("/sandbox/script", json=[{"act": {"close": True}}])
        drawn = await client.post(PATH, json=SMALL)

    assert (answer.status_code, drawn.status_code) == (403, 200)


async def test_a_rule_with_a_typing_error_is_refused() -> None:
    async with inside(instant=True) as client:
        answer = await client.post("/sandbox/script", json=[{"act": {"clsoe": True}}])

    assert answer.status_code == 400
    assert "clsoe" in answer.json()["error"]


@pytest.mark.parametrize("act", [{"close": True}, {"reset": True}, {"cut_after": 500}])
async def test_a_lost_answer_is_billed(act: dict[str, Any]) -> None:
    async with sandbox(instant=True) as client:
        await order(client, **act)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post(PATH, json=SMALL)

        assert await outcomes(client) == ["withheld"]
        assert (await client.post(PATH, json=SMALL)).status_code == 200


async def test_a_cut_answer_begins_like_a_good_one() -> None:
    got = bytearray()
    async with sandbox(instant=True) as client:
        await order(client, cut_after=500)
        with pytest.raises(httpx.RemoteProtocolError):
            await _read_into(got, client)

    assert len(got) == 500
    assert got.startswith(b'{"created":')


async def _read_into(got: bytearray, client: httpx.AsyncClient) -> None:
    async with client.stream("POST", PATH, json=SMALL) as answer:
        assert answer.status_code == 200
        async for part in answer.aiter_raw():
            got += part


async def test_a_hanging_call_is_billed_and_never_answered() -> None:
    async with sandbox() as client:
        await order(client, hang=True)
        with pytest.raises(httpx.ReadTimeout):
            await client.post(PATH, json=SMALL, timeout=0.2)

        assert await outcomes(client) == ["withheld"]


async def test_a_refusal_says_when_to_come_back_and_costs_nothing() -> None:
    async with inside(instant=True) as client:
        await order(client, status=429, retry_after=7)
        answer = await client.post(PATH, json=SMALL)

        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        assert await outcomes(client) == []


async def test_a_refusal_can_say_anything() -> None:
    async with inside(instant=True) as client:
        await order(
            client, status=502, body="<html>Bad gateway</html>", headers={"content-type": "text/html"}
        )
        answer = await client.post(PATH, json=SMALL)

    assert (answer.status_code, answer.text) == (502, "<html>Bad gateway</html>")
    assert answer.headers["content-type"] == "text/html"


async def test_garbage_is_not_json_but_billed() -> None:
    async with inside(instant=True) as client:
        await order(client, garbage=True)
        answer = await client.post(PATH, json=SMALL)

        with pytest.raises(ValueError):
            answer.json()
        assert await outcomes(client) == ["answered"]


async def test_the_content_type_can_be_wrong() -> None:
    async with inside(instant=True) as client:
        await order(client, headers={"content-type": "text/html"})
        answer = await client.post(PATH, json=SMALL)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert answer.json()["data"]


async def test_a_bomb_is_small_until_it_is_opened() -> None:
    async with sandbox(instant=True) as client:
        await order(client, bomb_megabytes=8)
        answer = await client.post(PATH, json=SMALL)

    assert int(answer.headers["content-length"]) < 20_000
    assert len(answer.content) > 8_000_000


async def test_an_answer_can_be_a_flood() -> None:
    async with sandbox(instant=True) as client:
        await order(client, flood_megabytes=3)
        answer = await client.post(PATH, json=SMALL)

    assert len(answer.content) > 3 << 20


async def test_the_stated_length_can_be_wrong() -> None:
    async with sandbox(instant=True) as client:
        await order(client, headers={"content-length": "9999999"})
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(PATH, json=SMALL)


async def test_an_answer_can_drip() -> None:
    async with inside(instant=True) as client:
        whole = await client.post(PATH, json=SMALL)
        await order(client, drip_seconds=0.2)
        begun = time.monotonic()
        answer = await client.post(PATH, json=SMALL)

    assert time.monotonic() - begun >= 0.2
    assert answer.json()["data"] == whole.json()["data"]


async def test_chance_falls_the_same_way_again() -> None:
    rolled = []
    for _ in range(2):
        async with inside(instant=True) as client:
            await rules(client, {"match": {"probability": 0.5, "seed": 3}, "act": {"status": 500}})
            rolled.append([(await client.post(PATH, json=SMALL)).status_code for _ in range(10)])

    assert rolled[0] == rolled[1]
    assert set(rolled[0]) == {200, 500}


async def test_base64_can_be_truncated() -> None:
    async with inside() as client:
        await order(client, truncate="base64")
        answer = await client.post(PATH, json=SMALL)

    with pytest.raises(ValueError):
        pybase64.b64decode(answer.json()["data"][0]["b64_json"], validate=True)


async def test_a_picture_can_be_truncated() -> None:
    async with inside() as client:
        whole = await client.post(PATH, json=SMALL)
        await order(client, truncate="picture")
        half = await client.post(PATH, json=SMALL)

    one, other = (pybase64.b64decode(answer.json()["data"][0]["b64_json"]) for answer in (whole, half))
    assert one.startswith(other)
    assert len(other) == len(one) // 2


@pytest.mark.parametrize("count", [0, 2])
async def test_the_number_of_pictures_can_be_wrong(count: int) -> None:
    async with inside(instant=True) as client:
        await order(client, pictures=count)
        openai = await client.post(PATH, json=SMALL)
        await order(client, pictures=count)
        webui = await client.post("/sdapi/v1/txt2img", json={"prompt": "x", "width": 64, "height": 64})

    assert len(openai.json()["data"]) == count
    assert len(webui.json()["images"]) == count


async def test_a_rule_acts_as_often_as_it_says() -> None:
    async with inside(instant=True) as client:
        await rules(client, {"act": {"status": 503}, "times": 2})
        statuses = [(await client.post(PATH, json=SMALL)).status_code for _ in range(3)]

    assert statuses == [503, 503, 200]


async def test_a_rule_finds_its_call() -> None:
    match = {"dialect": "openai", "model": "gpt-image-2", "prompt": "snow", "nth": 2}
    async with inside(instant=True) as client:
        await rules(client, {"match": match, "act": {"status": 500}})
        other = await client.post(PATH, json=SMALL | {"prompt": "a fox"})
        statuses = [(await client.post(PATH, json=SMALL)).status_code for _ in range(3)]

    assert other.status_code == 200
    assert statuses == [200, 500, 200]


async def test_a_rule_can_be_for_one_attempt() -> None:
    async with inside(instant=True) as client:
        await rules(client, {"match": {"attempt": "a2"}, "act": {"status": 500}})
        statuses = [
            (await client.post(PATH, json=SMALL, headers={"x-client-request-id": name})).status_code
            for name in ("a1", "a2")
        ]

    assert statuses == [200, 500]


async def test_a_rule_for_a_path_acts_on_free_calls() -> None:
    async with inside(instant=True) as client:
        await rules(client, {"match": {"call": "/v1/models"}, "act": {"status": 503}})
        models = await client.get("/v1/models")
        await client.delete("/sandbox/script")
        again = await client.get("/v1/models")

    assert (models.status_code, again.status_code) == (503, 200)


async def test_a_rule_for_a_path_can_lose_a_call_before_any_work() -> None:
    async with sandbox(instant=True) as client:
        await rules(client, {"match": {"call": "/v1/images/*"}, "act": {"close": True}})
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(PATH, json=SMALL)

        assert await outcomes(client) == []


async def test_rules_of_a_file_are_in_force_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- match: {dialect: openai, nth: 2}\n  act: {refuse: quota}\n  times: 1\n")
    async with inside(instant=True, rules=scripts.read_file(file)) as client:
        statuses = [(await client.post(PATH, json=SMALL)).status_code for _ in range(3)]

    assert statuses == [200, 429, 200]


async def test_a_delay_comes_first() -> None:
    async with inside(instant=True) as client:
        await order(client, delay_seconds=0.2, status=500)
        begun = time.monotonic()
        await client.post(PATH, json=SMALL)

    assert time.monotonic() - begun >= 0.2


async def test_instant_pictures_are_heavy_and_never_the_same() -> None:
    wanted = {"model": "gpt-image-2", "prompt": "x"}
    async with sandbox(instant=True) as client:
        await client.post(PATH, json=wanted)
        begun = time.process_time()
        answers = await asyncio.gather(*(client.post(PATH, json=wanted) for _ in range(8)))
        spent = time.process_time() - begun

    pictures = [pybase64.b64decode(answer.json()["data"][0]["b64_json"], validate=True) for answer in answers]
    assert len(set(pictures)) == 8
    assert all(1_000_000 < len(picture) < 2_000_000 for picture in pictures)
    assert spent < 1  # drawing alone would take longer
