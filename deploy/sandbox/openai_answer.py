"""OpenAI's answers: pictures, events, tokens and what they cost."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
from starlette.responses import Response

from deploy.sandbox import events
from deploy.sandbox import openai_errors as errors
from deploy.sandbox.openai_request import Asked
from deploy.sandbox.pieces import Pieces, Text, listed

PARTIAL_TOKENS = 100
# Of a picture to go by, at either fidelity.
INPUT_TOKENS = {"low": 323, "high": 4483}


def usage(asked: Asked, count: int, *, plain: bool) -> dict[str, Any]:
    text, given, made = _tokens(asked, count)
    told: dict[str, Any] = {
        "total_tokens": text + given + made,
        "input_tokens": text + given,
        "output_tokens": made,
        "input_tokens_details": {"text_tokens": text, "image_tokens": given},
    }
    if not plain:
        told["output_tokens_details"] = {"image_tokens": made, "text_tokens": 0}
    return told


def price(asked: Asked) -> str:
    text, given, made = _tokens(asked, asked.n)
    model = asked.model
    millionths = text * model.text_in + given * model.image_in + made * model.image_out
    return str(millionths / Decimal(1_000_000))


def _tokens(asked: Asked, count: int) -> tuple[int, int, int]:
    """Of the words, of the pictures to go by, and of the pictures made."""
    given = len(asked.guide.pictures) * INPUT_TOKENS[asked.fidelity] if asked.guide else 0
    each = asked.model.image_tokens(asked.size, asked.quality) + PARTIAL_TOKENS * asked.partials
    return max(1, len(asked.prompt) // 4), given, each * count


def whole(asked: Asked, pictures: Sequence[Text], told: dict[str, Any], url: str) -> Response:
    """`url` is where some hosts that speak this protocol say the pictures are."""
    head, tail = orjson.dumps(asked.chosen())[:-1], orjson.dumps({"usage": told})[1:]
    if url:
        pictures = [(url.encode(),) for _ in pictures]
    data = listed(pictures, b'{"url":"' if url else b'{"b64_json":"', b'"}')
    return Pieces((head, b',"data":[', *data, b"],", tail), errors.headers())


def event(kind: str, asked: Asked, picture: Text, **more: Any) -> bytes:
    chosen = asked.chosen()
    created = chosen.pop("created")
    name = "image_edit" if asked.guide else "image_generation"
    document = {"type": f"{name}.{kind}", "created_at": created, **chosen, **more}
    return events.frame(document, picture, named=True)


def failure() -> bytes:
    said = errors.refuse("server_error", 500).body
    return b"event: error\ndata: " + orjson.dumps({"type": "error", **said}) + b"\n\n"
