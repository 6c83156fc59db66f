import json
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.pricing import cost, money
from services.generation.providers import (
    Accepted,
    Cancellable,
    Event,
    Finished,
    Image,
    Picture,
    Progress,
    Provider,
    Resumable,
    Task,
    falai,
)
from tests.services.generation.providers.fakes import KEY, FakeFal, api, encoded, events, picture

R = ErrorReason
KIND: Provider = falai
FAKE = FakeFal  # for the contract
RESUMABLE: Resumable = falai
CANCELLABLE: Cancellable = falai

FOX = Picture(b"\x89PNG fox", "image/png", 64, 64)
LARGE = Picture(b"\x89PNG" + bytes(1 << 20), "image/png", 2048, 2048)
TASK = Task(
    model="fal-ai/flux-2",
    prompt="a fox",
    count=2,
    size="1024x768",
    seed=7,
    output_format="png",
    config={
        "output_format": "jpeg",
        "num_inference_steps": 20,
        "enable_safety_checker": True,
        "input": {"new_field": 3},
        "price_per_image": 1,
    },
    form={"edit": "fal-ai/flux-2/edit"},
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(falai, "POLL_SECONDS", 0.001)


async def drawn(fake: FakeFal, task: Task = TASK) -> list[Event]:
    return await events(KIND, task, api(KIND, fake))


async def finished(fake: FakeFal, task: Task = TASK) -> Finished:
    last = (await drawn(fake, task))[-1]
    assert isinstance(last, Finished)
    return last


async def sent(task: Task) -> dict[str, Any]:
    fake = FakeFal()
    await drawn(fake, task)
    return fake.bodies[0]


async def refused(answer: httpx.Response) -> Failure:
    """What the result of work that has ended says."""
    fake = FakeFal()
    fake.answer = answer
    with pytest.raises(Failure) as caught:
        await drawn(fake)
    return caught.value


async def test_everything_reaches_the_queue() -> None:
    fake = FakeFal()

    await drawn(fake)

    assert fake.bodies == [
        {
            "model": "fal-ai/flux-2",
            "prompt": "a fox",
            "image_size": {"width": 1024, "height": 768},
            "num_images": 2,
            "seed": 7,
            "output_format": "png",
            "num_inference_steps": 20,
            "enable_safety_checker": True,
            "new_field": 3,
        }
    ]


async def test_no_other_model_and_no_second_run_is_wanted() -> None:
    fake = FakeFal()

    await drawn(fake)

    assert fake.submitted[0]["x-app-fal-disable-fallback"] == "true"
    assert fake.submitted[0]["x-fal-no-retry"] == "1"


@pytest.mark.parametrize(
    ("size", "form", "fields"),
    [
        ("1024x768", {}, {"image_size": {"width": 1024, "height": 768}}),
        ("auto", {}, {"image_size": "auto"}),
        ("1536x1024", {"size": "words"}, {"image_size": "1536x1024"}),
        ("16:9", {"size": "ratio"}, {"aspect_ratio": "16:9"}),
        ("16:9@4K", {"size": "ratio"}, {"aspect_ratio": "16:9", "resolution": "4K"}),
        ("auto", {"size": "ratio"}, {"aspect_ratio": "auto"}),
        ("auto", {"size": "none"}, {}),
        ("", {}, {}),
    ],
)
async def test_a_size_is_said_in_the_familys_way(
    size: str, form: dict[str, str], fields: dict[str, Any]
) -> None:
    task = Task(model="m", prompt="x", count=1, size=size, form={**form, "count": "one"})

    assert await sent(task) == {"model": "m", "prompt": "x", **fields}


async def test_the_handle_comes_before_anything_else_is_asked() -> None:
    fake = FakeFal(3)

    async with aclosing(KIND.generate(TASK, api(KIND, fake))) as generated:
        first = await anext(generated)

    assert first == Accepted(
        {
            "request_id": "r1",
            "status_url": "https://queue.fal.run/app/requests/r1/status",
            "response_url": "https://queue.fal.run/app/requests/r1",
            "cancel_url": "https://queue.fal.run/app/requests/r1/cancel",
            "model": "fal-ai/flux-2",
            "checked": "",
        }
    )
    assert fake.calls == ["POST queue.fal.run/fal-ai/flux-2"]


async def test_places_in_the_queue_are_told_as_they_change() -> None:
    came = await drawn(FakeFal(2, 2, 1, 0, None, None))

    assert [event for event in came if isinstance(event, Progress)] == [
        Progress(position=2),
        Progress(position=1),
        Progress(position=0),
    ]


async def test_who_has_the_handle_can_go_on() -> None:
    first = FakeFal(5)
    async with aclosing(KIND.generate(TASK, api(KIND, first))) as generated:
        accepted = await anext(generated)
    assert isinstance(accepted, Accepted)
    later = FakeFal(None)
    later.count, later.units = 2, "2"

    came = [event async for event in RESUMABLE.resume(accepted.handle, api(KIND, later))]

    assert [event.data for event in came if isinstance(event, Image)] == [picture(0), picture(1)]
    assert isinstance(came[-1], Finished)
    assert came[-1].request_id == "r1"
    assert not any(call.startswith("POST") for call in later.calls)


async def test_the_key_never_leaves_the_providers_hosts() -> None:
    fake = FakeFal()
    fake.units = "1"

    await drawn(fake, replace(TASK, references=(LARGE,)))

    assert fake.keys == {f"Key {KEY}"}
    assert fake.foreign_keys == {None}


async def test_cancelling_goes_where_the_handle_says() -> None:
    fake = FakeFal()
    url = "https://queue.fal.run/app/requests/r1/cancel"

    await CANCELLABLE.cancel(api(KIND, fake), {"cancel_url": url})
    await CANCELLABLE.cancel(api(KIND, fake), None)

    assert fake.calls == ["PUT queue.fal.run/app/requests/r1/cancel"]


@pytest.mark.parametrize("url", ["https://evil.example/x", "http://queue.fal.run/x", "https://api.fal.ai/x"])
async def test_a_handle_that_leads_elsewhere_is_not_followed(url: str) -> None:
    fake = FakeFal()
    handle = {"request_id": "r", "status_url": url, "response_url": url, "cancel_url": url, "model": "m"}

    with pytest.raises(Failure):
        await anext(RESUMABLE.resume(handle, api(KIND, fake)))
    with pytest.raises(Failure):
        await CANCELLABLE.cancel(api(KIND, fake), handle)

    assert fake.calls == []


async def test_references_go_to_the_edit_form_of_the_model() -> None:
    body = await sent(
        replace(TASK, references=(FOX, FOX), mask=FOX, form={**TASK.form, "mask": "mask_image_url"})
    )

    address = "data:image/png;base64,iVBORyBmb3g="
    assert body["model"] == "fal-ai/flux-2/edit"
    assert body["image_urls"] == [address, address]
    assert body["mask_image_url"] == address


async def test_a_model_of_one_reference_is_given_one() -> None:
    body = await sent(replace(TASK, references=(FOX,), form={"reference": "image_url"}))

    assert body["model"] == "fal-ai/flux-2"
    assert body["image_url"] == "data:image/png;base64,iVBORyBmb3g="
    assert "image_urls" not in body


async def test_a_large_reference_is_uploaded_first() -> None:
    fake = FakeFal()

    await drawn(fake, replace(TASK, references=(LARGE,)))

    assert fake.bodies[0]["image_urls"] == ["https://v3.fal.media/image.png"]
    assert fake.stored == {"https://up.fal.media/image.png": LARGE.data}


async def test_data_uris_are_pictures_too() -> None:
    fake = FakeFal()
    fake.result = {"images": [{"url": f"data:image/png;base64,{encoded(4)}"}]}

    assert [event.data for event in await drawn(fake) if isinstance(event, Image)] == [picture(4)]


async def test_some_models_answer_with_one_picture() -> None:
    fake = FakeFal()
    fake.result = {"images": [], "image": {"url": "https://v3.fal.media/3"}}

    assert [event.data for event in await drawn(fake) if isinstance(event, Image)] == [picture(3)]


@pytest.mark.parametrize(("seed", "told"), [(42, 42), (1 << 80, None), (-1, None), ("x", None), (None, None)])
async def test_the_seed_of_one_picture_is_told(seed: object, told: int | None) -> None:
    fake = FakeFal()
    fake.result = {"seed": seed}

    came = await drawn(fake, replace(TASK, count=1))

    assert [event.seed for event in came if isinstance(event, Image)] == [told]


@pytest.mark.parametrize(
    ("units", "price", "nanos"),
    [
        ("2", "0.04", 80_000_000),
        ("1.5", "0.0333333333", 50_000_000),
        ("3", "1e-9", 3),
        ("0", "0.04", 0),
        ("0.7", "0.0000000011", 1),
    ],
)
async def test_the_cost_is_units_times_their_price(units: str, price: str, nanos: int) -> None:
    fake = FakeFal()
    fake.units = units
    fake.price = f'{{"endpoint_id": "x", "unit_price": {price}, "unit": "units", "currency": "USD"}}'

    usage = (await finished(fake)).usage

    assert usage == {"images": 2, "units": Decimal(units), "unit_price": Decimal(price)}
    assert cost(None, usage, {}) == money(nanos)


@pytest.mark.parametrize("units", [None, "", "-1", "NaN", "1e9", "many", "9" * 40])
async def test_without_units_the_cost_is_unknown(units: str | None) -> None:
    fake = FakeFal()
    fake.units = units

    usage = (await finished(fake)).usage

    assert usage == {"images": 2}
    assert cost(None, usage, {}) is None


@pytest.mark.parametrize(
    "price", ['{"unit_price": 1, "currency": "EUR"}', "", '{"unit_price": "x"}', "nonsense"]
)
async def test_without_a_price_the_pictures_are_kept_and_the_cost_is_unknown(price: str) -> None:
    fake = FakeFal()
    fake.units, fake.price = "1", price

    end = await finished(fake)

    assert end.usage == {"images": 2, "units": Decimal(1)}
    assert cost(None, end.usage, {}) is None


async def test_black_pictures_are_refusals() -> None:
    fake = FakeFal()
    fake.result = {"has_nsfw_concepts": [True, True]}

    with pytest.raises(Failure) as caught:
        await drawn(fake)

    assert caught.value.reason == R.CONTENT_REFUSED
    assert caught.value.metadata["stage"] == "output"


async def test_a_black_picture_among_others_is_left_out_and_told() -> None:
    fake = FakeFal()
    fake.result = {"has_nsfw_concepts": [True, False]}

    came = await drawn(fake)

    assert [event for event in came if isinstance(event, Image)] == [Image(0, picture(1))]
    assert isinstance(came[-1], Finished)
    assert [(change.field, change.asked, change.sent) for change in came[-1].adaptations] == [
        ("count", "2", "1")
    ]


async def test_a_flag_paints_nothing_black_where_the_checker_is_off() -> None:
    fake = FakeFal()
    fake.result = {"has_nsfw_concepts": [True, True]}

    came = await drawn(fake, replace(TASK, config={"enable_safety_checker": False}))

    assert len([event for event in came if isinstance(event, Image)]) == 2


async def test_words_instead_of_a_picture_are_a_refusal() -> None:
    fake = FakeFal()
    fake.result = {"images": [], "description": "I cannot draw a secret fox."}

    with pytest.raises(Failure) as caught:
        await drawn(fake)

    assert caught.value.reason == R.CONTENT_REFUSED


def of_type(name: str, field: str = "prompt") -> dict[str, Any]:
    return {
        "detail": [{"loc": ["body", field], "msg": "a secret fox", "type": name, "input": "a secret fox"}]
    }


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (422, of_type("content_policy_violation"), R.CONTENT_REFUSED),
        (422, of_type("no_media_generated"), R.CONTENT_REFUSED),
        (422, of_type("image_too_small", "image_urls"), R.PICTURE_REFUSED),
        (422, of_type("greater_than_equal", "num_images"), R.CALL_REFUSED),
        (422, {"detail": "some sentence"}, R.CALL_REFUSED),
        (422, {"detail": []}, R.CALL_REFUSED),
        (401, {"detail": "invalid key credentials"}, R.KEY_REJECTED),
        (403, {"detail": "User is locked. Reason: Exhausted balance. Top up…"}, R.PROVIDER_UNPAID),
        (403, {"detail": "Forbidden"}, R.CALL_FORBIDDEN),
        (404, {"detail": "Path /x not found"}, R.MODEL_UNKNOWN),
        (404, {"status": "NOT_FOUND"}, R.ANSWER_UNUSABLE),
        (400, {"detail": "Request is still in progress"}, R.PROVIDER_UNAVAILABLE),
        (429, {"detail": "slow down"}, R.PROVIDER_RATE_LIMITED),
        (499, {"detail": "cancelled", "error_type": "client_cancelled"}, R.CALL_REFUSED),
        # The work itself failed: who looks again finds the same.
        (500, of_type("internal_server_error"), R.CALL_REFUSED),
        (504, of_type("generation_timeout"), R.PROVIDER_TIMED_OUT),
        (503, {"detail": "x", "error_type": "runner_disconnected"}, R.CALL_REFUSED),
    ],
)
async def test_what_became_of_the_work_is_in_its_result(status: int, body: Any, reason: ErrorReason) -> None:
    failure = await refused(httpx.Response(status, content=json.dumps(body)))

    assert failure.reason == reason
    assert "fox" not in str(failure.to_status())


async def test_who_stands_in_between_knows_nothing_of_the_work() -> None:
    failure = await refused(httpx.Response(502, content=b"<html>"))

    assert failure.reason in (R.ANSWER_LOST, R.PROVIDER_UNAVAILABLE)  # both are looked at again


async def test_the_field_that_is_wrong_is_named() -> None:
    failure = await refused(httpx.Response(422, json=of_type("greater_than_equal", "num_images")))

    assert failure.metadata["parameter"] == "num_images"


async def test_a_refused_submission_can_be_tried_again_only_if_nothing_ran() -> None:
    for status, body, reason in (
        (503, {"detail": "x", "error_type": "runner_connection_error"}, R.PROVIDER_UNAVAILABLE),
        (504, "<html>", R.ANSWER_LOST),
    ):
        refusing = httpx.Response(status, content=json.dumps(body))
        with pytest.raises(Failure) as caught:
            await events(KIND, TASK, api(KIND, Refusing(refusing)))
        assert caught.value.reason == reason


class Refusing(FakeFal):
    """Takes nothing into its queue."""

    def __init__(self, refusing: httpx.Response) -> None:
        super().__init__()
        self.refusing = refusing

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        return self.refusing
