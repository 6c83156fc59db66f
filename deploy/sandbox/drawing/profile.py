"""A head in profile, as a silhouette: with hair, a crown, or a pointed hat."""

import math
from collections.abc import Sequence

from deploy.sandbox.drawing.scenery import Canvas, Point, Shape

# Looking right, in a square of one, from the left shoulder over the head to the right one.
# The curve through these points is smooth.
PROFILE: tuple[Point, ...] = (
    (0.04, 1.06), (0.08, 0.965), (0.18, 0.9), (0.31, 0.858), (0.362, 0.8), (0.36, 0.725),
    (0.335, 0.65), (0.292, 0.575), (0.264, 0.48), (0.264, 0.38), (0.298, 0.278), (0.368, 0.196),
    (0.46, 0.152), (0.552, 0.156), (0.625, 0.2), (0.663, 0.262), (0.676, 0.32), (0.677, 0.366),
    (0.671, 0.396), (0.683, 0.432), (0.706, 0.477), (0.727, 0.508), (0.722, 0.524), (0.698, 0.534),
    (0.689, 0.545), (0.693, 0.56), (0.706, 0.574), (0.704, 0.587), (0.693, 0.593), (0.702, 0.603),
    (0.7, 0.618), (0.685, 0.632), (0.687, 0.652), (0.689, 0.676), (0.674, 0.703), (0.64, 0.716),
    (0.592, 0.712), (0.556, 0.735), (0.542, 0.785), (0.552, 0.838), (0.6, 0.878), (0.7, 0.912),
    (0.82, 0.957), (0.91, 1.06),
)  # fmt: skip
CROWN: tuple[Point, ...] = (
    (0.3, 0.285), (0.262, 0.11), (0.352, 0.185), (0.4, 0.06), (0.467, 0.155), (0.535, 0.045),
    (0.578, 0.165), (0.668, 0.092), (0.65, 0.262), (0.48, 0.215),
)  # fmt: skip
HAT: tuple[Point, ...] = (
    (0.13, 0.345), (0.3, 0.262), (0.35, 0.13), (0.37, 0.04), (0.305, -0.03), (0.43, -0.015),
    (0.53, 0.06), (0.62, 0.215), (0.8, 0.262), (0.66, 0.285), (0.47, 0.282), (0.3, 0.318),
)  # fmt: skip
TAIL: tuple[Point, ...] = (
    (0.33, 0.26), (0.2, 0.25), (0.14, 0.36), (0.165, 0.52), (0.12, 0.68), (0.17, 0.79),
    (0.24, 0.72), (0.268, 0.56), (0.25, 0.42), (0.3, 0.38),
)  # fmt: skip
BUN = [
    (0.275 + 0.088 * math.cos(i / 8 * math.tau), 0.235 + 0.082 * math.sin(i / 8 * math.tau)) for i in range(8)
]
BOB: tuple[Point, ...] = (
    (0.6, 0.185), (0.45, 0.118), (0.29, 0.18), (0.215, 0.33), (0.215, 0.52), (0.23, 0.66),
    (0.3, 0.715), (0.41, 0.705), (0.44, 0.6), (0.47, 0.45), (0.55, 0.34), (0.64, 0.26),
)  # fmt: skip
ROYAL = frozenset({"queen", "king", "prince", "princess"})
MAGIC = frozenset({"wizard", "witch", "mage"})
LONG = frozenset({"woman", "girl", "heroine", "lady", "queen", "princess", "witch", "elf"})


def head(canvas: Canvas, said: frozenset[str], *, mirrored: bool) -> list[Shape]:
    """The outlines of a head and shoulders that fill the canvas."""
    rng = canvas.rng
    size = min(canvas.width * 1.06, canvas.height * 0.93)
    left, top = (canvas.width - size) / 2, canvas.height - size * 1.02
    hair = [TAIL, BOB] if said & LONG else [BOB, ()]
    if not said & MAGIC:
        # A bun would stand through the brim of the hat.
        hair.append(tuple(BUN) if said & LONG else ())
    parts = [_smooth(PROFILE, 6), _closed(rng.choice(hair))]
    if said & ROYAL:
        parts.append(list(CROWN))
    elif said & MAGIC:
        parts.append(_closed(HAT))
    return [
        [(left + (1 - x if mirrored else x) * size, top + y * size) for x, y in part]
        for part in parts
        if part
    ]


def _closed(points: Sequence[Point]) -> Shape:
    """A smooth curve that comes back to where it began."""
    if not points:
        return []
    around = [*points[-2:], *points, *points[:2]]
    return _smooth(around, 6)[12:-12]


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
