"""Requests for pictures in OpenRouter's words, by its image API or by chat."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
from starlette.requests import Request

from deploy.sandbox import data_url
from deploy.sandbox import openrouter_errors as errors
from deploy.sandbox import openrouter_facts as facts
from deploy.sandbox.desk import Desk
from deploy.sandbox.drawing.guide import Guide, UnreadableError
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.openrouter_facts import MODELS, Model

MOST_REFERENCES = 16
MOST_PIXELS = 40_000_000


@dataclass(frozen=True)
class Asked:
    """A checked request."""

    model: Model
    prompt: str
    count: int
    size: tuple[int, int]
    form: Form
    quality: str
    seed: int
    guide: Guide | None
    stream: bool

    def subject(self, index: int) -> Subject:
        return Subject(self.prompt, self.seed + index, *self.size, self.guide)

    @property
    def price(self) -> Decimal:
        width, height = self.size
        return self.model.price(width * height, self.quality) * self.count


async def read_object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise errors.invalid("Invalid JSON body")
    return {name: value for name, value in body.items() if value is not None}


async def read(request: Request, desk: Desk) -> Asked:
    """A request to the image API. Fields nobody knows are ignored, as the real one is said to do."""
    body = await read_object(request)
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise errors.invalid("prompt: String must contain at least 1 character(s)")
    model = find(body)
    count = _integer(body, "n", 1, 1, 10)
    if count > model.most:
        raise errors.invalid(f"n: {model.id} makes at most {model.most} at once")
    quality = _one_of(body, "quality", facts.QUALITIES)
    background = _one_of(body, "background", facts.BACKGROUNDS)
    form = _one_of(body, "output_format", (model.form, *facts.FORMATS))
    if background == "transparent" and form == "jpeg":
        raise errors.invalid("background: transparent needs output_format png or webp")
    references = body.get("input_references", [])
    if not isinstance(references, list):
        raise errors.invalid("input_references: Expected array")
    return Asked(
        model=model,
        prompt=prompt,
        count=count,
        size=_size(body, model),
        form=Form(form, _integer(body, "output_compression", 90, 0, 100), background == "transparent"),
        quality="medium" if quality == "auto" else quality,
        seed=_integer(body, "seed", 0, -(2**63), 2**63 - 1),
        guide=await _guide(desk, references, model),
        stream=body.get("stream") is True and model.streams,
    )


async def read_chat(request: Request, desk: Desk) -> Asked | None:
    """A chat that asks for a picture; None when it asks for words only."""
    body = await read_object(request)
    model = find(body)
    if not model.chats:
        raise errors.error(404, f"No endpoints found that support chat for {model.id}")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise errors.invalid("messages: Array must contain at least 1 element(s)")
    modalities, config = body.get("modalities", ["text"]), body.get("image_config", {})
    if not isinstance(modalities, list) or not isinstance(config, dict):
        raise errors.invalid("modalities: Expected array; image_config: Expected object")
    if "image" not in modalities:
        return None
    shape = {"aspect_ratio": config.get("aspect_ratio"), "resolution": config.get("image_size")}
    parts = [part for message in messages for part in _parts(message)]
    return Asked(
        model=model,
        prompt=" ".join(str(part["text"]) for part in parts if part.get("type") == "text"),
        count=1,
        size=_size({name: value for name, value in shape.items() if value}, model),
        form=Form(model.form),
        quality="medium",
        seed=0,
        guide=await _guide(desk, [part for part in parts if part.get("type") == "image_url"], model),
        stream=body.get("stream") is True,
    )


def _parts(message: Any) -> list[dict[str, Any]]:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content or () if isinstance(part, dict)]


def find(body: dict[str, Any]) -> Model:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise errors.invalid("model: Required")
    if name not in MODELS:
        raise errors.error(404, f"No endpoints found for {name}.", {"error_type": "no_endpoints"})
    return MODELS[name]


def _size(body: dict[str, Any], model: Model) -> tuple[int, int]:
    ratio = _one_of(body, "aspect_ratio", ("auto", *facts.RATIOS))
    size = body.get("size")
    if isinstance(size, str) and (explicit := re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", size)):
        width, height = int(explicit[1]), int(explicit[2])
        if "resolution" in body or (ratio != "auto" and not _has(ratio, width, height)):
            raise errors.invalid("size: contradicts resolution or aspect_ratio")
        if width * height > MOST_PIXELS or width * height < model.least_pixels:
            raise errors.invalid(f"size: {model.id} does not make pictures of {size}")
        return width, height
    tier = _one_of(body, "size" if size else "resolution", tuple(facts.TIERS))
    tier = tier if size or "resolution" in body else model.tiers[0]
    if tier not in model.tiers:
        raise errors.invalid(f"resolution: {model.id} makes {', '.join(model.tiers)}")
    return facts.pixels("1:1" if ratio == "auto" else ratio, tier)


def _has(ratio: str, width: int, height: int) -> bool:
    across, along = (Fraction(part) for part in ratio.split(":"))
    return abs(across / along - Fraction(width, height)) < Fraction(1, 50)


async def _guide(desk: Desk, references: list[Any], model: Model) -> Guide | None:
    if len(references) > min(MOST_REFERENCES, model.references):
        raise errors.invalid(f"input_references: {model.id} takes at most {model.references}")
    opened = tuple([await _opened(desk, reference) for reference in references])
    return Guide(opened) if opened else None


async def _opened(desk: Desk, reference: Any) -> Any:
    url = reference.get("image_url") if isinstance(reference, dict) else None
    address = url.get("url") if isinstance(url, dict) else None
    if not isinstance(address, str):
        raise errors.invalid("input_references: Expected {type: image_url, image_url: {url}}")
    data = data_url.read(address)
    if data is None:
        raise errors.invalid("An input image cannot be downloaded.", "image_download_failed")
    try:
        return await desk.opened(data)
    except UnreadableError:
        raise errors.refuse("bad_picture", 400) from None


def _one_of(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """The value, or the first of those allowed when there is none."""
    value = body.get(name, allowed[0])
    if value not in allowed:
        raise errors.invalid(f"{name}: Invalid enum value. Expected {' | '.join(allowed)}")
    return str(value)


def _integer(body: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise errors.invalid(f"{name}: Expected an integer from {low} to {high}")
    return value
