"""fal's dialect by hand: what the queue says when, and what the other hosts know."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from deploy.sandbox.keys import KEYS
from tests.deploy.sandbox.house import billed, order, rules
from tests.deploy.sandbox.house import inside as house_inside
from tests.deploy.sandbox.house import sandbox as house_sandbox
from tests.deploy.sandbox.pictures import RED, colour, half_clear, in_url, near, opened, plain

KEY = {"authorization": f"Key {KEYS['fal']}"}
BANANA = "/fal/queue/fal-ai/nano-banana"
SCHNELL = "/fal/queue/fal-ai/flux/schnell"
SMALL = {"prompt": "a fox", "image_size": {"width": 256, "height": 256}}


def inside(**more: Any) -> httpx.AsyncClient:
    client = house_inside(**{"instant": True} | more)
    client.headers.update(KEY)
    return client


async def submit(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def done(client: httpx.AsyncClient, job: dict[str, Any]) -> httpx.Response:
    """The result, once the queue says there is one."""
    for _ in range(500):
        if (await client.get(job["status_url"])).status_code == 200:
            return await client.get(job["response_url"])
        await asyncio.sleep(0.01)
    raise AssertionError("The job never ended.")


async def result(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> httpx.Response:
    return await done(client, await submit(client, path, body))


async def test_a_job_goes_from_queue_to_result() -> None:
    async with inside(seconds=0.2) as client:
        await order(client, queue=2)
        job = await submit(client, SCHNELL, SMALL | {"num_images": 2, "seed": 7})
        early = await client.get(job["status_url"])
        too_early = await client.get(job["response_url"])
        seen = []
        while (now := await client.get(job["status_url"], params={"logs": "1"})).status_code == 202:
            seen.append(now.json())
            await asyncio.sleep(0.02)
        answer = await client.get(job["response_url"])
        charges = await billed(client)

    assert early.json()["queue_position"] == 2
    assert (too_early.status_code, too_early.json()) == (400, {"detail": "Request is still in progress"})
    positions = [one["queue_position"] for one in seen if one["status"] == "IN_QUEUE"]
    assert positions == sorted(positions, reverse=True)
    assert seen[-1]["status"] == "IN_PROGRESS"
    assert seen[-1]["logs"][0]["message"] == "Drawing."
    assert now.json()["metrics"]["inference_time"] > 0
    assert len(answer.json()["images"]) == 2
    assert (answer.json()["seed"], answer.json()["has_nsfw_concepts"]) == (7, [False, False])
    assert answer.headers["x-fal-billable-units"] == "2"
    assert answer.headers["x-fal-request-id"] == job["request_id"]
    assert (charges[0]["price"], charges[0]["handle"]) == ("0.006", job["request_id"])


async def test_the_addresses_of_a_job_drop_the_rest_of_the_endpoint() -> None:
    async with inside() as client:
        job = await submit(client, SCHNELL, SMALL)

    assert job["status"] == "IN_QUEUE"
    assert job["response_url"] == f"http://sandbox/fal/queue/fal-ai/flux/requests/{job['request_id']}"
    assert job["status_url"] == f"{job['response_url']}/status"
    assert job["cancel_url"] == f"{job['response_url']}/cancel"


async def test_a_file_is_what_was_drawn() -> None:
    async with inside(instant=False) as client:
        image = (await result(client, SCHNELL, SMALL)).json()["images"][0]
        file = await client.get(image["url"], headers={"authorization": ""})

    assert image["url"].startswith("http://sandbox/fal/files/")
    assert file.headers["content-type"] == image["content_type"] == "image/jpeg"
    assert len(file.content) == image["file_size"]
    assert opened(file.content).size == (image["width"], image["height"]) == (256, 256)


async def test_sync_mode_puts_the_picture_into_the_answer() -> None:
    async with inside() as client:
        answer = await result(client, SCHNELL, SMALL | {"sync_mode": True, "output_format": "png"})

    assert answer.json()["images"][0]["url"].startswith("data:image/png;base64,")


async def test_an_edit_follows_its_pictures_and_its_mask() -> None:
    wanted = {"prompt": "a fox", "image_urls": [in_url(plain(RED))], "mask_image_url": in_url(half_clear())}
    async with inside(instant=False) as client:
        answer = await result(client, "/fal/queue/fal-ai/gpt-image-1.5/edit", wanted)
        picture = opened((await client.get(answer.json()["images"][0]["url"])).content)

    assert near(colour(picture, (0.1, 0.1, 0.4, 0.4)), RED)
    assert not near(colour(picture, (0.6, 0.1, 0.9, 0.4)), RED, 40)


async def test_bad_input_is_completed_and_only_the_result_tells() -> None:
    async with inside() as client:
        job = await submit(client, BANANA, {"prompt": "a fox", "num_images": 9})
        answer = await done(client, job)
        status = await client.get(job["status_url"])
        charges = await billed(client)

    (trouble,) = answer.json()["detail"]
    assert status.json()["status"] == "COMPLETED"
    assert (answer.status_code, trouble["type"], trouble["loc"]) == (
        422,
        "less_than_equal",
        ["body", "num_images"],
    )
    assert answer.headers["x-fal-billable-units"] == "0"
    assert charges == []


@pytest.mark.parametrize(
    ("model", "body", "kind"),
    [
        ("fal-ai/nano-banana", {}, "missing"),
        ("fal-ai/nano-banana", {"prompt": "a fox", "aspect_ratio": "7:3"}, "one_of"),
        ("fal-ai/flux-2", SMALL, "greater_than_equal"),
        ("fal-ai/flux-2", {"prompt": "a fox", "output_format": "gif"}, "one_of"),
        ("openai/gpt-image-2", {"prompt": "x", "image_size": {"width": 1000, "height": 512}}, "multiple_of"),
        ("fal-ai/flux-2/edit", {"prompt": "x", "image_urls": []}, "sequence_too_short"),
        ("fal-ai/flux-2/edit", {"prompt": "x", "image_urls": [in_url(b"x")]}, "image_load_error"),
        ("fal-ai/flux-2/edit", {"prompt": "x", "image_urls": ["https://x.example/y"]}, "file_download_error"),
    ],
)
async def test_a_direct_call_is_refused_at_once(model: str, body: dict[str, Any], kind: str) -> None:
    async with inside() as client:
        answer = await client.post(f"/fal/run/{model}", json=body)

    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, kind)


async def test_a_direct_call_draws() -> None:
    async with inside() as client:
        answer = await client.post(
            "/fal/run/fal-ai/nano-banana-pro", json={"prompt": "x", "resolution": "1K"}
        )

    assert answer.json()["description"]
    assert answer.headers["x-fal-billable-units"] == "1"


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [("moderation", 422, "content_policy_violation"), ("no_media", 422, "no_media_generated")],
)
async def test_a_refusal_can_be_the_result(name: str, status: int, kind: str) -> None:
    async with inside() as client:
        await order(client, refuse=name, late=True)
        answer = await result(client, SCHNELL, SMALL)
        charges = await billed(client)

    assert (answer.status_code, answer.headers["x-fal-error-type"]) == (status, kind)
    assert charges == []


async def test_no_credit_is_a_locked_user() -> None:
    async with inside() as client:
        await order(client, refuse="no_credit")
        answer = await client.post(SCHNELL, json=SMALL)

    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("User is locked")


async def test_an_unsafe_picture_is_black_and_flagged() -> None:
    async with inside(instant=False) as client:
        await order(client, black=True)
        answer = (await result(client, SCHNELL, SMALL)).json()
        picture = opened((await client.get(answer["images"][0]["url"])).content)

    assert answer["has_nsfw_concepts"] == [True]
    assert picture.getextrema() == ((0, 0), (0, 0), (0, 0))


async def test_a_wrong_key_is_refused_and_none_is_not() -> None:
    async with inside() as client:
        wrong = await client.post(SCHNELL, json=SMALL, headers={"authorization": "Key a:b"})
        bearer = await client.post(SCHNELL, json=SMALL, headers={"authorization": f"Bearer {KEYS['fal']}"})
        none = await client.post(SCHNELL, json=SMALL, headers={"authorization": ""})

    assert [answer.status_code for answer in (wrong, bearer, none)] == [401, 401, 200]
    assert isinstance(wrong.json()["detail"], str)


async def test_what_does_not_exist_is_not_found() -> None:
    async with inside() as client:
        job = await client.get("/fal/queue/fal-ai/flux/requests/none/status")
        app = await client.post("/fal/queue/none/such", json=SMALL)
        path = await client.post("/fal/queue/fal-ai/flux/none", json=SMALL)
        file = await client.get("/fal/files/none/x.png")

    assert (job.status_code, job.json()) == (404, {"status": "NOT_FOUND"})
    assert (app.status_code, path.status_code, file.status_code) == (404, 404, 404)
    assert path.json() == {"detail": "Path /none not found"}


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ("", 202, {"status": "CANCELLATION_REQUESTED"}),
        ("ok", 200, {"status": "OK"}),
        ("success", 200, {"success": True}),
    ],
)
async def test_a_waiting_job_is_cancelled_for_nothing(form: str, status: int, told: dict[str, Any]) -> None:
    async with inside(seconds=30) as client:
        await order(client, queue=100, cancel=form)
        job = await submit(client, SCHNELL, SMALL)
        cancelled = await client.put(job["cancel_url"])
        answer = await done(client, job)
        again = await client.put(job["cancel_url"])
        charges = await billed(client)

    assert (cancelled.status_code, cancelled.json()) == (status, told)
    assert (answer.status_code, answer.json()["error_type"]) == (499, "client_cancelled")
    assert (again.status_code, again.json()) == (400, {"status": "ALREADY_COMPLETED"})
    assert charges == []


@pytest.mark.parametrize(
    ("form", "outcome", "status"), [("", "cancelled", 499), ("ignored", "answered", 200)]
)
async def test_a_running_job_is_billed_though_cancelled(form: str, outcome: str, status: int) -> None:
    async with inside() as client:
        await order(client, cancel=form, seconds=0.3)
        job = await submit(client, SCHNELL, SMALL)
        await asyncio.sleep(0.1)
        await client.put(job["cancel_url"])
        answer = await done(client, job)
        charges = await billed(client)

    assert answer.status_code == status
    assert [charge["outcome"] for charge in charges] == [outcome]


async def test_the_stream_of_a_status_ends_with_the_job() -> None:
    async with inside() as client:
        await order(client, queue=1)
        job = await submit(client, SCHNELL, SMALL)
        answer = await client.get(f"{job['status_url']}/stream", params={"logs": "1"})

    seen = [json.loads(line[6:])["status"] for line in answer.text.splitlines() if line]
    assert (seen[0], seen[-1]) == ("IN_QUEUE", "COMPLETED")


async def test_a_result_and_its_files_can_be_gone() -> None:
    async with inside() as client:
        await order(client, expires_seconds=0.2)
        job = await submit(client, SCHNELL, SMALL)
        url = (await done(client, job)).json()["images"][0]["url"]
        await asyncio.sleep(0.25)
        answers = [await client.get(address) for address in (job["response_url"], url)]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_result_can_point_elsewhere() -> None:
    async with inside() as client:
        await rules(
            client,
            {"act": {"url": "http://169.254.169.254/x.png"}, "times": 1},
            {"act": {"redirect": "http://10.0.0.1/x.png"}},
        )
        private = await result(client, SCHNELL, SMALL)
        sent = await result(client, SCHNELL, SMALL)
        file = await client.get(sent.json()["images"][0]["url"])

    assert private.json()["images"][0]["url"] == "http://169.254.169.254/x.png"
    assert (file.status_code, file.headers["location"]) == (302, "http://10.0.0.1/x.png")


async def test_the_bill_can_be_missing() -> None:
    async with inside() as client:
        await order(client, plain_usage=True)
        answer = await result(client, SCHNELL, SMALL)

    assert "x-fal-billable-units" not in answer.headers


async def test_a_lost_submit_is_billed_once() -> None:
    async with house_sandbox(instant=True) as client:
        client.headers.update(KEY)
        await order(client, close=True)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(SCHNELL, json=SMALL)
        await asyncio.sleep(0.1)

        assert [charge["outcome"] for charge in await billed(client)] == ["withheld"]


async def test_a_rule_finds_any_job_by_its_path() -> None:
    async with inside() as client:
        await rules(client, {"match": {"call": "/fal/queue/*/requests/*/status"}, "act": {"status": 503}})
        job = await submit(client, SCHNELL, SMALL)
        answer = await client.get(job["status_url"])

    assert (answer.status_code, answer.json()["error_type"]) == (503, "runner_scheduling_failure")


async def test_prices_need_a_key_and_models_do_not() -> None:
    path, named = "/fal/api/v1/models/pricing", {"endpoint_id": "fal-ai/flux-2-pro"}
    async with inside() as client:
        good = await client.get(path, params=named)
        none = await client.get(path, params=named, headers={"authorization": ""})
        unknown = await client.get(path, params={"endpoint_id": "none/such"})
        edits = await client.get(
            "/fal/api/v1/models",
            params={"category": "image-to-image", "q": "banana", "limit": "2"},
            headers={"authorization": ""},
        )
        admin = await client.get("/fal/api/v1/account/billing", params={"expand": "credits"})

    (price,) = good.json()["prices"]
    assert (price["unit"], price["unit_price"], price["currency"]) == ("megapixels", 0.03, "USD")
    assert (none.status_code, unknown.status_code, admin.status_code) == (401, 404, 403)
    assert [model["endpoint_id"] for model in edits.json()["models"]] == [
        "fal-ai/nano-banana/edit",
        "fal-ai/nano-banana-2/edit",
    ]
    assert edits.json()["has_more"]


async def test_an_estimate_counts_units_or_calls() -> None:
    path, name = "/fal/api/v1/models/pricing/estimate", "openai/gpt-image-2"
    asked = [("unit_price", "unit_quantity"), ("historical_api_price", "call_quantity")]
    async with inside() as client:
        answers = [
            await client.post(path, json={"estimate_type": kind, "endpoints": {name: {quantity: 2}}})
            for kind, quantity in asked
        ]

    assert [answer.json()["total_cost"] for answer in answers] == [2.0, 0.34]
