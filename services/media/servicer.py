"""ImageService over gRPC."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TypeAlias

import asyncpg
from google.api import httpbody_pb2
from google.protobuf.empty_pb2 import Empty
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2 as pb
from inkweld.media.v1.images_pb2_grpc import ImageServiceServicer

from runtime import identity, masks, pages
from runtime.failure import Failure, invalid, not_found
from runtime.names import project_of
from runtime.server import Context
from services.media import downloads, formats, store_images
from services.media.blobs import Blobs
from services.media.decoders import Decoders
from services.media.formats import Facts
from services.media.receiving import receive, recorded
from services.media.references import References
from services.media.renditions import Renditions
from services.media.staging import Staging

Uploads: TypeAlias = AsyncIterator[pb.UploadImageRequest]
Stages: TypeAlias = AsyncIterator[pb.StageImageRequest]
Sketches: TypeAlias = AsyncIterator[pb.SketchImageRequest]


class ImageService(ImageServiceServicer):
    """A project's images and their bytes."""

    def __init__(
        self, pool: asyncpg.Pool, blobs: Blobs, decoders: Decoders, renditions: Renditions, staging: Staging
    ) -> None:
        self._pool = pool
        self._blobs = blobs
        self._decoders = decoders
        self._renditions = renditions
        self._staging = staging
        self._references = References(blobs, decoders)

    async def ListImages(self, request: pb.ListImagesRequest, context: Context) -> pb.ListImagesResponse:
        size = pages.size(request.page_size)
        after = pages.decode(request.page_token, datetime, str)
        found = await store_images.select_library(self._pool, request.parent, after, size + 1)
        images, more = pages.cut(found, size)
        token = ""
        if more:
            token = pages.encode(
                images[-1].keep_time.ToDatetime(tzinfo=UTC), images[-1].name.rsplit("/", 1)[-1]
            )
        return pb.ListImagesResponse(images=images, next_page_token=token)

    async def GetImage(self, request: pb.GetImageRequest, context: Context) -> pb.Image:
        return await self._image(request.name)

    async def UploadImage(self, request_iterator: Uploads, context: Context) -> pb.Image:
        first = await anext(request_iterator)
        if not first.parent:
            raise invalid({"parent": "must name the project, in the first message"})
        async with self._blobs.receive() as incoming:
            await receive(incoming, _files(first, request_iterator))
            sha256, facts = await incoming.seal(lambda _, data: formats.inspect(data))
            # People's pictures are decoded before they are stored: one that cannot be shown is of no use.
            width, height = await self._decoders.check(incoming.path)
            facts = Facts(facts.content_type, width, height)
            await incoming.publish()
            async with recorded(self._pool, self._blobs, incoming, sha256, facts) as db:
                image = await store_images.insert_upload(
                    db,
                    first.parent,
                    sha256,
                    title=first.title,
                    creator=identity.caller().name,
                    request_id=first.request_id,
                )
                image = image or await store_images.select_by_request(db, first.parent, first.request_id)
        if image is None or image.sha256 != sha256.hex():
            message = "The request id was used for another picture."
            raise Failure(ErrorReason.REQUEST_ID_REUSED, message, request_id=first.request_id)
        return image

    async def DownloadImage(
        self, request: pb.DownloadImageRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        image = await self._image(request.name)
        try:
            copy = await downloads.choose(image, request.rendition, self._renditions)
            info = downloads.describe(image, copy, request)
            async for message in downloads.send(self._blobs, copy, info):
                yield message
        except FileNotFoundError:
            # Deleted and collected since we looked, or else bytes are lost and this is no answer.
            await self._image(request.name)
            raise

    async def UpdateImage(self, request: pb.UpdateImageRequest, context: Context) -> pb.Image:
        name = request.image.name
        changes = masks.changed(request, request.image, {"title"})
        async with self._pool.acquire() as db, db.transaction():
            await store_images.lock_images(db, project_of(name), [name])
            image = await store_images.select_image(db, name)
            if image is None:
                raise not_found(name)
            if request.image.etag and request.image.etag != image.etag:
                raise Failure(ErrorReason.ETAG_STALE, f"{name} has changed since it was read.", resource=name)
            if "title" in changes and request.image.title != image.title:
                await store_images.update_title(db, name, request.image.title)
                image = await store_images.select_image(db, name)
        return image or pb.Image()

    async def DeleteImage(self, request: pb.DeleteImageRequest, context: Context) -> Empty:
        if not await store_images.delete_image(self._pool, request.name):
            raise not_found(request.name)
        return Empty()

    async def KeepImages(self, request: pb.KeepImagesRequest, context: Context) -> pb.KeepImagesResponse:
        names = list(request.images)
        foreign = [name for name in names if project_of(name) != request.parent]
        if foreign:
            raise not_found(foreign[0])
        async with self._pool.acquire() as db, db.transaction():
            await store_images.lock_images(db, request.parent, names)
            await store_images.keep_images(db, request.parent, names)
            images = await store_images.select_images(db, names)
            missing = set(names) - {image.name for image in images}
            if missing:
                raise not_found(min(missing))
        return pb.KeepImagesResponse(images=images)

    async def FenceTask(self, request: pb.FenceTaskRequest, context: Context) -> pb.FenceTaskResponse:
        return await self._staging.fence(request.task, request.epoch)

    async def OpenPlace(self, request: pb.OpenPlaceRequest, context: Context) -> pb.OpenPlaceResponse:
        place = await self._blobs.open_place()
        if place is None:
            return pb.OpenPlaceResponse()
        return pb.OpenPlaceResponse(place=place.id, directory=str(place.directory), proof=place.proof)

    async def StageImage(self, request_iterator: Stages, context: Context) -> pb.StagedImage:
        first = await anext(request_iterator)
        if not first.HasField("header"):
            raise invalid({"header": "must be in the first message"})
        return await self._staging.stage(first.header, _data(request_iterator))

    async def CommitImages(
        self, request: pb.CommitImagesRequest, context: Context
    ) -> pb.CommitImagesResponse:
        return pb.CommitImagesResponse(images=await self._staging.commit(request))

    async def ReadImage(
        self, request: pb.ReadImageRequest, context: Context
    ) -> AsyncIterator[pb.ReadImageResponse]:
        image = await self._image(request.name)
        try:
            async for message in self._references.read(image, request):
                yield message
        except FileNotFoundError:
            # As with a download.
            await self._image(request.name)
            raise

    async def SketchImage(self, request_iterator: Sketches, context: Context) -> pb.SketchImageResponse:
        return pb.SketchImageResponse(data=await self._references.sketch(_data(request_iterator)))

    async def _image(self, name: str) -> pb.Image:
        image = await store_images.select_image(self._pool, name)
        if image is None:
            raise not_found(name)
        return image


async def _files(first: pb.UploadImageRequest, rest: Uploads) -> AsyncIterator[bytes]:
    yield first.file.data
    async for message in rest:
        yield message.file.data


async def _data(messages: Stages | Sketches) -> AsyncIterator[bytes]:
    async for message in messages:
        yield message.data
