"""What is above the land: sun, moon, stars, clouds, aurora."""

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deploy.sandbox.drawing import noise
from deploy.sandbox.drawing.palettes import Colour, Palette, mix
from deploy.sandbox.drawing.scenery import Canvas, disc, glow, gradient


def sun(canvas: Canvas) -> None:
    """The sun or the moon, and what it does to the sky around it."""
    palette, radius = canvas.palette, min(canvas.size) * canvas.rng.uniform(0.045, 0.085)
    reach = max(canvas.size)
    glow(canvas, canvas.sun, reach * 0.62, palette.light, 0.42)
    glow(canvas, canvas.sun, radius * 3.6, palette.light, 0.55)
    disc(canvas, canvas.sun, radius, mix(palette.light, (255, 255, 255), 0.35))
    if palette.moon:
        _craters(canvas, radius)


def _craters(canvas: Canvas, radius: float) -> None:
    tone = mix(_grey(canvas.palette), canvas.palette.light, 0.72)
    for i in range(5):
        turn = (i + canvas.rng.random() * 0.7) / 5 * math.tau
        far = canvas.rng.uniform(0.2, 0.62) * radius
        spot = (canvas.sun[0] + far * math.cos(turn), canvas.sun[1] + far * math.sin(turn))
        disc(canvas, spot, radius * canvas.rng.uniform(0.1, 0.28), tone)


def _grey(palette: Palette) -> Colour:
    level = sum(palette.sky[-1]) // 3
    return level, level, level


def stars(canvas: Canvas, horizon: float) -> None:
    """Stars, thinner towards the horizon, and a faint band of them across the sky."""
    if not canvas.palette.stars:
        return
    rng, sky = canvas.rng, Image.new("L", canvas.size)
    pen = ImageDraw.Draw(sky)
    count = round(canvas.width * canvas.height * 0.00045)
    for _ in range(count):
        x, y = rng.random() * canvas.width, horizon * rng.random() ** 1.5
        size = 0.4 + 1.5 * rng.random() ** 6
        light = round(70 + 185 * rng.random() ** 2.4)
        pen.ellipse((x - size, y - size, x + size, y + size), fill=light)
    band = noise.field(rng, canvas.size, (3, 4)).point([max(0, v - 118) for v in range(256)])
    canvas.paint(mix(canvas.palette.cloud, (255, 255, 255), 0.2), band)
    canvas.paint((255, 252, 240), sky)


def clouds(canvas: Canvas, amount: float) -> None:
    """Long thin clouds, lit by the palette."""
    shape = noise.field(canvas.rng, canvas.size, (3, 9), 5)
    edge = 255 - amount * 150
    table = [round(max(0.0, min(1.0, (v - edge) / 60)) ** 1.3 * 190) for v in range(256)]
    fade = gradient((1, canvas.height), [(150,) * 3, (255,) * 3, (200,) * 3, (0,) * 3, (0,) * 3]).convert("L")
    mask = ImageChops.multiply(shape.point(table), fade.resize(canvas.size))
    canvas.paint(canvas.palette.cloud, mask)


def aurora(canvas: Canvas, horizon: float) -> None:
    """Curtains of light, bright at their hem."""
    rng, columns = canvas.rng, 320
    rise = Image.linear_gradient("L").point([round(255 * (v / 255) ** 2.4) for v in range(256)])
    for colour, share in ((canvas.palette.cloud, 0.8), ((140, 116, 226), 0.4), ((186, 244, 190), 0.45)):
        hem = noise.ridge(rng, columns, cells=2.2, rough=0.42)
        tall = noise.ridge(rng, columns, cells=9, rough=0.7)
        curtain = Image.new("L", (columns, 200))
        for x in range(columns):
            foot, height = round(70 + 118 * hem[x]), round(40 + 130 * tall[x])
            curtain.paste(rise.resize((1, height)), (x, foot - height))
        full = curtain.resize((canvas.width, round(horizon)), Image.Resampling.BICUBIC)
        full = full.filter(ImageFilter.GaussianBlur(canvas.width / 260))
        mask = Image.new("L", canvas.size)
        mask.paste(full.point([round(v * share) for v in range(256)]), (0, 0))
        canvas.paint(colour, mask)
