"""Cloudflare Workers AI: one call, one picture; the account and the model are in the address.

What the answer looks like differs from model to model, so its bytes decide. Most models take JSON; the
catalogue says which want a form.
"""

import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import msgspec
import pybase64
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Endpoint, Refusal, Reply
from services.generation.providers import PRICE_SCHEMA, Event, Finished, Image, Listed, Task

KIND = "workersai"
TITLE = "Cloudflare Workers AI"
REQUIRES = ("key", "account_id")
DEFAULT_ENDPOINT = "https://api.cloudflare.com/client/v4"
AUTHORIZATION = "Bearer {key}"

CONFIG_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "steps": {"type": "integer", "minimum": 1, "maximum": 100},
        # Whatever else the model takes, under its own names.
        "input": {
            "type": "object",
            "maxProperties": 50,
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        },
        "price_per_image": PRICE_SCHEMA,
    },
}

PAGE = 100
MOST_PAGES = 10

# How the pictures of all models begin.
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")

# The documented codes whose status says too little.
_BY_CODE: Mapping[int, ErrorReason] = MappingProxyType(
    {
        3036: ErrorReason.PROVIDER_UNPAID,  # the day's free allocation is used up
        3040: ErrorReason.PROVIDER_UNAVAILABLE,  # out of capacity
        3042: ErrorReason.MODEL_UNKNOWN,
        5007: ErrorReason.MODEL_UNKNOWN,
        # Not documented: what the safety rules answer.
        3030: ErrorReason.CONTENT_REFUSED,
        7003: ErrorReason.KEY_REJECTED,  # of the whole API: no such account
    }
)


class Result(msgspec.Struct):
    """What was drawn."""

    image: msgspec.Raw = msgspec.Raw(b"null")


class Answer(msgspec.Struct):
    """The picture, in one of two places."""

    image: msgspec.Raw = msgspec.Raw(b"null")
    result: Result | None = None


class Trouble(msgspec.Struct):
    """An error."""

    code: int = 0


class Named(msgspec.Struct):
    """A model."""

    name: str


class Models(msgspec.Struct):
    """A page of models."""

    result: list[Named]


class Wrong(msgspec.Struct):
    """An error body."""

    errors: list[Trouble] = []


async def check(api: Endpoint) -> None:
    """Asks for the models, which needs the token and the account to be right."""
    await api.get(f"{_account(api)}/models/search?task=Text-to-Image&per_page=1")


async def models(api: Endpoint) -> Sequence[Listed]:
    """Those that draw."""
    listed: list[Listed] = []
    for page in range(1, MOST_PAGES + 1):
        path = f"{_account(api)}/models/search?task=Text-to-Image&per_page={PAGE}&page={page}"
        told = (await api.get(path)).read(Models).result
        listed += [Listed(named.name) for named in told]
        if len(told) < PAGE:
            break
    return listed


async def generate(task: Task, api: Endpoint) -> AsyncGenerator[Event, None]:
    """Draws one picture."""
    path = f"{_account(api)}/run/{quote(task.model, safe='@/')}"
    if task.form.get("body") == "multipart":
        boundary = secrets.token_hex(16)
        body = b"".join(_parts(task, boundary))
        reply = await api.post(path, body, content_type=f"multipart/form-data; boundary={boundary}")
    else:
        reply = await api.post(path, _input(task))
    yield Image(0, await _picture(reply), task.seed)
    yield Finished(usage={"images": 1}, request_id=reply.headers.get("cf-ray", "")[:100])


def refusal(status: int, body: bytes) -> Refusal | None:
    """By the first code that is known, then by status."""
    try:
        troubles = msgspec.json.decode(body, type=Wrong).errors
    except (msgspec.DecodeError, RecursionError):
        return None
    known = [_BY_CODE[trouble.code] for trouble in troubles if trouble.code in _BY_CODE]
    if known:
        return Refusal(known[0])
    if status == 404:
        return Refusal(ErrorReason.MODEL_UNKNOWN)
    return Refusal(ErrorReason.CALL_REFUSED) if status in (400, 413) else None


def _account(api: Endpoint) -> str:
    return f"/accounts/{quote(api.account, safe='')}/ai"


def _fields(task: Task) -> dict[str, Any]:
    fields: dict[str, Any] = {**task.config.get("input", {}), "prompt": task.prompt}
    if "x" in task.size:
        fields["width"], fields["height"] = task.dimensions
    if task.negative_prompt:
        fields["negative_prompt"] = task.negative_prompt
    if task.seed is not None:
        fields["seed"] = task.seed
    return fields


def _input(task: Task) -> dict[str, Any]:
    fields = _fields(task)
    if "steps" in task.config:
        fields["num_steps"] = task.config["steps"]
    pictures = [pybase64.b64encode_as_string(picture.data) for picture in task.references]
    if len(pictures) == 1:
        fields["image"] = pictures[0]
    elif pictures:
        fields["images"] = pictures
    return fields


def _parts(task: Task, boundary: str) -> Iterator[bytes]:
    """A form. Numbers are text, pictures files that are counted from 0."""
    fields = _fields(task)
    if "steps" in task.config:
        fields["steps"] = task.config["steps"]
    for name, value in fields.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        yield f"--{boundary}\r\n{_disposition(name)}\r\n\r\n{text}\r\n".encode()
    for number, picture in enumerate(task.references):
        file = f'{_disposition(f"input_image_{number}")}; filename="{number}"'
        yield f"--{boundary}\r\n{file}\r\nContent-Type: {picture.content_type}\r\n\r\n".encode()
        yield picture.data
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{quote(name, safe="")}"'


async def _picture(reply: Reply) -> bytes:
    """The picture itself, or JSON with base64 in it; the label is often wrong."""
    if reply.content.startswith(_PICTURES):
        return reply.content
    text = msgspec.Raw(reply.content)
    if not reply.content.lstrip().startswith(b'"'):
        answer = reply.read(Answer)
        text = answer.result.image if answer.result else answer.image
    picture = await reply.decode(text)
    if not picture:
        raise reply.unusable()
    return picture
