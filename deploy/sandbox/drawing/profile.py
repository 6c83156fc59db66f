"""A head in profile."""

from collections.abc import Sequence

from deploy.sandbox.drawing.scenery import Canvas, Point, Shape

# A head in profile looking right, in a square of one; the curve through these points is smooth.
PROFILE: tuple[Point, ...] = (
    (0.02, 1.04), (0.05, 0.93), (0.16, 0.865), (0.27, 0.815), (0.315, 0.74), (0.30, 0.655),
    (0.255, 0.575), (0.222, 0.47), (0.228, 0.35), (0.275, 0.235), (0.365, 0.155), (0.475, 0.128),
    (0.585, 0.15), (0.665, 0.212), (0.698, 0.285), (0.704, 0.345), (0.699, 0.383), (0.716, 0.42),
    (0.746, 0.468), (0.764, 0.503), (0.752, 0.522), (0.716, 0.531), (0.712, 0.549), (0.733, 0.567),
    (0.735, 0.584), (0.716, 0.596), (0.732, 0.613), (0.727, 0.634), (0.703, 0.648), (0.706, 0.675),
    (0.712, 0.705), (0.69, 0.742), (0.642, 0.757), (0.578, 0.752), (0.535, 0.765), (0.528, 0.815),
    (0.567, 0.863), (0.66, 0.902), (0.78, 0.948), (0.85, 1.04),
)  # fmt: skip


def head(canvas: Canvas, *, mirrored: bool) -> Shape:
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
