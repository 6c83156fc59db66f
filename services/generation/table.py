"""What becomes of everything that can be asked of every model: `docs/models.md`, out of the catalogue.

`python -m services.generation.table` writes the page to its output. What it claims is read from the facts of
the catalogue alone, so that holding the planner against it means something.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from services.generation.capabilities import MAX_COUNT, most_pictures
from services.generation.catalogue import Catalogue, Model, Prices, load
from services.generation.providers import Provider, discover

HONOURED, ADAPTED, REFUSED = "honoured", "adapted", "refused"
QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max", "standard", "hd")
FORMATS = ("png", "jpeg", "webp")
BACKGROUNDS = ("auto", "transparent", "opaque")

_HEAD = """# Models

What the catalogue knows of every model, and what becomes of what a writer asks. What is **honoured** is
sent as asked. What is **adapted** is changed or left out and reported with the plan; where the request is
`strict` it fails with ADAPTATION_REFUSED. What is **refused** fails with the field named. Nothing is
dropped in silence. A profile can narrow this: to its own sizes, and to no pictures at all unless it allows
them. `*` stands for any model that is not listed.

Prices are US dollars; unknown is not zero. An administrator's `price_per_image` goes before them.

This page is made from `services/generation/catalogue.yaml`, by
`.venv/bin/python -m services.generation.table > docs/models.md`; a test holds every cell against the planner.
"""


class Claim(NamedTuple):
    """What becomes of one case of a parameter."""

    parameter: str
    case: str
    outcome: str


def page(catalogue: Catalogue, kinds: Mapping[str, Provider]) -> str:
    """The whole page."""
    parts = [_HEAD]
    for name in sorted(kinds):
        models = catalogue.models(name)
        alive = [model for model in models if not model.retired]
        parts.append(f"## {kinds[name].TITLE} (`{name}`)\n")
        facts = ("model", "title", "told in", "price", "ends", "successor")
        parts.append(_table(facts, [_facts(model) for model in alive]))
        asked = [claim.parameter for claim in claims(alive[0])] if alive else []
        parts.append(_table(("model", *dict.fromkeys(asked)), [_outcomes(model) for model in alive]))
        if gone := [model for model in models if model.retired]:
            parts.append("Gone, and refused with MODEL_UNKNOWN:\n")
            parts.append(_table(("model", "title", "ended", "successor"), [_gone(model) for model in gone]))
    return "\n".join(parts)


def claims(model: Model) -> Sequence[Claim]:
    """What becomes of each case of each parameter, by the model's facts."""
    return [
        Claim(parameter, case, outcome)
        for parameter, cases in (
            ("prompt", _prompt(model)),
            ("size", _size(model)),
            ("count", _count(model)),
            ("negative prompt", _taken(model.negative_prompt)),
            ("seed", _taken(model.seed)),
            ("quality", _quality(model)),
            ("output format", _words(FORMATS, model.output_formats)),
            ("background", _words(BACKGROUNDS, model.backgrounds)),
            ("input images", _input_images(model)),
            ("mask", _taken(model.mask and model.max_references > 0)),
        )
        for case, outcome in cases
    ]


def _prompt(model: Model) -> Iterator[tuple[str, str]]:
    yield f"up to {model.max_prompt}", HONOURED
    yield "longer", REFUSED


def _size(model: Model) -> Iterator[tuple[str, str]]:
    yield from ((size, HONOURED) for size in model.sizes.offer)
    yield "auto", HONOURED if model.sizes.auto else ADAPTED
    if allowed := model.sizes.range:
        edges = f"{allowed.min_edge} to {allowed.max_edge} by {allowed.step}"
        pixels = f"{allowed.min_pixels} to {allowed.max_pixels} pixels"
        yield f"any of {edges}, {pixels}, up to {allowed.max_ratio}:1", HONOURED
    yield "others", ADAPTED


def _count(model: Model) -> Iterator[tuple[str, str]]:
    yield f"up to {model.max_count}", HONOURED
    if model.max_count < MAX_COUNT:
        yield f"up to {MAX_COUNT}, in several calls", ADAPTED


def _quality(model: Model) -> Iterator[tuple[str, str]]:
    if model.qualities:
        yield from ((word, HONOURED) for word in model.qualities)
        yield "others", REFUSED
    else:
        yield "any", ADAPTED


def _words(all_words: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((word, HONOURED if word in known else ADAPTED) for word in all_words)


def _taken(takes: bool) -> Iterator[tuple[str, str]]:  # noqa: FBT001
    yield "any", HONOURED if takes else ADAPTED


def _input_images(model: Model) -> Iterator[tuple[str, str]]:
    most = most_pictures(model)
    if model.needs_reference:
        yield "none", REFUSED
    if most:
        yield f"up to {most}", HONOURED
    if most < MAX_COUNT:
        yield "more", ADAPTED


def _outcomes(model: Model) -> Sequence[str]:
    cells: dict[str, dict[str, list[str]]] = {}
    for parameter, case, outcome in claims(model):
        cells.setdefault(parameter, {}).setdefault(outcome, []).append(case)
    return [f"`{model.model}`", *map(_cell, cells.values())]


def _cell(outcomes: Mapping[str, Sequence[str]]) -> str:
    if len(outcomes) == 1:
        return next(iter(outcomes))
    return "; ".join(f"{outcome}: {', '.join(_gathered(cases))}" for outcome, cases in outcomes.items())


def _gathered(cases: Sequence[str]) -> Iterator[str]:
    """Shapes that come in the same resolutions are told once."""
    resolutions: dict[str, tuple[str, ...]] = {}
    for case in cases:
        shape, _, resolution = case.partition("@")
        resolutions[shape] = (*resolutions.get(shape, ()), resolution)
    for found in dict.fromkeys(resolutions.values()):
        alike = ", ".join(shape for shape in resolutions if resolutions[shape] == found)
        told = " ".join(f"@{resolution}" if resolution else "plain" for resolution in found)
        yield alike if found == ("",) else f"{alike} ({told})"


def _facts(model: Model) -> Sequence[str]:
    told = "tags" if model.family == "tags" else "prose"
    if model.max_elements:
        told = f"{told}, {model.max_elements} characters of elements"
    ends = model.end_date.isoformat() if model.end_date else ""
    return (f"`{model.model}`", model.title, told, _price(model.prices), ends, _name(model.successor))


def _gone(model: Model) -> Sequence[str]:
    ended = model.end_date.isoformat() if model.end_date else model.note
    return (f"`{model.model}`", model.title, " ".join(ended.split()), _name(model.successor))


def _name(model: str | None) -> str:
    return f"`{model}`" if model else ""


def _price(prices: Prices | None) -> str:
    if prices is None:
        return "unknown"
    if prices.pictures:
        each = ", ".join(f"{word} {_range(*price)}" for word, price in prices.pictures.items())
        return f"a picture: {each}"
    if prices.first_megapixel is not None and prices.megapixel is not None:
        return f"a megapixel: {prices.first_megapixel} the first, {prices.megapixel} each further"
    units = {"text in": prices.text_in, "pictures in": prices.image_in}
    units |= {"text out": prices.text_out, "pictures out": prices.image_out}
    known = ", ".join(f"{unit} {price}" for unit, price in units.items() if price is not None)
    return f"a million tokens: {known}"


def _range(least: Decimal, most: Decimal) -> str:
    return f"{least}" if least == most else f"{least} to {most}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(load(), discover()))
