"""What stands in the landscape: trees, grass, birds, a boat, towers, a skyline, a head in profile."""

import math
import random
from collections.abc import Sequence

from deploy.sandbox.drawing.palettes import mix
from deploy.sandbox.drawing.scenery import Canvas, Point

Shape = list[Point]


def fir(rng: random.Random, x: float, foot: float, height: float) -> Shape:
    """A fir: tiers of drooping branches, never quite even."""
    left: Shape = []
    right: Shape = []
    tiers = rng.randint(6, 9)
    for i in range(1, tiers + 1):
        y = foot - height * (1 - i / (tiers + 0.6))
        reach = height * 0.2 * (i / tiers) ** 0.85
        out = reach * rng.uniform(0.75, 1.1), reach * rng.uniform(0.75, 1.1)
        left += [(x - out[0], y + height * 0.025), (x - out[0] * 0.42, y)]
        right += [(x + out[1], y + height * 0.025), (x + out[1] * 0.42, y)]
    trunk = height * 0.018
    return [(x, foot - height), *right, (x + trunk, foot + 4), (x - trunk, foot + 4), *reversed(left)]


def forest(canvas: Canvas, line: Sequence[float], *, tall: float, dense: float, tone: float) -> None:
    """Firs along a crest."""
    rng, step = canvas.rng, canvas.width / (len(line) - 1)
    shapes = []
    x = -tall
    while x < canvas.width + tall:
        foot = line[max(0, min(len(line) - 1, round(x / step)))]
        shapes.append(fir(rng, x, foot + tall * 0.08, tall * rng.uniform(0.45, 1.0)))
        x += tall * rng.uniform(0.08, 0.42) / dense
    canvas.paint(mix(canvas.palette.far, canvas.palette.near, tone), canvas.cut(*shapes))


def framing(canvas: Canvas) -> None:
    """A few tall dark firs at one side, as if one stood among them."""
    rng, height = canvas.rng, canvas.height
    side = rng.choice((0.0, 1.0))
    shapes = []
    for _ in range(rng.randint(3, 5)):
        inward = rng.random() ** 1.5 * 0.26
        x = canvas.width * (inward if side == 0 else 1 - inward)
        shapes.append(fir(rng, x, height * 1.04, height * rng.uniform(0.34, 0.72) * (1 - inward * 1.4)))
    canvas.paint(mix(canvas.palette.near, (0, 0, 0), 0.35), canvas.cut(*shapes))


def grass(canvas: Canvas, line: Sequence[float]) -> None:
    """Blades along the nearest crest."""
    rng, step = canvas.rng, canvas.width / (len(line) - 1)
    shapes = []
    for _ in range(round(canvas.width / 3.2)):
        x = rng.random() * canvas.width
        foot = line[min(len(line) - 1, round(x / step))]
        tall = canvas.height * rng.uniform(0.008, 0.04)
        lean, wide = rng.uniform(-0.5, 0.5) * tall, canvas.width * 0.0014
        shapes.append([(x - wide, foot + 5), (x + lean, foot - tall), (x + wide, foot + 5)])
    canvas.paint(mix(canvas.palette.near, (0, 0, 0), 0.2), canvas.cut(*shapes))


def birds(canvas: Canvas) -> None:
    """A loose flock, small, not far from the light."""
    rng = canvas.rng
    centre = (canvas.sun[0] + canvas.width * rng.uniform(-0.22, 0.22), canvas.sun[1] + canvas.height * 0.07)
    shapes = []
    for _ in range(rng.randint(4, 9)):
        x, y = centre[0] + rng.gauss(0, 0.055) * canvas.width, centre[1] + rng.gauss(0, 0.035) * canvas.height
        size = min(canvas.size) * rng.uniform(0.007, 0.014)
        lift = rng.uniform(0.25, 0.6) * size
        shapes.append(
            [
                (x - size, y - lift),
                (x - size * 0.45, y - lift * 1.15),
                (x, y),
                (x + size * 0.45, y - lift * 1.1),
                (x + size, y - lift * 0.8),
                (x + size * 0.42, y - lift * 0.72),
                (x, y + size * 0.2),
                (x - size * 0.42, y - lift * 0.75),
            ]
        )
    canvas.paint(mix(canvas.palette.near, canvas.palette.sky[1], 0.25), canvas.cut(*shapes))


def boat(canvas: Canvas, shore: float) -> None:
    """A sailing boat with its reflection."""
    rng = canvas.rng
    x, y = canvas.width * rng.uniform(0.2, 0.8), shore + (canvas.height - shore) * rng.uniform(0.1, 0.3)
    s = min(canvas.size) * rng.uniform(0.07, 0.11)
    hull = [
        (x - s * 0.62, y - s * 0.12),
        (x + s * 0.66, y - s * 0.16),
        (x + s * 0.46, y + s * 0.07),
        (x - s * 0.45, y + s * 0.07),
    ]
    main = [
        (x + s * 0.03, y - s * 1.5),
        (x + s * 0.56, y - s * 0.3),
        (x + s * 0.36, y - s * 0.2),
        (x + s * 0.03, y - s * 0.22),
    ]
    jib = [(x - s * 0.03, y - s * 1.36), (x - s * 0.1, y - s * 0.22), (x - s * 0.56, y - s * 0.2)]
    mirror = [
        [(px, y + s * 0.1 + (y + s * 0.07 - py) * 0.6) for px, py in part] for part in (main, jib, hull)
    ]
    dark = mix(canvas.palette.near, (0, 0, 0), 0.3)
    canvas.paint(dark, canvas.cut(*mirror).point([v // 3 for v in range(256)]))
    canvas.paint(mix(canvas.palette.light, canvas.palette.near, 0.22), canvas.cut(main))
    canvas.paint(mix(canvas.palette.light, canvas.palette.near, 0.4), canvas.cut(jib))
    canvas.paint(dark, canvas.cut(hull))


def castle(canvas: Canvas, line: Sequence[float], tone: float) -> None:
    """Towers on the highest point of a crest."""
    rng, step = canvas.rng, canvas.width / (len(line) - 1)
    low, high = len(line) // 6, len(line) * 5 // 6
    top = min(range(low, high), key=lambda i: line[i])
    x, foot, s = top * step, line[top] + canvas.height * 0.02, min(canvas.size) * 0.2
    shapes: list[Shape] = [
        [
            (x - s * 0.42, foot + s * 0.3),
            (x - s * 0.38, foot - s * 0.22),
            (x + s * 0.4, foot - s * 0.22),
            (x + s * 0.45, foot + s * 0.3),
        ]
    ]
    windows: list[Shape] = []
    for place, tall, wide in (
        (-0.36, 0.52, 0.07),
        (-0.13, 0.86, 0.085),
        (0.1, 0.64, 0.1),
        (0.36, 0.42, 0.075),
    ):
        tx, ty = x + place * s, foot - tall * s * rng.uniform(0.9, 1.15)
        w = wide * s
        shapes.append([(tx - w, foot), (tx - w, ty), (tx + w, ty), (tx + w, foot)])
        shapes.append([(tx - w * 1.4, ty), (tx, ty - w * rng.uniform(3.4, 4.6)), (tx + w * 1.4, ty)])
        shapes.append(
            [
                (tx - w * 1.25, ty + w * 0.5),
                (tx - w * 1.25, ty),
                (tx + w * 1.25, ty),
                (tx + w * 1.25, ty + w * 0.5),
            ]
        )
        windows.append(
            [
                (tx - w * 0.22, ty + w * 2.2),
                (tx - w * 0.22, ty + w * 1.5),
                (tx, ty + w * 1.2),
                (tx + w * 0.22, ty + w * 1.5),
                (tx + w * 0.22, ty + w * 2.2),
            ]
        )
    canvas.paint(mix(canvas.palette.far, canvas.palette.near, tone), canvas.cut(*shapes))
    canvas.paint(mix(canvas.palette.light, (255, 176, 84), 0.45), canvas.cut(*windows))


def skyline(canvas: Canvas, horizon: float) -> None:
    """Three rows of houses with lit windows in the nearest ones."""
    rng = canvas.rng
    for row in range(3):
        near = (row + 1) / 3
        shapes: list[Shape] = []
        windows: list[Shape] = []
        x = -canvas.width * 0.02
        while x < canvas.width:
            wide = canvas.width * rng.uniform(0.03, 0.075)
            tall = canvas.height * rng.uniform(0.07, 0.34) * (1.15 - 0.35 * near)
            shapes += _house(rng, x, horizon, wide, tall)
            if row:
                windows += _windows(rng, x, horizon, wide, tall, min(canvas.size) * 0.0045)
            x += wide * rng.uniform(0.92, 1.12)
        tone = mix(
            mix(canvas.palette.far, canvas.palette.near, near**0.8), canvas.palette.sky[-2], 0.3 * (1 - near)
        )
        canvas.paint(tone, canvas.cut(*shapes))
        if windows:
            canvas.paint(
                mix(canvas.palette.light, (255, 170, 70), 0.5),
                canvas.cut(*windows).point([round(v * 0.85) for v in range(256)]),
            )


def _house(rng: random.Random, x: float, foot: float, wide: float, tall: float) -> list[Shape]:
    top = foot - tall
    shapes: list[Shape] = [[(x, foot + 2), (x, top), (x + wide, top), (x + wide, foot + 2)]]
    kind = rng.random()
    if kind < 0.28:
        shapes.append([(x + wide * 0.46, top), (x + wide * 0.5, top - tall * 0.3), (x + wide * 0.54, top)])
    elif kind < 0.5:
        shapes.append([(x, top), (x + wide * 0.5, top - wide * 0.5), (x + wide, top)])
    elif kind < 0.7:
        step = tall * 0.1
        shapes.append(
            [
                (x + wide * 0.2, top),
                (x + wide * 0.2, top - step),
                (x + wide * 0.8, top - step),
                (x + wide * 0.8, top),
            ]
        )
    return shapes


def _windows(rng: random.Random, x: float, foot: float, wide: float, tall: float, size: float) -> list[Shape]:
    lit: list[Shape] = []
    gap = size * 3.1
    for row in range(1, int(tall / gap)):
        for column in range(1, int(wide / gap)):
            if rng.random() < 0.3:
                left, top = x + column * gap, foot - tall + row * gap
                lit.append(
                    [
                        (left, top),
                        (left + size, top),
                        (left + size, top + size * 1.5),
                        (left, top + size * 1.5),
                    ]
                )
    return lit


# A head in profile looking right, in a square of one; the curve through these points is smooth.
PROFILE: tuple[Point, ...] = (
    (0.02, 1.04), (0.05, 0.93), (0.16, 0.865), (0.27, 0.815), (0.315, 0.74), (0.30, 0.655), (0.255, 0.575),
    (0.222, 0.47), (0.228, 0.35), (0.275, 0.235), (0.365, 0.155), (0.475, 0.128), (0.585, 0.15), (0.665, 0.212),
    (0.698, 0.285), (0.704, 0.345), (0.699, 0.383), (0.716, 0.42), (0.746, 0.468), (0.764, 0.503), (0.752, 0.522),
    (0.716, 0.531), (0.712, 0.549), (0.733, 0.567), (0.735, 0.584), (0.716, 0.596), (0.732, 0.613), (0.727, 0.634),
    (0.703, 0.648), (0.706, 0.675), (0.712, 0.705), (0.69, 0.742), (0.642, 0.757), (0.578, 0.752), (0.535, 0.765),
    (0.528, 0.815), (0.567, 0.863), (0.66, 0.902), (0.78, 0.948), (0.85, 1.04),
)  # fmt: skip


def head(canvas: Canvas, mirrored: bool) -> Shape:
    """The outline of a head and shoulders that fills the canvas."""
    size = min(canvas.width * 1.04, canvas.height * 0.98)
    left, top = (canvas.width - size) / 2, canvas.height - size * 1.01
    outline = []
    for x, y in _smooth(PROFILE, 6):
        across = 1 - x if mirrored else x
        outline.append((left + across * size, top + y * size))
    return outline


def _smooth(points: Sequence[Point], steps: int) -> Shape:
    """A Catmull-Rom curve through `points`."""
    line: Shape = []
    padded = [points[0], *points, points[-1]]
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        line += [
            (_spline(a[0], b[0], c[0], d[0], i / steps), _spline(a[1], b[1], c[1], d[1], i / steps))
            for i in range(steps)
        ]
    return [*line, points[-1]]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def orbit(canvas: Canvas) -> None:
    """A ringed planet low in the sky."""
    from deploy.sandbox.drawing.scenery import disc

    s = min(canvas.size) * canvas.rng.uniform(0.09, 0.14)
    x, y = canvas.width - canvas.sun[0], canvas.sun[1] * canvas.rng.uniform(0.7, 1.3)
    ring = [
        (
            x + math.cos(a / 40 * math.tau) * s * 2.0,
            y + math.sin(a / 40 * math.tau) * s * 0.42 - math.cos(a / 40 * math.tau) * s * 0.3,
        )
        for a in range(41)
    ]
    inner = [(x + (px - x) * 0.8, y + (py - y) * 0.8) for px, py in reversed(ring)]
    disc(canvas, (x, y), s, mix(canvas.palette.cloud, canvas.palette.light, 0.3))
    canvas.paint(
        mix(canvas.palette.light, canvas.palette.cloud, 0.4),
        canvas.cut([*ring, *inner]).point([round(v * 0.7) for v in range(256)]),
    )
