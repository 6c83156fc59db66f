"""Pictures that follow others, looked at."""

import io

import pytest
from PIL import Image

from deploy.sandbox.drawing.guide import Guide, UnreadableError, from_transparency, open_picture
from deploy.sandbox.drawing.picture import Form, Subject, draw
from tests.deploy.sandbox.pictures import BLUE, RED, colour, half_clear, near, opened, plain

MIDDLE = (0.4, 0.2, 0.6, 0.4)
LEFT, RIGHT = (0.05, 0.05, 0.4, 0.5), (0.6, 0.05, 0.95, 0.5)


def drawn(guide: Guide | None, *, transparent: bool = False) -> Image.Image:
    data = draw(Subject("hills", 7, 192, 128, guide), Form(transparent=transparent))
    return Image.open(io.BytesIO(data))


def test_strength_goes_from_the_picture_to_the_prompt() -> None:
    red = open_picture(plain(RED))
    free = colour(drawn(None), MIDDLE)

    assert near(colour(drawn(Guide((red,), strength=0)), MIDDLE), RED)
    assert near(colour(drawn(Guide((red,), strength=1)), MIDDLE), free)


def test_a_clear_mask_is_painted_anew() -> None:
    mask = from_transparency(open_picture(half_clear()))
    picture = drawn(Guide((open_picture(plain(RED)),), mask, 1.0))

    assert near(colour(picture, LEFT), RED)
    assert not near(colour(picture, RIGHT), RED, 40)


def test_further_pictures_lie_on_the_first() -> None:
    prints = (open_picture(plain(RED)), open_picture(plain(BLUE)), open_picture(plain(BLUE)))
    picture = drawn(Guide(prints, strength=0))

    assert near(colour(picture, (0.03, 0.85, 0.1, 0.93)), BLUE, 20)
    assert near(colour(picture, MIDDLE), RED)


def test_what_is_cut_out_stays_cut_out() -> None:
    picture = drawn(Guide((open_picture(plain(RED)),)), transparent=True)

    assert picture.mode == "RGBA"
    assert picture.getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize("data", [b"", b"GIF89a", plain(RED)[:40], b"<svg/>"])
def test_what_is_no_picture_is_not_opened(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        open_picture(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_every_usual_format_is_opened(form: str) -> None:
    assert near(colour(opened(plain(RED, form=form)), MIDDLE), RED, 4)
    assert open_picture(plain(RED, form=form)).size == (96, 96)
