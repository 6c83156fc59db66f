"""OpenAI's dialect, spoken over a real connection."""

import json
from typing import Any

import httpx
import pybase64
import pytest

from tests.deploy.sandbox.house import billed, inside, order, sandbox

SMALL = {"model": "gpt-image-2", "prompt": "a fox in the snow", "size": "1024x640", "output_format": "jpeg"}
PATH = "/v1/images/generations"
STARTS = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF"}


def pictures(answer: httpx.Response) -> list[bytes]:
    assert answer.status_code == 200, answer.text
    return [pybase64.b64decode(one["b64_json"], validate=True) for one in answer.json()["data"]]


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = answer.text.split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


async def test_models_are_listed_with_their_end() -> None:
    async with inside() as client:
        answer = (await client.get("/v1/models")).json()
        one = (await client.get("/v1/models/gpt-image-1.5")).json()

    assert {model["id"]: model["shutdown_date"] for model in answer["data"]}["gpt-image-2"] is None
    assert one["shutdown_date"] == "2026-12-01"


async def test_an_answer_is_what_was_ordered() -> None:
    async with sandbox() as client:
        answer = await client.post(PATH, json=SMALL | {"n": 2})

    body = answer.json()
    one, other = pictures(answer)
    assert one.startswith(STARTS["jpeg"])
    assert one != other
    assert (body["size"], body["quality"], body["output_format"]) == ("1024x640", "medium", "jpeg")
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens_details"]["image_tokens"] == usage["output_tokens"]
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-ratelimit-reset-tokens"] == "58.891s"


async def test_the_same_order_gives_the_same_bytes() -> None:
    async with inside() as client:
        first, second = [await client.post(PATH, json=SMALL) for _ in range(2)]

    assert pictures(first) == pictures(second)


async def test_auto_is_decided_and_said() -> None:
    async with inside() as client:
        answer = await client.post(PATH, json={"model": "gpt-image-1.5", "prompt": "x", "size": "auto"})

    assert (answer.json()["size"], answer.json()["background"]) == ("1024x1024", "opaque")


@pytest.mark.parametrize("output_format", ["png", "webp"])
async def test_a_transparent_background_is_transparent(output_format: str) -> None:
    wanted = SMALL | {"background": "transparent", "output_format": output_format}
    async with inside(instant=True) as client:
        answer = await client.post(PATH, json=wanted)

    assert pictures(answer)[0].startswith(STARTS[output_format])
    assert answer.json()["background"] == "transparent"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"prompt": ""}, "prompt", "empty_string"),
        ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"style": "vivid"}, "style", "unknown_parameter"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"n": "2"}, "n", "invalid_type"),
        ({"size": "1000x1000"}, "size", "invalid_value"),
        ({"size": "3840x1024"}, "size", "invalid_value"),
        ({"size": "512x512"}, "size", "invalid_value"),
        ({"model": "gpt-image-1-mini"}, "size", "invalid_value"),
        ({"quality": "max"}, "quality", "invalid_value"),
        ({"output_format": "png", "output_compression": 50}, "output_compression", "invalid_value"),
        ({"background": "transparent"}, "background", "invalid_value"),
        ({"partial_images": 1}, "partial_images", "invalid_value"),
        ({"model": "gpt-5.1"}, "model", "invalid_value"),
    ],
)
async def test_a_bad_value_is_refused_by_name(change: dict[str, Any], param: str, code: str) -> None:
    async with inside() as client:
        answer = await client.post(PATH, json=SMALL | change)
        charges = await billed(client)

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert charges == []


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "nonsense"])
async def test_a_retired_model_is_not_found(model: str) -> None:
    async with inside() as client:
        answer = await client.post(PATH, json=SMALL | {"model": model})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


async def test_another_key_is_refused() -> None:
    async with inside() as client:
        wrong = await client.get("/v1/models", headers={"authorization": "Bearer sk-other"})
        none = await client.get("/v1/models", headers={"authorization": ""})

    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    assert none.status_code == 401


async def test_variations_are_gone() -> None:
    async with inside() as client:
        answer = await client.post("/v1/images/variations")

    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


async def test_a_stream_shows_partial_pictures_and_bills_them() -> None:
    async with sandbox() as client:
        plain = await client.post(PATH, json=SMALL)
        answer = await client.post(PATH, json=SMALL | {"stream": True, "partial_images": 2})

    first, second, last = events(answer)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [first["partial_image_index"], second["partial_image_index"]] == [0, 1]
    assert last["type"] == "image_generation.completed"
    assert last["created_at"] > 0
    assert last["usage"]["output_tokens"] == plain.json()["usage"]["output_tokens"] + 200
    assert last["b64_json"] == plain.json()["data"][0]["b64_json"]
    assert answer.text.rstrip().endswith("data: [DONE]")


async def test_a_stream_can_fail_after_200() -> None:
    async with inside() as client:
        await order(client, stream_error=True)
        answer = await client.post(PATH, json=SMALL | {"stream": True})

    assert answer.status_code == 200
    assert events(answer)[-1]["error"]["type"] == "image_generation_server_error"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("moderation", 400, "moderation_blocked"),
        ("no_credit", 400, "billing_hard_limit_reached"),
        ("quota", 429, "insufficient_quota"),
        ("rate_limit", 429, "rate_limit_exceeded"),
        ("missing_scopes", 403, None),
        ("server_error", 500, None),
    ],
)
async def test_a_refusal_by_name_is_the_real_one(name: str, status: int, code: str | None) -> None:
    async with inside() as client:
        await order(client, refuse=name)
        answer = await client.post(PATH, json=SMALL)
        charges = await billed(client)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert charges == []


async def test_a_price_follows_the_tokens() -> None:
    wanted = {"model": "gpt-image-1.5", "prompt": "x" * 40, "quality": "low", "size": "1024x1024"}
    async with inside(instant=True) as client:
        await client.post(PATH, json=wanted)
        charges = await billed(client)

    # 10 tokens of text at 5 dollars a million, 272 of picture at 32.
    assert float(charges[0]["price"]) == pytest.approx(0.008754)


async def test_a_host_can_say_where_the_pictures_are() -> None:
    async with inside(instant=True) as client:
        await order(client, url="https://169.254.169.254/x.png")
        answer = await client.post(PATH, json=SMALL)

    assert answer.json()["data"] == [{"url": "https://169.254.169.254/x.png"}]
