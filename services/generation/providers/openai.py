"""OpenAI's Images API, and hosts that speak it: one call, one answer with all pictures in it.

Pictures to go by travel as a form, which every host knows. Only OpenAI's JSON carries `moderation` beside
them: so where a profile sets that, and the pictures are not too large for it, they travel as JSON.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
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
    Image,
    Listed,
    Partial,
    Task,
)
from services.generation.providers import Picture as Reference
from services.generation.providers.forms import form

KIND = "openai"
TITLE = "OpenAI"
REQUIRES = ("key",)
DEFAULT_ENDPOINT = "https://api.openai.com/v1"
AUTHORIZATION = "Bearer {key}"

CONFIG_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "quality": {"type": "string", "minLength": 1, "maxLength": 50},
        "output_format": {"enum": ["png", "jpeg", "webp"]},
        "background": {"enum": ["auto", "transparent", "opaque"]},
        "output_compression": {"type": "integer", "minimum": 0, "maximum": 100},
        "moderation": {"enum": ["auto", "low"]},
        "input_fidelity": {"enum": ["low", "high"]},
        "partial_images": {"type": "integer", "minimum": 0, "maximum": 3},
        "user": {"type": "string", "minLength": 1, "maxLength": 200},
        "safety_identifier": {"type": "string", "minLength": 1, "maxLength": 200},
        "style": {"type": "string", "minLength": 1, "maxLength": 50},
        "response_format": {"enum": ["b64_json", "url"]},
        "price_per_image": PRICE_SCHEMA,
    },
}

# The planner has already weighed these against what the writer asked.
_PLANNED = ("quality", "output_format", "background", "price_per_image")
_SENT_ELSEWHERE = ("input_fidelity", "partial_images")
_MOST_URL = 20_971_520  # characters of a picture in JSON
_COMPRESSED = ("jpeg", "webp")
# In the names of models that draw; OpenAI lists all its others too.
_DRAWING = ("image", "dall-e", "flux", "stable-diffusion", "sdxl")

_BY_CODE: Mapping[str, ErrorReason] = MappingProxyType(
    {
        "moderation_blocked": ErrorReason.CONTENT_REFUSED,
        "content_policy_violation": ErrorReason.CONTENT_REFUSED,
        "billing_hard_limit_reached": ErrorReason.PROVIDER_UNPAID,
        "insufficient_quota": ErrorReason.PROVIDER_UNPAID,
        "billing_not_active": ErrorReason.PROVIDER_UNPAID,
        "project_spend_limit_exceeded": ErrorReason.PROVIDER_UNPAID,
        "organization_spend_limit_exceeded": ErrorReason.PROVIDER_UNPAID,
        "organization_usage_limit_exceeded": ErrorReason.PROVIDER_UNPAID,
        "invalid_image_file": ErrorReason.PICTURE_REFUSED,
        "invalid_image": ErrorReason.PICTURE_REFUSED,
        "invalid_image_format": ErrorReason.PICTURE_REFUSED,
        "image_too_large": ErrorReason.PICTURE_REFUSED,
        "model_not_found": ErrorReason.MODEL_UNKNOWN,
        "invalid_api_key": ErrorReason.KEY_REJECTED,
        "rate_limit_exceeded": ErrorReason.PROVIDER_RATE_LIMITED,
        "billing_limit_user_error": ErrorReason.PROVIDER_UNPAID,
        "server_error": ErrorReason.PROVIDER_UNAVAILABLE,
        "image_generation_server_error": ErrorReason.PROVIDER_UNAVAILABLE,
    }
)
# No code tells these; both are good keys.
_FORBIDDEN = ("missing scopes", "must be verified")


# A size or a quality, or what the safety rules saw; a text of the provider's goes nowhere.
_VIOLATIONS = re.compile(r"safety_violations=\[([a-z_/, -]{1,90})\]")
_WORD = re.compile(r"[\w:.-]{1,20}", re.ASCII)


class Picture(msgspec.Struct):
    """A picture in the answer, or where it is."""

    b64_json: msgspec.Raw = msgspec.Raw(b"null")
    url: str | None = None


class TokenDetails(msgspec.Struct):
    """Tokens by what they stood for."""

    text_tokens: int = 0
    image_tokens: int = 0


class Tokens(msgspec.Struct):
    """What was used."""

    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: TokenDetails | None = None
    output_tokens_details: TokenDetails | None = None


class Drawn(msgspec.Struct):
    """The answer. `size` and `quality` are what was chosen."""

    data: Annotated[list[Picture], msgspec.Meta(max_length=100)]
    size: str | None = None
    quality: str | None = None
    usage: Tokens | None = None


class Happening(msgspec.Struct):
    """An event of a streamed answer; or the whole answer, of a host that does not stream."""

    type: str = ""
    b64_json: msgspec.Raw = msgspec.Raw(b"null")
    size: str | None = None
    quality: str | None = None
    usage: Tokens | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


class Moderation(msgspec.Struct):
    """What the safety rules say they saw."""

    moderation_stage: str = ""
    categories: list[str] = []


class Trouble(msgspec.Struct):
    """An error. Hosts differ in what they put where."""

    code: str | int | None = None
    type: str | None = None
    param: str | None = None
    message: str | None = None
    moderation_details: Moderation | None = None


class Named(msgspec.Struct):
    """A model. Ollama says `name`."""

    id: str = ""
    name: str = ""


class Models(msgspec.Struct):
    """The models there are. Ollama says `models`, and null for none."""

    data: list[Named] | None = None
    models: list[Named] | None = None


class Wrong(msgspec.Struct):
    """An error body."""

    error: Trouble


async def check(api: Endpoint) -> None:
    """Asks for the models. A key that may not list them is still a good key."""
    try:
        await api.get("/models")
    except Failure as error:
        if error.reason != ErrorReason.CALL_FORBIDDEN:
            raise


async def models(api: Endpoint) -> Sequence[Listed]:
    """Those that sound like drawing; all of them where none does, as hosts name theirs as they like."""
    told = (await api.get("/models")).read(Models)
    names = [named.id or named.name for named in (*(told.data or ()), *(told.models or ()))]
    drawing = [name for name in names if any(sign in name.lower() for sign in _DRAWING)]
    return [Listed(name) for name in drawing or names if name]


async def generate(task: Task, api: Endpoint) -> AsyncGenerator[Event, None]:
    """Draws all pictures of the task in one call."""
    fields = _input(task)
    path, body, content_type = _edit(task, fields) if task.references else _plain(fields)
    if "stream" in fields:
        async with aclosing(api.stream(path, body, content_type=content_type)) as replies:
            async for event in _streamed(task, replies, api):
                yield event
        return
    async for event in _pictures(task, await api.post(path, body, content_type=content_type), api):
        yield event


async def _pictures(task: Task, reply: Reply, api: Endpoint) -> AsyncGenerator[Event, None]:
    drawn = reply.read(Drawn)
    if not drawn.data:
        raise reply.unusable()
    for index, picture in enumerate(drawn.data):
        yield Image(index, await _bytes(picture, reply, api))
    yield Finished(
        usage={"images": len(drawn.data), **_tokens(drawn.usage)},
        adaptations=_chosen(task, drawn.size, drawn.quality),
        request_id=_request_id(reply),
    )


async def _streamed(
    task: Task, replies: AsyncGenerator[Reply, None], api: Endpoint
) -> AsyncGenerator[Event, None]:
    """Fewer partial pictures than asked for may come, even none."""
    drawing = False
    async for reply in replies:
        happening = reply.read(Happening)
        if happening.type.endswith(".partial_image"):
            drawing = True
            yield Partial(0, await reply.decode(happening.b64_json))
        elif happening.type.endswith(".completed"):
            yield Image(0, await reply.decode(happening.b64_json))
            yield Finished(
                usage={"images": 1, **_tokens(happening.usage)},
                adaptations=_chosen(task, happening.size, happening.quality),
                request_id=_request_id(reply),
            )
            return
        elif bytes(happening.error) != b"null" or happening.type == "error":
            raise _broken_off(reply, drawing=drawing)
        elif not happening.type:
            async for event in _pictures(task, reply, api):
                yield event
            return
    raise api.lost()


def _broken_off(reply: Reply, *, drawing: bool) -> Failure:
    """An error after a good status. When something was drawn already, it does not prove that nothing was."""
    failure = reply.refused(500)
    if drawing and failure.reason == ErrorReason.PROVIDER_UNAVAILABLE:
        return reply.failure(ErrorReason.ANSWER_LOST)
    return failure


def refusal(status: int, body: bytes) -> Refusal | None:
    """By code, then type; by the sentence only where nothing else tells."""
    try:
        trouble = msgspec.json.decode(body, type=Wrong).error
    except (msgspec.DecodeError, RecursionError):
        return None
    if status in (401, 403) and any(sign in (trouble.message or "").lower() for sign in _FORBIDDEN):
        return Refusal(ErrorReason.CALL_FORBIDDEN)
    for code in (str(trouble.code), str(trouble.type)):
        if code in _BY_CODE:
            return Refusal(_BY_CODE[code], _details(trouble))
    return Refusal(ErrorReason.CALL_REFUSED, _details(trouble)) if status == 400 else None


def _input(task: Task) -> dict[str, Any]:
    asked = {
        "size": task.size,
        "quality": task.quality,
        "background": task.background,
        "output_format": task.output_format,
    }
    config = {key: value for key, value in task.config.items() if key not in (*_PLANNED, *_SENT_ELSEWHERE)}
    if task.output_format not in _COMPRESSED:
        config.pop("output_compression", None)  # an error beside png
    chosen = {key: value for key, value in asked.items() if value}
    if (
        "partial_images" in task.config and task.count == 1
    ):  # of several, nothing says which one a partial is of
        config |= {"stream": True, "partial_images": task.config["partial_images"]}
    if task.references and (fidelity := _fidelity(task)):
        config["input_fidelity"] = fidelity
    return {**config, "model": task.model, "prompt": task.prompt, "n": task.count, **chosen}


def _plain(fields: Mapping[str, object]) -> tuple[str, bytes, str]:
    return "/images/generations", msgspec.json.encode(fields), "application/json"


def _edit(task: Task, fields: Mapping[str, object]) -> tuple[str, bytes, str]:
    pictures = [*task.references, *([task.mask] if task.mask else ())]
    if "moderation" in fields and _fits_json(task):
        urls = [{"image_url": _data_url(picture)} for picture in pictures]
        mask = {"mask": urls.pop()} if task.mask else {}
        body = msgspec.json.encode({**fields, "images": urls, **mask})
        return "/images/edits", body, "application/json"
    name = "image" if len(task.references) == 1 else "image[]"
    files = [(name, picture) for picture in task.references]
    if task.mask:
        files.append(("mask", task.mask))
    known = {key: value for key, value in fields.items() if key != "moderation"}
    return "/images/edits", *form(known, files)


def _fits_json(task: Task) -> bool:
    return all(len(picture.data) * 4 // 3 + 100 <= _MOST_URL for picture in task.references)


def _data_url(picture: Reference) -> str:
    return f"data:{picture.content_type};base64,{pybase64.b64encode(picture.data).decode()}"


def _fidelity(task: Task) -> str:
    """What the profile asks for, where the model may be asked: some refuse the very word."""
    wish, takes = str(task.config.get("input_fidelity", "")), task.form.get("fidelity", "")
    return wish if takes in ("both", wish) else ""


async def _bytes(picture: Picture, reply: Reply, api: Endpoint) -> bytes:
    if picture.url:
        return await api.fetch(picture.url)
    return await reply.decode(picture.b64_json)


def _tokens(tokens: Tokens | None) -> Mapping[str, int]:
    """By unit. Output without details is all picture."""
    if tokens is None:
        return {}
    given = tokens.input_tokens_details or TokenDetails(text_tokens=tokens.input_tokens)
    made = tokens.output_tokens_details or TokenDetails(image_tokens=tokens.output_tokens)
    return {
        "text_in": given.text_tokens,
        "image_in": given.image_tokens,
        "text_out": made.text_tokens,
        "image_out": made.image_tokens,
    }


def _request_id(reply: Reply) -> str:
    return reply.headers.get("x-request-id", "")[:100]


def _chosen(task: Task, size: str | None, quality: str | None) -> Sequence[Adaptation]:
    pairs = (("size", task.size, size), ("quality", task.quality, quality))
    return [
        *_unsent(task),
        *(
            Adaptation(
                field, asked, sent, "The model chose." if asked == "auto" else "The provider changed it."
            )
            for field, asked, sent in pairs
            if asked and sent and sent != asked and _WORD.fullmatch(sent)
        ),
    ]


def _unsent(task: Task) -> Iterator[Adaptation]:
    """What of the profile's settings the call could not carry."""
    if not task.references:
        return
    wish = str(task.config.get("input_fidelity", ""))
    if wish and not _fidelity(task):
        yield Adaptation("profile", f"input_fidelity {wish}", "", "The model is not asked how closely.")
    if "moderation" in task.config and not _fits_json(task):
        asked = f"moderation {task.config['moderation']}"
        yield Adaptation("profile", asked, "", "With pictures this large it cannot be sent.")


def _details(trouble: Trouble) -> Mapping[str, str]:
    details = {"parameter": trouble.param or ""}
    # Who has no details tells the categories in the sentence.
    if found := _VIOLATIONS.search(trouble.message or ""):
        details["categories"] = found[1]
    if seen := trouble.moderation_details:
        details |= {"stage": seen.moderation_stage, "categories": ", ".join(sorted(seen.categories))}
    return {key: value for key, value in details.items() if value}
