"""A request for pictures in OpenAI's words: read, checked, and `auto` decided."""

import time
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from deploy.sandbox import openai_errors as errors
from deploy.sandbox.desk import Refusal
from deploy.sandbox.drawing.guide import Guide
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.openai_facts import MODELS, Model

FIELDS = frozenset(
    (
        *("prompt", "model", "n", "size", "quality", "background", "output_format", "output_compression"),
        *("moderation", "stream", "partial_images", "user", "safety_identifier"),
    )
)


@dataclass(frozen=True)
class Asked:
    """A checked request, with what `auto` was turned into."""

    model: Model
    prompt: str
    n: int
    size: str
    quality: str
    background: str
    output_format: str
    compression: int
    stream: bool
    partials: int
    guide: Guide | None = None
    fidelity: str = "low"

    @property
    def form(self) -> Form:
        return Form(self.output_format, self.compression, transparent=self.background == "transparent")

    def subject(self, index: int) -> Subject:
        width, height = (int(part) for part in self.size.split("x"))
        return Subject(self.prompt, index, width, height, self.guide)

    def chosen(self) -> dict[str, Any]:
        return {
            "created": int(time.time()),
            "background": self.background,
            "output_format": self.output_format,
            "quality": self.quality,
            "size": self.size,
        }


async def read(request: Request) -> Asked:
    """The request, or the refusal it deserves."""
    return check(await read_object(request), FIELDS)


async def read_object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        message = "We could not parse the JSON body of your request."
        raise errors.error(400, None, errors.REQUEST, message)
    return body


def check(body: dict[str, Any], fields: frozenset[str]) -> Asked:
    if unknown := sorted(body.keys() - fields):
        raise errors.invalid(unknown[0], f"Unknown parameter: '{unknown[0]}'.", "unknown_parameter")
    prompt = _prompt(body)
    model = _model(body)
    quality = one_of(body, "quality", ("auto", *model.qualities))
    background = one_of(body, "background", ("auto", "transparent", "opaque"))
    output_format = one_of(body, "output_format", ("png", "jpeg", "webp"))
    one_of(body, "moderation", ("auto", "low"))
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise wrong_type("stream", "a boolean")
    partials = _integer(body, "partial_images", 0, 0, 3)
    if partials and not stream:
        raise errors.invalid("partial_images", "Partial images are only supported with streaming.")
    if background == "transparent" and output_format == "jpeg":
        raise errors.invalid("background", "Transparent background is not supported for JPEG output format.")
    return Asked(
        model=model,
        prompt=prompt,
        n=_integer(body, "n", 1, 1, 10),
        size=_size(body, model),
        quality="medium" if quality == "auto" else quality,
        background="opaque" if background == "auto" else background,
        output_format=output_format,
        compression=_compression(body, output_format),
        stream=stream,
        partials=partials,
    )


def _model(body: dict[str, Any]) -> Model:
    # Without a model the real one still takes its oldest, which is gone.
    name = body.get("model", "dall-e-2")
    if not isinstance(name, str):
        raise wrong_type("model", "a string")
    if name not in MODELS:
        raise errors.no_such_model(name)
    if not MODELS[name].pictures:
        raise errors.invalid("model", f"Invalid value: '{name}'. The model does not draw pictures.")
    return MODELS[name]


def _prompt(body: dict[str, Any]) -> str:
    prompt = body.get("prompt")
    if prompt is None:
        raise errors.invalid("prompt", "Missing required parameter: 'prompt'.", "missing_required_parameter")
    if not isinstance(prompt, str):
        raise wrong_type("prompt", "a string")
    if not prompt:
        raise errors.invalid("prompt", "Invalid 'prompt': empty string.", "empty_string")
    if len(prompt) > 32_000:
        message = "Invalid 'prompt': string too long. Expected a string with maximum length 32000."
        raise errors.invalid("prompt", message, "string_above_max_length")
    return prompt


def _size(body: dict[str, Any], model: Model) -> str:
    size = body.get("size") or "auto"
    if not isinstance(size, str):
        raise wrong_type("size", "a string")
    if size == "auto":
        return "1024x1024"
    if problem := model.size_problem(size):
        raise errors.invalid("size", problem)
    return size


def _compression(body: dict[str, Any], output_format: str) -> int:
    if body.get("output_compression") is not None and output_format == "png":
        message = "Compression is not supported for PNG output format."
        raise errors.invalid("output_compression", message)
    return _integer(body, "output_compression", 100, 0, 100)


def one_of(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """The value, or the first of those allowed when there is none."""
    value = body.get(name)
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise errors.invalid(name, f"Invalid value: '{value}'. Supported values are: {', '.join(allowed)}.")
    return str(value)


def _integer(body: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, "an integer")
    if value < low:
        message = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}."
        raise errors.invalid(name, message, "integer_below_min_value")
    if value > high:
        message = f"Invalid '{name}': integer above maximum value. Expected a value <= {high}."
        raise errors.invalid(name, message, "integer_above_max_value")
    return value


def wrong_type(name: str, wanted: str) -> Refusal:
    return errors.invalid(name, f"Invalid type for '{name}': expected {wanted}.", "invalid_type")
