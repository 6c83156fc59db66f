"""The manners of speaking to models: sentences for those that read prose, tags for the others."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from inkweld.generation.v1.generations_pb2 import Element

from services.generation.prompt import words
from services.generation.prompt.room import STOPS
from services.generation.prompt.visible import Fact, facts

_TITLES = {Element.SUBJECT: "Subject", Element.SETTING: "Setting", Element.STYLE: "Style"}
_BEFORE = {Element.SETTING: "in ", Element.STYLE: "in the style of ", Element.REFERENCE: "based on "}


class Clause(NamedTuple):
    """Something told of an element, and what it is called when there is no room for it."""

    about: str
    text: str


class Manner(Protocol):
    """How an element is told."""

    between: str  # elements
    end: str  # of what is told, where it has none
    join: str  # of clauses

    def opening(self, prompt: str) -> str: ...  # what follows the writer's words
    def name(self, element: Element) -> str: ...
    def part(self, element: Element) -> str: ...  # what it does here; follows the name
    def clauses(self, element: Element) -> Iterator[Clause]: ...  # what it looks like, what tells most first


class Prose:
    """Lines of sentences: `Subject: Tamsin Vale (character), facing us. Eye color: grey.` is one."""

    between = "\n"
    end = "."
    join = " "

    def opening(self, prompt: str) -> str:  # noqa: ARG002
        return "\n\n"

    def name(self, element: Element) -> str:
        what = f"{flat(element.name)} ({flat(element.type)})" if flat(element.type) else flat(element.name)
        return f"{_TITLES.get(element.role, 'Reference')}: {what}"

    def part(self, element: Element) -> str:
        told = _unstopped(element.role_description)
        return f", {told}" if told else ""

    def clauses(self, element: Element) -> Iterator[Clause]:
        if told := _unstopped(_description(element)):
            yield Clause("description", _capital(told))
        for label, values in _facts(element):
            yield Clause(label, f"{_capital(label)}: {_unstopped(', '.join(values))}")


class Tags:
    """Tags, commas between them: `Tamsin Vale, character, facing us, grey eyes`."""

    between = ", "
    end = ""
    join = ", "

    def opening(self, prompt: str) -> str:
        return " " if prompt.rstrip()[-1:] in {*STOPS, ",", ";", ":"} else ", "

    def name(self, element: Element) -> str:
        told = f"{_BEFORE.get(element.role, '')}{literal(element.name)}"
        return f"{told}, {literal(element.type)}" if flat(element.type) else told

    def part(self, element: Element) -> str:
        told = _unstopped(literal(element.role_description))
        return f", {told}" if told else ""

    def clauses(self, element: Element) -> Iterator[Clause]:
        if told := _unstopped(literal(_description(element))):
            yield Clause("description", told)
        for label, values in _facts(element):
            if tags := ", ".join(self._tagged(label, values)):
                yield Clause(label, literal(tags))

    def _tagged(self, label: str, values: Sequence[str]) -> Iterator[str]:
        """`eye color`, `grey`: `grey eyes`."""
        first, *others = (tag.strip() for value in values for tag in value.rstrip(".").split(","))
        noun = " ".join(word for word in label.split() if word not in words.MUTE)
        noun = "eyes" if noun == "eye" else noun
        if first in {"yes", "no"}:
            yield label if first == "yes" else f"no {label}"
        elif first.replace(".", "", 1).isdigit():
            yield f"{label} {first}"
        elif not noun or label in words.SILENT or noun in first or len(first.split()) > 3:
            yield first
        else:
            yield f"{first} {noun}"
        yield from (tag for tag in others if tag)


def of(family: str) -> Manner:
    """How to speak to models of a family."""
    return Tags() if family == "tags" else Prose()


def flat(text: str) -> str:
    """One line."""
    return " ".join(text.split())


def literal(text: str) -> str:
    """One line, in which brackets are brackets: where tags are read, they weigh what is between them."""
    return re.sub(r"(?<!\\)([()\[\]])", r"\\\1", flat(text))


def _description(element: Element) -> str:
    return "" if element.omit_description else flat(element.description)


def _facts(element: Element) -> Sequence[Fact]:
    return () if element.omit_data else facts(element.data)


def _unstopped(text: str) -> str:
    return flat(text).rstrip(".,;: ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
