"""A picture from a prompt, a seed and a size: the same three give the same bytes, always."""

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageStat

from deploy.sandbox.drawing import noise
from deploy.sandbox.drawing.guide import Guide, follow
from deploy.sandbox.drawing.scenes import compose

# Larger pictures are painted at this many pixels and enlarged; only the grain is made at full size.
PAINTED_PIXELS = 800_000
GRAIN = 3.0
MARK = "sandbox"
PREVIEW_EDGE = 320
LIGHT_GROUND = 170


@dataclass(frozen=True)
class Subject:
    """What to draw."""

    prompt: str
    seed: int
    width: int
    height: int
    guide: Guide | None = None


@dataclass(frozen=True)
class Form:
    """How to write a picture down."""

    name: str = "png"
    quality: int = 90
    transparent: bool = False


def draw(subject: Subject, form: Form) -> bytes:
    """The finished picture, written down."""
    return encode(paint(subject, transparent=form.transparent), subject, form)


def paint(subject: Subject, *, transparent: bool = False) -> Image.Image:
    """The picture without grain and mark, RGBA when it is to be transparent."""
    scale = min(1.0, math.sqrt(PAINTED_PIXELS / (subject.width * subject.height)))
    size = max(16, round(subject.width * scale)), max(16, round(subject.height * scale))
    picture = compose(subject.prompt, size, subject.seed, transparent=transparent)
    wanted = (subject.width, subject.height)
    whole = picture if picture.size == wanted else picture.resize(wanted, Image.Resampling.BICUBIC)
    return follow(whole, subject.guide) if subject.guide else whole


def unfinished(painting: Image.Image, seed: int, fraction: float) -> Image.Image:
    """A painting as it looked when only `fraction` of it had come out of the noise."""
    size = painting.size
    soft = painting.convert("RGB").filter(ImageFilter.GaussianBlur((1 - fraction) ** 1.5 * max(size) / 24))
    cells = max(2, size[0] // 10), max(2, size[1] // 10)
    veil = noise.field(noise.source("veil", seed), size, cells, 2)
    return Image.blend(soft, veil.convert("RGB"), 0.7 * (1 - fraction) ** 2)


def preview(painting: Image.Image, subject: Subject, fraction: float) -> bytes:
    """The unfinished painting, small."""
    small = painting.reduce(max(1, max(painting.size) // PREVIEW_EDGE))
    return encode(unfinished(small, subject.seed, fraction), subject, Form())


def encode(picture: Image.Image, subject: Subject, form: Form) -> bytes:
    """Adds grain and mark, and writes the picture down."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    film = noise.grain(f"{subject.prompt}\0{subject.seed}", picture.size, GRAIN)
    ready = ImageChops.add(picture.convert("RGB"), Image.merge("RGB", (film, film, film)), 1, -noise.GREY)
    _mark(ready, alpha)
    if alpha is not None:
        # What cannot be seen shall weigh nothing.
        ready = Image.composite(ready, Image.new("RGB", ready.size), alpha.point([0] + [255] * 255))
        ready.putalpha(alpha)
    return written(ready, form)


def black(subject: Subject, form: Form) -> bytes:
    """What stands in for a picture that nobody may see."""
    return written(Image.new("RGB", (subject.width, subject.height)), form)


def written(ready: Image.Image, form: Form) -> bytes:
    out = io.BytesIO()
    match form.name:
        case "jpeg":
            ready.convert("RGB").save(out, "JPEG", quality=form.quality)
        case "webp":
            ready.save(out, "WEBP", quality=form.quality, method=1)
        case _:
            ready.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _mark(picture: Image.Image, alpha: Image.Image | None) -> None:
    """Says in a corner who made this; on a cut-out, below in the middle, where there is something."""
    size = max(9, round(min(picture.size) * 0.019))
    font = ImageFont.load_default(size)
    text = " ".join(MARK)
    pen = ImageDraw.Draw(picture, "RGBA")
    place, anchor = (picture.width - size * 1.3, picture.height - size * 1.2), "rs"
    if alpha is not None:
        place, anchor = (picture.width / 2, picture.height * 0.93), "ms"
    left, top, right, bottom = (max(0, round(edge)) for edge in pen.textbbox(place, text, font, anchor))
    ground = picture.crop((left, top, max(left + 1, right), max(top + 1, bottom))).convert("L")
    ink = (40, 36, 60, 170) if ImageStat.Stat(ground).mean[0] > LIGHT_GROUND else (255, 255, 255, 190)
    pen.text(place, text, ink, font, anchor)
