"""Compositions: which parts of the scenery make up a picture, by the words of its prompt."""

from dataclasses import replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deploy.sandbox.drawing import buildings, figures, noise, palettes, profile, scenery, sky
from deploy.sandbox.drawing.palettes import PALETTES, mix
from deploy.sandbox.drawing.scenery import Canvas

PEOPLE = palettes.words(
    "portrait face woman man girl boy person character hero heroine queen king princess prince knight wizard "
    "witch warrior elf child lady lord mage headshot detective author writer"
)
WATER = palettes.words(
    "sea ocean lake river water ship boat sail harbour harbor coast island reflection pirate"
)
SAILS = palettes.words("boat ship sail pirate harbour harbor sea ocean")
CITY = palettes.words("city skyline town street neon skyscraper metropolis cyberpunk")
CASTLE = palettes.words("castle tower fortress citadel palace kingdom keep fantasy dragon")
SPACE = palettes.words("space galaxy planet cosmic mars alien starship universe")
PEAKS = palettes.words("mountain mountains peak peaks alps alpine glacier snow snowy winter himalaya berge")
TREES = palettes.words("forest wood woods tree trees jungle pine fir druid elven wald autumn")


def compose(prompt: str, size: tuple[int, int], seed: int, *, transparent: bool) -> Image.Image:
    """The picture a prompt asks for; RGBA, with something cut out, when it is to be transparent."""
    rng = noise.source(prompt, seed, *size)
    said = palettes.words(prompt)
    canvas = Canvas(size, PALETTES[palettes.choose(said, rng)], rng)
    if said & PEOPLE:
        return _portrait(canvas, said, transparent=transparent)
    _landscape(canvas, said)
    picture = _finish(canvas.image)
    if transparent:
        picture.putalpha(_badge(size))
    return picture


def _landscape(canvas: Canvas, said: frozenset[str]) -> None:
    palette, rng = canvas.palette, canvas.rng
    wet = bool(said & WATER) or (not said & (TREES | CITY | CASTLE | SPACE) and rng.random() < 0.34)
    horizon = canvas.height * (rng.uniform(0.5, 0.58) if wet else rng.uniform(0.46, 0.56))
    _sky(canvas, said, horizon)
    if wet:
        _shore(canvas, said, horizon)
        return
    dunes = palette is PALETTES["desert"]
    if said & PEAKS:
        scenery.peaks(canvas, horizon + canvas.height * 0.06, rng.uniform(0.34, 0.42))
    lines = scenery.ranges(
        canvas,
        horizon,
        count=5,
        cells=1.6 if dunes else 2.4,
        rough=0.3 if dunes else rng.uniform(0.44, 0.56),
        height=0.2 if dunes else rng.uniform(0.24, 0.34),
    )
    if said & CITY:
        buildings.skyline(canvas, canvas.height * 0.86)
        return
    if said & CASTLE:
        buildings.castle(canvas, lines[2], scenery.tone(canvas, 0.5))
    if not dunes:
        figures.forest(canvas, lines[3], tall=canvas.height * 0.055, dense=1.2, tone=0.72)
    if said & TREES or (not dunes and rng.random() < 0.5):
        figures.forest(canvas, lines[4], tall=canvas.height * 0.17, dense=0.9, tone=1.0)
        figures.framing(canvas)
    elif not dunes:
        figures.grass(canvas, lines[4])


def _sky(canvas: Canvas, said: frozenset[str], horizon: float) -> None:
    sky.stars(canvas, horizon)
    if canvas.palette is PALETTES["aurora"]:
        sky.aurora(canvas, horizon)
    sky.sun(canvas)
    if said & SPACE:
        figures.orbit(canvas)
    sky.clouds(canvas, 0.25 if canvas.palette.stars else canvas.rng.uniform(0.4, 0.85))
    if not canvas.palette.stars:
        figures.birds(canvas)


def _shore(canvas: Canvas, said: frozenset[str], horizon: float) -> None:
    palette, rng = canvas.palette, canvas.rng
    if said & PEAKS:
        scenery.peaks(canvas, horizon, rng.uniform(0.3, 0.38))
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
        buildings.skyline(canvas, horizon + 2)
    scenery.water(canvas, horizon)
    if said & SAILS or rng.random() < 0.4:
        figures.boat(canvas, horizon)


def _portrait(canvas: Canvas, said: frozenset[str], *, transparent: bool) -> Image.Image:
    """A head in profile with a landscape inside, on paper."""
    rng, palette = canvas.rng, canvas.palette
    mirrored = rng.random() < 0.5
    outline = canvas.cut(*profile.head(canvas, said, mirrored=mirrored))
    canvas.sun = (canvas.width * rng.uniform(0.4, 0.6), canvas.height * rng.uniform(0.26, 0.34))
    _landscape(canvas, said - PEOPLE)
    inside = _finish(canvas.image)
    if transparent:
        inside.putalpha(outline)
        return inside
    paper = Canvas(canvas.size, replace(palette, sky=_paper(palette)), rng)
    halo = (canvas.width * (0.44 if mirrored else 0.56), canvas.height * 0.42)
    scenery.disc(paper, halo, min(canvas.size) * 0.36, mix(paper.palette.sky[0], palette.sky[-2], 0.5))
    shadow = Image.new("L", canvas.size)
    shadow.paste(outline, (round(canvas.width * 0.012), round(canvas.height * 0.01)))
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
