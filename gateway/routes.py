"""Path templates of `google.api.http`, and finding the one that a path fits."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

from gateway.errors import Refusal, no_such_path

T = TypeVar("T")

_PIECE = re.compile(r"\{([a-z0-9_.]+)(?:=([^{}]+))?\}|([^/{}:]+)")
_TEMPLATE = re.compile(r"(/(\{[a-z0-9_.]+(=[^{}:]+)?\}|[^/{}:]+))+(:[a-zA-Z]+)?")


@dataclass(frozen=True)
class Template:
    """A path with its custom verb apart; a variable is a field and the span of segments it takes."""

    segments: tuple[str, ...]
    verb: str
    variables: tuple[tuple[str, int, int], ...]

    def bind(self, segments: list[str]) -> dict[str, str]:
        """The fields that a fitting path sets."""
        return {field: "/".join(segments[start:end]) for field, start, end in self.variables}


def parse(text: str) -> Template:
    """Read a template such as `/v1/{name=projects/*/images/*}:download`."""
    if not _TEMPLATE.fullmatch(text) or "**" in text:
        raise ValueError(f"{text} is not a path template this gateway knows")
    path, _, verb = text.rpartition(":") if text.rfind(":") > text.rfind("/") else (text, "", "")
    segments: list[str] = []
    variables = []
    for field, pattern, literal in _PIECE.findall(path):
        start = len(segments)
        segments += [literal] if literal else (pattern or "*").split("/")
        if field:
            variables.append((field, start, len(segments)))
    return Template(tuple(segments), verb, tuple(variables))


class Table(Generic[T]):
    """Finds what is at an address. Literal segments win over `*`, which takes one segment without a colon."""

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        self._shapes: dict[tuple[int, str], dict[tuple[str, ...], dict[str, tuple[Template, T]]]] = {}
        for verb, text, target in entries:
            template = parse(text)
            shapes = self._shapes.setdefault((len(template.segments), template.verb), {})
            verbs = shapes.setdefault(template.segments, {})
            if verb in verbs:
                raise ValueError(f"two methods share {verb} {text}")
            verbs[verb] = (template, target)
        for key, shapes in self._shapes.items():
            self._shapes[key] = dict(sorted(shapes.items(), key=lambda shape: shape[0].count("*")))

    def find(self, verb: str, raw_path: str) -> tuple[T, dict[str, str]]:
        """The target and the fields in the path. Raises what HTTP answers when there is none."""
        segments, custom = _split(raw_path)
        for shape, verbs in self._shapes.get((len(segments), custom), {}).items():
            if _fits(shape, segments):
                return _pick(verbs, verb, segments)
        raise no_such_path()


def _split(raw_path: str) -> tuple[list[str], str]:
    path, custom = raw_path, ""
    if raw_path.rfind(":") > raw_path.rfind("/"):
        path, _, custom = raw_path.rpartition(":")
    try:
        segments = [unquote(part, errors="strict") for part in path.removeprefix("/").split("/")]
    except UnicodeDecodeError:
        raise no_such_path() from None
    return segments, custom


def _fits(shape: tuple[str, ...], segments: list[str]) -> bool:
    return all(
        piece == segment or (piece == "*" and segment != "" and not _odd(segment))
        for piece, segment in zip(shape, segments, strict=True)
    )


def _odd(segment: str) -> bool:
    # A colon would be a custom verb, a decoded slash another resource.
    return ":" in segment or "/" in segment


def _pick(
    verbs: Mapping[str, tuple[Template, T]], verb: str, segments: list[str]
) -> tuple[T, dict[str, str]]:
    # A HEAD is a GET whose body stays here.
    found = verbs.get("GET" if verb == "HEAD" else verb)
    if found is None:
        allow = ", ".join(sorted({*verbs, "HEAD"} if "GET" in verbs else verbs))
        raise Refusal(405, "method", "This address does not take that method.", {"allow": allow})
    template, target = found
    return target, template.bind(segments)
