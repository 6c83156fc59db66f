"""What a picture is painted on, and light, land and water to paint on it."""

import itertools
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deploy.sandbox.drawing import noise
from deploy.sandbox.drawing.palettes import Colour, Palette, mix

# Shapes are cut at twice the size and reduced, which is what gives them smooth edges.
FINE = 2
Point = tuple[float, float]
Shape = list[Point]


class Canvas:
    """A picture in the making."""

    def __init__(self, size: tuple[int, int], palette: Palette, rng: random.Random) -> None:
        self.width, self.height = size
        self.size = size
        self.palette = palette
        self.rng = rng
        self.image = gradient(size, palette.sky)
        self.sun: Point = (size[0] * rng.uniform(0.24, 0.76), size[1] * rng.uniform(0.2, 0.4))

    def paint(self, fill: Image.Image | Colour, mask: Image.Image) -> None:
        self.image.paste(fill, (0, 0), mask)

    def cut(self, *shapes: Sequence[Point]) -> Image.Image:
        """A mask of polygons with smooth edges."""
        mask = Image.new("L", (self.width * FINE, self.height * FINE))
        pen = ImageDraw.Draw(mask)
        for shape in shapes:
            pen.polygon([(x * FINE, y * FINE) for x, y in shape], fill=255)
        return mask.reduce(FINE)


def gradient(size: tuple[int, int], stops: Sequence[Colour]) -> Image.Image:
    """Colours from top to bottom, blending."""
    column = Image.new("RGB", (1, len(stops)))
    column.putdata(list(stops))
    # A column one pixel wide grows smoothly only down; across there is nothing to blend.
    return column.resize((1, size[1]), Image.Resampling.BICUBIC).resize(size, Image.Resampling.NEAREST)


def glow(canvas: Canvas, centre: Point, radius: float, colour: Colour, strength: float) -> None:
    """Light that falls off around a point."""
    # Pillow's gradient reaches 180 where the circle touches the square around it.
    table = [round(255 * strength * max(0.0, 1 - v / 180) ** 2.2) for v in range(256)]
    fall = Image.radial_gradient("L").point(table)
    side = max(2, round(radius * 2))
    mask = Image.new("L", canvas.size)
    mask.paste(fall.resize((side, side), Image.Resampling.BILINEAR), _corner(centre, radius))
    canvas.paint(colour, mask)


def disc(canvas: Canvas, centre: Point, radius: float, colour: Colour) -> None:
    side = max(4, round(radius * 2))
    big = Image.new("L", (side * 4, side * 4))
    ImageDraw.Draw(big).ellipse((0, 0, side * 4 - 1, side * 4 - 1), fill=255)
    canvas.image.paste(colour, _corner(centre, side / 2), big.reduce(4))


def _corner(centre: Point, radius: float) -> tuple[int, int]:
    return round(centre[0] - radius), round(centre[1] - radius)


def land(canvas: Canvas, line: Sequence[float], top: Colour, foot: Colour) -> None:
    """A range whose crest is `line`, in pixels, fading into haze at its foot."""
    step = canvas.width / (len(line) - 1)
    crest = [(i * step, y) for i, y in enumerate(line)]
    shape = [(0.0, float(canvas.height)), *crest, (float(canvas.width), float(canvas.height))]
    highest = max(0, int(min(line)))
    fill = Image.new("RGB", canvas.size, foot)
    depth = max(2, canvas.height - highest)
    fill.paste(gradient((canvas.width, depth), [top, mix(top, foot, 0.45), foot, foot]), (0, highest))
    canvas.paint(fill, canvas.cut(shape))


def ranges(
    canvas: Canvas, horizon: float, *, count: int, cells: float, rough: float, height: float
) -> list[list[float]]:
    """Several ranges, one before the other, paler the farther."""
    palette, lines = canvas.palette, []
    for i in range(count):
        near = i / max(1, count - 1)
        base = horizon + (canvas.height - horizon) * 0.72 * near**1.25
        tall = canvas.height * height * (1 - 0.45 * near)
        hills = noise.ridge(canvas.rng, 260, cells=cells * (1 - 0.4 * near), rough=rough)
        line = [base - tall * (value - 0.32) for value in hills]
        colour = tone(canvas, near)
        land(canvas, line, colour, mix(colour, haze(palette), 0.5 * (1 - near) + 0.06))
        lines.append(line)
    return lines


def peaks(canvas: Canvas, horizon: float, height: float) -> None:
    """A range of sharp mountains with snow on them, in shadow where they turn from the light."""
    palette, count = canvas.palette, 320
    rough = noise.ridge(canvas.rng, count, cells=1.7, rough=0.5, octaves=6)
    tall = [1 - abs(2 * value - 1) for value in rough]
    low, high = min(tall), max(tall)
    crest = [(value - low) / (high - low) for value in tall]
    line = [horizon + canvas.height * (0.04 - height * value**1.1) for value in crest]
    rock = mix(tone(canvas, 0.3), palette.sky[0], 0.25)
    land(canvas, line, rock, haze(palette))
    step, jag = canvas.width / (count - 1), noise.ridge(canvas.rng, count, cells=40, rough=0.6, octaves=3)
    drop = [
        canvas.height * height * max(0.0, c - 0.45) * (0.1 + 1.5 * j**1.6)
        for c, j in zip(crest, jag, strict=True)
    ]
    top = [(i * step, y) for i, y in enumerate(line)]
    edge = [(i * step, y + d) for i, (y, d) in enumerate(zip(line, drop, strict=True))]
    snow = canvas.cut([*top, *reversed(edge)])
    canvas.paint(mix(palette.light, (255, 255, 255), 0.4), snow.point([round(v * 0.86) for v in range(256)]))
    canvas.paint(
        mix(rock, palette.near, 0.3), _shadow(canvas, top).point([round(v * 0.36) for v in range(256)])
    )


def _shadow(canvas: Canvas, crest: Sequence[Point]) -> Image.Image:
    """The flanks that face away from the light, as one mask."""
    flanks = []
    long = canvas.height * 0.3
    for (x, y), (right, below) in itertools.pairwise(crest):
        away = (below - y) * (1 if x > canvas.sun[0] else -1)
        if away > 0:
            lean = long * 0.42 * (1 if x > canvas.sun[0] else -1)
            flanks.append([(x, y), (right, below), (right + lean, below + long), (x + lean, y + long)])
    fade = gradient(
        (1, canvas.height), [(255,) * 3, (255,) * 3, (120,) * 3, (0,) * 3, (0,) * 3, (0,) * 3]
    ).convert("L")
    under = canvas.cut([(0.0, float(canvas.height)), *crest, (float(canvas.width), float(canvas.height))])
    return ImageChops.multiply(ImageChops.multiply(canvas.cut(*flanks), under), fade.resize(canvas.size))


def haze(palette: Palette) -> Colour:
    return mix(palette.sky[-1], palette.light, 0.25)


def tone(canvas: Canvas, near: float) -> Colour:
    """The colour of land, from far (0) to near (1)."""
    palette = canvas.palette
    return mix(mix(palette.far, palette.near, near**1.15), haze(palette), 0.34 * (1 - near))


def water(canvas: Canvas, shore: float) -> None:
    """Still water below `shore`: the picture above it, upside down, rippled, with a path of light."""
    top = round(shore)
    depth = canvas.height - top
    reach = min(top, round(depth * 1.15))
    mirror = canvas.image.crop((0, top - reach, canvas.width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirror = mirror.resize((canvas.width, depth), Image.Resampling.BILINEAR)
    mirror = _ripple(mirror, canvas.rng)
    tint = gradient(
        (canvas.width, depth), [mix(canvas.palette.far, canvas.palette.sky[-1], 0.5), canvas.palette.near]
    )
    share = gradient((1, depth), [(60,) * 3, (105,) * 3, (165,) * 3]).convert("L").resize(mirror.size)
    mirror.paste(tint, (0, 0), share)
    canvas.image.paste(mirror, (0, top))
    _glitter(canvas, top)


def _ripple(mirror: Image.Image, rng: random.Random) -> Image.Image:
    width, height = mirror.size
    phase, strip = rng.uniform(0, 9), max(2, height // 130)
    mesh = []
    for y in range(0, height, strip):
        bottom = min(height, y + strip)
        near = y / height
        shift = noise.wave(18 / (0.12 + near), phase) * width * (0.003 + 0.012 * near)
        mesh.append(
            ((0, y, width, bottom), (shift, y, shift, bottom, width + shift, bottom, width + shift, y))
        )
    moved = mirror.transform(mirror.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
    # What the shift uncovered at the sides is black; the unmoved picture goes there.
    edge = round(width * 0.016)
    for box in ((0, 0, edge, height), (width - edge, 0, width, height)):
        moved.paste(mirror.crop(box), box[:2])
    return moved.filter(ImageFilter.BoxBlur((max(1.0, width / 500), 0.6)))


def _glitter(canvas: Canvas, top: int) -> None:
    rng, depth = canvas.rng, canvas.height - top
    light = Image.new("L", canvas.size)
    pen = ImageDraw.Draw(light)
    for _ in range(round(depth * 0.9)):
        near = rng.random() ** 1.4
        y = top + near * depth
        spread = canvas.width * (0.02 + 0.1 * near)
        x = canvas.sun[0] + rng.gauss(0, 1) * spread
        long = canvas.width * rng.uniform(0.006, 0.03) * (0.4 + near)
        thick = max(1, round(canvas.height * 0.0022 * (0.5 + near)))
        pen.line((x - long, y, x + long, y), fill=round(rng.uniform(40, 175) * (1 - 0.5 * near)), width=thick)
    canvas.paint(canvas.palette.light, light.filter(ImageFilter.BoxBlur((2, 0.5))))
