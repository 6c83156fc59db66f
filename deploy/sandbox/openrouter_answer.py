"""OpenRouter's answers: a list of pictures, a stream, a message with pictures in it."""

import time
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from deploy.sandbox import data_url, events
from deploy.sandbox.events import Events
from deploy.sandbox.openrouter_request import Asked
from deploy.sandbox.pieces import Pieces, Text, listed
from deploy.sandbox.scripts import Act

# Keeps the connection open while a provider works.
PROCESSING = b": OPENROUTER PROCESSING\n\n"


def usage(asked: Asked, count: int) -> dict[str, Any]:
    words = max(1, len(asked.prompt) // 4)
    made = asked.model.tokens(asked.quality) * count
    cost = float(asked.price / asked.count * count)
    return {
        "prompt_tokens": words,
        "completion_tokens": made,
        "total_tokens": words + made,
        "completion_tokens_details": {"image_tokens": made, "reasoning_tokens": 0},
        "cost": cost,
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": 0,
            "upstream_inference_completions_cost": cost,
        },
        "is_byok": False,
    }


def whole(asked: Asked, pictures: Sequence[Text], number: str) -> Response:
    kind = f'","media_type":"image/{asked.form.name}"}}'.encode()
    data = listed(pictures, b'{"b64_json":"', kind)
    head, tail = _created(), orjson.dumps({"usage": usage(asked, len(pictures))})[1:]
    return Pieces((head, b',"data":[', *data, b"],", tail), {"x-generation-id": number})


def stream(asked: Asked, pictures: list[Text], partials: list[Text], number: str, act: Act) -> Response:
    frames = [PROCESSING]
    for index, picture in enumerate(partials):
        told = {"type": "image_generation.partial_image", "partial_image_index": index}
        frames.append(events.frame(told, picture, named=False))
    if act.stream_error:
        said = {"code": "server_error", "message": "Provider returned error"}
        frames.append(_data({"type": "error", "error": said}))
        pictures = []
    for picture in pictures:
        told = {
            "type": "image_generation.completed",
            "created": int(time.time()),
            "media_type": f"image/{asked.form.name}",
            "usage": usage(asked, 1),
        }
        frames.append(events.frame(told, picture, named=False))
    return Events([*frames, events.DONE], 0, {"x-generation-id": number})


def words(number: str, text: str) -> dict[str, Any]:
    """An answer by chat without any picture."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "native_finish_reason": "STOP", "message": message}
    return {
        "id": number,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "sandbox",
        "system_fingerprint": None,
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0},
    }


def chat(asked: Asked, pictures: Sequence[Text], number: str, act: Act) -> Response:
    said = words(number, "") | {"model": asked.model.id, "usage": usage(asked, len(pictures))}
    kind = asked.form.name
    urls = [data_url.write(kind, picture).decode() for picture in pictures]
    images = [
        {"type": "image_url", "index": index, "image_url": {"url": url}} for index, url in enumerate(urls)
    ]
    if not asked.stream:
        said["choices"][0]["message"]["images"] = images
        return Response(orjson.dumps(said), media_type="application/json")
    head = {name: said[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    frames = [PROCESSING]
    for delta, finish in (({"role": "assistant", "content": "", "images": images}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        frames.append(_data(head | {"choices": [choice]}))
    if act.stream_error:
        trouble = {"code": 502, "message": "Provider returned error"}
        frames[1:] = [_data(head | {"error": trouble, "choices": []})]
    frames.append(_data(head | {"choices": [], "usage": said["usage"]}))
    return Events([*frames, events.DONE], 0, {})


def _created() -> bytes:
    return orjson.dumps({"created": int(time.time())})[:-1]


def _data(document: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
