"""Stand-ins with a memory: config and media as servicers on real channels, and a kind of provider."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
from inkweld.access.v1 import projects_pb2, projects_pb2_grpc
from inkweld.config.v1 import configuration_pb2, configuration_pb2_grpc, providers_pb2, providers_pb2_grpc
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.config.v1.settings_pb2 import Settings
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2, images_pb2_grpc

from runtime import sealing
from runtime.egress import Endpoint, Refusal
from runtime.failure import Failure, not_found
from services.generation.providers import Event, Finished, Handle, Image, Listed, Task

ENDPOINT = "http://127.0.0.1:9"
PICTURE = b"\x89PNG" + bytes(1 << 20) + b"a picture of more than one chunk"

Script = Callable[[Task], AsyncGenerator[Event, None]]


class FakeConfig(
    configuration_pb2_grpc.ConfigurationServiceServicer,
    providers_pb2_grpc.ProviderServiceServicer,
    projects_pb2_grpc.ProjectServiceServicer,
):
    """Config: a provider with a key, and profiles on it."""

    def __init__(self, ring: sealing.Ring[Any], kinds: tuple[str, ...]) -> None:
        self.ring = ring
        self.key = "secret-key"
        self.sealed_to = ENDPOINT
        self.changed = asyncio.Event()
        self.now = configuration_pb2.Configuration(
            revision=1, settings=Settings(kill_switch=False, images_enabled=True)
        )
        for kind in kinds:
            self.now.providers.add(
                name=f"providers/{kind}",
                kind=kind,
                title=kind,
                enabled=True,
                endpoint=ENDPOINT,
                state=providers_pb2.Provider.READY,
                key=providers_pb2.Key(mask="********", version=1),
            )
            self.now.profiles.append(
                Profile(
                    name=f"profiles/{kind}",
                    title=kind,
                    provider=f"providers/{kind}",
                    model="*",
                    enabled=True,
                    revision=7,
                )
            )

    async def change(self) -> None:
        """Tell everyone what `now` has become."""
        self.now.revision += 1
        self.changed.set()

    async def WatchConfiguration(
        self, request: object, context: object
    ) -> AsyncIterator[configuration_pb2.Configuration]:
        while True:
            self.changed.clear()
            yield self.now
            await self.changed.wait()

    async def GetRole(
        self, request: projects_pb2.GetRoleRequest, context: object
    ) -> projects_pb2.GetRoleResponse:
        return projects_pb2.GetRoleResponse(role=projects_pb2.Role.EDITOR)

    async def GetSealedKey(
        self, request: providers_pb2.GetSealedKeyRequest, context: object
    ) -> providers_pb2.SealedKey:
        origin = sealing.origin(self.sealed_to)
        sealed = sealing.seal(self.ring, self.key, provider=request.name, origin=origin, version=1)
        return providers_pb2.SealedKey(provider=request.name, origin=origin, version=1, sealed_key=sealed)


class FakeImages(images_pb2_grpc.ImageServiceServicer):
    """Media: remembers what was staged, committed and kept, refuses old epochs, and may be away or slow."""

    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}
        self.staged: dict[tuple[str, int], tuple[bytes, bytes]] = {}
        self.committed: dict[tuple[str, int], images_pb2.Image] = {}
        self.kept: list[str] = []
        self.keepers: list[str] = []
        self.refused = 0
        self.away = 0  # calls to answer UNAVAILABLE
        self.unusable = False
        self.library: dict[str, images_pb2.Image] = {}
        self.height = 64
        self.read: list[images_pb2.ReadImageRequest] = []
        self.before_commit: Callable[[], Awaitable[None]] = _at_once

    async def FenceTask(
        self, request: images_pb2.FenceTaskRequest, context: Any
    ) -> images_pb2.FenceTaskResponse:
        await self._fence(request.task, request.epoch, context)
        return images_pb2.FenceTaskResponse(
            staged=[
                _staged(index, digest, data)
                for (task, index), (digest, data) in self.staged.items()
                if task == request.task and (task, index) not in self.committed
            ],
            committed=[image for (task, _), image in self.committed.items() if task == request.task],
        )

    async def StageImage(
        self, request_iterator: AsyncIterator[images_pb2.StageImageRequest], context: Any
    ) -> images_pb2.StagedImage:
        first, data = None, b""
        async for request in request_iterator:
            if request.HasField("header"):
                first = request.header
            else:
                data += request.data
        assert first is not None
        await self._fence(first.task, first.epoch, context)
        if self.unusable:
            raise Failure(ErrorReason.IMAGE_REFUSED, "No picture.")
        assert (len(data), hashlib.sha256(data).digest()) == (first.size_bytes, first.sha256)
        self.staged[first.task, first.index] = (first.sha256, data)
        return _staged(first.index, first.sha256, data)

    async def CommitImages(
        self, request: images_pb2.CommitImagesRequest, context: Any
    ) -> images_pb2.CommitImagesResponse:
        await self.before_commit()
        await self._fence(request.task, request.epoch, context)
        project = request.generation.split("/generations/", 1)[0]
        images = []
        for picture in request.pictures:
            assert self.staged[request.task, picture.index][0] == picture.sha256
            image = images_pb2.Image(
                name=f"{project}/images/{request.task}-{picture.index}",
                width=64,
                height=self.height,
                index=picture.generation_index,
                generation=request.generation,
                creator=request.creator,
                expire_time=request.expire_time,
            )
            images.append(self.committed.setdefault((request.task, picture.index), image))
        return images_pb2.CommitImagesResponse(images=images)

    async def GetImage(self, request: images_pb2.GetImageRequest, context: Any) -> images_pb2.Image:
        if request.name not in self.library:
            raise not_found(request.name)
        return self.library[request.name]

    async def ReadImage(
        self, request: images_pb2.ReadImageRequest, context: Any
    ) -> AsyncIterator[images_pb2.ReadImageResponse]:
        if request.name not in self.library:
            raise not_found(request.name)
        self.read.append(request)
        data = request.name.encode()
        header = images_pb2.ReadImageResponse.Header(
            content_type="image/png", width=64, height=64, size_bytes=len(data)
        )
        yield images_pb2.ReadImageResponse(header=header)
        for at in range(0, len(data), 10):
            yield images_pb2.ReadImageResponse(data=data[at : at + 10])

    async def SketchImage(
        self, request_iterator: AsyncIterator[images_pb2.SketchImageRequest], context: Any
    ) -> images_pb2.SketchImageResponse:
        data = b"".join([request.data async for request in request_iterator])
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if not data.startswith(b"\x89PNG"):
            raise Failure(ErrorReason.IMAGE_REFUSED, "No picture.")
        return images_pb2.SketchImageResponse(data=b"sketch of " + data[-10:])

    async def KeepImages(
        self, request: images_pb2.KeepImagesRequest, context: Any
    ) -> images_pb2.KeepImagesResponse:
        from runtime import identity

        names = {image.name for image in self.committed.values()}
        for image in request.images:
            if image not in names:
                raise not_found(image)
        self.kept += request.images
        self.keepers.append(identity.caller().name)
        return images_pb2.KeepImagesResponse(images=[images_pb2.Image(name=name) for name in request.images])

    async def _fence(self, task: str, epoch: int, context: Any) -> None:
        if self.away:
            self.away -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if epoch < self.epochs.get(task, 0):
            self.refused += 1
            raise Failure(ErrorReason.LEASE_TAKEN, "A newer holder has the task.", task=task)
        self.epochs[task] = epoch


class FakeKind:
    """A kind of provider that draws by a script and remembers what it was asked."""

    REQUIRES = ("key",)
    DEFAULT_ENDPOINT = ""
    AUTHORIZATION = "Bearer {key}"
    CONFIG_SCHEMA: Mapping[str, Any] = {"type": "object"}

    def __init__(self, kind: str) -> None:
        self.KIND = kind
        self.TITLE = kind
        self.asked: list[Task] = []
        self.closed = 0
        self.listed: list[Listed] = []
        self.script: Script = all_at_once

    async def check(self, api: Endpoint) -> None: ...

    async def models(self, api: Endpoint) -> Sequence[Listed]:
        return self.listed

    async def generate(self, task: Task, api: Endpoint) -> AsyncGenerator[Event, None]:
        self.asked.append(task)
        try:
            async for event in self.script(task):
                yield event
        finally:
            self.closed += 1

    def refusal(self, status: int, body: bytes) -> Refusal | None:
        return None


class FakeStoppable(FakeKind):
    """One that can be told to stop whatever it draws."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.cancelled = 0

    async def cancel(self, api: Endpoint, handle: Handle | None) -> None:
        self.cancelled += 1


class FakeQueue(FakeKind):
    """One that gives a handle and goes on without us."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.resumed: list[Handle] = []
        self.rest: Script = all_at_once

    async def resume(self, handle: Handle, api: Endpoint) -> AsyncGenerator[Event, None]:
        self.resumed.append(handle)
        task = Task(model="*", prompt="", count=1)
        async for event in self.rest(task):
            yield event


async def all_at_once(task: Task) -> AsyncGenerator[Event, None]:
    for index in range(task.count):
        yield Image(index, PICTURE + bytes([index]), seed=index)
    yield Finished(usage={"images": task.count})


def failing(reason: ErrorReason) -> Script:
    """A provider that refuses."""

    async def script(task: Task) -> AsyncGenerator[Event, None]:
        raise Failure(reason, "No.")
        yield  # makes it a generator

    return script


def hanging(*first: Event) -> tuple[Script, asyncio.Event]:
    """A provider that says `first` and then nothing more; the event is set when it has come that far."""
    reached = asyncio.Event()

    async def script(task: Task) -> AsyncGenerator[Event, None]:
        for event in first:
            yield event
        reached.set()
        await asyncio.Event().wait()

    return script, reached


def _staged(index: int, digest: bytes, data: bytes) -> images_pb2.StagedImage:
    return images_pb2.StagedImage(index=index, sha256=digest, size_bytes=len(data), width=64, height=64)


async def _at_once() -> None: ...
