"""A task's pictures on their way into media: staged as they come, committed together.

Media may be away for a while. What has been paid for waits: calls are repeated until they succeed or their
caller is cancelled, and repeating any of them is harmless.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import grpc
import structlog
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2, images_pb2_grpc

from runtime.failure import Failure, from_rpc_error
from services.generation import store
from services.generation.places import Places
from services.generation.store_claims import Held
from services.generation.store_tasks import LostLease

log = structlog.get_logger()

T = TypeVar("T")

CHUNK_BYTES = 1 << 20
CALL_SECONDS = 60.0
_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 2.0
# What media may get over; anything else it says is an answer.
_PASSING = frozenset(
    {ErrorReason.SERVICE_UNAVAILABLE, ErrorReason.STORAGE_FULL, ErrorReason.DEADLINE_TOO_SHORT}
)


class Drafts:
    """Media, as a worker sees it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._images = images_pb2_grpc.ImageServiceStub(channel)
        self._places = Places(channel)

    async def fence(self, held: Held) -> images_pb2.FenceTaskResponse:
        """Shut former holders of the task out, and see what they left."""
        request = images_pb2.FenceTaskRequest(task=held.lease.task, epoch=held.lease.epoch)
        return await insist(lambda: self._images.FenceTask(request))

    async def stage(self, held: Held, index: int, data: bytes) -> images_pb2.StagedImage:
        """Store a picture; when this returns it is safe on disk."""
        header = images_pb2.StageImageRequest.Header(
            parent=held.project,
            task=held.lease.task,
            epoch=held.lease.epoch,
            index=index,
            size_bytes=len(data),
        )
        try:
            async with self._places.leave(data) as header.place:
                if header.place and (staged := await self._stage_left(header)):
                    return staged
            header.place, header.sha256 = "", await asyncio.to_thread(_digest, data)
            return await insist(lambda: self._images.StageImage(_pieces(header, data), timeout=CALL_SECONDS))
        except Failure as failure:
            raise _unusable(failure) from failure

    async def _stage_left(self, header: images_pb2.StageImageRequest.Header) -> images_pb2.StagedImage | None:
        """Stage what was left in a place; None when media does not find it there (any more)."""
        try:
            return await insist(lambda: self._images.StageImage(_pieces(header, b""), timeout=CALL_SECONDS))
        except Failure as failure:
            if "header.place" not in (failure.fields or ()):
                raise
        self._places.forget()
        return None

    async def commit(
        self, held: Held, staged: Sequence[images_pb2.StagedImage]
    ) -> Sequence[images_pb2.Image]:
        """Make staged pictures drafts of the generation."""
        request = images_pb2.CommitImagesRequest(
            generation=held.name,
            task=held.lease.task,
            epoch=held.lease.epoch,
            pictures=[
                images_pb2.CommitImagesRequest.Picture(
                    index=picture.index,
                    sha256=picture.sha256,
                    generation_index=held.first_index + picture.index,
                )
                for picture in staged
            ],
            creator=held.creator,
            expire_time=store.timestamp(held.expire_time),
        )
        response = await insist(lambda: self._images.CommitImages(request))
        return response.images


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call until media answers it. Raises LostLease when media knows a newer holder of the task."""
    wait = _FIRST_SECONDS
    while True:
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            failure = from_rpc_error(error)
            if failure is not None and failure.reason == ErrorReason.LEASE_TAKEN:
                raise LostLease(failure.metadata.get("task", "")) from error
            if failure is not None and failure.reason not in _PASSING:
                raise failure from error
            log.warning("media.lost", code=error.code().name)
        except (asyncio.CancelledError, asyncio.InvalidStateError):
            # A connection that breaks in the middle of a request stream makes grpc raise these. Only a task
            # that is being cancelled has been asked to stop.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            log.warning("media.lost", code="BROKEN")
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_SECONDS)


def _unusable(failure: Failure) -> Failure:
    """A picture media does not take is an answer of no use."""
    if failure.reason != ErrorReason.IMAGE_REFUSED:
        return failure
    return Failure(ErrorReason.ANSWER_UNUSABLE, "The provider's answer is no picture that can be kept.")


async def _pieces(
    header: images_pb2.StageImageRequest.Header, data: bytes
) -> AsyncIterator[images_pb2.StageImageRequest]:
    yield images_pb2.StageImageRequest(header=header)
    for start in range(0, len(data), CHUNK_BYTES):
        yield images_pb2.StageImageRequest(data=data[start : start + CHUNK_BYTES])


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
