"""OpenRouter's dialect, by its official client and by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pybase64
import pytest
from openrouter import OpenRouter, components, errors

from deploy.sandbox.keys import KEYS
from tests.deploy.sandbox.house import billed, inside, order, sandbox
from tests.deploy.sandbox.pictures import RED, colour, in_url, opened, plain

PATH = "/api/v1/images"
KLEIN = "black-forest-labs/flux.2-klein-4b"
SMALL = {"model": KLEIN, "prompt": "a fox", "size": "512x320"}
STREAMED = {"model": "openai/gpt-image-2", "prompt": "a fox", "size": "512x320", "stream": True}
CHAT = {"model": "google/gemini-2.5-flash-image", "messages": [{"role": "user", "content": "a fox"}]}


@asynccontextmanager
async def official(client: httpx.AsyncClient, key: str = KEYS["openrouter"]) -> AsyncIterator[OpenRouter]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as wire:  # noqa: S501 - loopback
        yield OpenRouter(
            api_key=key,
            server_url=str(client.base_url.join("/api/v1")),
            async_client=wire,
            retry_config=None,
            timeout_ms=20_000,
        )


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: {")]


async def test_the_official_client_draws_after_a_picture() -> None:
    async with sandbox() as client, official(client) as router:
        answer = await router.images.generate_async(
            model=KLEIN,
            prompt="a fox",
            aspect_ratio="3:2",
            resolution="1K",
            input_references=[
                components.ContentPartImage(
                    type="image_url", image_url=components.ContentPartImageImageURL(url=in_url(plain(RED)))
                )
            ],
        )
        charges = await billed(client)

    picture = opened(answer.data[0].b64_json)
    red, _, blue = colour(picture, (0.05, 0.05, 0.4, 0.4))
    assert red > blue
    assert picture.size == (1248, 832)
    assert answer.data[0].media_type == "image/jpeg"
    assert answer.usage is not None
    # The first megapixel and a begun second one.
    assert Decimal(str(answer.usage.cost)) == Decimal(charges[0]["price"]) == Decimal("0.015")


async def test_the_official_client_follows_a_stream() -> None:
    async with sandbox(instant=True) as client, official(client) as router:
        stream = await router.images.generate_async(
            model="openai/gpt-image-2", prompt="a fox", size="512x320", stream=True
        )
        seen = [event async for event in stream]

    assert [event.type for event in seen] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert isinstance(seen[-1], components.ImageGenCompletedEvent)
    assert seen[-1].usage is not None


async def test_the_official_client_reads_the_listings() -> None:
    async with sandbox(instant=True) as client, official(client) as router:
        pictures = (await router.images.list_models_async()).data
        ends = await router.images.list_model_endpoints_async(
            author="black-forest-labs", slug="flux.2-klein-4b"
        )
        text = await router.models.list_async()
        drawing = await router.models.list_async(output_modalities="image")

    assert {model.id: model.supports_streaming for model in pictures}["openai/gpt-image-2"]
    prices = [(price.unit, price.cost_usd) for price in ends.endpoints[0].pricing]
    assert prices == [("megapixel", 0.014), ("megapixel", 0.001)]
    assert text is not None
    assert drawing is not None
    names = [{model.id for model in page.result.data} for page in (text, drawing)]
    assert "openai/gpt-5.1" in names[0]
    assert KLEIN not in names[0]
    assert KLEIN in names[1]


@pytest.mark.filterwarnings("ignore:.*DEPRECATED")  # its own model of a key has a field it deplores
async def test_the_official_client_sees_what_was_spent() -> None:
    async with sandbox(instant=True) as client, official(client) as router:
        answer = await client.post(PATH, json=SMALL)
        found = await router.generations.get_generation_async(id=answer.headers["x-generation-id"])
        key = await router.api_keys.get_current_key_metadata_async()
        credits_ = await router.credits.get_credits_async()

    assert found.data.total_cost == answer.json()["usage"]["cost"] == 0.014
    assert key.data.usage == credits_.data.total_usage == 0.014
    assert key.data.limit_remaining == pytest.approx(99.986)


async def test_the_official_client_draws_by_chat() -> None:
    async with sandbox(instant=True) as client, official(client) as router:
        said = await router.chat.send_async(
            model="google/gemini-2.5-flash-image",
            messages=[components.ChatUserMessage(role="user", content="a fox")],
            modalities=["image", "text"],
        )

    images = said.choices[0].message.images
    assert images
    assert images[0].image_url.url.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no_credit", errors.PaymentRequiredResponseError),
        ("moderation", errors.ForbiddenResponseError),
        ("rate_limit", errors.TooManyRequestsResponseError),
        ("server_error", errors.BadGatewayResponseError),
        ("provider_overloaded", errors.ProviderOverloadedResponseError),
    ],
)
async def test_the_official_client_reads_refusals(name: str, error: type[Exception]) -> None:
    async with sandbox(instant=True) as client, official(client) as router:
        await order(client, refuse=name)
        with pytest.raises(error):
            await router.images.generate_async(model=KLEIN, prompt="a fox", size="512x320")

        assert await billed(client) == []


async def test_the_official_client_reads_a_wrong_key() -> None:
    async with sandbox(instant=True) as client, official(client, "sk-or-v1-other") as router:
        with pytest.raises(errors.UnauthorizedResponseError):
            await router.api_keys.get_current_key_metadata_async()


async def test_no_key_is_told_from_a_wrong_one() -> None:
    async with inside() as client:
        none = await client.post(PATH, json=SMALL, headers={"authorization": ""})
        listed = await client.get(f"{PATH}/models", headers={"authorization": ""})

    assert none.status_code == 401
    assert none.json()["error"] == {"code": 401, "message": "Missing Authentication header"}
    assert listed.status_code == 200


async def test_openais_path_is_not_here() -> None:
    async with inside() as client:
        answer = await client.post(f"{PATH}/generations", json=SMALL)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 404)


async def test_a_model_that_cannot_stream_ignores_the_wish() -> None:
    async with inside(instant=True) as client:
        answer = await client.post(PATH, json=SMALL | {"stream": True})

    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()["data"]) == 1


async def test_a_stream_is_kept_alive_by_comments() -> None:
    async with inside(instant=True) as client:
        await order(client, partials=0)
        answer = await client.post(PATH, json=STREAMED)

    assert answer.text.startswith(": OPENROUTER PROCESSING\n\n")
    assert answer.text.endswith("data: [DONE]\n\n")
    assert [event["type"] for event in events(answer)] == ["image_generation.completed"]


async def test_a_stream_can_fail_after_200() -> None:
    async with inside(instant=True) as client:
        await order(client, stream_error=True, partials=0)
        answer = await client.post(PATH, json=STREAMED)

    assert [event["error"]["code"] for event in events(answer)] == ["server_error"]


async def test_an_error_can_stand_in_a_good_answer() -> None:
    async with inside(instant=True) as client:
        await order(client, refuse="content_policy", late=True)
        answer = await client.post(PATH, json=SMALL)
        charges = await billed(client)

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, 400)
    assert charges == []


async def test_a_chat_can_answer_in_words_only() -> None:
    async with inside(instant=True) as client:
        await order(client, text_only=True)
        answer = await client.post("/api/v1/chat/completions", json=CHAT | {"modalities": ["image"]})

    message = answer.json()["choices"][0]["message"]
    assert "images" not in message
    assert message["content"]


async def test_a_chat_can_stream_its_pictures() -> None:
    wanted = CHAT | {"modalities": ["image", "text"], "stream": True}
    async with inside(instant=True) as client:
        answer = await client.post("/api/v1/chat/completions", json=wanted)

    url = events(answer)[0]["choices"][0]["delta"]["images"][0]["image_url"]["url"]
    assert pybase64.b64decode(url.partition(",")[2]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"prompt": ""}, "prompt"),
        ({"n": 2}, "n:"),
        ({"aspect_ratio": "7:3"}, "aspect_ratio"),
        ({"resolution": "1K"}, "contradicts"),
        ({"aspect_ratio": "1:1"}, "contradicts"),
        ({"size": "4K"}, "makes 1K, 2K"),
        ({"quality": "best"}, "quality"),
        ({"background": "transparent", "output_format": "jpeg"}, "transparent"),
        (
            {"input_references": [{"type": "image_url", "image_url": {"url": "https://x.example/y"}}]},
            "download",
        ),
        ({"input_references": [{"type": "image_url", "image_url": {"url": in_url(b"x")}}]}, "read"),
        ({"model": "bytedance-seed/seedream-4.5", "size": "1024x1024"}, "does not make"),
    ],
)
async def test_a_bad_value_is_refused(change: dict[str, Any], word: str) -> None:
    async with inside(instant=True) as client:
        answer = await client.post(PATH, json=SMALL | change)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)
    assert word in answer.json()["error"]["message"]


async def test_an_unknown_model_has_no_endpoints_and_unknown_fields_do_no_harm() -> None:
    async with inside(instant=True) as client:
        gone = await client.post(PATH, json=SMALL | {"model": "black-forest-labs/flux-schnell"})
        odd = await client.post(PATH, json=SMALL | {"mask": "x"})

    assert (gone.status_code, gone.json()["error"]["metadata"]["error_type"]) == (404, "no_endpoints")
    assert odd.status_code == 200
