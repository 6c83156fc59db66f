"""The WebUI's dialect, spoken over a real connection."""

import asyncio
import json
from typing import Any

import httpx
import pybase64
import pytest

from deploy.sandbox.webui import Flags
from tests.deploy.sandbox.house import billed, inside, order, rules, sandbox

PATH = "/sdapi/v1/txt2img"
SMALL = {"prompt": "hills", "width": 256, "height": 192, "seed": 7, "steps": 20}


def pictures(answer: httpx.Response) -> list[bytes]:
    assert answer.status_code == 200, answer.text
    return [pybase64.b64decode(one, validate=True) for one in answer.json()["images"]]


def info(answer: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(answer.json()["info"])
    return told


async def progress(client: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/sdapi/v1/progress")).json()
    return told


async def until_running(client: httpx.AsyncClient) -> dict[str, Any]:
    """The first progress of work that shows a picture."""
    for _ in range(200):
        now = await progress(client)
        if now["current_image"]:
            return now
        await asyncio.sleep(0.02)
    raise AssertionError("No picture was ever in the making.")


async def test_pictures_are_batches_times_rounds_with_rising_seeds() -> None:
    async with inside() as client:
        answer = await client.post(PATH, json=SMALL | {"batch_size": 2, "n_iter": 2})

    assert len(set(pictures(answer))) == 4
    assert info(answer)["all_seeds"] == [7, 8, 9, 10]
    assert float(answer.headers["x-process-time"]) > 0


async def test_the_same_seed_gives_the_same_bytes() -> None:
    async with inside() as client:
        first, second = [await client.post(PATH, json=SMALL) for _ in range(2)]

    assert pictures(first) == pictures(second)


async def test_no_seed_chooses_one_and_tells() -> None:
    async with inside() as client:
        first, second = [await client.post(PATH, json=SMALL | {"seed": -1}) for _ in range(2)]

    assert info(first)["seed"] != info(second)["seed"]
    assert 0 <= info(first)["seed"] < 2**32


async def test_an_unknown_checkpoint_is_dropped_without_a_word() -> None:
    wanted = SMALL | {"override_settings": {"sd_model_checkpoint": "dreams-xl"}}
    async with inside() as client:
        answer = await client.post(PATH, json=wanted)

    assert info(answer)["sd_model_name"] == "sandbox-landscape"


async def test_a_known_checkpoint_draws() -> None:
    wanted = SMALL | {"override_settings": {"sd_model_checkpoint": "sandbox-portrait"}}
    async with inside() as client:
        titles = [model["title"] for model in (await client.get("/sdapi/v1/sd-models")).json()]
        answer = await client.post(PATH, json=wanted)

    assert info(answer)["sd_model_name"] == "sandbox-portrait"
    assert any(title.startswith("sandbox-portrait.safetensors [") for title in titles)


async def test_options_are_everybodys() -> None:
    async with inside() as client:
        await client.post("/sdapi/v1/options", json={"samples_format": "webp"})
        unknown = await client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "dreams-xl"})
        answer = await client.post(PATH, json=SMALL)

    assert pictures(answer)[0][8:12] == b"WEBP"
    assert unknown.status_code == 500


@pytest.mark.parametrize("name", ["sd-models", "samplers", "schedulers", "upscalers", "latent-upscale-modes"])
async def test_what_is_installed_is_listed(name: str) -> None:
    async with inside() as client:
        answer = (await client.get(f"/sdapi/v1/{name}")).json()

    assert all("title" in entry or "name" in entry for entry in answer)
    assert answer


async def test_progress_grows_and_shows_the_picture_in_the_making() -> None:
    async with sandbox(seconds=0.6) as client:
        idle = await progress(client)
        work = asyncio.create_task(client.post(PATH, json=SMALL))
        early = await until_running(client)
        await asyncio.sleep(0.15)
        late = await progress(client)
        await work

    assert (idle["progress"], idle["current_image"]) == (0, None)
    assert 0 < early["progress"] < late["progress"] <= 1
    assert pybase64.b64decode(late["current_image"]).startswith(b"\x89PNG")
    assert late["state"]["sampling_steps"] == 20


async def test_a_task_has_a_progress_of_its_own() -> None:
    async with sandbox(seconds=0.4) as client:
        work = asyncio.create_task(client.post(PATH, json=SMALL | {"force_task_id": "mine"}))
        await until_running(client)
        mine = (
            await client.post("/internal/progress", json={"id_task": "mine", "id_live_preview": -1})
        ).json()
        other = (await client.post("/internal/progress", json={"id_task": "other"})).json()
        await work
        done = (await client.post("/internal/progress", json={"id_task": "mine"})).json()

    assert mine["active"]
    assert mine["live_preview"].startswith("data:image/png;base64,")
    assert not other["active"]
    assert done["completed"]


async def test_one_card_takes_one_call_at_a_time() -> None:
    async with sandbox(seconds=0.3) as client:
        work = [asyncio.create_task(client.post(PATH, json=SMALL)) for _ in range(2)]
        await until_running(client)
        waiting = (await client.get("/internal/pending-tasks")).json()
        await asyncio.gather(*work)

    assert waiting["size"] == 1


async def test_an_interrupted_call_answers_an_unfinished_picture() -> None:
    async with sandbox(seconds=10) as client:
        work = asyncio.create_task(client.post(PATH, json=SMALL | {"n_iter": 3}))
        await until_running(client)
        await client.post("/sdapi/v1/interrupt")
        answer = await work
        await rules(client, {"act": {"seconds": 0}})
        whole = await client.post(PATH, json=SMALL)
        charges = await billed(client)

    assert len(pictures(answer)) == 1
    assert pictures(answer) != pictures(whole)
    assert [charge["outcome"] for charge in charges] == ["cancelled", "answered"]


async def test_skip_goes_on_with_the_next_round() -> None:
    async with sandbox(seconds=0.3) as client:
        work = asyncio.create_task(client.post(PATH, json=SMALL | {"n_iter": 2}))
        await until_running(client)
        await client.post("/sdapi/v1/skip")
        answer = await work

    assert len(pictures(answer)) == 2


async def test_a_client_that_leaves_does_not_stop_the_card() -> None:
    async with sandbox(seconds=0.5) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(PATH, json=SMALL, timeout=0.15)
        running = await progress(client)
        charges = await billed(client)

    assert running["progress"] > 0
    assert [charge["outcome"] for charge in charges] == ["cancelled"]


async def test_basic_auth_guards_the_api_but_not_the_inside() -> None:
    async with inside(flags=Flags("ada:lovelace")) as client:
        refused = await client.get("/sdapi/v1/options")
        let_in = await client.get("/sdapi/v1/options", auth=("ada", "lovelace"))
        open_part = await client.get("/internal/ping")

    assert (refused.status_code, refused.json()["detail"]) == (401, "Incorrect username or password")
    assert "www-authenticate" not in refused.headers
    assert (let_in.status_code, open_part.status_code) == (200, 200)


async def test_too_large_a_picture_is_out_of_memory() -> None:
    async with inside() as client:
        answer = await client.post(PATH, json=SMALL | {"width": 10_000, "height": 10_000})

    assert (answer.status_code, answer.json()["error"]) == (500, "OutOfMemoryError")


@pytest.mark.parametrize(("change", "field"), [({"steps": "many"}, "steps"), ({"width": 0}, "width")])
async def test_a_wrong_type_is_unprocessable(change: dict[str, Any], field: str) -> None:
    async with inside() as client:
        answer = await client.post(PATH, json=SMALL | change)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("path", ["/sdapi/v1/nothing", "/internal/nothing"])
async def test_an_unknown_path_is_not_found(path: str) -> None:
    async with inside() as client:
        answer = await client.get(path)

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_info_can_be_missing_or_unreadable() -> None:
    async with inside() as client:
        await order(client, info="missing")
        missing = await client.post(PATH, json=SMALL)
        await order(client, info="unreadable")
        unreadable = await client.post(PATH, json=SMALL)

    assert "info" not in missing.json()
    with pytest.raises(json.JSONDecodeError):
        info(unreadable)
