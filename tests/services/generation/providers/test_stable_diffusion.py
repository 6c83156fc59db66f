import asyncio
import json
from contextlib import aclosing

import httpx
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.providers import (
    Cancellable,
    Finished,
    Image,
    Progress,
    Provider,
    Resumable,
    Task,
    stable_diffusion,
)
from tests.services.generation.providers.fakes import FakeWebUI, api, encoded, events, picture

R = ErrorReason
KIND: Provider = stable_diffusion
FAKE = FakeWebUI  # for the contract

TASK = Task(
    model="foxes_v2.safetensors [abc123]",
    prompt="a fox",
    count=2,
    size="832x1216",
    negative_prompt="rain",
    seed=42,
    config={"steps": 12, "cfg_scale": 6.5, "sampler_name": "Euler a", "scheduler": "Karras"},
)


async def finished(fake: FakeWebUI, task: Task = TASK) -> Finished:
    last = (await events(KIND, task, api(KIND, fake)))[-1]
    assert isinstance(last, Finished)
    return last


async def refused(status: int, body: object) -> Failure:
    fake = FakeWebUI()
    fake.answer = httpx.Response(status, json=body)
    with pytest.raises(Failure) as caught:
        await events(KIND, TASK, api(KIND, fake))
    return caught.value


async def test_everything_reaches_the_server() -> None:
    fake = FakeWebUI()

    await events(KIND, TASK, api(KIND, fake))

    assert fake.bodies == [
        {
            "prompt": "a fox",
            "negative_prompt": "rain",
            "seed": 42,
            "width": 832,
            "height": 1216,
            "batch_size": 2,
            "n_iter": 1,
            "steps": 12,
            "cfg_scale": 6.5,
            "sampler_name": "Euler a",
            "scheduler": "Karras",
            "override_settings": {"sd_model_checkpoint": "foxes_v2.safetensors [abc123]"},
        }
    ]


async def test_any_checkpoint_means_the_current_one() -> None:
    fake = FakeWebUI()
    config = {"override_settings": {"sd_vae": "none"}, "price_per_image": 0.1}

    await events(KIND, Task(model="*", prompt="x", count=1, size="512x512", config=config), api(KIND, fake))

    assert fake.bodies[0]["override_settings"] == {"sd_vae": "none"}
    assert fake.bodies[0]["seed"] == -1
    assert "price_per_image" not in fake.bodies[0]


async def test_seeds_come_back_with_the_pictures() -> None:
    came = await events(KIND, TASK, api(KIND, FakeWebUI()))

    assert came == [Image(0, picture(0), 42), Image(1, picture(1), 43), Finished(usage={"images": 2})]


async def test_a_contact_sheet_is_no_picture() -> None:
    fake = FakeWebUI()
    fake.sheet = True

    came = await events(KIND, TASK, api(KIND, fake))

    assert [event.data for event in came if isinstance(event, Image)] == [picture(0), picture(1)]


@pytest.mark.parametrize(
    "info",
    ["", "nonsense", "[1]", '{"all_seeds": "x"}', '{"index_of_first_image": 9}', None, 3, {"all_seeds": []}],
)
async def test_no_picture_is_lost_because_of_what_is_said_about_it(info: object) -> None:
    fake = FakeWebUI()
    fake.answer = httpx.Response(200, json={"images": [encoded(0), encoded(1)], "info": info})

    came = await events(KIND, TASK, api(KIND, fake))

    assert [event.data for event in came if isinstance(event, Image)] == [picture(0), picture(1)]


async def test_a_sheet_nobody_speaks_of_is_left_out() -> None:
    fake = FakeWebUI()
    fake.answer = httpx.Response(200, json={"images": [encoded(9), encoded(0), encoded(1)], "info": "?"})

    came = await events(KIND, TASK, api(KIND, fake))

    assert [event.data for event in came if isinstance(event, Image)] == [picture(0), picture(1)]


@pytest.mark.parametrize(
    "used",
    [
        {"sd_model_name": "foxes_v2"},
        {"sd_model_name": "Foxes_V2.safetensors"},
        {"sd_model_name": "sub/foxes_v2.ckpt"},
        {"sd_model_name": "renamed", "sd_model_hash": "abc123"},
        {},
    ],
)
async def test_the_checkpoint_asked_for_is_no_adaptation(used: dict[str, str]) -> None:
    assert (await finished(FakeWebUI(**used))).adaptations == ()


async def test_another_checkpoint_is_told() -> None:
    (adaptation,) = (await finished(FakeWebUI(sd_model_name="cats"))).adaptations

    assert (adaptation.field, adaptation.asked, adaptation.sent) == ("profile", TASK.model, "cats")


async def test_progress_is_seen_while_it_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stable_diffusion, "POLL_SECONDS", 0.01)
    fake = FakeWebUI()
    fake.finish.clear()
    seen: list[float | None] = []

    async with aclosing(KIND.generate(TASK, api(KIND, fake))) as generated:
        async for event in generated:
            if isinstance(event, Progress):
                seen.append(event.fraction)
            if len(seen) == 3:
                fake.finish.set()

    assert seen[:3] == [0.1, 0.2, 0.3]


async def test_progress_that_fails_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stable_diffusion, "POLL_SECONDS", 0.01)
    fake = FakeWebUI()
    fake.broken_progress = True
    fake.finish.clear()
    asyncio.get_running_loop().call_later(0.05, fake.finish.set)

    came = await events(KIND, TASK, api(KIND, fake))

    assert len(came) == 3
    assert "/sdapi/v1/progress" in fake.calls


async def test_who_leaves_stops_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stable_diffusion, "POLL_SECONDS", 0.01)
    fake = FakeWebUI()
    fake.finish.clear()

    async with aclosing(KIND.generate(TASK, api(KIND, fake))) as generated:
        await anext(generated)

    assert len(asyncio.all_tasks()) == 1


async def test_cancel_interrupts() -> None:
    fake = FakeWebUI()

    await stable_diffusion.cancel(api(KIND, fake), None)

    assert fake.calls == ["/sdapi/v1/interrupt"]


@pytest.mark.parametrize(
    ("key", "header"), [("user:pass", "Basic dXNlcjpwYXNz"), ("token", "Bearer token"), (None, None)]
)
async def test_keys_are_pairs_tokens_or_nothing(key: str | None, header: str | None) -> None:
    fake = FakeWebUI()

    await KIND.check(api(KIND, fake, key=key))

    assert fake.keys == {header}


@pytest.mark.parametrize(
    ("status", "body", "reason", "parameter"),
    [
        (401, {"error": "HTTPException", "detail": "Incorrect username or password"}, R.KEY_REJECTED, None),
        (404, {"detail": "Not Found"}, R.CALL_REFUSED, "endpoint"),
        (404, {"detail": "Sampler not found"}, R.CALL_REFUSED, "sampler_name"),
        (422, {"detail": [{"loc": ["body", "steps"], "msg": "x", "type": "y"}]}, R.CALL_REFUSED, "steps"),
        (422, {"detail": "Script 'x' not found"}, R.CALL_REFUSED, None),
        (500, {"error": "OutOfMemoryError", "errors": "CUDA out of memory."}, R.CALL_REFUSED, "size"),
        (500, {"detail": "CUDA out of memory"}, R.CALL_REFUSED, "size"),
        (500, {"error": "RuntimeError", "errors": "x"}, R.PROVIDER_UNAVAILABLE, None),
        (500, "Internal Server Error", R.PROVIDER_UNAVAILABLE, None),
        (503, {}, R.PROVIDER_UNAVAILABLE, None),
        (504, {}, R.ANSWER_LOST, None),
    ],
)
async def test_errors_by_what_they_are(
    status: int, body: object, reason: ErrorReason, parameter: str | None
) -> None:
    error = await refused(status, body)

    assert error.reason == reason
    assert error.metadata.get("parameter") == parameter


def test_it_can_be_cancelled_and_not_resumed() -> None:
    assert isinstance(KIND, Cancellable)
    assert not isinstance(KIND, Resumable)
    assert json.dumps(dict(KIND.CONFIG_SCHEMA))
