"""AUTOMATIC1111's WebUI and those that speak its protocol: one call draws, another tells how far it is."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import pybase64
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Endpoint, Refusal, Reply
from runtime.failure import Failure
from services.generation.providers import (
    PRICE_SCHEMA,
    Adaptation,
    Event,
    Finished,
    Handle,
    Image,
    Listed,
    Partial,
    Picture,
    Progress,
    Task,
)

KIND = "stable-diffusion"
TITLE = "Stable Diffusion WebUI"
REQUIRES = ("endpoint",)
DEFAULT_ENDPOINT = ""
AUTHORIZATION = "Bearer {key}"
PAIR_AUTHORIZATION = "Basic {basic}"

HINTS: Mapping[int, str] = MappingProxyType(
    {
        401: "Set the key to the user and password of --api-auth, as user:password.",
        404: "Start the WebUI with --api, and leave /sdapi out of the endpoint.",
    }
)

POLL_SECONDS = 0.5
_ANY_CHECKPOINT = ("", "*")
_MOST_SEED = 1 << 63
_SENT_ELSEWHERE = ("negative_prompt", "override_settings", "price_per_image")
_BAD_PICTURES = ("invalid encoded image", "init image not found")
# Of the first drawing alone, and of drawing after a picture alone.
_PLAIN_ONLY = (
    "enable_hr",
    "hr_scale",
    "hr_upscaler",
    "hr_second_pass_steps",
    "hr_resize_x",
    "hr_resize_y",
    "hr_sampler_name",
    "hr_scheduler",
    "hr_checkpoint_name",
)
_PICTURE_ONLY = (
    "resize_mode",
    "image_cfg_scale",
    "initial_noise_multiplier",
    "mask_blur",
    "inpainting_fill",
    "inpaint_full_res",
    "inpaint_full_res_padding",
)
_CROP = 1  # the server's own default stretches
_OUT_OF_MEMORY = ("outofmemory", "out of memory")

CONFIG_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "steps": {"type": "integer", "minimum": 1, "maximum": 150},
        "cfg_scale": {"type": "number", "minimum": 0, "maximum": 50},
        "sampler_name": {"type": "string", "minLength": 1, "maxLength": 100},
        "scheduler": {"type": "string", "minLength": 1, "maxLength": 100},
        "negative_prompt": {"type": "string", "maxLength": 8000},
        "styles": {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 20},
        "restore_faces": {"type": "boolean"},
        "tiling": {"type": "boolean"},
        "subseed": {"type": "integer", "minimum": -1, "maximum": 4294967295},
        "subseed_strength": {"type": "number", "minimum": 0, "maximum": 1},
        "enable_hr": {"type": "boolean"},
        "hr_scale": {"type": "number", "minimum": 1, "maximum": 4},
        "hr_upscaler": {"type": "string", "maxLength": 200},
        "hr_second_pass_steps": {"type": "integer", "minimum": 0, "maximum": 150},
        "hr_resize_x": {"type": "integer", "minimum": 0, "maximum": 4096},
        "hr_resize_y": {"type": "integer", "minimum": 0, "maximum": 4096},
        "hr_sampler_name": {"type": "string", "maxLength": 100},
        "hr_scheduler": {"type": "string", "maxLength": 100},
        "hr_checkpoint_name": {"type": "string", "maxLength": 300},
        "resize_mode": {"type": "integer", "minimum": 0, "maximum": 3},
        "image_cfg_scale": {"type": "number", "minimum": 0, "maximum": 50},
        "initial_noise_multiplier": {"type": "number", "minimum": 0, "maximum": 2},
        "mask_blur": {"type": "integer", "minimum": 0, "maximum": 64},
        "inpainting_fill": {"type": "integer", "minimum": 0, "maximum": 3},
        "inpaint_full_res": {"type": "boolean"},
        "inpaint_full_res_padding": {"type": "integer", "minimum": 0, "maximum": 256},
        "denoising_strength": {"type": "number", "minimum": 0, "maximum": 1},
        "refiner_checkpoint": {"type": "string", "maxLength": 300},
        "refiner_switch_at": {"type": "number", "minimum": 0, "maximum": 1},
        "override_settings": {"type": "object"},
        "alwayson_scripts": {"type": "object"},
        "price_per_image": PRICE_SCHEMA,
    },
}


class Drawn(msgspec.Struct):
    """The answer. `info` is JSON in a string, on some forks an object, on others not there."""

    images: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=100)]
    info: msgspec.Raw = msgspec.Raw(b"null")


class Info(msgspec.Struct):
    """What the server says it did."""

    all_seeds: list[int] = []
    index_of_first_image: int = 0
    sd_model_name: str | None = None
    sd_model_hash: str | None = None


class Doing(msgspec.Struct):
    """How far the server is with whatever it is doing, which need not be ours."""

    progress: float = 0.0


class DoingOurs(msgspec.Struct):
    """How far a task of ours is, where the server's own page runs too, and how it looks."""

    progress: float | None = None
    live_preview: msgspec.Raw = msgspec.Raw(b"null")
    id_live_preview: int = -1


@dataclass(frozen=True)
class Seen:
    """What a look shows."""

    fraction: float = 0.0
    preview: bytes = b""


class Checkpoint(msgspec.Struct):
    """A checkpoint. The title, with its hash, tells it apart best."""

    title: str
    model_name: str = ""


class Wrong(msgspec.Struct):
    """An error body, of the WebUI or of plain FastAPI."""

    error: Any = None
    errors: Any = None
    detail: Any = None


async def check(api: Endpoint) -> None:
    """Asks for the checkpoints, which also shows whether the API is switched on."""
    await api.get("/sdapi/v1/sd-models")


async def models(api: Endpoint) -> Sequence[Listed]:
    """The server's checkpoints."""
    told = (await api.get("/sdapi/v1/sd-models")).read(list[Checkpoint])
    return [Listed(checkpoint.title, checkpoint.model_name) for checkpoint in told]


async def generate(task: Task, api: Endpoint) -> AsyncGenerator[Event, None]:
    """Draws, and looks how far it is meanwhile. Looking never decides about the picture."""
    name = f"task({secrets.token_hex(8)})"
    path = "/sdapi/v1/img2img" if task.references else "/sdapi/v1/txt2img"
    drawing = asyncio.create_task(api.post(path, {**_input(task), "force_task_id": name}))
    watch = Watch(api, name)
    try:
        reached = 0.0
        while not (await asyncio.wait({drawing}, timeout=POLL_SECONDS))[0]:
            seen = await _look(watch, drawing)
            if seen.fraction > reached:
                reached = seen.fraction
                yield Progress(fraction=reached)
            # Of several it shows them all in one.
            if seen.preview and task.count == 1:
                yield Partial(0, seen.preview)
        reply = drawing.result()
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError, Failure):
            await drawing
    async for event in _pictures(task, reply):
        yield event


async def cancel(api: Endpoint, handle: Handle | None) -> None:
    """Interrupts whatever the server is drawing; it knows no other way."""
    del handle
    await api.post("/sdapi/v1/interrupt", {})


def refusal(status: int, body: bytes) -> Refusal | None:
    """Out of memory stays so at this size; other errors of the server are worth a free second try."""
    try:
        wrong = msgspec.json.decode(body, type=Wrong)
    except (msgspec.DecodeError, RecursionError):
        wrong = Wrong()
    words = f"{wrong.error} {wrong.errors} {wrong.detail}".lower()
    if status == 500 and any(sign in words for sign in _OUT_OF_MEMORY):
        return Refusal(ErrorReason.CALL_REFUSED, {"parameter": "size"})
    if any(sign in words for sign in _BAD_PICTURES):
        return Refusal(ErrorReason.PICTURE_REFUSED)
    if status in (400, 404) and "sampler" in words:
        return Refusal(ErrorReason.CALL_REFUSED, {"parameter": "sampler_name"})
    if status == 404:  # the server runs without --api
        return Refusal(ErrorReason.CALL_REFUSED, {"parameter": "endpoint"})
    if status == 422:
        return Refusal(ErrorReason.CALL_REFUSED, _parameter(wrong.detail))
    return Refusal(ErrorReason.PROVIDER_UNAVAILABLE) if status == 500 else None


def _input(task: Task) -> dict[str, Any]:
    width, height = task.dimensions
    foreign = _PLAIN_ONLY if task.references else _PICTURE_ONLY
    config = {key: value for key, value in task.config.items() if key not in (*_SENT_ELSEWHERE, *foreign)}
    settings = dict(task.config.get("override_settings", {}))
    if task.model not in _ANY_CHECKPOINT:
        settings["sd_model_checkpoint"] = task.model
    return {
        **_pictures_given(task),
        **config,
        "prompt": task.prompt,
        "negative_prompt": task.negative_prompt,
        "seed": -1 if task.seed is None else task.seed,
        "width": width,
        "height": height,
        "batch_size": task.count,
        "n_iter": 1,
        "override_settings": settings,
    }


class Watch:
    """Looks at a drawing: by its own name where the server can, or else at whatever is being drawn."""

    def __init__(self, api: Endpoint, name: str) -> None:
        self._api = api
        self._name = name
        self._by_name = True
        self._shown = -1

    async def look(self) -> Seen:
        """How far it is, and how it looks if that has changed."""
        if self._by_name:
            try:
                return await self._own()
            except Failure:
                # The server's page does not run, or has no such thing.
                self._by_name = False
        doing = (await self._api.get("/sdapi/v1/progress?skip_current_image=true")).read(Doing)
        return Seen(min(doing.progress, 1.0))

    async def _own(self) -> Seen:
        asked = {"id_task": self._name, "id_live_preview": self._shown, "live_preview": True}
        reply = await self._api.post("/internal/progress", asked, free=True)
        doing = reply.read(DoingOurs)
        preview = b""
        if bytes(doing.live_preview) != b"null" and doing.id_live_preview != self._shown:
            self._shown = doing.id_live_preview
            preview = await reply.decode(doing.live_preview)
        return Seen(min(doing.progress or 0.0, 1.0), preview)


async def _look(watch: Watch, drawing: "asyncio.Task[Reply]") -> Seen:
    """What can be seen, if anything. Stops looking when the drawing is done."""
    look = asyncio.create_task(watch.look())
    try:
        await asyncio.wait({look, drawing}, return_when=asyncio.FIRST_COMPLETED)
        return look.result() if look.done() else Seen()
    except Failure:
        return Seen()
    finally:
        look.cancel()
        with suppress(asyncio.CancelledError, Failure):
            await look


def _pictures_given(task: Task) -> dict[str, Any]:
    """The picture to go by, and the mask, in which white is what is drawn anew."""
    if not task.references:
        return {}
    given: dict[str, Any] = {
        "init_images": [_encoded(picture) for picture in task.references],
        "resize_mode": _CROP,
    }
    return {**given, "mask": _encoded(task.mask)} if task.mask else given


def _encoded(picture: Picture) -> str:
    return pybase64.b64encode(picture.data).decode()


async def _pictures(task: Task, reply: Reply) -> AsyncGenerator[Event, None]:
    drawn = reply.read(Drawn)
    info = _info(drawn.info)
    # A contact sheet may come first. Without a word about it, the last ones are the pictures.
    said = info.index_of_first_image if info.index_of_first_image < len(drawn.images) else 0
    first = max(said, len(drawn.images) - task.count, 0)
    if not drawn.images:
        raise reply.unusable()
    for index, picture in enumerate(drawn.images[first:]):
        yield Image(index, await reply.decode(picture), _seed(info, index))
    yield Finished(
        usage={"images": len(drawn.images) - first},
        adaptations=(*_checkpoint(task.model, info), *_unsent(task)),
    )


def _seed(info: Info, index: int) -> int | None:
    seed = info.all_seeds[index] if index < len(info.all_seeds) else -1
    return seed if 0 <= seed < _MOST_SEED else None


def _info(raw: msgspec.Raw) -> Info:
    """A picture must not be lost because of what is said about it."""
    try:
        text = msgspec.json.decode(raw)
        return msgspec.json.decode(text, type=Info) if isinstance(text, str) else msgspec.convert(text, Info)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Info()


def _checkpoint(asked: str, info: Info) -> tuple[Adaptation, ...]:
    """An unknown checkpoint is dropped without a word; only the answer shows which one drew."""
    used = info.sd_model_name
    if asked in _ANY_CHECKPOINT or not used or _stem(asked) == _stem(used):
        return ()
    if info.sd_model_hash and f"[{info.sd_model_hash}]" in asked:
        return ()
    shown = "".join(filter(str.isprintable, used))[:100]
    why = "The server does not have this checkpoint and used its current one."
    return (Adaptation("profile", asked, shown, why),)


def _unsent(task: Task) -> tuple[Adaptation, ...]:
    """A second pass belongs to drawing from words alone."""
    if not (task.references and task.config.get("enable_hr")):
        return ()
    return (Adaptation("profile", "enable_hr", "", "After a picture there is no second pass."),)


def _stem(checkpoint: str) -> str:
    """`folder/name.safetensors [hash]` and `name` are the same checkpoint."""
    name = checkpoint.split(" [", 1)[0].replace("\\", "/").rpartition("/")[2].lower()
    return name.removesuffix(".safetensors").removesuffix(".ckpt")


def _parameter(detail: Any) -> dict[str, str]:
    """Which field FastAPI names in `[{loc: [body, field], …}]`."""
    try:
        return {"parameter": str(detail[0]["loc"][-1])}
    except (LookupError, TypeError):
        return {}
