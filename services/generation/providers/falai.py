"""fal: a call joins a queue and gets three addresses; the pictures are behind one of them.

The addresses are stored as they came, never built: they leave out the end of a model's name. Work that failed
is COMPLETED as well; only asking for its result tells.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import pybase64
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Endpoint, Refusal, Reply
from runtime.failure import Failure
from services.generation.providers import (
    PRICE_SCHEMA,
    Accepted,
    Adaptation,
    Event,
    Finished,
    Handle,
    Image,
    Listed,
    Picture,
    Progress,
    Task,
    Usage,
)

KIND = "falai"
TITLE = "Fal.ai"
REQUIRES = ("key",)
DEFAULT_ENDPOINT = "https://queue.fal.run"
AUTHORIZATION = "Key {key}"
HOSTS = MappingProxyType({"platform": "https://api.fal.ai", "storage": "https://rest.fal.ai"})

POLL_SECONDS = 0.5
PRICE_SECONDS = 5.0
MOST_PAGES = 20  # of a category's models
INLINE_BYTES = 1 << 20  # larger pictures are uploaded first

CONFIG_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "quality": {"type": "string", "minLength": 1, "maxLength": 50},
        "output_format": {"enum": ["png", "jpeg", "webp"]},
        "background": {"enum": ["auto", "transparent", "opaque"]},
        "negative_prompt": {"type": "string", "maxLength": 8000},
        "num_inference_steps": {"type": "integer", "minimum": 1, "maximum": 100},
        "guidance_scale": {"type": "number", "minimum": 0, "maximum": 50},
        "strength": {"type": "number", "minimum": 0, "maximum": 1},
        "acceleration": {"enum": ["none", "regular", "high"]},
        "enable_safety_checker": {"type": "boolean"},
        "safety_tolerance": {"enum": ["1", "2", "3", "4", "5", "6"]},
        "enable_prompt_expansion": {"type": "boolean"},
        "enable_web_search": {"type": "boolean"},
        "limit_generations": {"type": "boolean"},
        "system_prompt": {"type": "string", "maxLength": 8000},
        "thinking_level": {"enum": ["minimal", "high"]},
        "input_fidelity": {"enum": ["low", "high"]},
        "sync_mode": {"type": "boolean"},
        "loras": {"type": "array", "items": {"type": "object"}, "maxItems": 20},
        # Whatever else the model takes, under its own names.
        "input": {"type": "object", "maxProperties": 50},
        "price_per_image": PRICE_SCHEMA,
    },
}

# The planner has already weighed these against what the writer asked.
_PLANNED = ("quality", "output_format", "background", "negative_prompt", "price_per_image", "input")
# No other model in its place, and no second run that nobody asked for.
_SUBMIT = MappingProxyType({"x-app-fal-disable-fallback": "true", "x-fal-no-retry": "1"})
_REFUSALS = ("content_policy_violation", "no_media_generated")
_UNITS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,18})?")
_TYPE = re.compile(r"[a-z_.]{1,60}")
_MOST_SEED = 1 << 63
_MOST_PLACES = 1_000_000


class Queued(msgspec.Struct):
    """Where the work is."""

    request_id: str
    status_url: str
    response_url: str
    cancel_url: str


class Status(msgspec.Struct):
    """How far the work is."""

    status: str
    queue_position: int | None = None


class File(msgspec.Struct):
    """A picture: a data URI, or where it is."""

    url: msgspec.Raw


class Drawn(msgspec.Struct):
    """What came of the work. A flagged picture is a black one."""

    images: Annotated[list[File], msgspec.Meta(max_length=100)] = []
    image: File | None = None
    seed: Any = None
    has_nsfw_concepts: Any = None
    description: Any = None


class Upload(msgspec.Struct):
    """Where to put a picture, and what it is called then."""

    upload_url: str
    file_url: str


class Price(msgspec.Struct):
    """What a unit costs, whatever that is."""

    unit_price: Decimal
    currency: str = ""


class Prices(msgspec.Struct):
    """The price of a model."""

    prices: list[Price] = []


class About(msgspec.Struct, frozen=True):
    """What a model is called."""

    display_name: str = ""


class Named(msgspec.Struct):
    """A model."""

    endpoint_id: str
    metadata: About = About()


class Models(msgspec.Struct):
    """A page of models."""

    models: list[Named]
    next_cursor: str | None = None


class Wrong(msgspec.Struct):
    """An error: of the platform (a sentence), or of the model (a list)."""

    detail: Any = None
    error_type: Any = None
    status: Any = None


async def check(api: Endpoint) -> None:
    """Asks for a price, which needs a good key: the queue itself would take a call without one."""
    await _price("fal-ai/flux-2-pro", api)


async def models(api: Endpoint) -> Sequence[Listed]:
    """Those that draw from words, and those that draw from a picture."""
    drawing = [Listed(*named) for named in await _category("text-to-image", api)]
    return drawing + [Listed(*named, needs_picture=True) for named in await _category("image-to-image", api)]


async def generate(task: Task, api: Endpoint) -> AsyncGenerator[Event, None]:
    """Joins the queue and waits."""
    model = task.form.get("edit", task.model) if task.references else task.model
    sent = await _input(task, api)
    reply = await api.post(f"/{quote(model, safe='/')}", sent, headers=_SUBMIT)
    queued = msgspec.structs.asdict(reply.read(Queued))
    checked = "" if task.config.get("enable_safety_checker", True) else "no"
    handle: Handle = {**queued, "model": model, "checked": checked}
    # Nothing is asked before the handle is stored, so that a crash loses nothing.
    yield Accepted(handle)
    async for event in resume(handle, api):
        yield event


async def resume(handle: Handle, api: Endpoint) -> AsyncGenerator[Event, None]:
    """Waits for work that is in the queue, and gets what came of it."""
    told = -1
    async with api.polling():
        while (now := (reply := await api.get(handle["status_url"])).read(Status)).status != "COMPLETED":
            if told != (place := min(max(now.queue_position or 0, 0), _MOST_PLACES)):
                told = place
                yield Progress(position=told)
            await asyncio.sleep(POLL_SECONDS)
    result = await _result(handle, reply, api)
    drawn = result.read(Drawn)
    files = drawn.images or ([drawn.image] if drawn.image else [])
    if not files:
        raise _refused_picture(result) if drawn.description else result.unusable()
    black = _black(drawn.has_nsfw_concepts) if handle.get("checked") != "no" else ()
    kept = [file for index, file in enumerate(files) if index not in black]
    if not kept:
        raise _refused_picture(result)
    seed = drawn.seed if isinstance(drawn.seed, int) and 0 <= drawn.seed < _MOST_SEED else None
    for index, file in enumerate(kept):
        yield Image(index, await _bytes(file.url, result, api), seed if len(files) == 1 else None)
    yield Finished(
        usage=await _usage(len(kept), handle["model"], result, api),
        adaptations=_missing(len(files), len(kept)),
        request_id=handle["request_id"][:100],
    )


async def cancel(api: Endpoint, handle: Handle | None) -> None:
    """Asks for the work to be left; what is being drawn may still be finished, and billed."""
    if handle is not None:
        await api.put(handle["cancel_url"])


def refusal(status: int, body: bytes) -> Refusal | None:
    """By type; by the sentence only where nothing else tells."""
    try:
        wrong = msgspec.json.decode(body, type=Wrong)
    except (msgspec.DecodeError, RecursionError):
        return None
    type_, details = _type(wrong)
    if reason := _by_type(type_):
        stage = {"stage": "output"} if type_ == "no_media_generated" else {}
        return Refusal(reason, details if reason == ErrorReason.PICTURE_REFUSED else stage)
    if status >= 500 and wrong.detail is not None:
        return Refusal(ErrorReason.PROVIDER_UNAVAILABLE, {"type": type_ or "unknown"})
    if reason := _by_sentence(status, wrong):
        return Refusal(reason)
    return Refusal(ErrorReason.CALL_REFUSED, details) if status in (400, 422, 499) else None


def _refused_picture(result: Reply) -> Failure:
    """It was drawn, and the safety rules did not let it out."""
    failure = result.failure(ErrorReason.CONTENT_REFUSED)
    failure.metadata["stage"] = "output"
    return failure


def _by_type(type_: str) -> ErrorReason | None:
    if type_ in _REFUSALS:
        return ErrorReason.CONTENT_REFUSED
    if type_ == "generation_timeout":
        return ErrorReason.PROVIDER_TIMED_OUT
    return ErrorReason.PICTURE_REFUSED if type_.startswith(("image_", "file_")) else None


def _by_sentence(status: int, wrong: Wrong) -> ErrorReason | None:
    said = wrong.detail if isinstance(wrong.detail, str) else ""
    if status == 403 and "user is locked" in said.lower():
        return ErrorReason.PROVIDER_UNPAID
    if status == 400 and "still in progress" in said:
        return ErrorReason.PROVIDER_UNAVAILABLE
    if status == 404:  # of a model, or of work that was there and is no longer kept
        return ErrorReason.ANSWER_UNUSABLE if wrong.status == "NOT_FOUND" else ErrorReason.MODEL_UNKNOWN
    return None


async def _input(task: Task, api: Endpoint) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "seed": task.seed,
        "quality": task.quality,
        "background": task.background,
        "output_format": task.output_format,
        "negative_prompt": task.negative_prompt,
    }
    if task.form.get("count") != "one":
        asked["num_images"] = task.count
    urls = [await _address(picture, api) for picture in task.references]
    if task.form.get("reference") == "image_url":
        asked["image_url"] = urls[0] if urls else ""
    else:
        asked["image_urls"] = urls
    if task.mask is not None:
        asked[task.form.get("mask", "mask_url")] = await _address(task.mask, api)
    config = {key: value for key, value in task.config.items() if key not in _PLANNED}
    chosen = {key: value for key, value in asked.items() if value not in ("", None, [])}
    return {**task.config.get("input", {}), **config, "prompt": task.prompt, **_size(task), **chosen}


def _size(task: Task) -> dict[str, Any]:
    """Each family of models says it in another way."""
    way = task.form.get("size", "pixels")
    if not task.size or way == "none":
        return {}
    if way == "ratio":
        shape, _, resolution = task.size.partition("@")
        return {"aspect_ratio": shape, **({"resolution": resolution} if resolution else {})}
    if way == "words" or "x" not in task.size:
        return {"image_size": task.size}
    width, height = task.dimensions
    return {"image_size": {"width": width, "height": height}}


async def _address(picture: Picture, api: Endpoint) -> str:
    """A small picture goes along; a large one is put where the provider says, without the key."""
    if len(picture.data) < INLINE_BYTES:
        text = pybase64.b64encode_as_string(picture.data)
        return f"data:{picture.content_type};base64,{text}"
    named = {"content_type": picture.content_type, "file_name": picture.content_type.replace("/", ".")}
    path = "/storage/upload/initiate?storage_type=fal-cdn-v3"
    upload = (await api.post(path, named, host="storage", free=True)).read(Upload)
    await api.store(upload.upload_url, picture.data, picture.content_type)
    return upload.file_url


async def _result(handle: Handle, status: Reply, api: Endpoint) -> Reply:
    try:
        return await api.get(handle["response_url"])
    except Failure as failure:
        if failure.reason == ErrorReason.PROVIDER_UNAVAILABLE and "type" in failure.metadata:
            # The work itself failed; who looks again finds the same.
            raise status.failure(ErrorReason.CALL_REFUSED) from failure
        raise


async def _bytes(url: msgspec.Raw, reply: Reply, api: Endpoint) -> bytes:
    if bytes(memoryview(url)[:6]) == b'"data:':
        return await reply.decode(url)
    return await api.fetch(reply.text(url))


async def _usage(pictures: int, model: str, result: Reply, api: Endpoint) -> Usage:
    """Units and what one costs today. Without a word about units what it cost is unknown."""
    usage: dict[str, int | Decimal] = {"images": pictures}
    units = result.headers.get("x-fal-billable-units", "")
    if not _UNITS.fullmatch(units):
        return usage
    usage["units"] = Decimal(units)
    # The pictures are here; they do not wait for their price.
    with suppress(Failure, TimeoutError):
        async with asyncio.timeout(PRICE_SECONDS):
            prices = await _price(model, api)
        if len(prices) == 1 and prices[0].currency.upper() == "USD":
            usage["unit_price"] = prices[0].unit_price
    return usage


async def _category(category: str, api: Endpoint) -> Sequence[tuple[str, str]]:
    """All models of a category, page by page: what to call them, and what they are called on screen."""
    found: list[tuple[str, str]] = []
    path = first = f"/v1/models?category={category}&status=active"
    for _ in range(MOST_PAGES):
        told = (await api.get(path, host="platform")).read(Models)
        found += [(named.endpoint_id, named.metadata.display_name) for named in told.models]
        if not told.next_cursor:
            break
        path = f"{first}&cursor={quote(told.next_cursor, safe='')}"
    return found


async def _price(model: str, api: Endpoint) -> Sequence[Price]:
    path = f"/v1/models/pricing?endpoint_id={quote(model, safe='')}"
    return (await api.get(path, host="platform")).read(Prices).prices


def _black(flags: Any) -> Sequence[int]:
    """Which pictures the safety rules have painted over."""
    return [index for index, flag in enumerate(flags) if flag is True] if isinstance(flags, list) else ()


def _missing(drawn: int, kept: int) -> Sequence[Adaptation]:
    if drawn == kept:
        return ()
    why = "The provider's safety rules refused the others."
    return (Adaptation("count", str(drawn), str(kept), why),)


def _type(wrong: Wrong) -> tuple[str, Mapping[str, str]]:
    """An error's type, and the field it is about."""
    try:
        first = wrong.detail[0]
        type_, details = str(first["type"]), {"parameter": str(first["loc"][-1])}
    except (LookupError, TypeError):
        type_, details = str(wrong.error_type or ""), {}
    return (type_, details) if _TYPE.fullmatch(type_) else ("", details)
