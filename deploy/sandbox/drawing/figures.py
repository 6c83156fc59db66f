"""What lives in the landscape: trees, grass, birds, a boat, a planet."""

import math
import random
from collections.abc import Sequence

from deploy.sandbox.drawing.palettes import mix
from deploy.sandbox.drawing.scenery import Canvas, Point, Shape, disc


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


def orbit(canvas: Canvas) -> None:
    """A ringed planet, opposite the light and lit by it."""
    size = min(canvas.size) * canvas.rng.uniform(0.1, 0.16)
    away = 1 if canvas.sun[0] < canvas.width / 2 else -1
    x, y = canvas.width / 2 + away * canvas.width * 0.24, canvas.height * canvas.rng.uniform(0.16, 0.3)
    dust = mix(canvas.palette.light, canvas.palette.cloud, 0.35)
    back, front = _ring((x, y), size)
    canvas.paint(dust, canvas.cut(back).point([round(v * 0.55) for v in range(256)]))
    body = mix(canvas.palette.cloud, canvas.palette.light, 0.25)
    disc(canvas, (x, y), size, body)
    for i in range(8):
        shade = canvas.cut(*_crescent((x, y), size, away, i / 8)).point([v // 9 for v in range(256)])
        canvas.paint((6, 8, 24), shade)
    canvas.paint(dust, canvas.cut(front).point([round(v * 0.8) for v in range(256)]))


def _ring(centre: Point, size: float) -> tuple[Shape, Shape]:
    """The half behind the planet and the half before it."""
    halves = []
    for begin in (24, 0):
        outer = [_on_ring(centre, size * 2.0, (begin + i) / 48) for i in range(25)]
        inner = [_on_ring(centre, size * 1.45, (begin + i) / 48) for i in reversed(range(25))]
        halves.append([*outer, *inner])
    return halves[0], halves[1]


def _on_ring(centre: Point, reach: float, turn: float) -> Point:
    across, down = math.cos(turn * math.tau) * reach, math.sin(turn * math.tau) * reach * 0.2
    return centre[0] + across, centre[1] + down - across * 0.22


def _crescent(centre: Point, size: float, away: int, depth: float) -> list[Shape]:
    """The part of a disc that the light does not reach, thinner as `depth` grows."""
    rim, edge = [], []
    for i in range(33):
        turn = (i / 32 - 0.5) * math.pi
        rim.append((centre[0] + away * math.cos(turn) * size, centre[1] + math.sin(turn) * size))
        inward = math.cos(turn) * (2 * depth - 1) * size
        edge.append((centre[0] + away * inward, centre[1] + math.sin(turn) * size))
    return [[*rim, *reversed(edge)]]
