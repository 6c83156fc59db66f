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
# How copies are written: quickly, for they travel once.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "PNG": {"compress_level": 3},
    "JPEG": {"quality": 92},
    "WEBP": {"quality": 92, "method": 2},
}
LEAST_SIDE = 64
# A mask's most opaque value that still means: draw anew.
MOSTLY = 127


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
        if "copy" in order:
            return copy(picture, order["copy"], order["side"], order["most"])
        if "mask" in order:
            return mask(picture, order["mask"], (order["width"], order["height"]))
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
    into = BytesIO()
    bare(picture, side).save(into, "WEBP", quality=80, method=0)
    return into.getvalue()


def copy(picture: Image.Image, kind: str, side: int, most: int) -> tuple[dict[str, int], bytes]:
    """The pixels in another format, as large as `side` and `most` bytes allow."""
    pixels = bare(picture, side)
    if kind == "JPEG" and pixels.mode == "RGBA":
        # What shines through is white, as on paper.
        pixels = Image.alpha_composite(Image.new("RGBA", pixels.size, "white"), pixels).convert("RGB")
    while True:
        into = BytesIO()
        pixels.save(into, kind, **OPTIONS[kind])
        if into.tell() <= most or max(pixels.size) <= LEAST_SIDE:
            return {"width": pixels.width, "height": pixels.height}, into.getvalue()
        pixels.thumbnail((int(pixels.width * 0.7), int(pixels.height * 0.7)))


def mask(picture: Image.Image, form: str, size: tuple[int, int]) -> tuple[dict[str, int], bytes]:
    """A PNG of what is transparent, and of nothing else."""
    seen = ImageOps.exif_transpose(picture)
    alpha = seen.convert("RGBA").getchannel("A")
    if not any(alpha.histogram()[: MOSTLY + 1]):
        raise ValueError("nothing is transparent")
    if alpha.size != size:
        alpha = alpha.resize(size, Image.Resampling.BILINEAR)
    if form == "white":
        made = alpha.point(lambda value: 255 - value)
    else:
        black = Image.new("L", size)
        made = Image.merge("RGBA", (black, black, black, alpha))
    into = BytesIO()
    made.save(into, "PNG")
    return {"width": made.width, "height": made.height}, into.getvalue()


def bare(picture: Image.Image, side: int) -> Image.Image:
    """The pixels as people see them, at most `side` on the longer side, and nothing beside them."""
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
    return Image.frombytes(picture.mode, picture.size, picture.tobytes())


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
