"""What the sandbox was asked, and what it would have charged.

A charge is on the disk before the first byte of the answer leaves, so the file can bear witness against
whoever claims not to have bought anything. Prompts and keys are in it only as hashes.
"""

import asyncio
import hashlib
import os
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

ASKED_KEPT = 20_000


class Outcome(StrEnum):
    """What became of work that was paid for."""

    ANSWERED = "answered"
    WITHHELD = "withheld"
    CANCELLED = "cancelled"


@dataclass
class Call:
    """One call of a client, as far as it got."""

    number: int
    time: str
    dialect: str
    method: str
    path: str
    attempt: str
    key: str
    model: str = ""
    count: int = 0
    prompt: str = ""
    handle: str = ""
    act: dict[str, Any] | None = None
    status: int | None = None


class Ledger:
    """The calls of this process in memory; the charges of all time in a file, if there is one."""

    def __init__(self, path: Path | None) -> None:
        self.asked: deque[Call] = deque(maxlen=ASKED_KEPT)
        self.billed: list[dict[str, Any]] = []
        self._calls = 0
        self._waiting: list[dict[str, Any]] = []
        self._turn = asyncio.Lock()
        self._file = _open(path, self.billed) if path else None

    def ask(self, dialect: str, method: str, path: str, *, attempt: str, key: str) -> Call:
        self._calls += 1
        call = Call(self._calls, now(), dialect, method, path, attempt, fingerprint(key))
        self.asked.append(call)
        return call

    async def bill(self, call: Call, price: str, outcome: Outcome) -> None:
        """Note a charge; when this returns it survives a power cut."""
        self._waiting.append(
            {
                "time": now(),
                "dialect": call.dialect,
                "model": call.model,
                "count": call.count,
                "price": price,
                "attempt": call.attempt,
                "handle": call.handle,
                "key": call.key,
                "prompt": call.prompt,
                "outcome": outcome.value,
            }
        )
        async with self._turn:
            # One sync carries all charges that came while the last one was under way.
            batch, self._waiting = self._waiting, []
            if batch:
                await asyncio.to_thread(self._write, batch)
                self.billed += batch

    def _write(self, batch: list[dict[str, Any]]) -> None:
        if self._file is not None:
            os.write(self._file, b"".join(orjson.dumps(row) + b"\n" for row in batch))
            os.fsync(self._file)

    def report(self) -> dict[str, Any]:
        return {"asked": [asdict(call) for call in self.asked], "billed": self.billed}

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _open(path: Path, billed: list[dict[str, Any]]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_bytes() if path.exists() else b""
    whole, _, torn = text.rpartition(b"\n")
    billed += [orjson.loads(line) for line in whole.splitlines()]
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    if torn:
        # A kill in the middle of a write left half a line that nobody was answered for.
        os.ftruncate(file, len(text) - len(torn))
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return file


def fingerprint(secret: str) -> str:
    """Enough of a hash to recognise a key, too little to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12] if secret else ""


def hashed(prompt: str) -> str:
    return hashlib.sha256(prompt.encode()).hexdigest()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
