"""Pictures to send, and a look at those that came back."""

import io

import pybase64
from PIL import Image, ImageStat

RED = (220, 30, 30)
BLUE = (30, 30, 220)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (96, 96), form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


def half_clear(size: tuple[int, int] = (96, 96)) -> bytes:
    """A mask whose right half is transparent."""
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (size[0] // 2, 0, *size))
    out = io.BytesIO()
    mask.save(out, "PNG")
    return out.getvalue()


def half_white(size: tuple[int, int] = (96, 96)) -> bytes:
    """A mask whose right half is white."""
    mask = Image.new("L", size)
    mask.paste(255, (size[0] // 2, 0, *size))
    out = io.BytesIO()
    mask.save(out, "PNG")
    return out.getvalue()


def in_url(data: bytes) -> str:
    return "data:image/png;base64," + pybase64.b64encode(data).decode()


def opened(data: bytes | str) -> Image.Image:
    raw = pybase64.b64decode(data, validate=True) if isinstance(data, str) else data
    return Image.open(io.BytesIO(raw)).convert("RGB")


def colour(picture: Image.Image, box: tuple[float, float, float, float]) -> tuple[int, int, int]:
    """The mean colour of a part, given in fractions of the picture."""
    width, height = picture.size
    part = picture.crop((box[0] * width, box[1] * height, box[2] * width, box[3] * height))
    red, green, blue = ImageStat.Stat(part).mean
    return round(red), round(green), round(blue)


def near(one: tuple[int, int, int], other: tuple[int, int, int], off: int = 12) -> bool:
    return all(abs(a - b) <= off for a, b in zip(one, other, strict=True))
