import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.pricing import cost, money
from services.generation.providers import Finished, Image, Picture, Provider, Task, openrouter
from tests.services.generation.providers.fakes import FakeOpenRouter, api, encoded, events, picture

R = ErrorReason
KIND: Provider = openrouter
FAKE = FakeOpenRouter  # for the contract

FOX = Picture(b"\x89PNG fox", "image/png", 64, 64)
TASK = Task(
    model="black-forest-labs/flux.2-pro",
    prompt="a fox",
    count=2,
    size="16:9@2K",
    quality="high",
    seed=7,
    output_format="webp",
    background="opaque",
    references=(FOX,),
    config={
        "quality": "low",
        "output_compression": 80,
        "user": "u1",
        "provider": {"only": ["black-forest-labs"], "options": {"black-forest-labs": {"steps": 20}}},
        "price_per_image": 1,
    },
)


async def finished(fake: FakeOpenRouter, task: Task = TASK) -> Finished:
    last = (await events(KIND, task, api(KIND, fake)))[-1]
    assert isinstance(last, Finished)
    return last


async def refused(answer: httpx.Response, task: Task = TASK) -> Failure:
    fake = FakeOpenRouter()
    fake.answer = answer
    with pytest.raises(Failure) as caught:
        await events(KIND, task, api(KIND, fake))
    return caught.value


async def test_everything_reaches_the_api() -> None:
    fake = FakeOpenRouter()

    came = await events(KIND, TASK, api(KIND, fake))

    assert fake.paths == ["/api/v1/images"]
    assert fake.bodies == [
        {
            "model": "black-forest-labs/flux.2-pro",
            "prompt": "a fox",
            "n": 2,
            "aspect_ratio": "16:9",
            "resolution": "2K",
            "quality": "high",
            "seed": 7,
            "output_format": "webp",
            "output_compression": 80,
            "background": "opaque",
            "input_references": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORyBmb3g="}}
            ],
            "user": "u1",
            "provider": {"only": ["black-forest-labs"], "options": {"black-forest-labs": {"steps": 20}}},
        }
    ]
    assert came[:2] == [Image(0, picture(0)), Image(1, picture(1))]


async def test_what_was_not_asked_is_not_sent() -> None:
    fake = FakeOpenRouter()
    task = Task(model="m", prompt="x", count=1, config={"output_compression": 50})

    await events(KIND, task, api(KIND, fake))

    assert fake.bodies == [{"model": "m", "prompt": "x", "n": 1}]


@pytest.mark.parametrize(
    ("size", "sent"),
    [
        ("1:1", {"aspect_ratio": "1:1"}),
        ("9:19.5@0.5K", {"aspect_ratio": "9:19.5", "resolution": "512"}),
        ("auto", {"aspect_ratio": "auto"}),
        ("2048x1024", {"size": "2048x1024"}),
    ],
)
async def test_a_size_is_said_in_its_own_way(size: str, sent: dict[str, str]) -> None:
    fake = FakeOpenRouter()

    await events(KIND, Task(model="m", prompt="x", count=1, size=size), api(KIND, fake))

    assert fake.bodies == [{"model": "m", "prompt": "x", "n": 1, **sent}]


@pytest.mark.parametrize(
    ("said", "dollars", "nanos"),
    [
        ("0.03", Decimal("0.03"), 30_000_000),
        ("0.0412345678", Decimal("0.0412345678"), 41_234_568),
        ("1e-9", Decimal("1e-9"), 1),
        ("0", Decimal(0), 0),
    ],
)
async def test_the_cost_is_exact(said: str, dollars: Decimal, nanos: int) -> None:
    fake = FakeOpenRouter(usage=f'{{"prompt_tokens": 3, "cost": {said}}}')

    usage = (await finished(fake)).usage

    assert usage == {"images": 2, "dollars": dollars}
    assert cost(None, usage, {}) == money(nanos)


@pytest.mark.parametrize("said", ["1e999999999", "-1", '"NaN"', "1e-999999999"])
async def test_a_cost_that_is_none_is_unknown_or_nothing(said: str) -> None:
    usage = (await finished(FakeOpenRouter(usage=f'{{"cost": {said}}}'))).usage

    assert cost(None, usage, {}) in (None, money(0))


async def test_without_a_cost_only_the_pictures_are_known() -> None:
    end = await finished(FakeOpenRouter())

    assert end.usage == {"images": 2}
    assert end.request_id == "gen-1"


CHAT = Task(
    model="old/draws-by-talking",
    prompt="a fox",
    count=1,
    size="16:9@2K",
    seed=7,
    references=(FOX,),
    config={"user": "u1", "output_compression": 1},
    form={"api": "chat"},
)


async def test_a_model_of_the_chat_form_is_talked_to() -> None:
    fake = FakeOpenRouter(usage='{"cost": 0.5}')

    came = await events(KIND, CHAT, api(KIND, fake))

    assert fake.paths == ["/api/v1/chat/completions"]
    assert fake.bodies == [
        {
            "model": "old/draws-by-talking",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "a fox"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORyBmb3g="}},
                    ],
                }
            ],
            "modalities": ["image", "text"],
            "image_config": {"aspect_ratio": "16:9", "image_size": "2K"},
            "seed": 7,
            "user": "u1",
        }
    ]
    assert came[0] == Image(0, picture(0))
    assert isinstance(came[-1], Finished)
    assert came[-1].usage == {"images": 1, "dollars": Decimal("0.5")}


@pytest.mark.parametrize("images", [None, []])
async def test_an_answer_in_words_is_a_refusal(images: object) -> None:
    message = {"role": "assistant", "content": "I will not draw a secret fox", "images": images}

    failure = await refused(httpx.Response(200, json={"choices": [{"message": message}]}), CHAT)

    assert failure.reason == R.CONTENT_REFUSED
    assert "fox" not in str(failure.to_status())


ERRORS: list[tuple[int, dict[str, Any], ErrorReason]] = [
    (400, {"metadata": {"error_type": "content_policy_violation"}}, R.CONTENT_REFUSED),
    (400, {"metadata": {"error_type": "image_too_large"}}, R.PICTURE_REFUSED),
    (400, {"metadata": {"error_type": "model_not_found"}}, R.MODEL_UNKNOWN),
    (400, {"message": "size"}, R.CALL_REFUSED),
    (401, {"message": "Missing Authentication header"}, R.KEY_REJECTED),
    (402, {"message": "Insufficient credits"}, R.PROVIDER_UNPAID),
    (403, {"metadata": {"reasons": ["violence"], "flagged_input": "a fox"}}, R.CONTENT_REFUSED),
    (403, {"metadata": {"guardrail": "x"}}, R.CALL_FORBIDDEN),
    (404, {"message": "No endpoints found"}, R.MODEL_UNKNOWN),
    (413, {"message": "too large"}, R.PICTURE_REFUSED),
    (429, {"message": "slow down"}, R.PROVIDER_RATE_LIMITED),
    (500, {"message": "failed"}, R.PROVIDER_UNAVAILABLE),
    (502, {"metadata": {"provider_name": "x"}}, R.PROVIDER_UNAVAILABLE),
    (503, {"message": "overloaded", "retryable": True}, R.PROVIDER_UNAVAILABLE),
    (500, {"message": "never", "retryable": False}, R.CALL_REFUSED),
]


@pytest.mark.parametrize(("status", "error", "reason"), ERRORS)
async def test_errors_by_type_then_status(status: int, error: dict[str, Any], reason: ErrorReason) -> None:
    failure = await refused(httpx.Response(status, json={"error": {"code": status, **error}}))

    assert failure.reason == reason
    assert "fox" not in str(failure.to_status())


@pytest.mark.parametrize(("status", "error", "reason"), ERRORS)
async def test_an_error_behind_a_good_status_is_the_same(
    status: int, error: dict[str, Any], reason: ErrorReason
) -> None:
    body = {"data": [{"b64_json": encoded(0)}], "error": {"code": status, **error}}

    failure = await refused(httpx.Response(200, json=body))

    assert failure.reason == reason
    assert failure.metadata["status"] == str(status)


@pytest.mark.parametrize("error", [{}, {"code": "strange"}, {"code": 200}, "text", 1])
async def test_an_error_nobody_knows_is_no_picture(error: object) -> None:
    body = {"data": [{"b64_json": encoded(0)}], "error": error}

    assert (await refused(httpx.Response(200, json=body))).reason in (R.ANSWER_LOST, R.PROVIDER_UNAVAILABLE)


async def test_a_proxy_in_between_says_nothing_about_the_work() -> None:
    assert (await refused(httpx.Response(502, content=b"<html>"))).reason == R.ANSWER_LOST
    assert (await refused(httpx.Response(524, content=b"<html>"))).reason == R.ANSWER_LOST


async def test_what_the_safety_rules_saw_is_told() -> None:
    error = {"code": 403, "metadata": {"reasons": ["violence", "gore"], "flagged_input": "a secret fox"}}

    failure = await refused(httpx.Response(403, json={"error": error}))

    assert failure.metadata["categories"] == "gore, violence"
    assert failure.metadata["stage"] == "input"


async def test_the_wait_is_told() -> None:
    failure = await refused(
        httpx.Response(429, content=json.dumps({"error": {"code": 429}}), headers={"retry-after": "7"})
    )

    assert failure.retry_after == 7
