"""A small pool of long-lived, limited processes in which foreign pictures are decoded.

A picture that crashes, hangs or eats memory takes its decoder with it and nothing else. Decoders start when
they are first needed and are replaced after so many pictures: nothing a picture left behind lives long.
"""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.media import formats

log = structlog.get_logger()

POOL_SIZE = 2
PICTURES_PER_PROCESS = 200
START_SECONDS = 60.0
# CPU seconds are limited in the decoder; this is for one that does not run at all.
PICTURE_SECONDS = 15.0

_PROGRAM = Path(__file__).with_name("decoder.py")
# What a picture can bring about. Any other end came from outside.
_PICTURES_FAULT = {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGXCPU,
}


class Answer(msgspec.Struct):
    """What a decoder says about a picture; `data` is the copy it made."""

    length: int
    refused: str = ""
    missing: bool = False
    width: int = 0
    height: int = 0
    data: bytes = b""


class Decoders:
    """The pool. `open_decoders` makes one and ends its processes."""

    def __init__(self, size: int = POOL_SIZE) -> None:
        self._free: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()
        self._all = [_Decoder() for _ in range(size)]
        for decoder in self._all:
            self._free.put_nowait(decoder)

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [decoder.process.pid for decoder in self._all if decoder.process]

    async def check(self, source: Path, field: str = "file") -> tuple[int, int]:
        """Decode a picture whole; width and height as shown. Raises IMAGE_REFUSED, which names `field`."""
        answer = await self._ask({"source": str(source)}, field)
        return answer.width, answer.height

    async def shrink(self, source: Path, side: int, field: str = "rendition") -> bytes:
        """A WebP of at most `side` pixels on the longer side. Raises IMAGE_REFUSED, which names `field`."""
        return (await self._ask({"source": str(source), "side": side}, field)).data

    async def copy(self, source: Path, *, kind: str, side: int, most: int) -> Answer:
        """The pixels as `PNG`, `JPEG` or `WEBP`, as large as `side` and `most` bytes allow."""
        return await self._ask({"source": str(source), "copy": kind, "side": side, "most": most}, "name")

    async def mask(self, source: Path, form: str, width: int, height: int) -> Answer:
        """A PNG of what is transparent: `white` there and black elsewhere, or `transparent` too."""
        order = {"source": str(source), "mask": form, "width": width, "height": height}
        return await self._ask(order, "name")

    async def close(self) -> None:
        """End all processes."""
        for decoder in self._all:
            await decoder.end()

    async def _ask(self, order: dict[str, object], field: str) -> Answer:
        decoder = await self._free.get()
        try:
            answer = await decoder.ask(order)
        except _PictureTooMuchError as error:
            raise formats.refused("it takes too much to decode", field) from error
        finally:
            self._free.put_nowait(decoder)
        if answer.missing:
            raise FileNotFoundError("the picture is not there (any more)")
        if answer.refused:
            raise formats.refused(f"it cannot be decoded ({answer.refused})", field)
        return answer


@asynccontextmanager
async def open_decoders(size: int = POOL_SIZE) -> AsyncIterator[Decoders]:
    """A pool whose processes end with the block."""
    decoders = Decoders(size)
    try:
        yield decoders
    finally:
        await decoders.close()


class _PictureTooMuchError(Exception):
    """The decoder did not survive the picture."""


class _Decoder:
    """One place in the pool, with a process in it or not."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self._pictures = 0

    async def ask(self, order: dict[str, object]) -> Answer:
        try:
            process = await self._running()
            async with asyncio.timeout(PICTURE_SECONDS):
                answer = await _exchange(process, order)
        except TimeoutError as error:
            await self.end()
            raise _PictureTooMuchError from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._died() from error
        except BaseException:
            # The caller left in the middle of an answer, which must not become the next one's.
            await self.end()
            raise
        self._pictures += 1
        if self._pictures >= PICTURES_PER_PROCESS:
            await self.end()
        return answer

    async def _running(self) -> Process:
        """A process to ask. One that died while nobody asked it anything is no picture's fault."""
        # uvloop knows of the pipe before the process, and does not let a closed one be written to.
        if self.process and (self.process.stdin is None or self.process.stdin.is_closing()):
            await self._died()
        return self.process or await self._start()

    async def _start(self) -> Process:
        # A session of its own: Ctrl-C in a terminal is for the service, which ends its decoders itself.
        self.process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(_PROGRAM), stdin=PIPE, stdout=PIPE, env={}, start_new_session=True
        )
        self._pictures = 0
        async with asyncio.timeout(START_SECONDS):
            await _read(process)
        return process

    async def _died(self) -> Exception:
        """Why the process is gone: the picture's fault, or someone else's."""
        # It may have died before it could be asked anything.
        code = await self.process.wait() if self.process else 0
        log.warning("decoder.died", code=code)
        await self.end()
        if -code in _PICTURES_FAULT:
            return _PictureTooMuchError()
        return Failure(
            ErrorReason.SERVICE_UNAVAILABLE, "The decoder was stopped. Try again.", service="media"
        )

    async def end(self) -> None:
        """End the process, if there is one."""
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin:
            process.stdin.close()
        # Reads what is left to the end, without which the pipe would stay open.
        await process.communicate()


async def _exchange(process: Process, order: dict[str, object]) -> Answer:
    if process.stdin is None:
        raise ConnectionResetError
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    await process.stdin.drain()
    return await _read(process)


async def _read(process: Process) -> Answer:
    if process.stdout is None:
        raise ConnectionResetError
    line = await process.stdout.readuntil(b"\n")
    answer = msgspec.json.decode(line, type=Answer)
    if answer.length:
        answer.data = await process.stdout.readexactly(answer.length)
    return answer
