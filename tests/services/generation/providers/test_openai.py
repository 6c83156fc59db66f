from typing import Any

import httpx
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.providers import Finished, Image, Provider, Task, openai
from tests.services.generation.providers.fakes import FakeOpenAI, api, events, picture

R = ErrorReason
KIND: Provider = openai
FAKE = FakeOpenAI  # for the contract

TASK = Task(
    model="gpt-image-2",
    prompt="a fox",
    count=2,
    size="1536x1024",
    quality="high",
    output_format="webp",
    background="transparent",
    config={
        "quality": "low",
        "moderation": "low",
        "output_compression": 80,
        "user": "u1",
        "price_per_image": 1,
    },
)


async def finished(task: Task = TASK, **more: Any) -> Finished:
    last = (await events(KIND, task, api(KIND, FakeOpenAI(**more))))[-1]
    assert isinstance(last, Finished)
    return last


async def test_everything_reaches_the_api() -> None:
    fake = FakeOpenAI()

    came = await events(KIND, TASK, api(KIND, fake))

    assert fake.bodies == [
        {
            "model": "gpt-image-2",
            "prompt": "a fox",
            "n": 2,
            "size": "1536x1024",
            "quality": "high",
            "background": "transparent",
            "output_format": "webp",
            "output_compression": 80,
            "moderation": "low",
            "user": "u1",
        }
    ]
    assert came[:2] == [Image(0, picture(0)), Image(1, picture(1))]


async def test_what_was_not_asked_is_not_sent() -> None:
    fake = FakeOpenAI()
    task = Task(model="m", prompt="x", count=1, config={"output_compression": 50})

    await events(KIND, task, api(KIND, fake))

    assert fake.bodies == [{"model": "m", "prompt": "x", "n": 1}]


@pytest.mark.parametrize(
    ("tokens", "usage"),
    [
        (
            {
                "input_tokens": 10,
                "output_tokens": 272,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
            },
            {"text_in": 10, "image_in": 0, "text_out": 0, "image_out": 272, "images": 2},
        ),
        (
            {
                "input_tokens": 14,
                "output_tokens": 300,
                "input_tokens_details": {"text_tokens": 4, "image_tokens": 10},
                "output_tokens_details": {"text_tokens": 28, "image_tokens": 272},
            },
            {"text_in": 4, "image_in": 10, "text_out": 28, "image_out": 272, "images": 2},
        ),
        (
            {"input_tokens": 5, "output_tokens": 7},
            {"text_in": 5, "image_in": 0, "text_out": 0, "image_out": 7, "images": 2},
        ),
    ],
)
async def test_usage_is_counted_by_what_it_was(tokens: dict[str, Any], usage: dict[str, int]) -> None:
    end = await finished(usage=tokens)

    assert end.usage == usage
    assert end.request_id == "req_1"


async def test_without_usage_only_the_pictures_are_known() -> None:
    assert (await finished()).usage == {"images": 2}


async def test_what_the_model_chose_is_told() -> None:
    task = Task(model="m", prompt="x", count=1, size="auto", quality="high")

    end = await finished(task, size="1024x1536", quality="medium")

    assert [(change.field, change.asked, change.sent) for change in end.adaptations] == [
        ("size", "auto", "1024x1536"),
        ("quality", "high", "medium"),
    ]


async def test_an_echo_is_no_adaptation() -> None:
    assert list((await finished(size="1536x1024", quality="high")).adaptations) == []


async def test_an_address_of_a_picture_must_be_public() -> None:
    fake = FakeOpenAI(data=[{"url": "http://169.254.169.254/picture.png"}])

    with pytest.raises(Failure) as caught:
        await events(KIND, TASK, api(KIND, fake))

    assert caught.value.reason == R.ANSWER_UNUSABLE


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"code": "moderation_blocked", "type": "image_generation_user_error"}, R.CONTENT_REFUSED),
        (400, {"code": "content_policy_violation"}, R.CONTENT_REFUSED),
        (400, {"code": "billing_hard_limit_reached", "type": "billing_limit_user_error"}, R.PROVIDER_UNPAID),
        (400, {"code": "invalid_value", "param": "size"}, R.CALL_REFUSED),
        (400, {"code": None, "type": None}, R.CALL_REFUSED),
        (401, {"code": "invalid_api_key"}, R.KEY_REJECTED),
        (
            401,
            {"code": None, "message": "You have insufficient permissions. Missing scopes: x"},
            R.CALL_FORBIDDEN,
        ),
        (403, {"message": "Your organization must be verified to use the model"}, R.CALL_FORBIDDEN),
        (404, {"code": "model_not_found"}, R.MODEL_UNKNOWN),
        (429, {"code": "rate_limit_exceeded", "type": "images"}, R.PROVIDER_RATE_LIMITED),
        (429, {"code": "insufficient_quota", "type": "insufficient_quota"}, R.PROVIDER_UNPAID),
        (429, {"code": None, "type": "insufficient_quota"}, R.PROVIDER_UNPAID),
        (429, {"code": "project_spend_limit_exceeded"}, R.PROVIDER_UNPAID),
        (500, {"code": None, "type": "server_error"}, R.PROVIDER_UNAVAILABLE),
        (500, {"code": None, "type": "surprise"}, R.ANSWER_LOST),
        (502, {}, R.ANSWER_LOST),
        (503, {}, R.PROVIDER_UNAVAILABLE),
    ],
)
async def test_errors_by_code_then_type_then_status(
    status: int, error: dict[str, Any], reason: ErrorReason
) -> None:
    fake = FakeOpenAI()
    fake.answer = httpx.Response(status, json={"error": error})

    with pytest.raises(Failure) as caught:
        await events(KIND, TASK, api(KIND, fake))

    assert caught.value.reason == reason
    assert caught.value.metadata.get("parameter") == error.get("param")


async def test_what_the_safety_rules_saw_is_told() -> None:
    fake = FakeOpenAI()
    details = {"moderation_stage": "input", "categories": ["violence", "gore"]}
    fake.answer = httpx.Response(
        400, json={"error": {"code": "moderation_blocked", "moderation_details": details, "message": "a fox"}}
    )

    with pytest.raises(Failure) as caught:
        await events(KIND, TASK, api(KIND, fake))

    assert caught.value.metadata == {
        "provider": "providers/test",
        "status": "400",
        "stage": "input",
        "categories": "gore, violence",
    }


async def test_a_key_that_may_not_list_models_is_good() -> None:
    fake = FakeOpenAI()
    fake.answer = httpx.Response(403, json={"error": {"message": "Missing scopes: api.model.read"}})

    await KIND.check(api(KIND, fake))
