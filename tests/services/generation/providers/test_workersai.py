from dataclasses import replace
from typing import Any

import httpx
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.providers import Event, Finished, Image, Picture, Provider, Task, workersai
from tests.services.generation.providers.fakes import FakeWorkersAI, api, events, picture

R = ErrorReason
KIND: Provider = workersai
FAKE = FakeWorkersAI  # for the contract

FOX = Picture(b"\x89PNG fox\r\n--", "image/png", 64, 64)
OWL = Picture(b"\xff\xd8\xff owl", "image/jpeg", 64, 64)
TASK = Task(
    model="@cf/some/model",
    prompt="a fox",
    count=1,
    size="1024x768",
    config={"steps": 12, "input": {"guidance": 3.5}, "price_per_image": 1},
)
FORM = replace(TASK, model="@cf/black-forest-labs/flux-2-dev", seed=7, form={"body": "multipart"})


async def drawn(fake: FakeWorkersAI, task: Task = TASK) -> list[Event]:
    return await events(KIND, task, api(KIND, fake))


async def refused(answer: httpx.Response) -> Failure:
    fake = FakeWorkersAI()
    fake.answer = answer
    with pytest.raises(Failure) as caught:
        await drawn(fake)
    return caught.value


async def test_json_has_everything() -> None:
    fake = FakeWorkersAI()

    await drawn(fake, replace(TASK, references=(FOX,)))

    assert fake.bodies == [
        {
            "model": "@cf/some/model",
            "prompt": "a fox",
            "width": 1024,
            "height": 768,
            "num_steps": 12,
            "guidance": 3.5,
            "image": "iVBORyBmb3gNCi0t",
        }
    ]


async def test_several_references_are_a_list() -> None:
    fake = FakeWorkersAI()

    await drawn(fake, replace(TASK, references=(FOX, OWL)))

    assert fake.bodies[0]["images"] == ["iVBORyBmb3gNCi0t", "/9j/IG93bA=="]
    assert "image" not in fake.bodies[0]


async def test_a_form_has_everything() -> None:
    fake = FakeWorkersAI()

    await drawn(fake, replace(FORM, prompt='a "fox"\r\nand ü', references=(FOX, OWL)))

    assert fake.bodies == [
        {
            "model": "@cf/black-forest-labs/flux-2-dev",
            "prompt": 'a "fox"\r\nand ü',
            "width": "1024",
            "height": "768",
            "steps": "12",
            "guidance": "3.5",
            "seed": "7",
            "input_image_0": ("image/png", FOX.data),
            "input_image_1": ("image/jpeg", OWL.data),
        }
    ]


async def test_what_was_not_asked_is_not_sent() -> None:
    fake = FakeWorkersAI()

    await drawn(fake, Task(model="m", prompt="x", count=1))

    assert fake.bodies == [{"model": "m", "prompt": "x"}]


@pytest.mark.parametrize("form", ["bytes", "text", "image", "result"])
async def test_the_picture_is_found_however_it_comes(form: str) -> None:
    came = await drawn(FakeWorkersAI(form))

    assert came == [Image(0, picture(0)), Finished(usage={"images": 1})]


async def test_bytes_are_believed_and_labels_are_not() -> None:
    fake = FakeWorkersAI()
    fake.answer = httpx.Response(200, content=picture(3), headers={"content-type": "application/json"})

    assert (await drawn(fake))[0] == Image(0, picture(3))


@pytest.mark.parametrize("content", [b'""', b'"no base64!"', b'{"image": 3}', b'{"result": {}}', b"\x00\x01"])
async def test_what_is_no_picture_is_unusable(content: bytes) -> None:
    answer = httpx.Response(200, content=content, headers={"content-type": "image/png"})

    assert (await refused(answer)).reason == R.ANSWER_UNUSABLE


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"errors": [{"code": 5007, "message": "No such model"}]}, R.MODEL_UNKNOWN),
        (400, {"errors": [{"code": 5004}]}, R.CALL_REFUSED),
        (400, {"errors": [{"code": 3030, "message": "a secret fox"}]}, R.CONTENT_REFUSED),
        (401, {"errors": [{"code": 10000}]}, R.KEY_REJECTED),
        (403, {"errors": [{"code": 5018}]}, R.CALL_FORBIDDEN),
        (404, {"errors": []}, R.MODEL_UNKNOWN),
        (413, {"errors": [{"code": 3006}]}, R.CALL_REFUSED),
        (429, {"errors": [{"code": 3036}]}, R.PROVIDER_UNPAID),
        (429, {"errors": [{"code": 3040}]}, R.PROVIDER_UNAVAILABLE),
        (429, {}, R.PROVIDER_RATE_LIMITED),
        (408, {"errors": [{"code": 3007}]}, R.ANSWER_LOST),
        (500, {}, R.ANSWER_LOST),
        (503, {}, R.PROVIDER_UNAVAILABLE),
    ],
)
async def test_errors_by_code_then_status(status: int, body: dict[str, Any], reason: ErrorReason) -> None:
    failure = await refused(httpx.Response(status, json=body))

    assert failure.reason == reason
    assert "fox" not in str(failure.to_status())


async def test_a_wrong_account_shows_in_the_check() -> None:
    with pytest.raises(Failure) as caught:
        await KIND.check(_of_account("other/../x"))

    assert caught.value.reason == R.KEY_REJECTED


def _of_account(account: str) -> Any:
    endpoint = api(KIND, FakeWorkersAI())
    endpoint.account = account
    return endpoint
