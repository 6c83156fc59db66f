"""A picture from a prompt, a seed and a size: the same three give the same bytes, always."""

import io
import math
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from deploy.sandbox.drawing import figures, noise, palettes, scenery
from deploy.sandbox.drawing.palettes import PALETTES, mix
from deploy.sandbox.drawing.scenery import Canvas

# Larger pictures are painted at this many pixels and enlarged; only the grain is made at full size.
PAINTED_PIXELS = 1_100_000
GRAIN = 3.0
MARK = "sandbox"


@dataclass(frozen=True)
class Subject:
    """What to draw."""

    prompt: str
    seed: int
    width: int
    height: int


@dataclass(frozen=True)
class Form:
    """How to write a picture down."""

    name: str = "png"
    quality: int = 90
    transparent: bool = False


def draw(subject: Subject, form: Form) -> bytes:
    """The finished picture."""
    return encode(paint(subject, transparent=form.transparent), subject, form)


def unfinished(subject: Subject, form: Form, fraction: float) -> bytes:
    """The picture as it looks while it is still being made: `fraction` of it out of the noise."""
    picture = paint(replace(subject), transparent=False)
    size = picture.size
    blur = (1 - fraction) ** 1.5 * max(size) / 24
    veil = noise.field(noise.source("veil", subject.seed), size, (size[0] // 10 or 2, size[1] // 10 or 2), 2)
    soft = picture.filter(ImageFilter.GaussianBlur(blur))
    return encode(Image.blend(soft, veil.convert("RGB"), 0.75 * (1 - fraction) ** 1.2), subject, form)


def paint(subject: Subject, *, transparent: bool) -> Image.Image:
    """The picture without grain and mark, RGBA when it is to be transparent."""
    scale = min(1.0, math.sqrt(PAINTED_PIXELS / (subject.width * subject.height)))
    size = max(16, round(subject.width * scale)), max(16, round(subject.height * scale))
    rng = noise.source(subject.prompt, subject.seed, subject.width, subject.height)
    said = palettes.words(subject.prompt)
    canvas = Canvas(size, PALETTES[palettes.choose(said, rng)], rng)
    if said & PEOPLE:
        picture = _portrait(canvas, said, transparent=transparent)
    else:
        _landscape(canvas, said)
        picture = _finish(canvas.image)
        if transparent:
            picture.putalpha(_badge(size))
    wanted = (subject.width, subject.height)
    return picture if picture.size == wanted else picture.resize(wanted, Image.Resampling.BICUBIC)


PEOPLE = frozenset(
    "portrait face woman man girl boy person character hero heroine queen king princess prince knight wizard witch "
    "warrior elf child lady lord mage headshot detective author writer".split()
)
WATER = frozenset(
    "sea ocean lake river water ship boat sail harbour harbor coast island reflection pirate".split()
)
CITY = frozenset("city skyline town street neon skyscraper metropolis cyberpunk".split())
CASTLE = frozenset("castle tower fortress citadel palace kingdom keep fantasy dragon".split())
SPACE = frozenset("space galaxy planet cosmic mars alien starship universe".split())
TREES = frozenset("forest wood woods tree trees jungle pine fir druid elven wald autumn".split())
PLAIN = frozenset({"desert", "day", "dawn"})


def _landscape(canvas: Canvas, said: frozenset[str]) -> None:
    palette, rng = canvas.palette, canvas.rng
    wet = bool(said & WATER) or (not said & (TREES | CITY | CASTLE) and rng.random() < 0.34)
    horizon = canvas.height * (rng.uniform(0.5, 0.58) if wet else rng.uniform(0.46, 0.56))
    _sky(canvas, said, horizon)
    if wet:
        _shore(canvas, said, horizon)
        return
    dunes = palette is PALETTES["desert"]
    lines = scenery.ranges(
        canvas,
        horizon,
        count=5,
        cells=1.6 if dunes else 2.4,
        rough=0.3 if dunes else rng.uniform(0.44, 0.56),
        height=0.2 if dunes else rng.uniform(0.24, 0.34),
    )
    if said & CITY:
        figures.skyline(canvas, canvas.height * 0.86)
        return
    if said & CASTLE:
        figures.castle(canvas, lines[2], 0.55)
    if not dunes:
        figures.forest(canvas, lines[3], tall=canvas.height * 0.055, dense=1.2, tone=0.72)
    if said & TREES or (not dunes and rng.random() < 0.5):
        figures.forest(canvas, lines[4], tall=canvas.height * 0.17, dense=0.9, tone=1.0)
        figures.framing(canvas)
    elif not dunes:
        figures.grass(canvas, lines[4])


def _sky(canvas: Canvas, said: frozenset[str], horizon: float) -> None:
    scenery.stars(canvas, horizon)
    scenery.sun(canvas)
    if canvas.palette is PALETTES["aurora"]:
        scenery.aurora(canvas, horizon)
    if said & SPACE:
        figures.orbit(canvas)
    scenery.clouds(canvas, horizon, 0.25 if canvas.palette.stars else canvas.rng.uniform(0.4, 0.85))
    if not canvas.palette.stars:
        figures.birds(canvas)


def _shore(canvas: Canvas, said: frozenset[str], horizon: float) -> None:
    palette, rng = canvas.palette, canvas.rng
    for i in range(3):
        hills = noise.ridge(rng, 260, cells=2 + i, rough=0.5)
        slope = rng.choice((-1, 1))
        tall = canvas.height * (0.2 - 0.045 * i)
        line = []
        for x, value in enumerate(hills):
            side = 0.5 + slope * (x / len(hills) - 0.5)
            line.append(horizon + canvas.height * 0.01 - tall * value * (0.15 + 1.1 * side**2.2))
        tone = mix(mix(palette.far, palette.near, 0.12 + 0.27 * i), palette.sky[-1], 0.3 - 0.12 * i)
        scenery.land(canvas, line, tone, mix(tone, palette.sky[-1], 0.4))
    if said & CITY:
        figures.skyline(canvas, horizon + 2)
    scenery.water(canvas, horizon)
    if said & frozenset("boat ship sail pirate harbour harbor sea ocean".split()) or rng.random() < 0.4:
        figures.boat(canvas, horizon)


def _portrait(canvas: Canvas, said: frozenset[str], *, transparent: bool) -> Image.Image:
    """A head in profile with a landscape inside, on paper."""
    rng, palette = canvas.rng, canvas.palette
    mirrored = rng.random() < 0.5
    outline = canvas.cut(figures.head(canvas, mirrored))
    canvas.sun = (canvas.width * rng.uniform(0.4, 0.6), canvas.height * rng.uniform(0.26, 0.34))
    _landscape(canvas, said - PEOPLE)
    inside = _finish(canvas.image)
    if transparent:
        inside.putalpha(outline)
        return inside
    paper = Canvas(canvas.size, replace(palette, sky=_paper(palette)), rng)
    halo = (canvas.width * (0.44 if mirrored else 0.56), canvas.height * 0.42)
    scenery.disc(paper, halo, min(canvas.size) * 0.36, mix(paper.palette.sky[0], palette.sky[-2], 0.5))
    shadow = ImageChops.offset(outline, round(canvas.width * 0.012), round(canvas.height * 0.01))
    shadow = shadow.filter(ImageFilter.GaussianBlur(canvas.width / 60))
    paper.paint(mix(palette.near, (0, 0, 0), 0.2), shadow.point([v // 3 for v in range(256)]))
    paper.image.paste(inside, (0, 0), outline)
    return paper.image


def _paper(palette: palettes.Palette) -> tuple[palettes.Colour, ...]:
    cream = (247, 241, 229)
    return mix(cream, palette.sky[-1], 0.25), cream, mix(cream, palette.far, 0.2)


def _finish(image: Image.Image) -> Image.Image:
    """Bloom around what is bright, and slightly darker corners."""
    small = image.reduce(4)
    soft = small.filter(ImageFilter.GaussianBlur(max(small.size) / 40)).resize(
        image.size, Image.Resampling.BILINEAR
    )
    image = Image.blend(image, ImageChops.screen(image, soft), 0.16)
    corners = Image.radial_gradient("L").point([round(max(0, v - 150) * 0.42) for v in range(256)])
    image.paste((10, 8, 20), (0, 0), corners.resize(image.size, Image.Resampling.BILINEAR))
    return image


def _badge(size: tuple[int, int]) -> Image.Image:
    """A round cut-out with a smooth edge."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    side = min(mask.size) * 0.47
    x, y = mask.width / 2, mask.height / 2
    ImageDraw.Draw(mask).ellipse((x - side, y - side, x + side, y + side), fill=255)
    return mask.reduce(2)


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
    """Says in a corner who made this; on a transparent picture, in its middle line, where there is something."""
    size = max(9, round(min(picture.size) * 0.019))
    font = ImageFont.load_default(size)
    text = " ".join(MARK)
    pen = ImageDraw.Draw(picture, "RGBA")
    place, anchor = (picture.width - size * 1.3, picture.height - size * 1.2), "rs"
    if alpha is not None:
        place, anchor = (picture.width / 2, picture.height * 0.93), "ms"
    pen.text((place[0] + 1, place[1] + 1), text, (0, 0, 0, 90), font, anchor)
    pen.text(place, text, (255, 255, 255, 190), font, anchor)
