"""Pictures for tests, good and hostile, all made here."""

import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image


def noise(width: int, height: int, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """A picture that differs for each seed and does not compress to nothing."""
    small = Image.new("RGB", (4, 4))
    small.putdata([(seed * 37 * i % 256, seed * 91 * i % 256, seed * 13 * i % 256) for i in range(16)])
    return small.resize((width, height)).convert(mode)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    into = BytesIO()
    picture.save(into, kind, **options)
    return into.getvalue()


def png(width: int = 64, height: int = 48, seed: int = 1) -> bytes:
    return encoded(noise(width, height, seed=seed))


def jpeg(width: int = 64, height: int = 48, **options: Any) -> bytes:
    return encoded(noise(width, height), "JPEG", **options)


def webp(width: int = 64, height: int = 48, **options: Any) -> bytes:
    return encoded(noise(width, height), "WEBP", **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@cache
def bomb(width: int, height: int) -> bytes:
    """A small PNG of many pixels, all of them zero."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compressobj(9)
    rows = b"".join(packed.compress(bytes(width + 1)) for _ in range(height)) + packed.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animated(kind: str) -> bytes:
    frames = [noise(16, 16, seed=seed) for seed in range(1, 4)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk before its pixels."""
    whole = png()
    return whole[:33] + chunk(kind, body) + whole[33:]


def pixels_damaged() -> bytes:
    """A PNG whole in its structure, whose pixels do not decode."""
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", b"these are no compressed pixels")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

# Refused by structure alone.
REFUSED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"This is a text that was named portrait.png.\n" * 40,
    "svg": lambda: SVG,
    "gif": lambda: encoded(noise(16, 16, "P"), "GIF"),
    "tiff": lambda: encoded(noise(16, 16), "TIFF"),
    "bmp": lambda: encoded(noise(16, 16), "BMP"),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "bomb": lambda: bomb(13_000, 13_000),
    "bomb_of_a_line": lambda: bomb(2**31 - 1, 0) + bytes(100),
    "cut_png": lambda: png()[:-20],
    "cut_jpeg": lambda: jpeg(400, 400)[:-100],
    "cut_webp": lambda: webp(400, 400)[:-10],
    "signature_alone": lambda: b"\x89PNG\r\n\x1a\n",
    "bad_checksum": lambda: png().replace(b"IHDR\x00\x00\x00\x40", b"IHDR\x00\x00\x00\x41"),
    "no_pixels": lambda: png()[:33] + chunk(b"IEND", b""),
    "animated_png": lambda: animated("PNG"),
    "animated_webp": lambda: animated("WEBP"),
}

# Whole in their structure; only decoding tells.
UNDECODABLE: dict[str, Callable[[], bytes]] = {
    "pixels_damaged": pixels_damaged,
    "text_bomb": lambda: with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9)),
}

# Odd, and pictures all the same.
ACCEPTED: dict[str, Callable[[], bytes]] = {
    "png": png,
    "jpeg": jpeg,
    "progressive": lambda: jpeg(300, 300, progressive=True),
    "lossy": webp,
    "lossless": lambda: webp(lossless=True),
    "transparent": lambda: encoded(noise(64, 48, "RGBA"), "WEBP"),
    "with_exif": lambda: webp(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "cmyk": lambda: encoded(noise(64, 48, "CMYK"), "JPEG"),
    "palette": lambda: encoded(noise(64, 48, "P")),
    "one_bit": lambda: encoded(noise(64, 48, "1")),
    "grey": lambda: encoded(noise(64, 48, "L")),
    "grey_and_alpha": lambda: encoded(noise(64, 48, "LA")),
    "sixteen_bits": lambda: encoded(Image.new("I;16", (64, 48), 40_000)),
    "line": lambda: bomb(65_535, 1),
    "html_behind": lambda: png() + b"<html><script>alert(1)</script></html>",
    "zip_behind": lambda: jpeg() + b"PK\x03\x04" + bytes(60),
}
