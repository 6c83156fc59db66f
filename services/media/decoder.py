"""The program that opens foreign pictures: small, limited, and replaced when it dies.

It runs as a script of its own and imports nothing of ours. Each line it reads is a JSON order; each answer is
a JSON line, followed by `length` bytes when it made a picture. It can write nowhere else.
"""

import json
import os
import resource
import sys
import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps

MEMORY_BYTES = 600 << 20
CPU_SECONDS = 5
MAX_PIXELS = 64 << 20
FORMATS = ["PNG", "JPEG", "WEBP"]
ORIENTATION = 0x0112
ON_ITS_SIDE = (5, 6, 7, 8)


def main() -> None:
    limit()
    # A notice is not enough: what is larger than the cap is never decoded.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.init()
    answer({"ready": True})
    for line in sys.stdin.buffer:
        allow_more_time()
        # What Pillow raises on bad bytes is listed nowhere and differs by format: all of it means one thing.
        try:
            answer(*obey(json.loads(line)))
        except FileNotFoundError:
            answer({"missing": True})
        except Exception as error:  # noqa: BLE001
            answer({"refused": type(error).__name__})


def obey(order: dict[str, Any]) -> tuple[dict[str, int], bytes]:
    """Open the picture, and let go of it before the next is opened: there is no memory for two."""
    with Image.open(order["source"], formats=FORMATS) as picture:
        if "side" in order:
            return {}, shrink(picture, order["side"])
        return check(picture), b""


def limit() -> None:
    """Give up what a decoder does not need, before it has seen a byte."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def allow_more_time() -> None:
    """Each picture has its own seconds of CPU; SIGXCPU ends the process when they are used up."""
    times = os.times()
    soft = int(times.user + times.system) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def answer(facts: Mapping[str, object], data: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps({**facts, "length": len(data)}).encode() + b"\n")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def check(picture: Image.Image) -> dict[str, int]:
    """Decode every pixel; the size as people see it, turned the way the camera was held."""
    picture.load()
    width, height = picture.size
    if picture.getexif().get(ORIENTATION) in ON_ITS_SIDE:
        width, height = height, width
    return {"width": width, "height": height}


def shrink(picture: Image.Image, side: int) -> bytes:
    """A WebP of at most `side` pixels on the longer side, made from pixels alone."""
    if "transparency" in picture.info or picture.mode == "PA":
        picture = picture.convert("RGBA")
    elif picture.mode in ("P", "1"):
        # Colours of a palette cannot be mixed by their numbers.
        picture = picture.convert("RGB")
    # Halving before the real work makes it cheaper; Pillow cannot do it with 16 bits.
    gap = None if picture.mode.startswith("I") else 2.0
    picture.thumbnail((side, side), resample=Image.Resampling.BICUBIC, reducing_gap=gap)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):
        picture = to_eight_bits(picture)
    picture = to_srgb(picture)
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.mode in ("LA", "La", "RGBa") else "RGB")
    # A new picture: nothing that travelled beside the pixels comes along.
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    into = BytesIO()
    bare.save(into, "WEBP", quality=80, method=0)
    return into.getvalue()


def to_srgb(picture: Image.Image) -> Image.Image:
    """The colours that a profile means, in those that go without saying. A broken profile means nothing."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    try:
        meant = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, meant, srgb, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError):
        return picture


def to_eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits. Pillow's own conversion cuts off instead of scaling."""
    return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")


if __name__ == "__main__":
    main()
