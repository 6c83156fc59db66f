"""Sizes: what the words for them mean, and the nearest a model can do.

`WxH` is pixels, `A:B` a shape, `A:B@NK` a shape with the pixels of a square of N times 1024, `auto` the
model's choice.
"""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

import msgspec

# Shapes this close look the same; among them the number of pixels decides.
_SAME_SHAPE = 0.01
_SAME_PIXELS = 0.15
_SQUARE = 1024 * 1024
# Of what was drawn: 1344x768 is 16:9, and 1.8 million pixels are still 1K rather than 2K.
_DRAWN_SHAPE = 0.06
_DRAWN_PIXELS = 0.69


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any width and height within limits."""

    step: int
    min_edge: int
    max_edge: int
    max_ratio: int
    min_pixels: int
    max_pixels: int

    def fits(self, width: int, height: int) -> bool:
        short, long = sorted((width, height))
        return (
            width % self.step == 0
            and height % self.step == 0
            and self.min_edge <= short
            and long <= min(self.max_edge, short * self.max_ratio)
            and self.min_pixels <= width * height <= self.max_pixels
        )

    def near(self, ratio: float) -> Iterator[tuple[int, int]]:
        """All that fit and are of about this shape."""
        ratio = min(max(ratio, 1 / self.max_ratio), self.max_ratio)
        first = math.ceil(self.min_edge / self.step) * self.step
        for width in range(first, self.max_edge + 1, self.step):
            lower = int(width / ratio / self.step) * self.step
            for height in (lower, lower + self.step):
                if self.fits(width, height):
                    yield width, height


class Sizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model takes: those it offers, and with a range others too. Offers are all of one manner."""

    offer: tuple[str, ...]
    default: str
    auto: bool = False
    range: Range | None = None


class Wish(NamedTuple):
    """A shape and, where one was given, a number of pixels."""

    ratio: float
    pixels: float | None
    exact: tuple[int, int] | None = None


def parse(size: str) -> Wish | None:
    """What a size asks for; None for `auto`."""
    if size == "auto":
        return None
    if "x" in size:
        width, height = (int(edge) for edge in size.split("x"))
        return Wish(width / height, width * height, (width, height))
    shape, _, thousands = size.partition("@")
    across, down = (Fraction(side) for side in shape.split(":"))
    edge = float(thousands.removesuffix("K")) * 1024 if thousands else None
    return Wish(float(across / down), edge * edge if edge else None)


def resolve(asked: str, sizes: Sizes) -> str:
    """The size to send: what was asked, or the nearest the model can do, by shape first and pixels second."""
    if asked in sizes.offer or (asked == "auto" and sizes.auto):
        return asked
    wish = parse(asked)
    if wish is None:
        return sizes.default
    if sizes.range and wish.exact and sizes.range.fits(*wish.exact):
        return asked
    default = parse(sizes.default)
    usual = default.pixels if default and default.pixels else _SQUARE
    near = dict(_candidates(wish.ratio, sizes))
    return _nearest(wish.ratio, wish.pixels or usual, near) if near else sizes.default


def honours(asked: str, sent: str) -> bool:
    """Whether what is sent is what was asked, as far as that was said."""
    if asked == sent:
        return True
    wish, given = parse(asked), parse(sent)
    if wish is None or given is None or wish.exact:
        return False
    same_shape = _apart(wish.ratio, given.ratio) <= _SAME_SHAPE
    return same_shape and (wish.pixels is None or _apart(wish.pixels, given.pixels or 0) <= _SAME_PIXELS)


def came_out(asked: str, width: int, height: int) -> bool:
    """Whether a picture has the size it was drawn for. Models round shapes to their own steps."""
    wish = parse(asked)
    if wish is None:
        return True
    if wish.exact:
        return wish.exact == (width, height)
    same_shape = _apart(wish.ratio, width / height) <= _DRAWN_SHAPE
    return same_shape and (wish.pixels is None or _apart(wish.pixels, width * height) <= _DRAWN_PIXELS)


def _candidates(ratio: float, sizes: Sizes) -> Iterator[tuple[str, tuple[float, float]]]:
    """What may be sent for a shape, each with its own shape and pixels."""
    if sizes.range:
        for width, height in sizes.range.near(ratio):
            yield f"{width}x{height}", (width / height, width * height)
        return
    for size in sizes.offer:
        # A shape alone is drawn at the usual number of pixels.
        if wish := parse(size):
            yield size, (wish.ratio, wish.pixels or _SQUARE)


def _nearest(ratio: float, pixels: float, near: Mapping[str, tuple[float, float]]) -> str:
    def shape(size: str) -> float:
        return _apart(near[size][0], ratio)

    closest = min(map(shape, near))
    alike = [size for size in near if shape(size) <= closest + _SAME_SHAPE]
    return min(alike, key=lambda size: (_apart(near[size][1], pixels), shape(size)))


def _apart(one: float, other: float) -> float:
    """How far two numbers are from each other, in proportion."""
    return abs(math.log(one / other)) if one > 0 and other > 0 else math.inf
