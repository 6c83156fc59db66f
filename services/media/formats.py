"""What a picture is, by its bytes alone: PNG, JPEG or WebP, whole, one frame, within the caps.

Only the structure is walked; pixels are not decoded. That takes microseconds, needs no memory and already
knows width and height, so that a decoder is never handed a bomb.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure

MAX_BYTES = 64 << 20
MAX_PIXELS = 64 << 20
# Its decoder keeps four copies of the picture, and a decoder process has to live with 600 MB.
MAX_WEBP_PIXELS = 32 << 20

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
ALLOWED = (
    f"a whole PNG, JPEG or WebP of one frame, at most {MAX_BYTES >> 20} MiB and {MAX_PIXELS >> 20} megapixels"
    f" (WebP: {MAX_WEBP_PIXELS >> 20})"
)

Reader: TypeAlias = "Callable[[memoryview], tuple[int, int]]"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# In JPEG's coded data 0xFF is followed by 0, by a restart marker, or by another 0xFF as padding.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Start of frame, in all its kinds: baseline, progressive, lossless, arithmetic.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Facts:
    """What is known of a picture once it has been looked at."""

    content_type: str
    width: int
    height: int


class _Broken(Exception):
    """The bytes do not follow their format; the message says how, for people."""


def refused(why: str, field: str = "file") -> Failure:
    """IMAGE_REFUSED, with what is wrong and what is allowed."""
    return Failure(
        ErrorReason.IMAGE_REFUSED, f"The picture was refused: {why}.", fields={field: f"must be {ALLOWED}"}
    )


def inspect(data: memoryview, field: str = "file") -> Facts:
    """What the picture is. Raises IMAGE_REFUSED, which names `field`, unless it is whole and allowed."""
    for content_type, begins, read in _FORMATS:
        if begins(data):
            try:
                width, height = read(data)
            except _Broken as error:
                raise refused(str(error), field) from error
            if width * height > (MAX_WEBP_PIXELS if content_type == WEBP else MAX_PIXELS):
                raise refused(f"{width} by {height} is too many pixels", field)
            return Facts(content_type, width, height)
    raise refused("it is none of the formats we take" if data else "it is empty", field)


def _png(data: memoryview) -> tuple[int, int]:
    size, at, pixels = (0, 0), len(_PNG_SIGNATURE), False
    while True:
        kind, body, at = _png_chunk(data, at)
        if kind == b"IHDR" and len(body) == 13:
            size = _number(body[0:4]), _number(body[4:8])
        elif not all(size):
            raise _Broken("it does not begin with its size")
        elif kind == b"acTL":
            raise _Broken("it is animated")
        elif kind == b"IDAT":
            pixels = True
        elif kind == b"IEND":
            break
    if not pixels:
        raise _Broken("it holds no pixels")
    return size


def _png_chunk(data: memoryview, at: int) -> tuple[bytes, memoryview, int]:
    length, kind = _number(_take(data, at, 4)), bytes(_take(data, at + 4, 4))
    body = _take(data, at + 8, length)
    checksum = _number(_take(data, at + 8 + length, 4))
    # Pixels are most of the bytes. Whoever wants to know that they decode has to decode them.
    if kind != b"IDAT" and zlib.crc32(body, zlib.crc32(kind)) != checksum:
        raise _Broken("a checksum in it is wrong")
    return kind, body, at + 12 + length


def _jpeg(data: memoryview) -> tuple[int, int]:
    size, at, scanned = (0, 0), 2, False
    while True:
        marker, at = _jpeg_marker(data, at)
        if marker == 0xD9:
            break
        length = _number(_take(data, at, 2))
        body = _take(data, at + 2, max(length - 2, 0))
        at += max(length, 2)
        if marker in _JPEG_FRAMES:
            if len(body) < 6:
                raise _Broken("its frame has no size")
            size = _number(body[3:5]), _number(body[1:3])
        elif marker == 0xDA:
            at, scanned = _scan_end(data, at), True
    if not all(size) or not scanned:
        raise _Broken("it holds no pixels")
    return size[0], size[1]


def _jpeg_marker(data: memoryview, at: int) -> tuple[int, int]:
    if _take(data, at, 1)[0] != 0xFF:
        raise _Broken("its segments do not follow one another")
    while (marker := _take(data, at + 1, 1)[0]) == 0xFF:
        at += 1
    return marker, at + 2


def _scan_end(data: memoryview, at: int) -> int:
    found = _JPEG_MARKER.search(data, at)
    if found is None:
        raise _Broken("it is cut off")
    return found.start()


def _webp(data: memoryview) -> tuple[int, int]:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _Broken("it is cut off")
    whole, at, size, pixels = data[:end], 12, (0, 0), False
    while at + 8 <= end:
        kind, length = bytes(whole[at : at + 4]), int.from_bytes(whole[at + 4 : at + 8], "little")
        body = _take(whole, at + 8, length)
        at += 8 + length + length % 2
        if kind in (b"ANIM", b"ANMF") or (kind == b"VP8X" and _take(body, 0, 1)[0] & 0x02):
            raise _Broken("it is animated")
        if kind in _WEBP_SIZES:
            size = size if all(size) else _WEBP_SIZES[kind](_take(body, 0, 10 if kind != b"VP8L" else 5))
            pixels |= kind != b"VP8X"
    if not pixels:
        raise _Broken("it holds no pixels")
    return size


def _webp_canvas(body: memoryview) -> tuple[int, int]:
    return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1


def _webp_lossy(body: memoryview) -> tuple[int, int]:
    if bytes(body[3:6]) != b"\x9d\x01\x2a":
        raise _Broken("its frame has no beginning")
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _webp_lossless(body: memoryview) -> tuple[int, int]:
    if body[0] != 0x2F:
        raise _Broken("its frame has no beginning")
    bits = int.from_bytes(body[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


_WEBP_SIZES: dict[bytes, Reader] = {b"VP8X": _webp_canvas, b"VP8 ": _webp_lossy, b"VP8L": _webp_lossless}

_FORMATS: tuple[tuple[str, Callable[[memoryview], bool], Reader], ...] = (
    (PNG, lambda data: bytes(data[:8]) == _PNG_SIGNATURE, _png),
    (JPEG, lambda data: bytes(data[:3]) == b"\xff\xd8\xff", _jpeg),
    (WEBP, lambda data: bytes(data[:4]) == b"RIFF" and bytes(data[8:12]) == b"WEBP", _webp),
)


def _take(data: memoryview, at: int, length: int) -> memoryview:
    """`length` bytes from `at`. A picture that ends before them is cut off."""
    if at + length > len(data):
        raise _Broken("it is cut off")
    return data[at : at + length]


def _number(data: memoryview) -> int:
    return int.from_bytes(data, "big")
