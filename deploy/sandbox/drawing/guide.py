"""Pictures to go by: opened, fitted, and seen in what is painted after them."""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 50_000_000
# How much is new where nobody says how much shall be.
USUAL = 0.5
FRAME = (245, 242, 235)


class UnreadableError(ValueError):
    """Not a picture, or not one of the formats anybody takes."""


@dataclass(frozen=True)
class Guide:
    """What a picture is painted after. The first is its ground, the others lie upon it as small prints."""

    pictures: tuple[Image.Image, ...]
    mask: Image.Image | None = None  # white is painted anew, black stays
    strength: float = USUAL  # 1 forgets the ground
    crop: bool = True  # to the shape of the painting; stretched to it otherwise


def open_picture(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise UnreadableError("The picture is too large.")
            picture.load()
            return picture.copy()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableError("Not a picture.") from error


def from_transparency(mask: Image.Image) -> Image.Image:
    """A mask that says by transparency what to paint anew, as one that says it in white."""
    return mask.convert("RGBA").getchannel("A").point([255] * 128 + [0] * 128)


def follow(painting: Image.Image, guide: Guide) -> Image.Image:
    """The painting as it looks after its guide."""
    ground = _fitted(guide.pictures[0], painting.size, crop=guide.crop)
    new = Image.blend(ground, painting.convert("RGB"), min(1.0, max(0.0, guide.strength)))
    if guide.mask is not None:
        new = Image.composite(new, ground, _fitted(guide.mask, painting.size, crop=guide.crop).convert("L"))
    for place, print_ in enumerate(guide.pictures[1:]):
        _lay(new, print_, place)
    if painting.mode == "RGBA":
        new.putalpha(painting.getchannel("A"))
    return new


def _fitted(picture: Image.Image, size: tuple[int, int], *, crop: bool) -> Image.Image:
    plain = picture.convert("RGB")
    return ImageOps.fit(plain, size) if crop else plain.resize(size)


def _lay(ground: Image.Image, picture: Image.Image, place: int) -> None:
    edge = max(8, min(ground.size) // 6)
    gap = max(2, edge // 8)
    fit = max(1, (ground.width - gap) // (edge + gap))
    column, row = place % fit, place // fit
    small = ImageOps.expand(ImageOps.fit(picture.convert("RGB"), (edge, edge)), max(1, edge // 24), FRAME)
    corner = gap + column * (edge + gap), ground.height - (row + 1) * (edge + gap)
    ground.paste(small, corner)
