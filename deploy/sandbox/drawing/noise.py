"""Chance that always falls the same way: ridges, clouds and film grain from a seed."""

import hashlib
import math
import random
from statistics import NormalDist

from PIL import Image

GREY = 128


def source(*parts: object) -> random.Random:
    """A generator whose numbers depend on nothing but `parts`."""
    text = "\0".join(str(part) for part in parts)
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()))


def ridge(rng: random.Random, points: int, *, cells: float, rough: float, octaves: int = 5) -> list[float]:
    """Heights between 0 and 1 along a line; `cells` is how many hills it has, `rough` how jagged they are."""
    line = [0.0] * points
    weight, total = 1.0, 0.0
    for octave in range(octaves):
        count = max(2, round(cells * 2**octave)) + 2
        knots = [rng.random() for _ in range(count)]
        offset = rng.random()
        for i in range(points):
            place = offset + i / points * (count - 2)
            left = int(place)
            t = place - left
            t = t * t * (3 - 2 * t)
            line[i] += weight * (knots[left] * (1 - t) + knots[left + 1] * t)
        total += weight
        weight *= rough
    return [value / total for value in line]


def field(rng: random.Random, size: tuple[int, int], cells: tuple[int, int], octaves: int = 4) -> Image.Image:
    """Soft clouds, grey, made of ever finer random patches."""
    small = (max(2, size[0] // 4), max(2, size[1] // 4))
    cloud = Image.new("L", small, GREY)
    for octave in range(octaves):
        grid = (min(small[0], cells[0] * 2**octave), min(small[1], cells[1] * 2**octave))
        patch = Image.frombytes("L", grid, rng.randbytes(grid[0] * grid[1]))
        patch = patch.resize(small, Image.Resampling.BICUBIC)
        cloud = patch if octave == 0 else Image.blend(cloud, patch, 0.5 / (octave + 0.5))
    return cloud.resize(size, Image.Resampling.BICUBIC)


def grain(seed: str, size: tuple[int, int], strength: float) -> Image.Image:
    """Film grain around middle grey, bell-shaped, `strength` grey values wide."""
    noise = hashlib.shake_128(seed.encode()).digest(size[0] * size[1])
    bell = NormalDist(GREY, strength)
    table = [round(bell.inv_cdf((value + 0.5) / 256)) for value in range(256)]
    return Image.frombytes("L", size, noise).point(table)


def wave(x: float, phase: float) -> float:
    """A slow swell between -1 and 1 that does not look regular."""
    return 0.6 * math.sin(x + phase) + 0.4 * math.sin(x * 2.7 + phase * 1.9)
