"""Pictures after pictures, contact sheets, and the manners of a WebUI's relatives."""

import asyncio
import json
from typing import Any

import httpx
import pybase64
import pytest
import webuiapi  # type: ignore[import-untyped]
from PIL import Image

from deploy.sandbox.webui import Flags
from tests.deploy.sandbox.house import billed, inside, order, sandbox
from tests.deploy.sandbox.pictures import RED, colour, half_white, in_url, near, opened, plain

BASE = "/sdapi/v1"
SMALL = {"prompt": "hills", "width": 128, "height": 128, "seed": 7, "steps": 20}
AFTER = SMALL | {"init_images": [in_url(plain(RED))], "denoising_strength": 0.3}
PLACE = (0.05, 0.05, 0.4, 0.4)


def official(client: httpx.AsyncClient, **more: Any) -> webuiapi.WebUIApi:
    return webuiapi.WebUIApi(host=client.base_url.host, port=client.base_url.port, **more)


async def test_the_official_client_draws_and_lists() -> None:
    def work(client: httpx.AsyncClient) -> tuple[Any, Any, list[str]]:
        api = official(client)
        drawn = api.txt2img(prompt="hills", seed=7, width=128, height=128, batch_size=2, save_images=True)
        return drawn, api.get_loras(), api.util_get_model_names()

    async with sandbox() as client:
        drawn, loras, models = await asyncio.to_thread(work, client)

    assert drawn.info["index_of_first_image"] == 1
    assert [picture.size for picture in drawn.images] == [(256, 128), (128, 128), (128, 128)]
    assert loras[0]["name"]
    assert len(models) == 2


async def test_the_official_client_paints_over_a_part() -> None:
    def work(client: httpx.AsyncClient) -> Any:
        mask = Image.new("L", (128, 128))
        mask.paste(255, (64, 0, 128, 128))
        return official(client, username="ada", password="lovelace").img2img(
            images=[Image.new("RGB", (128, 128), RED)],
            mask_image=mask,
            prompt="hills",
            seed=7,
            width=128,
            height=128,
            denoising_strength=1.0,
        )

    async with sandbox(flags=Flags("ada:lovelace")) as client:
        drawn = await asyncio.to_thread(work, client)

    assert near(colour(drawn.image.convert("RGB"), PLACE), RED)
    assert not near(colour(drawn.image.convert("RGB"), (0.6, 0.05, 0.95, 0.4)), RED, 40)


async def test_denoising_says_how_much_is_new() -> None:
    async with inside() as client:
        some = (await client.post(f"{BASE}/img2img", json=AFTER)).json()
        more = (await client.post(f"{BASE}/img2img", json=AFTER | {"denoising_strength": 0.9})).json()

    close, far = (colour(opened(answer["images"][0]), PLACE) for answer in (some, more))
    assert close[0] - close[2] > far[0] - far[2]
    assert some["parameters"]["init_images"] is None


async def test_a_mask_can_be_turned_round() -> None:
    mask = {"mask": in_url(half_white()), "denoising_strength": 1, "inpainting_mask_invert": 1}
    async with inside() as client:
        answer = await client.post(f"{BASE}/img2img", json=AFTER | mask)

    assert not near(colour(opened(answer.json()["images"][0]), PLACE), RED, 40)


@pytest.mark.parametrize(
    ("pictures", "status", "text"),
    [
        ([], 404, "Init image not found"),
        (["https://example.com/x.png"], 500, "Requests not allowed"),
        ([pybase64.b64encode(b"no picture").decode()], 500, "Invalid encoded image"),
        (["no base64 at all!"], 500, "Invalid encoded image"),
    ],
)
async def test_a_bad_picture_is_refused(pictures: list[str], status: int, text: str) -> None:
    async with inside() as client:
        answer = await client.post(f"{BASE}/img2img", json=SMALL | {"init_images": pictures})
        charges = await billed(client)

    assert (answer.status_code, answer.json()["detail"]) == (status, text)
    assert charges == []


async def test_a_contact_sheet_comes_first_until_an_option_forbids_it() -> None:
    wanted = SMALL | {"batch_size": 2, "save_images": True}
    async with inside() as client:
        with_sheet = (await client.post(f"{BASE}/txt2img", json=wanted)).json()
        await client.post(f"{BASE}/options", json={"return_grid": False})
        without = (await client.post(f"{BASE}/txt2img", json=wanted)).json()
        await order(client, sheet=True)
        ordered = (await client.post(f"{BASE}/txt2img", json=SMALL)).json()

    told = [json.loads(answer["info"])["index_of_first_image"] for answer in (with_sheet, without, ordered)]
    assert told == [1, 0, 1]
    assert [len(answer["images"]) for answer in (with_sheet, without, ordered)] == [3, 2, 2]
    assert with_sheet["images"][1:] == without["images"]


async def test_without_its_api_nothing_is_there() -> None:
    async with inside(flags=Flags(api=False)) as client:
        answers = [await client.get(f"{BASE}/options"), await client.post(f"{BASE}/txt2img", json=SMALL)]
        ping = await client.get("/internal/ping")

    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, {"detail": "Not Found"})] * 2
    assert ping.status_code == 200


async def test_forge_does_without_the_wrapper() -> None:
    async with inside(flags=Flags("ada:lovelace", build="forge")) as client:
        wrong = await client.get(f"{BASE}/options")
        client.headers["authorization"] = "Basic YWRhOmxvdmVsYWNl"
        unknown = await client.post(f"{BASE}/options", json={"sd_model_checkpoint": "none"})
        large = await client.post(f"{BASE}/txt2img", json=SMALL | {"width": 8000, "height": 8000})
        vaes, modules = [await client.get(f"{BASE}/{name}") for name in ("sd-vae", "sd-modules")]

    assert wrong.json() == {"detail": "Incorrect username or password"}
    assert (unknown.status_code, unknown.text) == (500, "Internal Server Error")
    assert "out of memory" in large.json()["detail"]
    assert (vaes.status_code, modules.status_code) == (404, 200)


async def test_sdnext_answers_nothing_to_an_interrupt() -> None:
    async with inside(flags=Flags(build="sdnext")) as client:
        answers = [await client.post(f"{BASE}/{name}") for name in ("interrupt", "skip")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2


async def test_an_unknown_script_is_unprocessable() -> None:
    async with inside() as client:
        answer = await client.post(f"{BASE}/txt2img", json=SMALL | {"script_name": "none"})

    assert answer.status_code == 422
