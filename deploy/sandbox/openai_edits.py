"""A request for an edit, as a form or as JSON: its pictures opened, the rest read like a generation."""

from dataclasses import replace
from typing import Any

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.requests import Request

from deploy.sandbox import data_url, openai_request
from deploy.sandbox import openai_errors as errors
from deploy.sandbox.desk import Desk, Refusal
from deploy.sandbox.drawing.guide import Guide, UnreadableError, from_transparency
from deploy.sandbox.openai_facts import CLASSIC_SIZES
from deploy.sandbox.openai_request import Asked

MOST_PICTURES = 16
MOST_BYTES = 50 * 1024 * 1024
MOST_MASK_BYTES = 4 * 1024 * 1024
KINDS = ("image/png", "image/jpeg", "image/jpg", "image/webp")
NUMBERS = ("n", "partial_images", "output_compression")
JSON_FIELDS = openai_request.FIELDS | {"input_fidelity"}
# The form never learned this one.
FORM_FIELDS = JSON_FIELDS - {"moderation"}


async def read(request: Request, desk: Desk) -> Asked:
    """The request, or the refusal it deserves."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        body, pictures, mask = await _form(request)
        fields = FORM_FIELDS
    else:
        body, pictures, mask = _split(await openai_request.read_object(request))
        fields = JSON_FIELDS
    asked = openai_request.check(_sized(body), fields)
    fidelity = _fidelity(body, asked)
    guide = await _guide(desk, pictures, mask)
    size = _like(guide.pictures[0]) if body.get("size", "auto") == "auto" else asked.size
    return replace(asked, guide=guide, fidelity=fidelity, size=size)


def _sized(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _like(picture: Image.Image) -> str:
    """The size that comes nearest to a picture's shape."""
    square, tall, wide = CLASSIC_SIZES
    ratio = picture.width / picture.height
    return wide if ratio > 1.2 else tall if ratio < 1 / 1.2 else square


def _fidelity(body: dict[str, Any], asked: Asked) -> str:
    wanted = body.get("input_fidelity")
    if wanted is None:
        return "low" if asked.model.fidelities else "high"
    if not asked.model.fidelities:
        message = f"The model '{asked.model.id}' does not support the parameter 'input_fidelity'."
        raise errors.invalid("input_fidelity", message, "invalid_input_fidelity_model")
    return openai_request.one_of(body, "input_fidelity", asked.model.fidelities)


async def _form(request: Request) -> tuple[dict[str, Any], list[bytes], bytes | None]:
    body: dict[str, Any] = {}
    pictures, mask = [], None
    async with request.form(max_files=MOST_PICTURES + 2) as form:
        for name, value in form.multi_items():
            if name in ("image", "image[]"):
                pictures.append(await _file(value, "image"))
            elif name == "mask":
                mask = await _file(value, "mask")
            elif isinstance(value, str):
                body[name] = _scalar(name, value)
            else:
                raise errors.invalid(name, f"Unknown parameter: '{name}'.", "unknown_parameter")
    return body, pictures, mask


async def _file(part: UploadFile | str, param: str) -> bytes:
    if isinstance(part, str):
        raise errors.invalid(param, f"Invalid type for '{param}': expected a file.", "invalid_type")
    if part.content_type not in KINDS:
        message = f"Invalid file '{param}': unsupported mimetype ('{part.content_type}')."
        raise errors.invalid(param, message, "unsupported_file_mimetype")
    return await part.read()


def _scalar(name: str, text: str) -> Any:
    """What the text of a part means."""
    if name == "stream":
        return {"true": True, "false": False}.get(text, text)
    digits = text.removeprefix("-")
    return int(text) if name in NUMBERS and digits.isascii() and digits.isdigit() else text


def _split(body: dict[str, Any]) -> tuple[dict[str, Any], list[bytes], bytes | None]:
    given = body.pop("images", None)
    if not isinstance(given, list) or not given:
        raise errors.invalid("images", "Missing required parameter: 'images'.", "missing_required_parameter")
    mask = body.pop("mask", None)
    pictures = [_referred(one, f"images[{index}]") for index, one in enumerate(given)]
    return body, pictures, None if mask is None else _referred(mask, "mask")


def _referred(given: Any, param: str) -> bytes:
    if not isinstance(given, dict) or len(given.keys() & {"image_url", "file_id"}) != 1:
        message = f"Invalid '{param}': expected exactly one of 'image_url' and 'file_id'."
        raise errors.invalid(param, message)
    if "file_id" in given:
        raise errors.invalid(param, f"No such File object: {given['file_id']}", "file_not_found")
    data = data_url.read(str(given["image_url"]))
    if data is None:
        raise errors.invalid(param, "Error while downloading the image.", "invalid_image_url")
    return data


async def _guide(desk: Desk, pictures: list[bytes], mask: bytes | None) -> Guide:
    if not pictures:
        raise errors.invalid("image", "Missing required parameter: 'image'.", "missing_required_parameter")
    if len(pictures) > MOST_PICTURES:
        message = f"Invalid 'image': array too long. Expected at most {MOST_PICTURES} images."
        raise errors.invalid("image", message, "array_above_max_length")
    opened = tuple([await _opened(desk, data, "image", MOST_BYTES) for data in pictures])
    if mask is None:
        return Guide(opened)
    over = await _opened(desk, mask, "mask", MOST_MASK_BYTES)
    if over.mode not in ("RGBA", "LA", "PA") and "transparency" not in over.info:
        raise _unusable("mask", "Invalid mask image format - mask image missing alpha channel")
    if over.size != opened[0].size:
        raise _unusable("mask", "Invalid mask image format - mask size does not match image size")
    return Guide(opened, from_transparency(over), strength=1.0)


async def _opened(desk: Desk, data: bytes, param: str, most: int) -> Image.Image:
    if len(data) >= most:
        raise _unusable(param, f"Invalid file '{param}': the file is too large.")
    try:
        return await desk.opened(data)
    except UnreadableError:
        raise _unusable(param, "Invalid image file or mode for image 1.") from None


def _unusable(param: str, message: str) -> Refusal:
    return errors.error(400, "invalid_image_file", errors.USER, message, param)
