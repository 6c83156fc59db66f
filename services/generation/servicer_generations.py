"""Generations: planned, accepted, read, watched, cancelled, saved."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import grpc
from asyncpg import Pool
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1.generations_pb2_grpc import GenerationServiceServicer
from inkweld.media.v1 import images_pb2, images_pb2_grpc

from runtime import identity, pages
from runtime.database import Database
from runtime.failure import Failure, from_rpc_error, invalid, not_found
from runtime.names import leaf, new_id
from runtime.server import Context
from services.generation import accept, inputs, store, store_tasks
from services.generation.gate import Gate
from services.generation.planner import Planner
from services.generation.watch import Hub

# How long a cancel waits for the workers to say what became of the calls they had made.
SETTLE_SECONDS = 5.0
# A page has fewer than other lists' pages: each may be long, and all are read before they are counted.
_PAGE_SIZE = 100


class GenerationService(GenerationServiceServicer):
    """Serves `inkweld.generation.v1.GenerationService`."""

    def __init__(
        self, db: Pool, gate: Gate, planner: Planner, hub: Hub, *, media: grpc.aio.Channel, lives: timedelta
    ) -> None:
        self._db = db
        self._gate = gate
        self._planner = planner
        self._hub = hub
        self._images = images_pb2_grpc.ImageServiceStub(media)
        self._lives = lives

    async def PreviewGeneration(self, request: pb.PreviewGenerationRequest, context: Context) -> pb.Plan:
        asked = accept.asked_for(request.parent, request.generation)
        planned = accept.plan(self._gate, self._planner, asked)
        await inputs.check(self._images, asked)
        return planned.plan

    async def CreateGeneration(self, request: pb.CreateGenerationRequest, context: Context) -> pb.Generation:
        asked = accept.asked_for(request.parent, request.generation)
        creator = identity.caller().name
        fingerprint = _fingerprint(request.parent, asked)
        # Before the plan: what was accepted once is answered as it was, whatever has changed since.
        if request.request_id and (reply := await store.select_reply(self._db, creator, request.request_id)):
            return _same(reply, fingerprint, request.request_id)
        accepted = accept.plan(self._gate, self._planner, asked)
        await inputs.check(self._images, asked)
        draft = store.Draft(new_id(), request.parent, creator, asked, accepted.plan, accepted.profile)
        try:
            if request.request_id:
                async with self._db.acquire() as db, db.transaction():
                    generation = await accept.write(db, draft, accepted, self._lives)
                    await store.insert_reply(db, request.request_id, fingerprint, generation)
            else:
                generation = await accept.write(self._db, draft, accepted, self._lives)
        except store.RequestIdTaken:
            # The same call at the same moment: its answer is there by now.
            return await self.CreateGeneration(request, context)
        await accept.tell(self._db, queued=True)
        return generation

    async def GetGeneration(self, request: pb.GetGenerationRequest, context: Context) -> pb.Generation:
        return await _read(self._db, request.name)

    async def ListGenerations(
        self, request: pb.ListGenerationsRequest, context: Context
    ) -> pb.ListGenerationsResponse:
        size = min(pages.size(request.page_size), _PAGE_SIZE)
        after = pages.decode(request.page_token, datetime, str)
        found = await store.select_generations(self._db, request.parent, after, size + 1)
        page, more = pages.cut(found, size)
        response = pb.ListGenerationsResponse(generations=page)
        if more:
            last = page[-1]
            response.next_page_token = pages.encode(last.create_time.ToDatetime(tzinfo=UTC), leaf(last.name))
        return response

    async def WatchGeneration(
        self, request: pb.WatchGenerationRequest, context: Context
    ) -> AsyncIterator[pb.GenerationEvent]:
        await _read(self._db, request.name)
        async with aclosing(self._hub.follow(leaf(request.name), request.after)) as events:
            async for event in events:
                yield event

    async def CancelGeneration(self, request: pb.CancelGenerationRequest, context: Context) -> pb.Generation:
        generation = await _read(self._db, request.name)
        async with self._db.acquire() as db, db.transaction():
            await store.lock_generation(db, leaf(request.name))
            if not await store_tasks.cancel_tasks(db, leaf(request.name)):
                raise _ended(await _read(db, request.name))
            ended = await store.refresh_generation(db, leaf(request.name))
        await accept.tell(self._db, cancelled=leaf(request.name))
        if not ended:
            await self._settled(generation, context)
        return await _read(self._db, request.name)

    async def SaveGeneration(self, request: pb.SaveGenerationRequest, context: Context) -> pb.Generation:
        generation = await _read(self._db, request.name)
        images = {image.index: image.image for image in generation.images}
        indexes = list(request.indexes) or list(images)
        if unknown := [index for index in indexes if index not in images]:
            raise invalid({"indexes": f"must be pictures of the generation, which {unknown[0]} is not"})
        if not indexes:
            raise invalid({"indexes": "must be pictures of the generation, which has none"})
        parent = request.name.split("/generations/", 1)[0]
        keep = images_pb2.KeepImagesRequest(parent=parent, images=[images[index] for index in indexes])
        try:
            await self._images.KeepImages(keep)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) or error from error
        await store.save_pictures(self._db, request.name, indexes)
        return await _read(self._db, request.name)

    async def _settled(self, generation: pb.Generation, context: Context) -> None:
        """Wait until the workers have let go of it, as long as that makes sense."""
        left = context.time_remaining()
        wait = SETTLE_SECONDS if left is None else max(0.0, min(SETTLE_SECONDS, left - 0.1))
        try:
            async with asyncio.timeout(wait):
                async with aclosing(self._hub.follow(leaf(generation.name), 0)) as events:
                    async for _ in events:
                        pass
        except TimeoutError:
            return


async def _read(db: Database, name: str) -> pb.Generation:
    generation = await store.select_generation(db, name)
    if generation is None:
        raise not_found(name)
    return generation


def _fingerprint(parent: str, asked: pb.Generation) -> bytes:
    return hashlib.sha256(parent.encode() + b"\0" + asked.SerializeToString(deterministic=True)).digest()


def _same(reply: store.Reply, fingerprint: bytes, request_id: str) -> pb.Generation:
    """The answer that was given; it is only given to the same request."""
    if reply.fingerprint != fingerprint:
        raise Failure(
            ErrorReason.REQUEST_ID_REUSED,
            "The same request_id came before with another request.",
            request_id=request_id,
        )
    return reply.generation


def _ended(generation: pb.Generation) -> Failure:
    state = pb.Generation.State.Name(generation.state)
    return Failure(ErrorReason.GENERATION_ENDED, "The generation has ended.", state=state)
