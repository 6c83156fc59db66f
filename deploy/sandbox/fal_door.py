"""Who may call fal, where it is, and what it was sent."""

from typing import Any

import orjson
from starlette.requests import Request

from deploy.sandbox import fal_errors as errors
from deploy.sandbox import keys

NAME = "fal"


def authorize(request: Request, *, needed: bool = False, also: str = "") -> None:
    """Public models may be called without a key, but not with a wrong one. `also` is a token that will do."""
    said = request.headers.get("authorization", "")
    if not said and not needed:
        return
    scheme, _, key = said.partition(" ")
    if also and scheme == "Bearer" and key == also:
        return
    if scheme.lower() != "key" or not keys.opens(NAME, key):
        raise errors.refuse("wrong_key", 401)


def origin(request: Request) -> str:
    """Where the caller found us, for the addresses in answers."""
    return f"{request.url.scheme}://{request.url.netloc}"


async def read_object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise errors.wrong([], "JSON decode error", "json_invalid", "…")
    return body
