"""Faults to order: rules that say which call goes wrong, and how.

A rule is `{"match": {...}, "act": {...}, "times": n}`. The first rule that matches and is not used up acts.
Rules without `call` look at paid work only; a rule with `call` looks at every call to that path, before it is
read and before anything is charged.
"""

import random
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec


class Match(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which calls a rule is for; what is left out matches everything."""

    dialect: str = ""
    call: str = ""  # a path such as "/v1/models"; "*" stands for any part of it
    model: str = ""
    prompt: str = ""  # a part of it
    attempt: str = ""  # the header X-Client-Request-Id
    nth: int = 0  # only the n-th call that matches the rest, from 1
    probability: float = 1  # how likely; the dice of a rule start at `seed`
    seed: int = 0


class Act(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What happens to a call. Several can be combined: a delay before a refusal, a slow cut answer."""

    delay_seconds: float = 0  # before anything else happens
    seconds: float | None = None  # drawing time instead of the sandbox's own
    status: int = 0  # refuse with this status: no work, no charge
    refuse: str = ""  # refuse as the real provider does, by name; see REFUSALS of the dialect
    body: Any = None  # of a refusal, instead of the dialect's own
    headers: dict[str, str] = {}  # of any answer, such as a wrong content type
    retry_after: float | None = None
    hang: bool = False  # charge, then never answer
    close: bool = False  # charge, then close the connection without an answer
    reset: bool = False  # the same with a TCP reset
    cut_after: int | None = None  # charge, then close after so many bytes of the answer's body
    garbage: bool = False  # charge, then answer 200 with broken JSON
    bomb_megabytes: int = 0  # charge, then answer a gzip body that grows to so much
    flood_megabytes: int = 0  # charge, then answer so much that means nothing
    drip_seconds: float = 0  # spread each part of the answer over so long
    truncate: Literal["", "base64", "picture"] = ""
    pictures: int | None = None  # so many instead of those ordered; 0 is the empty result
    partials: int | None = None  # so many partial pictures in a stream
    stream_error: bool = False  # an error object in the stream, after 200
    plain_usage: bool = False  # OpenAI: usage without output_tokens_details; fal: no billable units
    info: Literal["", "missing", "unreadable"] = ""  # of the WebUI's answer
    instant: bool = False  # a picture out of the drawer instead of a drawn one
    url: str = ""  # where a result is said to be (fal; OpenAI's hosts instead of base64)
    black: bool = False  # black pictures, flagged where the provider flags them
    text_only: bool = False  # words where a picture should be (OpenRouter's chat)
    # Refuse late: OpenRouter inside an answer of 200, fal as the result of a job that is COMPLETED.
    late: bool = False
    # Of fal's jobs.
    queue: int = 0  # so many before this one; each takes a moment
    cancel: Literal["", "ok", "success", "ignored"] = ""  # other answers to a cancel, or none that helps
    expires_seconds: float | None = None  # result and files are gone so long after the end
    redirect: str = ""  # where the file of a result sends its reader
    # Of Workers AI's answer: the picture itself, or where in the JSON it is.
    answer: Literal["", "raw", "image", "result", "text"] = ""
    sheet: bool = False  # the WebUI's contact sheet before the pictures

    @property
    def refuses(self) -> bool:
        return bool(self.status or self.refuse)

    @property
    def refuses_late(self) -> bool:
        return self.late and self.refuses

    @property
    def withholds(self) -> bool:
        return self.hang or self.close or self.reset or self.cut_after is not None


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    act: Act
    match: Match = Match()
    times: int = 0  # how often it acts; 0 is always


class _Live:
    """A rule and what it has seen."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.seen = 0
        self.acted = 0
        self._dice = random.Random(rule.match.seed)

    def due(self, known: dict[str, str], prompt: str) -> bool:
        match = self.rule.match
        if any(getattr(match, name) not in ("", value) for name, value in known.items()):
            return False
        if match.prompt not in prompt or (self.rule.times and self.acted >= self.rule.times):
            return False
        self.seen += 1
        unlucky = self._dice.random() >= match.probability
        if unlucky or (match.nth and match.nth != self.seen):
            return False
        self.acted += 1
        return True


class Script:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[_Live] = []

    def extend(self, rules: Iterable[Rule]) -> None:
        self._rules += [_Live(rule) for rule in rules]

    def clear(self) -> None:
        self._rules = []

    def at_the_door(self, dialect: str, call: str, attempt: str) -> Act | None:
        """What happens to any call to this path."""
        known = {"dialect": dialect, "attempt": attempt}
        live = (live for live in self._rules if fnmatchcase(call, live.rule.match.call))
        return next((one.rule.act for one in live if one.due(known, "")), None)

    def at_work(self, dialect: str, model: str, prompt: str, attempt: str) -> Act | None:
        """What happens to an accepted order."""
        known = {"dialect": dialect, "model": model, "attempt": attempt}
        live = (live for live in self._rules if not live.rule.match.call)
        return next((one.rule.act for one in live if one.due(known, prompt)), None)

    def state(self) -> list[dict[str, Any]]:
        return [
            {"rule": msgspec.to_builtins(one.rule), "seen": one.seen, "acted": one.acted}
            for one in self._rules
        ]


def read(body: bytes) -> list[Rule]:
    """The rules of a request; `msgspec.MsgspecError` says what is wrong with them."""
    return msgspec.json.decode(body, type=list[Rule])


def read_file(path: Path) -> list[Rule]:
    """The rules of a file in YAML."""
    return msgspec.yaml.decode(path.read_bytes(), type=list[Rule])
