"""The sizes an administrator offers beside a profile's own."""

from collections import Counter

import msgspec
import protovalidate
from inkweld.config.v1 import settings_pb2 as pb


class _Size(msgspec.Struct):
    """One as Inkweld writes it."""

    id: str
    name: str
    width: int
    height: int
    description: str = ""


def problem(sizes: pb.CustomSizes) -> str | None:
    """What is wrong with a list of sizes beyond its fields' own rules."""
    twice = [id for id, count in Counter(size.id for size in sizes.sizes).items() if count > 1]
    return f"ids must be unique; {', '.join(twice)} came twice" if twice else None


def from_json(text: str) -> pb.CustomSizes | None:
    """The list in an environment variable; None when it is not one."""
    try:
        listed = msgspec.json.decode(text, type=list[_Size])
        sizes = pb.CustomSizes(
            sizes=[
                pb.CustomSize(
                    id=size.id,
                    title=size.name,
                    width=size.width,
                    height=size.height,
                    description=size.description,
                )
                for size in listed
            ]
        )
    except ValueError:  # no such JSON, or a number no pixel count can be
        return None
    return None if problem(sizes) or protovalidate.collect_violations(sizes) else sizes
