"""Resource names and the ids in them."""

import re
import secrets
import time

# Crockford's alphabet in lower case: no letter that reads like a digit, and it sorts as it counts.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """A random id of 26 characters: the first ten tell the millisecond, so ids sort by age."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


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
