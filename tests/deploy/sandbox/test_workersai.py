"""Workers AI's dialect. No official client speaks it, so all of it is by hand."""

from typing import Any

import httpx
import pybase64
import pytest

from deploy.sandbox.keys import ACCOUNTS, KEYS
from tests.deploy.sandbox.house import billed, inside, order
from tests.deploy.sandbox.pictures import RED, colour, opened, plain

BASE = f"/client/v4/accounts/{ACCOUNTS[0]}/ai"
KLEIN = f"{BASE}/run/@cf/black-forest-labs/flux-2-klein-4b"
SDXL = f"{BASE}/run/@cf/stabilityai/stable-diffusion-xl-base-1.0"
SMALL = {"prompt": "a fox", "width": 512, "height": 512}
FORM = {"prompt": "a fox", "width": "512", "height": "512", "steps": "4"}
# What makes a form of texts only a multipart one.
PARTS = {name: (None, value) for name, value in FORM.items()}


def unwrapped(drawn: httpx.Response, answer: str) -> Any:
    said: Any = drawn.content if answer == "raw" else drawn.json()
    for key in {"image": ["image"], "result": ["result", "image"]}.get(answer, []):
        said = said[key]
    return said


async def test_a_form_model_draws_after_a_picture() -> None:
    async with inside() as client:
        drawn = await client.post(KLEIN, data=FORM, files={"image": ("a.png", plain(RED), "image/png")})
        charges = await billed(client)

    picture = opened(drawn.json()["result"]["image"])
    red, _, blue = colour(picture, (0.05, 0.05, 0.4, 0.4))
    assert red > blue
    assert picture.size == (512, 512)
    assert (charges[0]["dialect"], charges[0]["price"]) == ("workersai", "0.0006")


async def test_a_json_model_draws_after_a_picture() -> None:
    image = pybase64.b64encode(plain(RED)).decode()
    async with inside() as client:
        drawn = await client.post(SDXL, json=SMALL | {"image": image, "num_steps": 8, "strength": 0.2})

    red, green, blue = colour(opened(drawn.content), (0.05, 0.05, 0.4, 0.4))
    assert drawn.headers["content-type"] == "image/png"
    assert red > max(green, blue) + 60


@pytest.mark.parametrize("answer", ["raw", "image", "result", "text"])
async def test_a_picture_comes_in_any_wrapping(answer: str) -> None:
    async with inside(instant=True) as client:
        await order(client, answer=answer)
        drawn = await client.post(SDXL, json=SMALL)

    kind = "image/png" if answer == "raw" else "application/json"
    assert drawn.headers["content-type"] == kind
    assert opened(unwrapped(drawn, answer)).size == (512, 512)


async def test_the_token_and_the_account_both_count() -> None:
    path = f"{BASE}/models/search?task=Text-to-Image&per_page=100"
    own = {"authorization": f"Bearer {KEYS['workersai']}"}
    async with inside() as client:
        good = await client.get(path, headers=own)
        wrong = await client.get(path, headers={"authorization": "Bearer other"})
        elsewhere = await client.get(path.replace(ACCOUNTS[0], "other"))

    names = [model["name"] for model in good.json()["result"]]
    assert "@cf/black-forest-labs/flux-2-klein-4b" in names
    assert not any("llama" in name for name in names)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (401, 10000)
    assert (elsewhere.status_code, elsewhere.json()["success"]) == (404, False)


@pytest.mark.parametrize(
    "change",
    [{"width": "500"}, {"width": "x"}, {"prompt": ""}, {"prompt": "x" * 3001}],
)
async def test_a_bad_value_of_a_form_is_refused(change: dict[str, str]) -> None:
    parts = PARTS | {name: (None, value) for name, value in change.items()}
    async with inside(instant=True) as client:
        answer = await client.post(KLEIN, files=parts)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 5006)


async def test_a_form_model_takes_no_json() -> None:
    async with inside(instant=True) as client:
        answer = await client.post(KLEIN, json=SMALL)
        form = await client.post(KLEIN, files=PARTS)

    assert answer.status_code == 400
    assert "multipart" in answer.json()["errors"][0]["message"]
    assert form.status_code == 200


async def test_too_many_or_broken_pictures_are_refused() -> None:
    broken = [("image", ("a.png", b"x", "image/png"))]
    many = [("image", ("a.png", plain(RED), "image/png"))] * 3
    async with inside(instant=True) as client:
        answers = [await client.post(KLEIN, data=FORM, files=files) for files in (broken, many)]

    assert [answer.status_code for answer in answers] == [400, 400]


async def test_an_unknown_model_is_not_found() -> None:
    async with inside() as client:
        answer = await client.post(f"{BASE}/run/@cf/none/such", json=SMALL)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 5007)


@pytest.mark.parametrize(
    ("name", "status"), [("moderation", 400), ("no_credit", 429), ("rate_limit", 429), ("server_error", 500)]
)
async def test_a_refusal_by_name_costs_nothing(name: str, status: int) -> None:
    async with inside(instant=True) as client:
        await order(client, refuse=name)
        answer = await client.post(SDXL, json=SMALL)

        assert (answer.status_code, answer.json()["success"]) == (status, False)
        assert await billed(client) == []


async def test_an_answer_can_be_empty() -> None:
    async with inside(instant=True) as client:
        await order(client, pictures=0)
        raw = await client.post(SDXL, json=SMALL)
        await order(client, pictures=0)
        wrapped = await client.post(KLEIN, files=PARTS)

    assert raw.content == b""
    assert wrapped.json()["result"]["image"] == ""
