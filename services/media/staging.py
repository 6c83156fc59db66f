"""What generation stores here: fenced by task and epoch, staged picture by picture, committed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from functools import partial

import asyncpg
from inkweld.media.v1 import images_pb2 as pb

from runtime.database import Database
from runtime.failure import invalid
from runtime.names import project_of
from services.media import formats, store_images, store_stages
from services.media.blobs import Blobs, Incoming
from services.media.formats import Facts
from services.media.receiving import receive, recorded
from services.media.store_stages import Stage


class Staging:
    """Takes pictures from workers. Only the latest holder of a task can change what it has here."""

    def __init__(self, pool: asyncpg.Pool, blobs: Blobs) -> None:
        self._pool = pool
        self._blobs = blobs

    async def fence(self, task: str, epoch: int) -> pb.FenceTaskResponse:
        """Shut out holders with lower epochs; what the task has here."""
        async with self._pool.acquire() as db, db.transaction():
            await store_stages.raise_fence(db, task, epoch)
            stages = await store_stages.select_stages(db, task)
            return pb.FenceTaskResponse(
                staged=[stage.picture for stage in stages if stage.image is None],
                committed=await _images(db, [stage for stage in stages if stage.image]),
            )

    async def stage(
        self, header: pb.StageImageRequest.Header, pieces: AsyncIterator[bytes]
    ) -> pb.StagedImage:
        """Store one picture. Its pixels are not decoded: that would cost more than all the rest together."""
        if header.size_bytes > formats.MAX_BYTES:
            raise formats.refused(f"it has more than {formats.MAX_BYTES >> 20} MiB", "data")
        async with self._incoming(header) as incoming:
            if not header.place:
                await receive(incoming, _no_more_than(header.size_bytes, pieces))
            if incoming.size != header.size_bytes:
                raise invalid({"header.size_bytes": f"was declared, but {incoming.size} bytes came"})
            sha256, facts = await _stored(incoming, header)
            async with recorded(self._pool, self._blobs, incoming, sha256, facts) as db:
                if not await store_stages.insert_stage(
                    db, header.task, header.index, epoch=header.epoch, project=header.parent, sha256=sha256
                ):
                    raise invalid({"header.sha256": "differs from the picture committed at this index"})
        return pb.StagedImage(
            index=header.index,
            sha256=sha256,
            size_bytes=header.size_bytes,
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
        )

    @asynccontextmanager
    async def _incoming(self, header: pb.StageImageRequest.Header) -> AsyncIterator[Incoming]:
        if not header.place:
            async with self._blobs.receive() as incoming:
                yield incoming
            return
        try:
            taken = self._blobs.take(header.place, header.size_bytes)
            async with taken as incoming:
                yield incoming
        except FileNotFoundError as error:
            raise invalid({"header.place": "must be a file of that size, left in an open place"}) from error

    async def commit(self, request: pb.CommitImagesRequest) -> list[pb.Image]:
        """Make staged pictures drafts, all or none."""
        async with self._pool.acquire() as db, db.transaction():
            await store_stages.raise_fence(db, request.task, request.epoch)
            stages = {stage.index: stage for stage in await store_stages.select_stages(db, request.task)}
            for at, picture in enumerate(request.pictures):
                _check_staged(stages.get(picture.index), picture, project_of(request.generation), at)
            before = await _images(db, [stage for stage in stages.values() if stage.image])
            images = dict(zip((i for i, stage in stages.items() if stage.image), before, strict=True))
            for picture in request.pictures:
                if picture.index not in images:
                    images[picture.index] = await _insert_draft(db, request, picture)
            return [images[picture.index] for picture in request.pictures]


async def _stored(incoming: Incoming, header: pb.StageImageRequest.Header) -> tuple[bytes, Facts]:
    """What was left in a place crossed nothing, so that its hash need not be declared."""
    return await incoming.store(partial(_look, header.sha256 or None if header.place else header.sha256))


def _look(declared: bytes | None, sha256: bytes, data: memoryview) -> Facts:
    if declared is not None and sha256 != declared:
        raise invalid({"header.sha256": "is not the hash of the bytes that came"})
    return formats.inspect(data, "data")


def _check_staged(
    stage: Stage | None, picture: pb.CommitImagesRequest.Picture, project: str, at: int
) -> None:
    if stage is None or stage.sha256 != picture.sha256 or stage.project != project:
        raise invalid({f"pictures[{at}]": "must have been staged, with this hash and for this project"})


async def _insert_draft(
    db: Database, request: pb.CommitImagesRequest, picture: pb.CommitImagesRequest.Picture
) -> pb.Image:
    return await store_images.insert_draft(
        db,
        request.task,
        picture.index,
        generation=request.generation,
        number=picture.generation_index,
        creator=request.creator,
        expires=request.expire_time.ToDatetime(tzinfo=UTC),
    )


async def _images(db: Database, committed: list[Stage]) -> list[pb.Image]:
    """The images of committed stages. One that has been deleted since still has its name and hash."""
    names = {stage.image: stage.sha256.hex() for stage in committed if stage.image}
    if not names:
        return []
    found = {image.name: image for image in await store_images.select_images(db, list(names))}
    return [found.get(name, pb.Image(name=name, sha256=sha256)) for name, sha256 in names.items()]


async def _no_more_than(size: int, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, or FIELD_INVALID as soon as more bytes come than were declared."""
    async for piece in pieces:
        size -= len(piece)
        if size < 0:
            raise invalid({"header.size_bytes": "was declared, but more bytes came"})
        yield piece
