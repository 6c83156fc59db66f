"""The WebUI's requests read, and its answers written."""

from typing import Any, TypeVar

import msgspec
import orjson
from PIL import Image, ImageOps
from starlette.requests import Request
from starlette.responses import Response

from deploy.sandbox import data_url
from deploy.sandbox import webui_facts as facts
from deploy.sandbox.desk import Desk, Refusal, Refuse
from deploy.sandbox.drawing.guide import Guide, UnreadableError
from deploy.sandbox.pieces import Pieces, Text, listed
from deploy.sandbox.scripts import Act
from deploy.sandbox.webui_facts import Img2Img, Txt2Img
from deploy.sandbox.webui_studio import Job

Asked = TypeVar("Asked", bound=Txt2Img)


async def read_object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise _unprocessable(["body"], "JSON decode error", "json_invalid")
    return body


async def read(request: Request, kind: type[Asked]) -> Asked:
    body = await read_object(request)
    try:
        asked = msgspec.convert(body, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        raise _unprocessable(["body", place.rstrip("`")], message, "type_error") from error
    for name in ("width", "height", "steps", "batch_size", "n_iter"):
        if getattr(asked, name) < 1:
            raise _unprocessable(["body", name], "Input should be greater than 0", "greater_than")
    return asked


def _unprocessable(place: list[str], message: str, kind: str) -> Refusal:
    return Refusal(422, {"detail": [{"loc": place, "msg": message, "type": kind}]})


def as_json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


async def guide(desk: Desk, asked: Img2Img, refuse: Refuse) -> Guide:
    """The pictures to paint after, or the refusal they deserve."""
    if not asked.init_images:
        raise refuse("no_picture", 404)
    pictures = tuple([await _opened(desk, text, refuse) for text in asked.init_images])
    mask = None if asked.mask is None else await _opened(desk, asked.mask, refuse)
    if mask is not None:
        mask = ImageOps.invert(mask.convert("L")) if asked.inpainting_mask_invert else mask.convert("L")
    strength = 0.75 if asked.denoising_strength is None else asked.denoising_strength
    return Guide(pictures, mask, strength, crop=asked.resize_mode != 0)


async def _opened(desk: Desk, text: str, refuse: Refuse) -> Image.Image:
    if text.startswith(("http://", "https://")):
        raise refuse("no_requests", 500)
    data = data_url.read(text) if text.startswith("data:") else data_url.plain(text)
    try:
        return await desk.opened(data or b"")
    except UnreadableError:
        raise refuse("bad_picture", 500) from None


def answer(
    job: Job, checkpoint: tuple[str, str], pictures: list[Text], act: Act, *, sheet: Text | None
) -> Response:
    shown = [*([sheet] if sheet else []), *pictures] if job.asked.send_images else []
    parameters = msgspec.to_builtins(job.asked)
    if isinstance(job.asked, Img2Img) and not job.asked.include_init_images:
        parameters |= {"init_images": None, "mask": None}
    rest: dict[str, Any] = {"parameters": parameters}
    if act.info != "missing":
        told = _info(job, checkpoint, first=1 if sheet else 0)
        rest["info"] = "{unreadable" if act.info else orjson.dumps(told).decode()
    return Pieces((b'{"images":[', *listed(shown, b'"', b'"'), b"],", orjson.dumps(rest)[1:]))


def _info(job: Job, checkpoint: tuple[str, str], *, first: int) -> dict[str, Any]:
    asked = job.asked
    seeds = [job.seed + index for index in range(asked.pictures)]
    sampler = asked.sampler_name if asked.sampler_name in facts.SAMPLERS else facts.SAMPLERS[0]
    return {
        "prompt": asked.prompt,
        "all_prompts": [asked.prompt] * asked.pictures,
        "negative_prompt": asked.negative_prompt,
        "all_negative_prompts": [asked.negative_prompt] * asked.pictures,
        "seed": job.seed,
        "all_seeds": seeds,
        "subseed": -1,
        "all_subseeds": [-1] * asked.pictures,
        "width": asked.width,
        "height": asked.height,
        "sampler_name": sampler,
        "cfg_scale": asked.cfg_scale,
        "steps": asked.steps,
        "batch_size": asked.batch_size,
        "sd_model_name": checkpoint[0],
        "sd_model_hash": checkpoint[1],
        "index_of_first_image": first,
        "infotexts": [
            f"{asked.prompt}\nSteps: {asked.steps}, Sampler: {sampler}, Seed: {seed}"
            for seed in (*seeds[:first], *seeds)
        ],
        "job_timestamp": job.stamp,
        "version": "sandbox",
    }
