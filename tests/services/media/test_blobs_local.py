import asyncio
import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.media.blobs import Blobs
from services.media.blobs_local import LocalBlobs, open_local
from tests.services.media import writer

ROUNDS = 12


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[LocalBlobs]:
    async with open_local(tmp_path / "blobs") as opened:
        yield opened


def length(_: bytes, data: memoryview) -> int:
    return len(data)


async def stored(blobs: Blobs, data: bytes, *, piece: int = 100_000) -> bytes:
    async with blobs.receive() as incoming:
        for at in range(0, len(data), piece):
            await incoming.write(data[at : at + piece])
        sha256, _ = await incoming.store(length)
    return sha256


async def content(blobs: Blobs, sha256: bytes, offset: int = 0, length: int = 1 << 40) -> bytes:
    return b"".join([piece async for piece in blobs.read(sha256, offset, length)])


def names(root: Path) -> Iterator[Path]:
    """All files but temporary ones."""
    return (path for path in root.rglob("*") if path.is_file() and path.parent.name != "tmp")


def damaged(root: Path) -> list[Path]:
    """Files that are not what their name says."""
    return [path for path in names(root) if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]


async def test_bytes_are_stored_under_their_hash_as_received(blobs: LocalBlobs, tmp_path: Path) -> None:
    data = os.urandom(2_300_001)

    sha256 = await stored(blobs, data)

    assert sha256 == hashlib.sha256(data).digest()
    assert await content(blobs, sha256, length=len(data)) == data
    assert await content(blobs, sha256, 1_200_000, 7) == data[1_200_000:1_200_007]
    name = sha256.hex()
    assert list(names(tmp_path)) == [tmp_path / "blobs" / name[:2] / name[2:4] / name]


async def test_the_same_bytes_are_stored_once(blobs: LocalBlobs, tmp_path: Path) -> None:
    data = os.urandom(700_000)

    hashes = await asyncio.gather(*(stored(blobs, data) for _ in range(8)))

    assert len(set(hashes)) == 1
    assert len(list(names(tmp_path))) == 1


async def test_what_is_not_published_leaves_nothing(blobs: LocalBlobs, tmp_path: Path) -> None:
    async with blobs.receive() as incoming:
        await incoming.write(bytes(2_000_000))
        sha256, _ = await incoming.seal(length)

    assert not await blobs.holds(sha256)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_writer_that_is_cancelled_leaves_nothing(blobs: LocalBlobs, tmp_path: Path) -> None:
    for wait in (0.0, 0.001, 0.003, 0.01, 0.03):
        writing = asyncio.create_task(stored(blobs, os.urandom(8_000_000), piece=1_000_000))
        await asyncio.sleep(wait)
        writing.cancel()
        await asyncio.wait((writing,))

    assert list((tmp_path / "blobs" / "tmp").iterdir()) == []
    assert damaged(tmp_path) == []


async def test_a_removed_blob_can_come_again(blobs: LocalBlobs) -> None:
    sha256 = await stored(blobs, b"again")

    await blobs.remove(sha256)
    await blobs.remove(sha256)
    gone = not await blobs.holds(sha256)
    await stored(blobs, b"again")

    assert gone
    assert await content(blobs, sha256, length=5) == b"again"


async def test_a_blob_shorter_than_its_row_says_is_noticed(blobs: LocalBlobs) -> None:
    sha256 = await stored(blobs, b"short")

    with pytest.raises(FileNotFoundError):
        await content(blobs, sha256, length=6)


async def test_a_full_disk_is_an_answer(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for call in ("write", "fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            with pytest.raises(Failure) as caught:
                await stored(blobs, os.urandom(1_000_000))
        assert caught.value.reason == ErrorReason.STORAGE_FULL
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    assert await stored(blobs, b"and there is room again")


async def test_short_writes_of_the_system_lose_nothing(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:1000]))
    data = os.urandom(50_500)

    sha256 = await stored(blobs, data)

    assert await content(blobs, sha256, length=len(data)) == data


async def test_bytes_are_synced_before_their_name_and_the_name_before_the_answer(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = recorded_calls(monkeypatch, tmp_path / "blobs")

    name = (await stored(blobs, os.urandom(2_000_000))).hex()

    outer, inner = name[:2], f"{name[:2]}/{name[2:4]}"
    assert calls == [
        "write",
        "sync tmp/*",
        f"mkdir {outer}",
        "sync .",
        f"mkdir {inner}",
        f"sync {outer}",
        f"link {inner}/{name}",
        f"sync {inner}",
        "unlink tmp/*",
    ]


async def test_a_blob_found_there_is_synced_all_the_same(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = (await stored(blobs, b"twice")).hex()
    calls = recorded_calls(monkeypatch, tmp_path / "blobs")

    await stored(blobs, b"twice")

    assert calls[-2:] == [f"sync {name[:2]}/{name[2:4]}", "unlink tmp/*"]


def recorded_calls(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[str]:
    """What the system is asked from now on, in order; each call is still made."""
    calls: list[str] = []

    def relative(path: str | Path) -> str:
        short = os.path.relpath(path, root)
        return "tmp/*" if short.startswith("tmp/") else short

    def note(call: str, describe: Callable[..., str]) -> None:
        real = getattr(os, call)

        def noting(*args: Any, **kwargs: Any) -> Any:
            if (line := describe(*args)) and line not in calls[-1:]:
                calls.append(line)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, call, noting)

    def opened(descriptor: int) -> str:
        return relative(Path(f"/proc/self/fd/{descriptor}").readlink())

    note("write", lambda descriptor, _: "write" if opened(descriptor) == "tmp/*" else "")
    note("fsync", lambda descriptor: f"sync {opened(descriptor)}")
    note("mkdir", lambda path, *_: f"mkdir {relative(path)}")
    note("link", lambda _, path: f"link {relative(path)}")
    note("unlink", lambda path: f"unlink {relative(path)}")
    return calls


def test_a_writer_killed_at_any_moment_leaves_no_half_blob_and_loses_none(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    moments = random.Random(seed)
    program = [sys.executable, "-m", writer.__name__, str(tmp_path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        safe = []
        for _ in range(ROUNDS):
            process.stdin.write("\n")
            process.stdin.flush()
            pid = int(next(line for line in process.stdout if line.startswith("pid ")).split()[1])
            safe += [next(process.stdout).strip() for _ in range(moments.randrange(5))]
            time.sleep(moments.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
            for line in process.stdout:
                if line == "dead\n":
                    break
                safe.append(line.strip())

    assert len(safe) > ROUNDS
    assert damaged(tmp_path) == []
    assert set(safe) <= {path.name for path in names(tmp_path)}


def test_the_check_for_damage_sees_a_half_written_blob(tmp_path: Path) -> None:
    data = os.urandom(1000)
    (tmp_path / hashlib.sha256(data).hexdigest()).write_bytes(data[:999])

    assert len(damaged(tmp_path)) == 1


async def test_old_temporary_files_go_and_old_blobs_are_listed(blobs: LocalBlobs, tmp_path: Path) -> None:
    old, new = await stored(blobs, b"old"), await stored(blobs, b"new")
    left = tmp_path / "blobs" / "tmp" / "left-by-a-killed-process"
    left.write_bytes(b"half")
    fresh = tmp_path / "blobs" / "tmp" / "being-written"
    fresh.write_bytes(b"half")
    for path in (left, blobs.path(old)):
        os.utime(path, (1, 1))

    strays = await blobs.strays(3600)

    assert strays == [old]
    assert fresh.exists()
    assert not left.exists()
    assert await blobs.holds(new)
