"""The media service on a real server, database and folder."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.timestamp_pb2 import Timestamp
from inkweld.access.v1.access_pb2 import Scope
from inkweld.access.v1.projects_pb2 import Role
from inkweld.media.v1 import images_pb2 as pb
from inkweld.media.v1.images_pb2_grpc import ImageServiceStub, add_ImageServiceServicer_to_server

from runtime import database
from services.media.blobs_local import LocalBlobs, open_local
from services.media.collector import Collector
from services.media.decoders import Decoders, open_decoders
from services.media.renditions import open_renditions
from services.media.servicer import ImageService
from services.media.staging import Staging
from tests import house
from tests.house import FakeAuthority, Keys

if TYPE_CHECKING:
    from inkweld.media.v1.images_pb2_grpc import ImageServiceAsyncStub

MIGRATIONS = Path(__file__).parents[3] / "services/media/migrations"
ATLAS = "projects/atlas"


@dataclass
class Media:
    """The parts behind a running service, and a way to call it."""

    pool: asyncpg.Pool
    blobs: LocalBlobs
    decoders: Decoders
    collector: Collector
    folder: Path
    address: str
    keys: Keys
    images: "ImageServiceAsyncStub"  # as users/ada, an owner of projects/atlas
    worker: "ImageServiceAsyncStub"  # as services/generation

    @property
    def files(self) -> list[Path]:
        """All files in the blob folder, temporary ones too."""
        return [path for path in self.folder.rglob("*") if path.is_file()]

    @asynccontextmanager
    async def calling(self, user: str, scope: int = Scope.ADMIN) -> AsyncIterator["ImageServiceAsyncStub"]:
        """A stub of another user."""
        async with house.stub(ImageServiceStub, self.address, self.keys, user=user, scope=scope) as stub:
            yield stub

    async def upload(
        self, data: bytes, *, parent: str = ATLAS, title: str = "", request_id: str = "", piece: int = 1 << 20
    ) -> pb.Image:
        """Upload as ada."""
        return await self.images.UploadImage(
            uploads(data, parent=parent, title=title, request_id=request_id, piece=piece)
        )

    async def stage(
        self,
        data: bytes,
        *,
        task: str = "t1",
        epoch: int = 1,
        index: int = 0,
        parent: str = ATLAS,
        size: int | None = None,
        sha256: bytes | None = None,
    ) -> pb.StagedImage:
        """Stage as a worker of generation."""
        header = pb.StageImageRequest.Header(
            parent=parent,
            task=task,
            epoch=epoch,
            index=index,
            size_bytes=len(data) if size is None else size,
            sha256=sha256 or hashlib.sha256(data).digest(),
        )
        return await self.worker.StageImage(stages(header, data))

    async def commit(
        self,
        *hashes: bytes,
        task: str = "t1",
        epoch: int = 1,
        generation: str = f"{ATLAS}/generations/g1",
        expires: timedelta = timedelta(days=30),
    ) -> list[pb.Image]:
        """Commit what was staged at the indexes from 0, as a worker of generation."""
        pictures = [
            pb.CommitImagesRequest.Picture(index=at, sha256=sha256, generation_index=at + 10)
            for at, sha256 in enumerate(hashes)
        ]
        request = pb.CommitImagesRequest(
            generation=generation,
            task=task,
            epoch=epoch,
            pictures=pictures,
            creator="users/ada",
            expire_time=in_future(expires),
        )
        return list((await self.worker.CommitImages(request)).images)

    async def draft(
        self, data: bytes, *, task: str = "t1", expires: timedelta = timedelta(days=30)
    ) -> pb.Image:
        """A draft of one picture."""
        staged = await self.stage(data, task=task)
        return (await self.commit(staged.sha256, task=task, expires=expires))[0]

    async def keep(self, *names: str) -> list[pb.Image]:
        """Keep as ada."""
        request = pb.KeepImagesRequest(parent=ATLAS, images=names)
        return list((await self.images.KeepImages(request)).images)

    async def download(
        self,
        name: str,
        rendition: pb.Rendition = pb.RENDITION_UNSPECIFIED,
        *,
        offset: int = 0,
        limit: int = 0,
        if_none_match: str = "",
    ) -> tuple[pb.BytesInfo, str, bytes]:
        """What comes first, the content type, and the bytes."""
        request = pb.DownloadImageRequest(
            name=name,
            rendition=rendition,
            read_offset=offset,
            read_limit=limit,
            if_none_match=if_none_match,
        )
        messages = [message async for message in self.images.DownloadImage(request)]
        info = pb.BytesInfo()
        assert messages[0].extensions[0].Unpack(info)
        assert not messages[0].data
        return info, messages[0].content_type, b"".join(message.data for message in messages[1:])

    async def expire(self, name: str) -> None:
        """Let a draft's time come."""
        await self.pool.execute(
            "UPDATE images SET expire_time = now() WHERE id = $1", name.rsplit("/", 1)[-1]
        )


def in_future(delta: timedelta) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(datetime.now(UTC) + delta)
    return moment


def uploads(
    data: bytes, *, parent: str = ATLAS, title: str = "", request_id: str = "", piece: int = 1 << 20
) -> Iterator[pb.UploadImageRequest]:
    yield pb.UploadImageRequest(
        parent=parent, title=title, request_id=request_id, file=HttpBody(content_type="text/html")
    )
    for at in range(0, len(data), piece):
        yield pb.UploadImageRequest(file=HttpBody(data=data[at : at + piece]))


def stages(
    header: pb.StageImageRequest.Header, data: bytes, piece: int = 1 << 20
) -> Iterator[pb.StageImageRequest]:
    yield pb.StageImageRequest(header=header)
    for at in range(0, len(data), piece):
        yield pb.StageImageRequest(data=data[at : at + piece])


@pytest.fixture
async def media(
    database_url: str, keys: Keys, authority: FakeAuthority, tmp_path: Path
) -> AsyncIterator[Media]:
    """The service; ada owns atlas, bob views it, eve owns another project."""
    authority.roles |= {
        (ATLAS, "users/ada"): Role.OWNER,
        (ATLAS, "users/bob"): Role.VIEWER,
        ("projects/hidden", "users/eve"): Role.OWNER,
    }
    folder = tmp_path / "blobs"
    async with AsyncExitStack() as opened:
        pool = await opened.enter_async_context(database.connect(database_url, MIGRATIONS))
        blobs = await opened.enter_async_context(open_local(folder))
        decoders = await opened.enter_async_context(open_decoders())
        renditions = await opened.enter_async_context(open_renditions(pool, blobs, decoders))
        servicer = ImageService(pool, blobs, decoders, renditions, Staging(pool, blobs))
        servicers = [(add_ImageServiceServicer_to_server, servicer)]
        address = await opened.enter_async_context(
            house.serving("media", servicers, authority=authority, keys=keys)
        )
        images = await opened.enter_async_context(house.stub(ImageServiceStub, address, keys))
        worker = await opened.enter_async_context(
            house.service_stub(ImageServiceStub, address, keys, service="generation", audience="media")
        )
        collector = Collector(pool, blobs)
        yield Media(pool, blobs, decoders, collector, folder, address, keys, images, worker)
