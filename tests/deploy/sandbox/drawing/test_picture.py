"""Drawn pictures: the same from the same, of realistic weight, in the form that was asked for."""

import io
import time

import pytest
from PIL import Image

from deploy.sandbox.drawing.picture import Form, Subject, draw, paint, unfinished

FOX = Subject("a fox in a misty forest", 7, 320, 256)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_same_input_same_bytes() -> None:
    assert draw(FOX, Form()) == draw(FOX, Form())


@pytest.mark.parametrize("other", [Subject("a fox", 7, 320, 256), Subject(FOX.prompt, 8, 320, 256)])
def test_another_prompt_or_seed_is_another_picture(other: Subject) -> None:
    assert draw(FOX, Form()) != draw(other, Form())


def test_a_square_weighs_what_a_real_one_does_and_is_drawn_quickly() -> None:
    begun = time.process_time()
    data = draw(Subject("the sea at night", 1, 1024, 1024), Form())

    assert time.process_time() - begun < 2  # a fifth of that on an idle machine
    assert 1_000_000 < len(data) < 2_000_000


@pytest.mark.parametrize(("name", "found"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_the_format_is_the_one_asked_for(name: str, found: str) -> None:
    picture = opened(draw(FOX, Form(name)))

    assert (picture.format, picture.size) == (found, (320, 256))


@pytest.mark.parametrize("size", [(64, 64), (40, 120), (660, 220)])
@pytest.mark.parametrize(
    "prompt", ["city by the sea", "portrait of a queen", "castle in the snow", "aurora", "space"]
)
def test_every_scene_fits_every_size(prompt: str, size: tuple[int, int]) -> None:
    assert paint(Subject(prompt, 3, *size)).size == size


def test_a_large_picture_is_as_large_as_ordered() -> None:
    assert paint(Subject("dunes", 3, 2048, 1152)).size == (2048, 1152)


@pytest.mark.parametrize("prompt", ["a wizard", "a lake"])
def test_a_transparent_background_leaves_the_subject(prompt: str) -> None:
    alpha = opened(draw(Subject(prompt, 1, 256, 256), Form(transparent=True))).getchannel("A")

    assert alpha.getextrema() == (0, 255)
    assert alpha.getpixel((1, 1)) == 0


def test_a_lower_quality_weighs_less() -> None:
    assert len(draw(FOX, Form("jpeg", 20))) < len(draw(FOX, Form("jpeg", 95))) / 2


def test_an_unfinished_picture_clears_up() -> None:
    painting = paint(FOX)

    stages = [unfinished(painting, 7, fraction).tobytes() for fraction in (0.1, 0.6, 1.0)]

    distance = [sum(abs(a - b) for a, b in zip(stage, painting.tobytes(), strict=True)) for stage in stages]
    assert distance[0] > distance[1] > distance[2] == 0
