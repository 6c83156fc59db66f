"""An image's bytes on their way out: which copy, from where to where, or that the caller has them already."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from google.api import httpbody_pb2
from google.protobuf import any_pb2
from inkweld.media.v1 import images_pb2 as pb

from runtime.failure import invalid
from runtime.names import leaf
from services.media.blobs import Blobs
from services.media.renditions import CONTENT_TYPE, SIDES, Renditions

_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True)
class Copy:
    """The original or a rendition: what is to be sent."""

    sha256: bytes
    size: int
    content_type: str

    @property
    def etag(self) -> str:
        """A strong validator: the hash of the very bytes."""
        return f'"{self.sha256.hex()}"'


async def choose(image: pb.Image, rendition: int, renditions: Renditions) -> Copy:
    """The copy that was asked for, made now if it must be."""
    source = bytes.fromhex(image.sha256)
    if rendition not in SIDES:
        return Copy(source, image.size_bytes, image.content_type)
    sha256, size = await renditions.find(source, SIDES[rendition])
    return Copy(sha256, size, CONTENT_TYPE)


def describe(image: pb.Image, copy: Copy, request: pb.DownloadImageRequest) -> pb.BytesInfo:
    """What will be sent. Raises FIELD_INVALID for an offset outside the bytes."""
    info = pb.BytesInfo(
        etag=copy.etag,
        total_bytes=copy.size,
        file_name=f"{leaf(image.name)}.{_EXTENSIONS[copy.content_type]}",
    )
    if _matches(request.if_none_match, copy.etag):
        info.not_modified = True
        return info
    offset = request.read_offset if request.read_offset >= 0 else max(0, copy.size + request.read_offset)
    if offset >= copy.size:
        raise invalid({"read_offset": f"must be below {copy.size}, the number of bytes"})
    info.offset = offset
    info.length = min(request.read_limit or copy.size, copy.size - offset)
    return info


async def send(blobs: Blobs, copy: Copy, info: pb.BytesInfo) -> AsyncIterator[httpbody_pb2.HttpBody]:
    """First what comes, then the bytes."""
    about = any_pb2.Any()
    about.Pack(info)
    yield httpbody_pb2.HttpBody(content_type=copy.content_type, extensions=[about])
    if info.length:
        async with aclosing(blobs.read(copy.sha256, info.offset, info.length)) as pieces:
            async for piece in pieces:
                yield httpbody_pb2.HttpBody(data=piece)


def _matches(if_none_match: str, etag: str) -> bool:
    """As HTTP compares them: any of a list, weakly, or `*` for whatever there is."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]
