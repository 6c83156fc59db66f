"""The prompt as sent: the writer's words first, then the elements of the world, by role.

The writer's words are never cut. Elements share what room there is: first each has its name, then what it
does in this picture, then what it looks like. What there is no room for is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inkweld.generation.v1.generations_pb2 import Adaptation, Element, PromptPart

from services.generation.prompt import manner, room
from services.generation.prompt.manner import Clause, Manner

_ROLES = (Element.SUBJECT, Element.SETTING, Element.STYLE)
_MOST_NAMED = 8


class Compiled(NamedTuple):
    """The prompt in parts, and what there was no room for."""

    parts: Sequence[PromptPart]
    adaptations: Sequence[Adaptation] = ()

    @property
    def text(self) -> str:
        """The prompt."""
        return "".join(part.text for part in self.parts)


@dataclass
class _Told:
    """An element as far as it is told."""

    element: Element
    name: str
    part: str
    clauses: Sequence[Clause]
    kept: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def compiled(
    words: str, elements: Sequence[Element], *, family: str, limit: int, budget: int | None = None
) -> Compiled:
    """Puts words and elements together within `limit` characters, the elements within `budget`.

    The same input gives the same text.
    """
    speech = manner.of(family)
    opening = speech.opening(words)
    left = limit - len(words) - len(opening)
    told = [_told(speech, element) for element in _by_role(elements)]
    present = _fit(speech, told, left if budget is None else min(left, budget))
    parts = [PromptPart(text=words)]
    for place, one in enumerate(present):
        parts.append(PromptPart(text=speech.between if place else opening))
        parts.append(PromptPart(text=_text(speech, one), element=one.element.name))
    return Compiled(parts, [_adaptation(one) for one in told if one.missing])


def _by_role(elements: Sequence[Element]) -> Sequence[Element]:
    places = {role: place for place, role in enumerate(_ROLES)}
    return sorted(elements, key=lambda element: places.get(element.role, len(places)))


def _told(speech: Manner, element: Element) -> _Told:
    return _Told(element, speech.name(element), speech.part(element), [*speech.clauses(element)])


def _fit(speech: Manner, told: Sequence[_Told], length: int) -> Sequence[_Told]:
    """Shortens elements until they fit together; gives those of which anything is left."""
    present: list[_Told] = []
    for one in told:
        needed = len(one.name) + len(speech.end) + len(speech.between) * bool(present)
        if needed <= length:
            present.append(one)
            length -= needed
        else:
            one.missing.append("")
    for one, share in zip(present, room.shares([len(one.part) for one in present], length), strict=True):
        _shorten_part(one, share)
        length -= len(one.part)
    for one, share in zip(present, room.shares([_wish(speech, one) for one in present], length), strict=True):
        _choose_clauses(speech, one, share)
    return present


def _wish(speech: Manner, one: _Told) -> int:
    return sum(_around(speech) + len(clause.text) for clause in one.clauses)


def _around(speech: Manner) -> int:
    return len(speech.join) + len(speech.end)


def _shorten_part(one: _Told, length: int) -> None:
    kept = room.start(one.part, length)
    if kept != one.part:
        one.missing.append("part in this picture")
    one.part = kept


def _choose_clauses(speech: Manner, one: _Told, length: int) -> None:
    for clause in one.clauses:
        kept = room.start(clause.text, length - _around(speech))
        if kept != clause.text:
            one.missing.append(clause.about)
        if kept:
            one.kept.append(kept)
            length -= _around(speech) + len(kept)


def _text(speech: Manner, one: _Told) -> str:
    told = (f"{one.name}{one.part}", *one.kept)
    return speech.join.join(text if text.endswith(room.STOPS) else f"{text}{speech.end}" for text in told)


def _adaptation(one: _Told) -> Adaptation:
    asked = one.element.name
    if "" in one.missing:
        why = "The model's prompt has no room for it."
        return Adaptation(field="elements", asked=asked, why=why)
    named = one.missing[:_MOST_NAMED]
    more = [f"{len(one.missing) - _MOST_NAMED} more"] if len(one.missing) > _MOST_NAMED else []
    why = f"The model's prompt has no room for all of its {', '.join([*named, *more])}."
    return Adaptation(field="elements", asked=asked, sent="shortened", why=why)
