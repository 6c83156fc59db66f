"""Pages of lists: a token holds the sort keys of the last row, so that pages neither skip nor repeat."""

import base64
from datetime import datetime

import msgspec

from runtime.failure import invalid

DEFAULT_SIZE = 50


def size(page_size: int) -> int:
    """How many rows a page has; zero asks for the default."""
    return page_size or DEFAULT_SIZE


def encode(*keys: str | float | datetime) -> str:
    """The token of the page after the row with these sort keys."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def decode(token: str, *types: type) -> tuple | None:  # type: ignore[type-arg]
    """The sort keys in a token; None for the first page. Raises FIELD_INVALID for a token not ours."""
    if not token:
        return None
    try:
        keys = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return msgspec.json.decode(keys, type=tuple[types])  # type: ignore[valid-type]
    except (ValueError, msgspec.MsgspecError) as error:
        raise invalid({"page_token": "must be the next_page_token of a page before"}) from error
