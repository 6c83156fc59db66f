"""The colours of a picture, chosen by the words of its prompt."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

Colour = tuple[int, int, int]


def _colour(code: str) -> Colour:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


@dataclass(frozen=True)
class Palette:
    """A mood: sky from top to horizon, its light, and land from far to near."""

    sky: tuple[Colour, ...]
    light: Colour
    far: Colour
    near: Colour
    cloud: Colour
    stars: float = 0.0
    moon: bool = False


def _palette(
    sky: str, light: str, far: str, near: str, cloud: str, *, stars: float = 0.0, moon: bool = False
) -> Palette:
    return Palette(
        tuple(_colour(code) for code in sky.split()),
        _colour(light),
        _colour(far),
        _colour(near),
        _colour(cloud),
        stars,
        moon,
    )


PALETTES: Mapping[str, Palette] = {
    "dawn": _palette("5b6c9e 9a8fb5 e3a9a6 f8cfa6 fde6c4", "fff3d6", "b493ad", "2b2742", "fbe0d2"),
    "day": _palette("3f7fb8 6ba6d1 a5cde2 d8e9ea f4f2e2", "fffbe8", "9dbccb", "1f4152", "ffffff"),
    "dusk": _palette("2a2350 5b3a76 a84d7c e8776a fbb26b fddb96", "ffe9b0", "8f4f7d", "1b1433", "f7a58b"),
    "night": _palette(
        "070b1f 101a3c 1c2f5c 30507f 5a7fa3", "f2f0dc", "3b5a86", "070b1b", "5d7ba6", stars=1, moon=True
    ),
    "aurora": _palette(
        "060a1c 0c1c38 123a4f 1d6560 3f9a7d", "e8f6e4", "21585f", "050a16", "63d8a4", stars=1, moon=True
    ),
    "forest": _palette("5f8279 8fab95 bccbac dfe0c2 f2ead0", "fff6d8", "8fae9b", "132a26", "eef0dc"),
    "sea": _palette("245c83 3f8aa6 7bbcc0 bfe0d3 f3ecd2", "fff6dc", "6fa6b1", "123447", "eff6ee"),
    "desert": _palette("3e6f93 7fa3ae cdbfa2 efc58b f8d9a0", "fff0c8", "d99a68", "6b2d2a", "f9e3c0"),
    "snow": _palette("4a6f9b 7e9fc0 b3c9dc dfe6ec f6ecea", "fffaf2", "a9bfd6", "2c4768", "ffffff"),
    "autumn": _palette("6f7f93 a9a39b dfbf93 f0cf97 f9e3b8", "fff1cf", "c58c5f", "43201b", "f7e2c4"),
    "storm": _palette("1e2731 36444f 56676f 7f8f92 b3b9b0", "eef0e4", "66777e", "10171d", "9aa6a8"),
    "ember": _palette("17090f 3a1020 7a1f2b c8462f f39145", "ffd98a", "7d2a2c", "12060c", "d4583c"),
}

WORDS: Mapping[str, str] = {
    "aurora": "aurora borealis northern polar",
    "night": "night midnight moon moonlit star stars starry space galaxy cosmic planet nebula "
    "spaceship starship alien dark nacht lantern",
    "ember": "fire flame dragon lava volcano demon hell war burning inferno ember",
    "storm": "storm thunder rain grey gray noir gloomy grim ghost haunted horror",
    "snow": "snow snowy winter ice frozen glacier arctic frost cold schnee mountain mountains peak alps",
    "desert": "desert dune dunes sand canyon pyramid oasis camel savanna mars",
    "autumn": "autumn fall leaves october harvest pumpkin fox village inn",
    "forest": "forest wood woods tree trees jungle elf elven moss green meadow garden druid wald",
    "sea": "sea ocean beach coast island lake river water ship boat sail harbour harbor pirate mermaid wave",
    "dusk": "sunset dusk evening twilight city skyline neon magic fantasy castle",
    "dawn": "dawn sunrise morning mist misty spring portrait woman man girl boy face princess queen king",
    "day": "day sky cloud clouds noon summer field hill hills bird",
}


def words(prompt: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-zäöüß]+", prompt.lower()))


def choose(said: frozenset[str], rng: random.Random) -> str:
    """The name of the palette most words ask for; without any, one by chance."""
    score = {name: len(said.intersection(hints.split())) for name, hints in WORDS.items()}
    best = max(score.values())
    return next(name for name in score if score[name] == best) if best else rng.choice(sorted(PALETTES))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
