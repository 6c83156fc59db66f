"""What people built: a castle, a city."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.sandbox.drawing.palettes import Colour, mix
from deploy.sandbox.drawing.scenery import Canvas, Shape

LAMP = (255, 172, 78)
# Place, height and width of a castle's towers, in its own size.
TOWERS = ((-0.36, 0.52, 0.07), (-0.13, 0.86, 0.085), (0.1, 0.64, 0.1), (0.36, 0.42, 0.075))


def _box(left: float, top: float, right: float, bottom: float) -> Shape:
    return [(left, bottom), (left, top), (right, top), (right, bottom)]


def castle(canvas: Canvas, line: Sequence[float], tone: Colour) -> None:
    """Towers on the highest point of a crest, standing in the colour of the range."""
    rng, step = canvas.rng, canvas.width / (len(line) - 1)
    inner = range(len(line) // 6, len(line) * 5 // 6)
    top = min(inner, key=lambda i: line[i])
    size = min(canvas.size) * rng.uniform(0.2, 0.25)
    x, foot = top * step, line[top] + size * 0.06
    shapes: list[Shape] = [
        [
            (x - size * 0.5, foot + size * 0.16),
            *_box(x - size * 0.4, foot - size * 0.2, x + size * 0.41, foot + size * 0.1),
            (x + size * 0.52, foot + size * 0.16),
        ]
    ]
    shapes += [_box(x + size * at, foot - size * 0.235, x + size * (at + 0.035), foot) for at in _notches()]
    windows: list[Shape] = []
    for place, tall, wide in TOWERS:
        centre, peak, half = x + place * size, foot - tall * size * rng.uniform(0.9, 1.15), wide * size
        shapes.append(_box(centre - half, peak, centre + half, foot))
        shapes.append(
            [
                (centre - half * 1.35, peak),
                (centre, peak - half * rng.uniform(3.2, 4.4)),
                (centre + half * 1.35, peak),
            ]
        )
        shapes.append(_box(centre - half * 1.25, peak, centre + half * 1.25, peak + half * 0.5))
        window = _box(centre - half * 0.22, peak + half * 1.4, centre + half * 0.22, peak + half * 2.2)
        windows.append([*window[:2], (centre, peak + half * 1.1), *window[2:]])
    canvas.paint(tone, canvas.cut(*shapes))
    canvas.paint(mix(canvas.palette.light, LAMP, 0.45), canvas.cut(*windows))


def _notches() -> list[float]:
    return [-0.4 + 0.07 * i for i in range(12)]


@dataclass(frozen=True)
class House:
    x: float
    foot: float
    wide: float
    tall: float

    @property
    def top(self) -> float:
        return self.foot - self.tall


def skyline(canvas: Canvas, horizon: float) -> None:
    """Rows of houses with lit windows in the nearer ones."""
    palette = canvas.palette
    for near in (1 / 3, 2 / 3, 1.0):
        houses = _row(canvas, horizon, near)
        tone = mix(mix(palette.far, palette.near, near**0.8), palette.sky[-2], 0.3 * (1 - near))
        canvas.paint(tone, canvas.cut(*(shape for house in houses for shape in _walls(canvas.rng, house))))
        if near > 0.5:
            pane = min(canvas.size) * 0.0032 * (0.6 + near)
            lit = canvas.cut(*(shape for house in houses for shape in _windows(canvas.rng, house, pane)))
            canvas.paint(mix(palette.light, LAMP, 0.5), lit.point([round(v * 0.85) for v in range(256)]))


def _row(canvas: Canvas, horizon: float, near: float) -> list[House]:
    rng, x, row = canvas.rng, -canvas.width * 0.02, []
    while x < canvas.width:
        wide = canvas.width * rng.uniform(0.03, 0.075)
        tall = canvas.height * (0.07 + 0.3 * rng.random() ** 1.6) * (1.2 - 0.4 * near)
        row.append(House(x, horizon, wide, tall))
        x += wide * rng.uniform(0.92, 1.12)
    return row


def _walls(rng: random.Random, house: House) -> list[Shape]:
    x, wide, top = house.x, house.wide, house.top
    shapes = [_box(x, top, x + wide, house.foot + 2)]
    match rng.randrange(5):
        case 0:
            shapes.append(
                [(x + wide * 0.47, top), (x + wide * 0.5, top - house.tall * 0.3), (x + wide * 0.53, top)]
            )
        case 1:
            shapes.append([(x, top), (x + wide * 0.5, top - wide * 0.5), (x + wide, top)])
        case 2:
            shapes.append(_box(x + wide * 0.2, top - house.tall * 0.08, x + wide * 0.8, top))
        case 3:
            shapes.append([(x, top), (x + wide, top - wide * 0.45), (x + wide, top)])
    return shapes


def _windows(rng: random.Random, house: House, pane: float) -> list[Shape]:
    gap = pane * 3.1
    lit = []
    for row in range(1, int(house.tall / gap)):
        for column in range(1, int(house.wide / gap)):
            if rng.random() < 0.28:
                left, top = house.x + column * gap, house.top + row * gap
                lit.append(_box(left, top, left + pane, top + pane * 1.5))
    return lit
