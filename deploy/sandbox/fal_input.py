"""A model's input, checked as fal's models check it: what is wrong is named by place and type."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PIL import Image

from deploy.sandbox import fal_errors as errors
from deploy.sandbox import fal_facts
from deploy.sandbox.drawing.guide import Guide
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.fal_facts import Model
from deploy.sandbox.fal_loader import Loader

IMAGE_TO_IMAGE_STRENGTH = 0.95


@dataclass(frozen=True)
class Asked:
    """A checked input."""

    model: Model
    prompt: str
    count: int
    size: tuple[int, int]
    form: Form
    seed: int
    guide: Guide | None
    inline: bool  # pictures in the answer itself instead of files
    units: Decimal

    def subject(self, index: int) -> Subject:
        return Subject(self.prompt, self.seed + index, *self.size, self.guide)

    @property
    def price(self) -> str:
        return str(self.units * self.model.unit_price)


async def check(model: Model, body: dict[str, Any], loader: Loader) -> Asked:
    """The input, or the refusal it deserves. Fields the model does not know are ignored."""
    prompt = _prompt(body)
    count = _integer(body, "num_images", 1, 1, model.most) if model.most > 1 else 1
    pictures = await loader.pictures(model, body)
    tier = _one_of(body, "resolution", model.tiers) if model.tiers else ""
    quality = _one_of(body, "quality", model.qualities) if model.qualities else ""
    size = _size(model, body, tier, pictures)
    mask = await loader.mask(model, body)
    seed = body.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise errors.wrong(["seed"], "Input should be a valid integer", "int_type", seed)
    pixels = [size[0] * size[1], *(picture.width * picture.height for picture in pictures)]
    background = body.get("background", "auto")
    return Asked(
        model=model,
        prompt=prompt,
        count=count,
        size=size,
        form=Form(_one_of(body, "output_format", model.formats), transparent=background == "transparent"),
        seed=seed or 0,
        guide=Guide(tuple(pictures), mask, _strength(model, body, mask)) if pictures else None,
        inline=body.get("sync_mode") is True,
        units=model.units(count, pixels, quality, tier),
    )


def _prompt(body: dict[str, Any]) -> str:
    prompt = body.get("prompt")
    if prompt is None:
        raise errors.wrong(["prompt"], "Field required", "missing", "…")
    if not isinstance(prompt, str):
        raise errors.wrong(["prompt"], "Input should be a valid string", "string_type", prompt)
    if not prompt:
        raise errors.wrong(
            ["prompt"], "String should have at least 1 character", "sequence_too_short", prompt
        )
    return prompt


def _size(model: Model, body: dict[str, Any], tier: str, pictures: list[Image.Image]) -> tuple[int, int]:
    if model.sized_by == "ratio":
        ratio = _one_of(
            body, "aspect_ratio", ("auto", *model.ratios) if model.auto else ("1:1", *model.ratios)
        )
        shape = _shape(ratio, pictures)
        edge = fal_facts.TIERS[tier or "1K"]
        wide = edge * shape**0.5
        return _rounded(wide), _rounded(edge * edge / wide)
    wanted = body.get("image_size", "auto" if model.auto else None)
    if model.sized_by == "classic":
        wanted = wanted or fal_facts.CLASSIC[0]
        allowed = ("auto", *fal_facts.CLASSIC) if model.auto else fal_facts.CLASSIC
        chosen = _one_of({"image_size": wanted}, "image_size", allowed)
        width, height = _like(pictures) if chosen == "auto" else (int(part) for part in chosen.split("x"))
        return width, height
    if isinstance(wanted, dict):
        return _edges(model, wanted)
    chosen = "landscape_4_3" if wanted is None else wanted
    if chosen == "auto" and model.auto:
        return _like(pictures)
    return fal_facts.PRESETS[_one_of({"image_size": chosen}, "image_size", tuple(fal_facts.PRESETS))]


def _edges(model: Model, wanted: dict[str, Any]) -> tuple[int, int]:
    low, high = model.edges
    width, height = (_integer(wanted, name, 512, low, high, "image_size") for name in ("width", "height"))
    for name, edge in (("width", width), ("height", height)):
        if edge % model.step:
            message = f"Input should be a multiple of {model.step}"
            raise errors.wrong(["image_size", name], message, "multiple_of", edge, multiple_of=model.step)
    if width * height > fal_facts.MOST_PIXELS:
        raise errors.wrong(["image_size"], "The picture is too large", "value_error", wanted)
    return width, height


def _shape(ratio: str, pictures: list[Image.Image]) -> float:
    if ratio == "auto":
        return pictures[0].width / pictures[0].height if pictures else 1.0
    across, along = ratio.split(":")
    return int(across) / int(along)


def _like(pictures: list[Image.Image]) -> tuple[int, int]:
    """A megapixel in the shape of the first picture."""
    wide = 1024 * _shape("auto", pictures) ** 0.5
    return _rounded(wide), _rounded(1024 * 1024 / wide)


def _rounded(edge: float) -> int:
    return max(16, round(edge / 16) * 16)


def _strength(model: Model, body: dict[str, Any], mask: Image.Image | None) -> float:
    if mask is not None:
        return 1.0
    if model.pictures != "image_url":
        return 0.5
    strength = body.get("strength", IMAGE_TO_IMAGE_STRENGTH)
    if not isinstance(strength, int | float) or not 0 <= strength <= 1:
        message = "Input should be from 0 to 1"
        raise errors.wrong(["strength"], message, "less_than_equal", strength, ctx={"le": 1})
    return float(strength)


def _one_of(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """The value, or the first of those allowed when there is none."""
    value = body.get(name, allowed[0])
    if value not in allowed:
        message = f"Input should be one of {', '.join(allowed)}"
        raise errors.wrong([name], message, "one_of", value, ctx={"expected": list(allowed)})
    return str(value)


def _integer(body: dict[str, Any], name: str, default: int, low: int, high: int, *place: str) -> int:
    value, where = body.get(name, default), [*place, name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.wrong(where, "Input should be a valid integer", "int_type", value)
    if value < low:
        message = f"Input should be greater than or equal to {low}"
        raise errors.wrong(where, message, "greater_than_equal", value, ctx={"ge": low})
    if value > high:
        message = f"Input should be less than or equal to {high}"
        raise errors.wrong(where, message, "less_than_equal", value, ctx={"le": high})
    return value
