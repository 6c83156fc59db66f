"""Images for providers to go by: the original bytes where they fit, otherwise a copy of the pixels.

Copies are made for one call and not stored. Nobody but media opens a picture, so that a hostile one meets no
process with keys.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from types import MappingProxyType

from inkweld.media.v1 import images_pb2 as pb

from services.media import formats
from services.media.blobs import READ_BYTES, Blobs
from services.media.decoders import Decoders
from services.media.receiving import receive

# Models look at no more than this.
COPY_SIDE = 2048
SKETCH_SIDE = 512
_KINDS: Mapping[str, str] = MappingProxyType({formats.PNG: "PNG", formats.JPEG: "JPEG", formats.WEBP: "WEBP"})
_MASKS: Mapping[int, str] = MappingProxyType(
    {pb.ReadImageRequest.TRANSPARENCY: "transparent", pb.ReadImageRequest.WHITE: "white"}
)


class References:
    """Reads images for providers, and sketches what providers have not finished."""

    def __init__(self, blobs: Blobs, decoders: Decoders) -> None:
        self._blobs = blobs
        self._decoders = decoders

    async def read(
        self, image: pb.Image, request: pb.ReadImageRequest
    ) -> AsyncIterator[pb.ReadImageResponse]:
        """First what comes, then the bytes."""
        sha256 = bytes.fromhex(image.sha256)
        if request.form == pb.ReadImageRequest.FORM_UNSPECIFIED and _fits(image, request):
            yield _header(image.content_type, image.width, image.height, image.size_bytes)
            async with aclosing(self._blobs.read(sha256, 0, image.size_bytes)) as pieces:
                async for piece in pieces:
                    yield pb.ReadImageResponse(data=piece)
            return
        async with self._blobs.local(sha256) as path:
            if request.form in _MASKS:
                width, height = request.width or image.width, request.height or image.height
                content_type = formats.PNG
                copy = await self._decoders.mask(path, _MASKS[request.form], width, height)
            else:
                content_type = _best(image, request)
                most = request.max_bytes or formats.MAX_BYTES
                copy = await self._decoders.copy(path, kind=_KINDS[content_type], side=COPY_SIDE, most=most)
        yield _header(content_type, copy.width, copy.height, len(copy.data))
        for start in range(0, len(copy.data), READ_BYTES):
            yield pb.ReadImageResponse(data=copy.data[start : start + READ_BYTES])

    async def sketch(self, pieces: AsyncIterator[bytes]) -> bytes:
        """A small WebP of a picture that nobody keeps."""
        async with self._blobs.receive() as incoming:
            await receive(incoming, pieces)
            await incoming.seal(lambda _, data: formats.inspect(data, "data"))
            return await self._decoders.shrink(incoming.path, SKETCH_SIDE, "data")


def _fits(image: pb.Image, request: pb.ReadImageRequest) -> bool:
    fits = not request.max_bytes or image.size_bytes <= request.max_bytes
    return fits and (not request.content_types or image.content_type in request.content_types)


def _best(image: pb.Image, request: pb.ReadImageRequest) -> str:
    """What a copy is made as: what it was, where that will do and only the bytes are too many."""
    if not request.content_types or image.content_type in request.content_types:
        return image.content_type
    return request.content_types[0]


def _header(content_type: str, width: int, height: int, size: int) -> pb.ReadImageResponse:
    return pb.ReadImageResponse(
        header=pb.ReadImageResponse.Header(
            content_type=content_type, width=width, height=height, size_bytes=size
        )
    )
