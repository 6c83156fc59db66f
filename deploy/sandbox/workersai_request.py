"""A request for a picture in the words of Workers AI, as JSON or as a form."""

import re
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request

from deploy.sandbox import data_url
from deploy.sandbox import workersai_errors as errors
from deploy.sandbox import workersai_facts as facts
from deploy.sandbox.desk import Desk
from deploy.sandbox.drawing.guide import Guide, UnreadableError
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.workersai_facts import Model

# How a second picture is named in a form is not established, so every likely way is taken.
PICTURE_PART = re.compile(r"(input_)?images?(_\d+|\[\d*\])?")


@dataclass(frozen=True)
class Asked:
    """A checked request."""

    model: Model
    subject: Subject

    @property
    def form(self) -> Form:
        return Form(self.model.form)


async def read(request: Request, model: Model, desk: Desk) -> Asked:
    form = request.headers.get("content-type", "").startswith("multipart/form-data")
    if model.multipart and not form:
        raise errors.invalid("required properties at '/' are 'multipart'")
    fields, pictures = await _form(request) if form else await _json(request)
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise errors.invalid("required properties at '/' are 'prompt'")
    if model.multipart and len(prompt) > facts.PROMPT_LIMIT:
        raise errors.invalid(f"Length of '/prompt' must be <= {facts.PROMPT_LIMIT}")
    width, height = (_edge(fields, name) for name in ("width", "height"))
    if model.multipart and (width, height) not in facts.FORM_SIZES:
        raise errors.invalid(f"{width}x{height} is not a supported size")
    seed = _integer(fields, "seed", 0, 0, 2**63)
    guide = await _guide(desk, pictures, model, _strength(fields))
    return Asked(model, Subject(prompt, seed, width, height, guide))


async def _json(request: Request) -> tuple[dict[str, Any], list[bytes]]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise errors.invalid("Invalid JSON")
    images = body.get("images", [])
    named = [body[name] for name in ("image", "image_b64") if name in body]
    return body, [_bytes(one) for one in (*named, *(images if isinstance(images, list) else [images]))]


def _bytes(given: Any) -> bytes:
    """A picture as bare base64, or as the list of numbers older models take."""
    if isinstance(given, list) and all(isinstance(one, int) and 0 <= one < 256 for one in given):
        return bytes(given)
    data = data_url.plain(given) if isinstance(given, str) else None
    if data is None:
        raise errors.refuse("bad_picture", 400)
    return data


async def _form(request: Request) -> tuple[dict[str, Any], list[bytes]]:
    fields: dict[str, Any] = {}
    pictures = []
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if not PICTURE_PART.fullmatch(name):
                    raise errors.invalid(f"unexpected file '{name}'")
                pictures.append(await value.read())
            else:
                fields[name] = value if name == "prompt" or not value.isdigit() else int(value)
    return fields, pictures


async def _guide(desk: Desk, pictures: list[bytes], model: Model, strength: float) -> Guide | None:
    if len(pictures) > model.references:
        raise errors.invalid(f"{model.id} takes at most {model.references} pictures")
    try:
        opened = tuple([await desk.opened(data) for data in pictures])
    except UnreadableError:
        raise errors.refuse("bad_picture", 400) from None
    return Guide(opened, strength=strength) if opened else None


def _strength(fields: dict[str, Any]) -> float:
    strength = fields.get("strength", 0.5)
    return float(strength) if isinstance(strength, int | float) else 0.5


def _edge(fields: dict[str, Any], name: str) -> int:
    return _integer(fields, name, 1024, 64, facts.MOST_EDGE)


def _integer(fields: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.invalid(f"Type of '/{name}' must be integer")
    if not low <= value <= high:
        raise errors.invalid(f"Value of '/{name}' must be from {low} to {high}")
    return value
