"""The prompt as sent: the writer's words first, then the elements of the world, by role.

The writer's words are never cut. Elements share what the model's limit leaves, so that a long one cannot push
the others out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from google.protobuf.struct_pb2 import Struct, Value
from inkweld.generation.v1.generations_pb2 import Element

_ROLES = (
    (Element.SUBJECT, "Subject"),
    (Element.SETTING, "Setting"),
    (Element.STYLE, "Style"),
    (Element.REFERENCE, "Reference"),
)
_BREAK = "\n\n"
# Less of an element than this tells nothing.
_LEAST = 24
# What is known of an element but cannot be seen; much of it is a secret of the story.
_UNSEEN = frozenset(
    {"id", "name", "type", "notes", "secret", "secrets", "fear", "fears", "goal", "goals", "motivation"}
    | {"motivations", "backstory", "history", "biography", "relationships", "spoilers", "plot", "conflict"}
    | {"image", "images", "url", "tags", "created", "updated"}
)


class Compiled(NamedTuple):
    """The prompt, and the names of the elements that had to be shortened or left out."""

    text: str
    shortened: Sequence[str] = ()


def compiled(words: str, elements: Sequence[Element], limit: int) -> Compiled:
    """Puts words and elements together within `limit` characters; the same input gives the same text."""
    ordered = [(title, element) for role, title in _ROLES for element in elements if element.role == role]
    lines = [_line(title, element) for title, element in ordered]
    shares = _shares([len(line) + 1 for line in lines], limit - len(words) - len(_BREAK))
    cut = [_cut(line, share - 1) for line, share in zip(lines, shares, strict=True)]
    pairs = zip(ordered, lines, cut, strict=True)
    shortened = [element.name for (_, element), line, kept in pairs if kept != line]
    kept_lines = "\n".join(kept for kept in cut if kept)
    return Compiled(f"{words}{_BREAK}{kept_lines}" if kept_lines else words, shortened)


def _line(title: str, element: Element) -> str:
    what = f"{element.name} ({element.type})" if element.type else element.name
    does = ", ".join(text for text in (what, _flat(element.role_description)) if text)
    return " ".join(f"{_flat(text).rstrip('.')}." for text in (f"{title}: {does}", *_facts(element.data)))


def _facts(data: Struct) -> Iterator[str]:
    for key in sorted(data.fields):
        name, value = _humanised(key), _said(data.fields[key])
        if value and not key.startswith("_") and not _UNSEEN.intersection(name.lower().split()):
            yield f"{name}: {value}"


def _humanised(key: str) -> str:
    """`eyeColor` and `eye_color` are eye colours."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.\s]+", " ", key).strip().lower()
    return words[:1].upper() + words[1:]


def _said(value: Value) -> str:
    match value.WhichOneof("kind"):
        case "string_value":
            return _flat(value.string_value)
        case "number_value":
            return f"{value.number_value:.15g}"
        case "bool_value":
            return "yes" if value.bool_value else "no"
        case _:  # nothing, or something nested
            return ""


def _flat(text: str) -> str:
    return " ".join(text.split())


def _shares(wanted: Sequence[int], budget: int) -> Sequence[int]:
    """Divides a budget: who wants less than an equal part leaves the rest to the others."""
    shares = [0] * len(wanted)
    left = max(budget, 0)
    by_need = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for place, index in enumerate(by_need):
        shares[index] = min(wanted[index], left // (len(wanted) - place))
        left -= shares[index]
    return shares


def _cut(line: str, length: int) -> str:
    """As much of a line as fits, up to the end of a sentence or word."""
    if len(line) <= length:
        return line
    if length < _LEAST:
        return ""
    start = line[:length]
    ends = (start.rfind(". ") + 1, start.rfind(" "))
    end = ends[0] if ends[0] > length * 2 // 3 else ends[1]
    return start[: max(end, 0)].rstrip(" ,:;")
