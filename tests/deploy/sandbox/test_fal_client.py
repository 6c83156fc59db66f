"""fal's official client, its hosts turned to the sandbox and its own retries off."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import fal_client
import httpx
import pytest
from fal_client import client as module

from deploy.sandbox.keys import KEYS
from tests.deploy.sandbox.house import order, sandbox
from tests.deploy.sandbox.pictures import RED, opened, plain

SCHNELL = "fal-ai/flux/schnell"
SMALL = {"prompt": "a fox", "image_size": {"width": 256, "height": 256}}

# fal's client leaves connections open when it is closed.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Let go of what the client left here, and not in the middle of another test, which it would fail."""
    yield
    gc.collect()


@asynccontextmanager
async def official(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[fal_client.AsyncClient, httpx.AsyncClient]]:
    async with sandbox(instant=True) as client:
        base = str(client.base_url).rstrip("/") + "/fal"
        for name, path in (("QUEUE_URL_FORMAT", "/queue/"), ("RUN_URL_FORMAT", "/run/")):
            monkeypatch.setattr(module, name, base + path)
        monkeypatch.setattr(module, "REST_URL", f"{base}/rest")
        monkeypatch.setattr(module, "CDN_URL", f"{base}/cdn")
        monkeypatch.setattr(module, "MAX_ATTEMPTS", 1)
        fal = fal_client.AsyncClient(key=KEYS["fal"])
        yield fal, client
        await (await fal._client).aclose()


async def test_it_waits_in_the_queue_and_gets_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[fal_client.Status] = []
    async with official(monkeypatch) as (fal, client):
        await order(client, queue=1)
        output = await fal.subscribe(
            SCHNELL, SMALL, with_logs=True, interval=0.03, on_queue_update=seen.append
        )
        file = await client.get(output["images"][0]["url"])

    assert isinstance(seen[0], fal_client.Queued)
    assert isinstance(seen[-1], fal_client.Completed)
    assert opened(file.content).size == (256, 256)


async def test_it_calls_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with official(monkeypatch) as (fal, _):
        output = await fal.run("fal-ai/nano-banana", {"prompt": "a fox", "sync_mode": True})

    assert output["images"][0]["url"].startswith("data:image/png;base64,")


async def test_it_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    async with official(monkeypatch) as (fal, client):
        await order(client, queue=100)
        handle = await fal.submit(SCHNELL, SMALL)
        await handle.cancel()
        with pytest.raises(fal_client.FalClientHTTPError) as stopped:
            await handle.get(interval=0.02)

    assert (stopped.value.status_code, stopped.value.error_type) == (499, "client_cancelled")


async def test_it_reads_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    async with official(monkeypatch) as (fal, client):
        await order(client, refuse="no_credit")
        with pytest.raises(fal_client.FalClientHTTPError) as locked:
            await fal.submit(SCHNELL, SMALL)
        with pytest.raises(fal_client.FalClientHTTPError) as wrong:
            await fal.subscribe(SCHNELL, {}, interval=0.02)

    assert (locked.value.status_code, wrong.value.status_code) == (403, 422)
    assert wrong.value.error_type == "missing"


@pytest.mark.parametrize("repository", ["fal_v3", "fal"])
async def test_it_uploads_either_way(monkeypatch: pytest.MonkeyPatch, repository: str) -> None:
    async with official(monkeypatch) as (fal, client):
        url = await fal.upload(plain(RED), "image/png", "red.png", repository=repository)  # type: ignore[arg-type]
        stored = await client.get(url)
        output = await fal.subscribe(
            "fal-ai/flux/dev/image-to-image", {"prompt": "a fox", "image_url": url}, interval=0.02
        )

    assert stored.content == plain(RED)
    assert stored.headers["content-type"] == "image/png"
    assert output["images"]


async def test_it_uploads_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MULTIPART_THRESHOLD", 1000)
    monkeypatch.setattr(module, "MULTIPART_CHUNK_SIZE", 1500)
    data = bytes(range(256)) * 16
    async with official(monkeypatch) as (fal, client):
        url = await fal.upload(data, "image/png", "large.png")
        stored = await client.get(url)

    assert stored.content == data
