"""Images a generation goes by: looked at when it is accepted, loaded right before they are sent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import grpc
import structlog
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1 import images_pb2, images_pb2_grpc

from runtime.failure import Failure, from_rpc_error, invalid
from services.generation.catalogue import Model
from services.generation.drafts import CHUNK_BYTES, insist
from services.generation.providers import Picture, Task
from services.generation.store_claims import Held

log = structlog.get_logger()

if TYPE_CHECKING:  # only the types know an asynchronous stub
    from inkweld.media.v1.images_pb2_grpc import ImageServiceAsyncStub

READ_SECONDS = 60.0
SKETCH_SECONDS = 5.0
SKETCH_BYTES = 512 << 10
# Of all pictures of a call together: every provider takes as much, and a worker has room for it.
MOST_BYTES = 32 << 20
_SAME_SHAPE = 0.01
_CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
)
_Request = images_pb2.ReadImageRequest


async def check(images: "ImageServiceAsyncStub", asked: pb.Generation) -> None:
    """Raises FIELD_INVALID unless whoever asks can see all the images, and the mask can be one."""
    named = {f"generation.input_images[{at}]": name for at, name in enumerate(asked.input_images)}
    for at, element in enumerate(asked.elements):
        if element.image and not element.omit_picture:
            named[f"generation.elements[{at}].image"] = element.image
    if asked.mask:
        named["generation.mask"] = asked.mask
    found = dict(
        zip(named, await asyncio.gather(*(_get(images, name) for name in named.values())), strict=True)
    )
    wrong = {field: "must be an image of the project" for field, image in found.items() if image is None}
    mask, first = found.get("generation.mask"), found.get("generation.input_images[0]")
    if mask and mask.content_type == "image/jpeg":
        wrong["generation.mask"] = "must be partly transparent, which a JPEG cannot be"
    elif mask and first and not _alike(mask, first):
        wrong["generation.mask"] = "must have the shape of the first input image"
    if wrong:
        raise invalid(wrong)


class Inputs:
    """Media, as the place where pictures to go by come from, and unfinished ones become small."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._images = images_pb2_grpc.ImageServiceStub(channel)

    async def complete(self, held: Held, model: Model | None) -> Task:
        """The call with its pictures, in what the model takes. Raises PICTURE_REFUSED when one has gone."""
        call = held.call
        if not held.input_images or model is None:
            return call
        types = [_CONTENT_TYPES[name] for name in model.reference_formats]
        most = MOST_BYTES // len(held.input_images)
        # One after the other: the decoders are few, and the bytes many.
        references = [
            await self._read(_Request(name=name, content_types=types, max_bytes=most))
            for name in held.input_images
        ]
        call = replace(call, references=references)
        if not held.mask:
            return call
        form = _Request.WHITE if model.white_mask else _Request.TRANSPARENCY
        first = references[0]
        mask = await self._read(_Request(name=held.mask, form=form, width=first.width, height=first.height))
        return replace(call, mask=mask)

    async def sketch(self, data: bytes) -> bytes:
        """A small WebP of an unfinished picture; nothing when media makes none just now: it is no loss."""
        try:
            response = await self._images.SketchImage(_pieces(data), timeout=SKETCH_SECONDS)
        except grpc.aio.AioRpcError as error:
            log.info("sketch.missed", code=error.code().name)
            return b""
        return response.data if len(response.data) <= SKETCH_BYTES else b""

    async def _read(self, request: _Request) -> Picture:
        try:
            return await insist(lambda: self._collect(request))
        except Failure as failure:
            if failure.reason == ErrorReason.RESOURCE_NOT_FOUND:
                raise Failure(
                    ErrorReason.PICTURE_REFUSED, "An image to go by has been deleted.", resource=request.name
                ) from failure
            raise

    async def _collect(self, request: _Request) -> Picture:
        call = self._images.ReadImage(request, timeout=READ_SECONDS)
        header, parts = images_pb2.ReadImageResponse.Header(), []
        async for message in call:
            if message.HasField("header"):
                header = message.header
            else:
                parts.append(message.data)
        data = b"".join(parts)
        return Picture(data, header.content_type, header.width, header.height)


async def _get(images: "ImageServiceAsyncStub", name: str) -> images_pb2.Image | None:
    try:
        return await images.GetImage(images_pb2.GetImageRequest(name=name))
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error)
        if failure is not None and failure.reason == ErrorReason.RESOURCE_NOT_FOUND:
            return None
        raise failure or error from error


def _alike(one: images_pb2.Image, other: images_pb2.Image) -> bool:
    """Whether two have the same shape."""
    return abs(one.width * other.height / (one.height * other.width) - 1) <= _SAME_SHAPE


async def _pieces(data: bytes) -> AsyncIterator[images_pb2.SketchImageRequest]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield images_pb2.SketchImageRequest(data=data[start : start + CHUNK_BYTES])
