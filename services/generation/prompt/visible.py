"""What of an element's data can be seen in a picture, and may therefore be sent.

A field is told only if every word of its name is known, so a field nobody thought of stays at home. What a
story keeps to itself is never told, whatever else its name says.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import chain
from typing import NamedTuple

from google.protobuf.struct_pb2 import Struct, Value

from services.generation.prompt import words

# Shorter words are too like others: a father is no feather.
_SURE_LENGTH = 8
_SURE = 0.87


class Fact(NamedTuple):
    """Something that can be seen of an element."""

    label: str  # `eye color`
    values: Sequence[str]


def facts(data: Struct) -> Sequence[Fact]:
    """The visible fields, what tells most first; the order of the fields does not matter."""
    told = []
    for path, value in _fields(data):
        if (rank := _rank(path)) is not None and (values := [*_said(value)]):
            told.append((rank, path, Fact(_label(path), values)))
    return [fact for _, _, fact in sorted(told, key=lambda entry: entry[:2])]


def _fields(data: Struct) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Names as paths: `clothing.coat` is a coat within clothing, spelled with a dot or nested."""
    for key, value in data.fields.items():
        if value.WhichOneof("kind") != "struct_value":
            yield tuple(key.split(".")), value
            continue
        for inner, within in value.struct_value.fields.items():
            yield (*key.split("."), *inner.split(".")), within


def _rank(path: Sequence[str]) -> int | None:
    """Where a field is told; None if it is not."""
    if any(step.strip().startswith("_") for step in path):
        return None
    *groups, leaf = ([_meant(word) for word in _words(step)] for step in path)
    around = [*chain(*groups)]
    known = words.RANK.keys() | words.BESIDE
    if not leaf or not known.issuperset(leaf) or not (known | words.GROUPS).issuperset(around):
        return None
    return next((words.RANK[word] for word in (*leaf, *around) if word in words.RANK), None)


def _words(name: str) -> Sequence[str]:
    """`eyeColor`, `eye_color` and `EYE-COLOR` are two words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+", " ", name).lower().split()


@cache
def _meant(word: str) -> str:
    """The word as it is known here, whatever its number and spelling; itself if it is not."""
    known = words.RANK.keys() | words.BESIDE | words.GROUPS | words.PRIVATE
    for form in map(_spelled, (word, word.removesuffix("s"), word.removesuffix("es"))):
        if form in known:
            return form
    if len(word) >= _SURE_LENGTH and (close := get_close_matches(word, sorted(known), 1, _SURE)):
        return close[0]
    for place in range(3, len(word) - 2):  # such as `eyecolor`
        halves = [_spelled(word[:place]), _spelled(word[place:])]
        if words.RANK.keys() >= {*halves}:
            return halves[0]
    return word


def _spelled(word: str) -> str:
    return words.SPELLINGS.get(word, word)


def _label(path: Sequence[str]) -> str:
    *groups, leaf = path
    label = [*_words(leaf)]
    if groups and all(_meant(word) in words.VAGUE for word in label):
        label = [*(word for word in _words(groups[-1]) if _meant(word) in words.RANK), *label]
    if len(label) > 1 and _meant(label[-1]) in {"description", "detail"}:
        label.pop()
    return " ".join(label)


def _said(value: Value) -> Iterator[str]:
    match value.WhichOneof("kind"):
        case "string_value":
            if text := " ".join(value.string_value.split()):
                yield text
        case "number_value":
            yield f"{value.number_value:.15g}"
        case "bool_value":
            yield "yes" if value.bool_value else "no"
        case "list_value":
            for item in value.list_value.values:
                if item.WhichOneof("kind") != "list_value":
                    yield from _said(item)
        case _:  # nothing, or something nested deeper
            return
