"""Pictures inside of addresses: `data:image/png;base64,…`."""

import binascii

import pybase64

from deploy.sandbox.pieces import Text


def read(url: str) -> bytes | None:
    """The bytes in the address; None when it has none."""
    head, comma, text = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return plain(text)


def plain(text: str) -> bytes | None:
    """The bytes of bare base64; None when it is not."""
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def write(kind: str, text: Text) -> bytes:
    return b"".join((b"data:image/", kind.encode(), b";base64,", *text))
