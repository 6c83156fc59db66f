"""Pages of lists: a token holds the sort keys of the last row, so that pages neither skip nor repeat."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from google.protobuf.message import Message

from runtime.failure import invalid

DEFAULT_SIZE = 50
# Half of what a message may have: the rest of the answer and JSON in its place fit as well.
MAX_BYTES = 512 << 10

Item = TypeVar("Item", bound=Message)


def size(page_size: int) -> int:
    """How many rows a page has; zero asks for the default."""
    return page_size or DEFAULT_SIZE


def cut(found: Sequence[Item], size: int) -> tuple[Sequence[Item], bool]:
    """As many as one answer holds, one at least and `size` at most, and whether some are left over."""
    held = 0
    for count, item in enumerate(found[:size]):
        held += item.ByteSize()
        if count and held > MAX_BYTES:
            return found[:count], True
    return found[:size], len(found) > size


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
