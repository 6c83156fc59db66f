"""OpenAI's edits, as a form and as JSON, by its official client and by hand."""

import json
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, BadRequestError, RateLimitError

from deploy.sandbox.keys import KEYS
from tests.deploy.sandbox.house import billed, inside, order, sandbox
from tests.deploy.sandbox.pictures import BLUE, RED, colour, half_clear, in_url, near, opened, plain

PATH = "/v1/images/edits"
SMALL = {"model": "gpt-image-2", "prompt": "a fox", "size": "1024x640", "output_format": "jpeg"}
FORM = SMALL | {"n": "1"}
UPPER = (0.05, 0.05, 0.4, 0.4)


def official(client: httpx.AsyncClient) -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key=KEYS["openai"], base_url=f"{client.base_url}/v1".replace("//v1", "/v1"), max_retries=0
    )


async def test_the_official_client_edits_after_several_pictures() -> None:
    async with sandbox() as client, official(client) as openai:
        answer = await openai.images.edit(
            model="gpt-image-2",
            prompt="a fox",
            image=[("one.png", plain(RED), "image/png"), ("two.png", plain(BLUE), "image/png")],
            size="1024x640",
            quality="low",
        )

    assert answer.usage is not None
    assert answer.data is not None
    assert answer.usage.input_tokens_details.image_tokens > 0
    picture = opened(answer.data[0].b64_json or "")
    red, _, blue = colour(picture, UPPER)
    assert red > blue
    # The second lies on the first as a small print in the corner below.
    assert near(colour(picture, (0.04, 0.84, 0.07, 0.9)), BLUE, 20)


async def test_what_a_mask_keeps_is_kept() -> None:
    async with sandbox() as client, official(client) as openai:
        answer = await openai.images.edit(
            model="gpt-image-1.5",
            prompt="a fox",
            image=("one.png", plain(RED), "image/png"),
            mask=("mask.png", half_clear(), "image/png"),
            input_fidelity="high",
            size="1024x1024",
        )

    assert answer.data is not None
    picture = opened(answer.data[0].b64_json or "")
    assert near(colour(picture, (0.1, 0.1, 0.4, 0.4)), RED)
    assert not near(colour(picture, (0.6, 0.1, 0.9, 0.4)), RED, 40)


async def test_the_official_client_follows_a_stream() -> None:
    async with sandbox() as client, official(client) as openai:
        stream = await openai.images.edit(
            model="gpt-image-2",
            prompt="a fox",
            image=("one.png", plain(RED), "image/png"),
            size="1024x640",
            stream=True,
            partial_images=1,
        )
        events = [event async for event in stream]

    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]


async def test_the_official_client_draws_and_streams() -> None:
    async with sandbox(instant=True) as client, official(client) as openai:
        models = [model.id async for model in openai.models.list()]
        drawn = await openai.images.generate(model="gpt-image-2", prompt="a fox", n=2, size="1024x640")
        stream = await openai.images.generate(
            model="gpt-image-2", prompt="a fox", size="1024x640", stream=True, partial_images=0
        )
        events = [event.type async for event in stream]

    assert "gpt-image-2" in models
    assert len(drawn.data or []) == 2
    assert events == ["image_generation.completed"]


async def test_the_official_client_reads_refusals() -> None:
    async with sandbox(instant=True) as client, official(client) as openai:
        await order(client, refuse="moderation")
        with pytest.raises(BadRequestError) as moderated:
            await openai.images.generate(model="gpt-image-2", prompt="a fox")
        await order(client, refuse="rate_limit", retry_after=3)
        with pytest.raises(RateLimitError) as limited:
            await openai.images.generate(model="gpt-image-2", prompt="a fox")

    assert moderated.value.code == "moderation_blocked"
    assert limited.value.response.headers["retry-after"] == "3"


async def test_json_takes_pictures_in_addresses() -> None:
    body = SMALL | {
        "images": [{"image_url": in_url(plain(RED))}],
        "mask": {"image_url": in_url(half_clear())},
    }
    async with inside() as client:
        answer = await client.post(PATH, json=body | {"moderation": "low"})
        charges = await billed(client)

    picture = opened(answer.json()["data"][0]["b64_json"])
    assert near(colour(picture, UPPER), RED)
    assert len(charges) == 1


@pytest.mark.parametrize("name", ["image", "image[]"])
async def test_auto_takes_the_shape_of_the_picture(name: str) -> None:
    form = {"model": "gpt-image-1.5", "prompt": "a fox", "size": "auto"}
    async with inside(instant=True) as client:
        files = {name: ("one.png", plain(RED, (200, 100)), "image/png")}
        answer = await client.post(PATH, data=form, files=files)

    assert answer.json()["size"] == "1536x1024"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"input_fidelity": "high"}, "input_fidelity", "invalid_input_fidelity_model"),
        ({"moderation": "low"}, "moderation", "unknown_parameter"),
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"n": "eleven"}, "n", "invalid_type"),
        (
            {"model": "gpt-image-1-mini", "size": "auto", "input_fidelity": "high"},
            "input_fidelity",
            "invalid_value",
        ),
    ],
)
async def test_a_bad_value_of_a_form_is_refused(change: dict[str, str], param: str, code: str) -> None:
    async with inside(instant=True) as client:
        files = {"image": ("one.png", plain(RED), "image/png")}
        answer = await client.post(PATH, data=FORM | change, files=files)

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)


@pytest.mark.parametrize(
    ("files", "param", "code"),
    [
        ({"image": ("one.txt", b"no picture", "text/plain")}, "image", "unsupported_file_mimetype"),
        ({"image": ("one.png", b"no picture", "image/png")}, "image", "invalid_image_file"),
        ({"mask": ("m.png", half_clear((8, 8)), "image/png")}, "mask", "invalid_image_file"),
        ({"mask": ("m.png", plain(RED), "image/png")}, "mask", "invalid_image_file"),
    ],
)
async def test_a_bad_picture_is_refused(files: dict[str, Any], param: str, code: str) -> None:
    first = {"image": ("one.png", plain(RED), "image/png")} if "mask" in files else {}
    async with inside(instant=True) as client:
        answer = await client.post(PATH, data=FORM, files=first | files)
        charges = await billed(client)

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert charges == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"images": []}, "missing_required_parameter"),
        ({"images": [{"image_url": "https://example.com/x.png"}]}, "invalid_image_url"),
        ({"images": [{"file_id": "file-1"}]}, "file_not_found"),
        ({"images": [{"file_id": "file-1", "image_url": "x"}]}, "invalid_value"),
        ({"images": [{"image_url": in_url(plain(RED, (2, 2)))}] * 17}, "array_above_max_length"),
    ],
)
async def test_bad_addresses_are_refused(change: dict[str, Any], code: str) -> None:
    async with inside(instant=True) as client:
        answer = await client.post(PATH, content=json.dumps(SMALL | change))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
