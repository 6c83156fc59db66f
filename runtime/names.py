"""Resource names and the ids in them."""

import base64
import re
import secrets
import time


def new_id() -> str:
    """A random id of 26 characters: the first nine tell the moment, so ids sort by age."""
    moment = (time.time_ns() // 1_000_000).to_bytes(6)
    # Base 32 with the digits first sorts as it counts; the last byte only fills up the last character.
    return base64.b32hexencode(moment + secrets.token_bytes(10) + b"\0")[:26].decode().lower()


def leaf(name: str) -> str:
    """The last id of a name: `b` of `projects/a/images/b`."""
    return name.rsplit("/", 1)[-1]


def project_of(name: str) -> str:
    """The project a name begins with: `projects/a` of `projects/a/images/b`."""
    return "/".join(name.split("/", 2)[:2])


def slug(title: str) -> str:
    """An id made from a title, with a little randomness so that equal titles do not collide."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    stem = words if words[:1].isalpha() else f"p-{words}".strip("-")
    return f"{stem}-{new_id()[-5:]}"
