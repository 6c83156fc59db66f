"""Pictures to go by and pictures on their way, against the sandbox."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio
from PIL import Image as Pillow

from deploy.sandbox.app import create_app
from deploy.sandbox.keys import KEY
from deploy.sandbox.server import running
from runtime.egress import Egress, Endpoint
from services.generation import catalogue
from services.generation.providers import (
    Event,
    Finished,
    Image,
    Partial,
    Picture,
    Provider,
    Task,
    openai,
    stable_diffusion,
)
from tests.services.generation.providers.fakes import events

CATALOGUE = catalogue.load()


def encoded(made: Pillow.Image) -> Picture:
    buffer = io.BytesIO()
    made.save(buffer, "PNG")
    return Picture(buffer.getvalue(), "image/png", made.width, made.height)


def holed() -> Picture:
    made = Pillow.new("RGBA", (256, 256), (0, 0, 0, 255))
    made.paste((0, 0, 0, 0), (128, 0, 256, 256))
    return encoded(made)


RED = encoded(Pillow.new("RGB", (256, 256), "red"))


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[str]:
    async with running(create_app(None, scripted=True)) as url:
        yield url


def endpoint(kind: Provider, url: str, path: str) -> Endpoint:
    return Egress().endpoint(
        url + path, KEY, kind, provider="providers/test", attempt_id="a", seconds=20, max_bytes=1 << 24
    )


def task(kind: str, name: str, **more: object) -> Task:
    model = CATALOGUE.offered(kind, name)
    plain = Task(model=name, prompt="a fox", count=1, size=model.sizes.default, form=model.form)
    return replace(plain, **more)  # type: ignore[arg-type]


def opened(came: list[Event]) -> list[Pillow.Image]:
    return [Pillow.open(io.BytesIO(event.data)) for event in came if isinstance(event, Image)]


async def test_openai_edits_with_several_pictures_and_a_mask(sandbox: str) -> None:
    asked = task(
        "openai", "gpt-image-1.5", references=[RED, RED], mask=holed(), config={"input_fidelity": "high"}
    )

    came = await events(openai, asked, endpoint(openai, sandbox, "/v1"))

    (picture,) = opened(came)
    assert picture.size == (1024, 1024)
    last = came[-1]
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage["image_in"] == 2 * 4483


async def test_openai_edits_as_json_where_moderation_is_set(sandbox: str) -> None:
    asked = task("openai", "gpt-image-2", references=[RED], config={"moderation": "low"})

    assert len(opened(await events(openai, asked, endpoint(openai, sandbox, "/v1")))) == 1


async def test_openai_streams_partials_of_generations_and_edits(sandbox: str) -> None:
    for more in ({}, {"references": [RED]}):
        asked = task("openai", "gpt-image-2", config={"partial_images": 2}, **more)

        came = await events(openai, asked, endpoint(openai, sandbox, "/v1"))

        assert [type(event) for event in came] == [Partial, Partial, Image, Finished]


async def test_the_webui_paints_after_a_picture_where_the_mask_is_white(sandbox: str) -> None:
    mask = Pillow.new("L", (256, 256))
    mask.paste(255, (128, 0, 256, 256))
    asked = task("stable-diffusion", "*", size="256x256", references=[RED], mask=encoded(mask))

    came = await events(stable_diffusion, asked, endpoint(stable_diffusion, sandbox, ""))

    (picture,) = opened(came)
    assert picture.size == (256, 256)
    kept, painted = (picture.convert("RGB").resize((2, 1)).getpixel((side, 0)) for side in (0, 1))
    assert _redness(kept) > _redness(painted) + 40


def _redness(pixel: object) -> int:
    assert isinstance(pixel, tuple)
    return int(pixel[0] - max(pixel[1:]))
