"""The WebUI's requests read, and its answers written."""

from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response

from deploy.sandbox import webui_facts as facts
from deploy.sandbox.desk import Refusal
from deploy.sandbox.pieces import Pieces, Text, listed
from deploy.sandbox.scripts import Act
from deploy.sandbox.webui_facts import Txt2Img
from deploy.sandbox.webui_studio import Job


async def read_object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise _unprocessable(["body"], "JSON decode error", "json_invalid")
    return body


async def read(request: Request) -> Txt2Img:
    body = await read_object(request)
    try:
        asked = msgspec.convert(body, Txt2Img, strict=False)
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


def answer(job: Job, checkpoint: tuple[str, str], pictures: list[Text], act: Act) -> Response:
    shown = pictures if job.asked.send_images else []
    rest: dict[str, Any] = {"parameters": msgspec.to_builtins(job.asked)}
    if act.info != "missing":
        rest["info"] = "{unreadable" if act.info else orjson.dumps(_info(job, checkpoint)).decode()
    return Pieces((b'{"images":[', *listed(shown, b'"', b'"'), b"],", orjson.dumps(rest)[1:]))


def _info(job: Job, checkpoint: tuple[str, str]) -> dict[str, Any]:
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
        "index_of_first_image": 0,
        "infotexts": [
            f"{asked.prompt}\nSteps: {asked.steps}, Sampler: {sampler}, Seed: {seed}" for seed in seeds
        ],
        "job_timestamp": job.stamp,
        "version": "sandbox",
    }
