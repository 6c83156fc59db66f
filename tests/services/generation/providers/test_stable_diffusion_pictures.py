"""The WebUI's img2img, inpainting and live previews."""

import base64
from contextlib import aclosing
from dataclasses import replace

import pytest

from services.generation.providers import Event, Finished, Image, Partial, Picture, Progress, Task
from services.generation.providers import stable_diffusion as kind
from tests.services.generation.providers.fakes import FakeWebUI, api, events, picture

ONE, MASK = Picture(b"one", "image/png", 64, 64), Picture(b"mask", "image/png", 64, 64)
TASK = Task(model="*", prompt="a fox <lora:ink:0.8>", count=1, size="512x512", references=[ONE])


async def test_a_picture_to_go_by_and_its_mask_are_sent() -> None:
    fake = FakeWebUI()
    config = {"denoising_strength": 0.4, "mask_blur": 8, "inpainting_fill": 1, "inpaint_full_res": False}

    await events(kind, replace(TASK, mask=MASK, config=config), api(kind, fake))

    assert "/sdapi/v1/img2img" in fake.calls
    (body,) = fake.bodies
    assert body["init_images"] == [base64.b64encode(b"one").decode()]
    assert body["mask"] == base64.b64encode(b"mask").decode()
    assert body.items() >= config.items()
    assert body["prompt"] == "a fox <lora:ink:0.8>"
    # Cropped, where the server by itself would stretch.
    assert body["resize_mode"] == 1


async def test_each_way_of_drawing_has_its_own_settings() -> None:
    fake = FakeWebUI()
    config = {"enable_hr": True, "hr_scale": 2, "mask_blur": 8, "resize_mode": 2, "denoising_strength": 0.4}
    task = replace(TASK, config=config)

    after = await events(kind, task, api(kind, fake))
    plain = await events(kind, replace(task, references=()), api(kind, fake))

    assert fake.bodies[0].keys() & config.keys() == {"mask_blur", "resize_mode", "denoising_strength"}
    assert fake.bodies[0]["resize_mode"] == 2
    assert fake.bodies[1].keys() & config.keys() == {"enable_hr", "hr_scale", "denoising_strength"}
    assert [len(last.adaptations) for last in (after[-1], plain[-1]) if isinstance(last, Finished)] == [1, 0]


@pytest.mark.parametrize("count", [1, 2])
async def test_previews_are_shown_where_the_server_tells_them_apart(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "POLL_SECONDS", 0.01)
    fake = FakeWebUI()
    fake.previews = [b"first", b"second"]
    fake.finish.clear()
    came: list[Event] = []

    async with aclosing(kind.generate(replace(TASK, count=count), api(kind, fake))) as generated:
        async for event in generated:
            came.append(event)
            if isinstance(event, Progress) and event.fraction == 0.2:
                fake.finish.set()

    shown = [event.data for event in came if isinstance(event, Partial)]
    assert shown == ([b"first", b"second"] if count == 1 else [])
    assert next(event for event in came if isinstance(event, Image)).data == picture(0)
    assert "/sdapi/v1/progress" not in fake.calls
