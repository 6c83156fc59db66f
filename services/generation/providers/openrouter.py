"""OpenRouter's Image API, one call for many companies' models; a few still draw by chat only.

A picture to edit is a reference; there is no mask. Once the work had begun an error comes with a good status.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import pybase64
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Endpoint, Refusal, Reply
from services.generation.providers import (
    PRICE_SCHEMA,
    Event,
    Finished,
    Image,
    Listed,
    Picture,
    Task,
    Usage,
)

KIND = "openrouter"
TITLE = "OpenRouter"
REQUIRES = ("key",)
DEFAULT_ENDPOINT = "https://openrouter.ai/api/v1"
AUTHORIZATION = "Bearer {key}"

_SLUGS: Mapping[str, Any] = {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 30}
CONFIG_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "quality": {"type": "string", "minLength": 1, "maxLength": 50},
        "output_format": {"enum": ["png", "jpeg", "webp"]},
        "background": {"enum": ["auto", "transparent", "opaque"]},
        "output_compression": {"type": "integer", "minimum": 0, "maximum": 100},
        "api": {"enum": ["images", "chat"]},  # for models nobody has noted this of
        "user": {"type": "string", "minLength": 1, "maxLength": 200},
        "provider": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "only": _SLUGS,
                "order": _SLUGS,
                "ignore": _SLUGS,
                "sort": {"type": "string", "maxLength": 50},
                "allow_fallbacks": {"type": "boolean"},
                "options": {"type": "object"},
            },
        },
        "price_per_image": PRICE_SCHEMA,
    },
}

# The planner has already weighed these against what the writer asked.
_PLANNED = ("quality", "output_format", "background", "price_per_image", "api")
# Fields of the chat form's own.
_CHAT_CONFIG = ("user", "provider")
# Of A:B@NK; half a thousand has a name of its own.
_RESOLUTIONS: Mapping[str, str] = MappingProxyType({"0.5K": "512"})
_COMPRESSED = ("jpeg", "webp")

_BY_TYPE: Mapping[str, ErrorReason] = MappingProxyType(
    {
        "content_policy_violation": ErrorReason.CONTENT_REFUSED,
        "moderation": ErrorReason.CONTENT_REFUSED,
        "content_filter": ErrorReason.CONTENT_REFUSED,
        "payment_required": ErrorReason.PROVIDER_UNPAID,
        "insufficient_credits": ErrorReason.PROVIDER_UNPAID,
        "no_endpoints": ErrorReason.MODEL_UNKNOWN,
        "model_deprecated": ErrorReason.MODEL_UNKNOWN,
        "model_not_found": ErrorReason.MODEL_UNKNOWN,
        "rate_limit_exceeded": ErrorReason.PROVIDER_RATE_LIMITED,
    }
)
_BAD_PICTURES = ("invalid_image", "image_too_large", "image_download_failed")


class Drawn(msgspec.Struct):
    """A picture in the answer."""

    b64_json: msgspec.Raw = msgspec.Raw(b"null")


class Paid(msgspec.Struct):
    """What was used; the cost is in dollars."""

    cost: Decimal | None = None


class Address(msgspec.Struct):
    """A data URL, or where a picture is."""

    url: msgspec.Raw = msgspec.Raw(b"null")


class Shown(msgspec.Struct):
    """A picture in a message."""

    image_url: Address


class Message(msgspec.Struct):
    """What the model says. Without pictures it is a refusal, in its own words."""

    images: Annotated[list[Shown], msgspec.Meta(max_length=100)] | None = None


class Choice(msgspec.Struct):
    """One of the answers of a chat."""

    message: Message


class Answer(msgspec.Struct):
    """The answer to either form, or an error in its place."""

    data: Annotated[list[Drawn], msgspec.Meta(max_length=100)] = []
    choices: Annotated[list[Choice], msgspec.Meta(max_length=100)] = []
    usage: Paid | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")
    id: str | None = None


class Trouble(msgspec.Struct):
    """An error. Its code is the status it would have had, if it is a number."""

    code: int | str | None = None
    metadata: dict[str, Any] | None = None
    param: str | None = None
    retryable: bool | None = None


class Left(msgspec.Struct):
    """What the key may still spend; None is any amount."""

    limit_remaining: Decimal | None = None


class Key(msgspec.Struct):
    """What is said of the key."""

    data: Left


class Named(msgspec.Struct):
    """A model."""

    id: str
    name: str = ""


class Models(msgspec.Struct):
    """The models there are."""

    data: list[Named]


class Wrong(msgspec.Struct):
    """An error body."""

    error: Trouble


async def check(api: Endpoint) -> None:
    """Asks about the key, which tells a wrong or used-up one and costs nothing."""
    reply = await api.get("/key")
    left = reply.read(Key).data.limit_remaining
    if left is not None and left <= 0:
        raise reply.failure(ErrorReason.PROVIDER_UNPAID)


async def models(api: Endpoint) -> Sequence[Listed]:
    """Those of the Image API; a key is not needed."""
    told = (await api.get("/images/models")).read(Models)
    return [Listed(named.id, named.name) for named in told.data]


async def generate(task: Task, api: Endpoint) -> AsyncGenerator[Event, None]:
    """Draws all pictures of the task in one call."""
    if task.config.get("api", task.form.get("api")) == "chat":
        reply = await api.post("/chat/completions", _talk(task))
    else:
        reply = await api.post("/images", _input(task))
    answer = reply.read(Answer)
    if bytes(answer.error) != b"null":
        raise reply.refused(_status(reply.content))
    pictures = [drawn.b64_json for drawn in answer.data]
    for choice in answer.choices:
        pictures += [shown.image_url.url for shown in choice.message.images or ()]
    if not pictures:
        raise reply.failure(ErrorReason.CONTENT_REFUSED) if answer.choices else reply.unusable()
    for index, picture in enumerate(pictures):
        yield Image(index, await _bytes(picture, reply, api))
    request_id = reply.headers.get("x-generation-id") or answer.id or ""
    yield Finished(usage=_usage(len(pictures), answer.usage), request_id=request_id[:100])


def refusal(status: int, body: bytes) -> Refusal | None:
    """By type, then status. A body of this shape is the provider's own, which charges for no failed work."""
    try:
        trouble = msgspec.json.decode(body, type=Wrong).error
    except (msgspec.DecodeError, RecursionError):
        return None
    facts = trouble.metadata or {}
    type_ = str(facts.get("error_type") or trouble.code)
    moderated = status == 403 and (facts.get("reasons") or facts.get("flagged_input"))
    if moderated or type_ in _BY_TYPE:
        return Refusal(_BY_TYPE.get(type_, ErrorReason.CONTENT_REFUSED), _details(facts))
    if type_ in _BAD_PICTURES or status == 413:
        return Refusal(ErrorReason.PICTURE_REFUSED, {"parameter": "input_references"})
    if status == 404:
        return Refusal(ErrorReason.MODEL_UNKNOWN)
    if status >= 500 and trouble.retryable is not False:
        return Refusal(ErrorReason.PROVIDER_UNAVAILABLE)
    refused = Refusal(ErrorReason.CALL_REFUSED, {"parameter": trouble.param} if trouble.param else {})
    return refused if status == 400 or status >= 500 else None


def _input(task: Task) -> dict[str, Any]:
    asked = {
        **_size(task.size),
        "quality": task.quality,
        "background": task.background,
        "output_format": task.output_format,
        "seed": task.seed,
        "input_references": [_part(picture) for picture in task.references],
    }
    config = {key: value for key, value in task.config.items() if key not in _PLANNED}
    if task.output_format not in _COMPRESSED:
        config.pop("output_compression", None)
    chosen = {key: value for key, value in asked.items() if value not in ("", None, [])}
    return {**config, "model": task.model, "prompt": task.prompt, "n": task.count, **chosen}


def _size(size: str) -> dict[str, str]:
    """Pixels are a size; a shape is a ratio, with a resolution where one was asked for."""
    if not size or "x" in size:
        return {"size": size}
    shape, _, thousands = size.partition("@")
    return {"aspect_ratio": shape, "resolution": _RESOLUTIONS.get(thousands, thousands)}


def _talk(task: Task) -> dict[str, Any]:
    """The older form: a message with pictures in it, answered by one."""
    shape, _, thousands = task.size.partition("@")
    image = {"aspect_ratio": shape if shape != "auto" else "", "image_size": thousands}
    config = {key: task.config[key] for key in _CHAT_CONFIG if key in task.config}
    content = [{"type": "text", "text": task.prompt}, *(_part(picture) for picture in task.references)]
    return {
        **config,
        "model": task.model,
        "messages": [{"role": "user", "content": content}],
        "modalities": ["image", "text"],
        "image_config": {key: value for key, value in image.items() if value},
        **({} if task.seed is None else {"seed": task.seed}),
    }


def _part(picture: Picture) -> dict[str, Any]:
    text = pybase64.b64encode_as_string(picture.data)
    return {"type": "image_url", "image_url": {"url": f"data:{picture.content_type};base64,{text}"}}


async def _bytes(picture: msgspec.Raw, reply: Reply, api: Endpoint) -> bytes:
    if bytes(memoryview(picture)[:9]) == b'"https://':
        return await api.fetch(reply.text(picture))
    return await reply.decode(picture)


def _usage(pictures: int, paid: Paid | None) -> Usage:
    usage: dict[str, int | Decimal] = {"images": pictures}
    return usage if paid is None or paid.cost is None else usage | {"dollars": paid.cost}


def _status(body: bytes) -> int:
    """What status an error hidden behind a good one would have had."""
    try:
        code = msgspec.json.decode(body, type=Wrong).error.code
    except (ValueError, RecursionError):
        return 500
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _details(facts: Mapping[str, Any]) -> Mapping[str, str]:
    reasons = facts.get("reasons")
    categories = ", ".join(sorted(map(str, reasons))) if isinstance(reasons, list) else ""
    details = {
        "categories": categories,
        "stage": "input" if facts.get("flagged_input") else "",
        "decider": str(facts.get("provider_name") or ""),
    }
    return {key: value for key, value in details.items() if value}
