"""Our adapters against the sandbox, which others' official clients find believable."""

import io
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
import pytest_asyncio
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from PIL import Image as Pillow

from deploy.sandbox.app import create_app
from deploy.sandbox.keys import ACCOUNTS, KEY
from deploy.sandbox.server import running
from runtime.egress import Egress, Endpoint
from runtime.failure import Failure
from services.generation import catalogue
from services.generation.pricing import cost
from services.generation.providers import (
    Accepted,
    Cancellable,
    Event,
    Finished,
    Image,
    Picture,
    Progress,
    Provider,
    Task,
    discover,
    falai,
)
from tests.services.generation.providers.fakes import events

R = ErrorReason
KINDS = discover()
PATHS = {"openrouter": "/api/v1", "falai": "/fal/queue", "workersai": "/client/v4"}
CATALOGUE = catalogue.load()
EGRESS = Egress()


def png(width: int, height: int, *, noise: bool = False) -> Picture:
    buffer = io.BytesIO()
    picture = (
        Pillow.effect_noise((width, height), 100) if noise else Pillow.new("RGB", (width, height), "red")
    )
    picture.save(buffer, "PNG")
    return Picture(buffer.getvalue(), "image/png", width, height)


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[str]:
    async with running(create_app(None, scripted=True, instant=True)) as url:
        yield url


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(falai, "POLL_SECONDS", 0.02)


def endpoint(kind: Provider, url: str, *, key: str = KEY) -> Endpoint:
    return EGRESS.endpoint(
        url + PATHS[kind.KIND],
        key,
        kind,
        provider="providers/test",
        attempt_id="a",
        seconds=20,
        max_bytes=1 << 23,
        account=ACCOUNTS[0],
    )


def task(kind: str, name: str, **more: object) -> Task:
    model = CATALOGUE.offered(kind, name)
    plain = Task(model=name, prompt="a fox", count=1, size=model.sizes.default, form=model.form)
    return replace(plain, **more)  # type: ignore[arg-type]


async def drawn(url: str, task: Task, kind: str) -> list[Event]:
    return await events(KINDS[kind], task, endpoint(KINDS[kind], url))


def pictures(came: list[Event]) -> list[Pillow.Image]:
    return [Pillow.open(io.BytesIO(event.data)) for event in came if isinstance(event, Image)]


async def billed(url: str) -> list[dict[str, object]]:
    async with httpx.AsyncClient() as client:
        rows: list[dict[str, object]] = (await client.get(f"{url}/sandbox/log")).json()["billed"]
        return rows


async def order(sandbox: str, **act: object) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{sandbox}/sandbox/script", json=[{"act": act, "times": 1}])
        assert answer.status_code == 200


MODELS = [
    ("openrouter", "black-forest-labs/flux.2-pro"),
    ("openrouter", "google/gemini-3-pro-image"),
    ("workersai", "@cf/black-forest-labs/flux-2-klein-9b"),
    ("workersai", "@cf/black-forest-labs/flux-1-schnell"),
    ("workersai", "@cf/leonardo/lucid-origin"),
    ("falai", "fal-ai/flux-2-pro"),
    ("falai", "fal-ai/gpt-image-1.5"),
    ("falai", "openai/gpt-image-2"),
    ("falai", "fal-ai/nano-banana-pro"),
    ("falai", "fal-ai/flux/schnell"),
]


@pytest.mark.parametrize(("kind", "model"), MODELS)
async def test_a_listed_model_draws_and_costs_what_is_billed(sandbox: str, kind: str, model: str) -> None:
    asked = task(kind, model)

    came = await drawn(sandbox, asked, kind)

    assert len(pictures(came)) == asked.count
    assert isinstance(came[-1], Finished)
    paid = cost(None, came[-1].usage, {})
    [row] = await billed(sandbox)
    if kind == "workersai":  # says nothing of money
        assert paid is None
    else:
        assert paid is not None
        assert paid.units * 10**9 + paid.nanos == Decimal(str(row["price"])) * 10**9


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openrouter", "black-forest-labs/flux.2-pro"),
        ("workersai", "@cf/black-forest-labs/flux-2-klein-9b"),
        ("falai", "fal-ai/gpt-image-1.5"),
        ("falai", "fal-ai/flux-2/edit"),
        ("falai", "fal-ai/flux/dev/image-to-image"),
    ],
)
async def test_references_are_taken(sandbox: str, kind: str, model: str) -> None:
    references = [png(256, 256), png(1200, 1200, noise=True)]
    most = CATALOGUE.offered(kind, model).max_references

    came = await drawn(sandbox, task(kind, model, references=references[-min(most, 2) :]), kind)

    assert pictures(came)


async def test_a_mask_is_taken(sandbox: str) -> None:
    asked = task("falai", "openai/gpt-image-2", references=[png(256, 256)], mask=png(256, 256), size="auto")

    assert pictures(await drawn(sandbox, asked, "falai"))


async def test_a_chat_draws_too(sandbox: str) -> None:
    chat = task("openrouter", "google/gemini-3-pro-image", config={"api": "chat"}, references=[png(64, 64)])

    came = await drawn(sandbox, replace(chat, size="16:9@2K"), "openrouter")

    assert len(pictures(came)) == 1


@pytest.mark.parametrize("kind", PATHS)
async def test_a_good_key_is_told_from_a_wrong_one(sandbox: str, kind: str) -> None:
    await KINDS[kind].check(endpoint(KINDS[kind], sandbox))

    with pytest.raises(Failure) as caught:
        await KINDS[kind].check(endpoint(KINDS[kind], sandbox, key="wrong"))

    assert caught.value.reason == R.KEY_REJECTED
    assert await billed(sandbox) == []


# What Workers AI says of these is no more than this.
LESS_EXACT = {
    ("workersai", "rate_limit"): R.PROVIDER_UNAVAILABLE,
    ("workersai", "bad_picture"): R.CALL_REFUSED,
}
FIRST = {"openrouter": MODELS[0][1], "workersai": MODELS[2][1], "falai": MODELS[5][1]}


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("moderation", R.CONTENT_REFUSED),
        ("no_credit", R.PROVIDER_UNPAID),
        ("rate_limit", R.PROVIDER_RATE_LIMITED),
        ("wrong_key", R.KEY_REJECTED),
        ("model_gone", R.MODEL_UNKNOWN),
        ("bad_value", R.CALL_REFUSED),
        ("bad_picture", R.PICTURE_REFUSED),
    ],
)
async def test_refusals_have_their_reasons(sandbox: str, kind: str, fault: str, reason: ErrorReason) -> None:
    await order(sandbox, refuse=fault)

    with pytest.raises(Failure) as caught:
        await drawn(sandbox, task(kind, FIRST[kind]), kind)

    assert caught.value.reason == LESS_EXACT.get((kind, fault), reason)
    assert await billed(sandbox) == []


@pytest.mark.parametrize("kind", ["openrouter", "falai"])
@pytest.mark.parametrize("fault", ["moderation", "bad_value"])
async def test_late_refusals_are_refusals(sandbox: str, kind: str, fault: str) -> None:
    await order(sandbox, refuse=fault, late=True)

    with pytest.raises(Failure) as caught:
        await drawn(sandbox, task(kind, FIRST[kind]), kind)

    assert caught.value.reason == (R.CONTENT_REFUSED if fault == "moderation" else R.CALL_REFUSED)


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("act", [{"garbage": True}, {"pictures": 0}, {"bomb_megabytes": 20}])
async def test_no_usable_picture_is_said_so(sandbox: str, kind: str, act: dict[str, object]) -> None:
    await order(sandbox, **act)

    with pytest.raises(Failure) as caught:
        await drawn(sandbox, task(kind, FIRST[kind]), kind)

    assert caught.value.reason == R.ANSWER_UNUSABLE


@pytest.mark.parametrize("kind", ["openrouter", "workersai"])
@pytest.mark.parametrize("act", [{"close": True}, {"reset": True}, {"cut_after": 100}])
async def test_an_answer_that_breaks_off_is_lost(sandbox: str, kind: str, act: dict[str, object]) -> None:
    await order(sandbox, **act)

    with pytest.raises(Failure) as caught:
        await drawn(sandbox, task(kind, FIRST[kind]), kind)

    assert caught.value.reason == R.ANSWER_LOST
    assert len(await billed(sandbox)) == 1


async def test_black_pictures_of_the_queue_are_refusals(sandbox: str) -> None:
    await order(sandbox, black=True)

    with pytest.raises(Failure) as caught:
        await drawn(sandbox, task("falai", "fal-ai/flux/schnell"), "falai")

    assert caught.value.reason == R.CONTENT_REFUSED


@pytest.mark.parametrize("address", ["http://169.254.169.254/x", "https://10.0.0.1/x", "file:///etc/passwd"])
async def test_a_result_that_points_inside_is_not_fetched(sandbox: str, address: str) -> None:
    await order(sandbox, url=address)

    with pytest.raises(Failure) as caught:
        await drawn(sandbox, task("falai", FIRST["falai"]), "falai")

    assert caught.value.reason == R.ANSWER_UNUSABLE


async def test_places_in_the_queue_are_counted_down(sandbox: str) -> None:
    await order(sandbox, queue=2)

    came = await drawn(sandbox, task("falai", FIRST["falai"]), "falai")

    places = [event.position for event in came if isinstance(event, Progress)]
    assert places[0] is not None
    assert places == sorted(places, key=lambda place: -(place or 0))
    assert pictures(came)


async def test_work_in_the_queue_can_be_cancelled(sandbox: str) -> None:
    await order(sandbox, seconds=5)
    fal = KINDS["falai"]
    assert isinstance(fal, Cancellable)
    async with aclosing(fal.generate(task("falai", FIRST["falai"]), endpoint(fal, sandbox))) as waiting:
        accepted = await anext(waiting)
    assert isinstance(accepted, Accepted)

    await fal.cancel(endpoint(fal, sandbox), accepted.handle)
