"""What the door lets through, on a real server with a real service's contract."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import field_mask_pb2
from inkweld.access.v1.access_pb2 import Scope
from inkweld.access.v1.projects_pb2 import Role
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1 import generations_pb2_grpc as pb_grpc
from inkweld.media.v1 import images_pb2, images_pb2_grpc

from tests import house
from tests.house import FakeAuthority, Keys

CANARY = "canary-7f3a"


class Generations(pb_grpc.GenerationServiceServicer):
    """Answers what it was asked, and crashes when told to."""

    async def GetGeneration(self, request: pb.GetGenerationRequest, context: Any) -> pb.Generation:
        if request.name.endswith("/crash"):
            raise RuntimeError(CANARY)
        return pb.Generation(name=request.name)

    async def CreateGeneration(self, request: pb.CreateGenerationRequest, context: Any) -> pb.Generation:
        return request.generation

    async def WatchGeneration(
        self, request: pb.WatchGenerationRequest, context: Any
    ) -> AsyncIterator[pb.GenerationEvent]:
        yield pb.GenerationEvent(number=1)
        await asyncio.Event().wait()


class Images(images_pb2_grpc.ImageServiceServicer):
    """Answers what it was asked."""

    async def UpdateImage(self, request: images_pb2.UpdateImageRequest, context: Any) -> images_pb2.Image:
        return request.image

    async def UploadImage(
        self, requests: AsyncIterator[images_pb2.UploadImageRequest], context: Any
    ) -> images_pb2.Image:
        pieces = [message.file.data async for message in requests]
        return images_pb2.Image(size_bytes=sum(map(len, pieces)))

    async def FenceTask(self, request: Any, context: Any) -> images_pb2.FenceTaskResponse:
        return images_pb2.FenceTaskResponse()


@asynccontextmanager
async def servers(authority: FakeAuthority, keys: Keys) -> AsyncIterator[str]:
    servicers: list[tuple[Callable[..., None], object]] = [
        (pb_grpc.add_GenerationServiceServicer_to_server, Generations()),
        (images_pb2_grpc.add_ImageServiceServicer_to_server, Images()),
    ]
    names = ("inkweld.generation.v1.GenerationService", "inkweld.media.v1.ImageService")
    async with house.serving("media", servicers, authority=authority, keys=keys, names=names) as address:
        yield address


async def refusal(call: Any) -> ErrorReason:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return house.failure_of(caught.value).reason


ATLAS = "projects/atlas"
GET = pb.GetGenerationRequest(name=f"{ATLAS}/generations/g")


async def test_a_member_is_let_in_and_a_stranger_finds_nothing(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            assert (await generations.GetGeneration(GET)).name == GET.name
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys, user="users/eve") as generations:
            assert await refusal(generations.GetGeneration(GET)) == ErrorReason.RESOURCE_NOT_FOUND
        async with house.stub(
            pb_grpc.GenerationServiceStub, address, keys, user="users/root", admin=True
        ) as g:
            assert await refusal(g.GetGeneration(GET)) == ErrorReason.RESOURCE_NOT_FOUND


async def test_a_viewer_may_not_write(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    request = pb.CreateGenerationRequest(
        parent=ATLAS, generation=pb.Generation(profile="profiles/p", prompt="x")
    )
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            assert await refusal(generations.CreateGeneration(request)) == ErrorReason.CALLER_FORBIDDEN


async def test_a_token_with_a_narrow_scope_may_only_read(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.OWNER
    request = pb.CreateGenerationRequest(
        parent=ATLAS, generation=pb.Generation(profile="profiles/p", prompt="x")
    )
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys, scope=Scope.READ) as generations:
            await generations.GetGeneration(GET)
            assert await refusal(generations.CreateGeneration(request)) == ErrorReason.CALLER_FORBIDDEN


async def test_nobody_is_refused_whatever_the_proof(authority: FakeAuthority, keys: Keys) -> None:
    async with servers(authority, keys) as address:
        for token in (None, "ikw_nonsense", "a.b.c", keys.signer("media").service_token("generation")):
            async with house.dialled(address, keys, token) as channel:
                call = pb_grpc.GenerationServiceStub(channel).GetGeneration(GET)
                assert await refusal(call) == ErrorReason.CALLER_UNKNOWN


async def test_a_secret_is_exchanged_for_its_user(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    authority.secrets["ikw_secret"] = keys.user_token("users/ada")
    async with servers(authority, keys) as address, house.dialled(address, keys, "ikw_secret") as channel:
        assert (await pb_grpc.GenerationServiceStub(channel).GetGeneration(GET)).name == GET.name


async def test_a_service_opens_only_methods_that_name_it(authority: FakeAuthority, keys: Keys) -> None:
    fence = images_pb2.FenceTaskRequest(task="t", epoch=1)
    stub = images_pb2_grpc.ImageServiceStub
    async with servers(authority, keys) as address:
        async with house.service_stub(stub, address, keys, service="generation", audience="media") as images:
            await images.FenceTask(fence)
            assert (
                await refusal(images.UpdateImage(images_pb2.UpdateImageRequest()))
                == ErrorReason.CALLER_FORBIDDEN
            )
        async with house.service_stub(stub, address, keys, service="gateway", audience="media") as images:
            assert await refusal(images.FenceTask(fence)) == ErrorReason.CALLER_FORBIDDEN
        async with house.stub(stub, address, keys, admin=True) as images:
            assert await refusal(images.FenceTask(fence)) == ErrorReason.CALLER_FORBIDDEN


async def test_a_broken_rule_names_its_field(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.EDITOR
    generation = pb.Generation(profile="profiles/p", prompt="x", count=0, size="huge")
    request = pb.CreateGenerationRequest(parent=ATLAS, generation=generation)
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await generations.CreateGeneration(request)
    failure = house.failure_of(caught.value)
    assert failure.reason == ErrorReason.FIELD_INVALID
    assert set(failure.fields) == {"generation.count", "generation.size"}


async def test_an_update_is_held_only_against_what_it_names(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.EDITOR
    image = images_pb2.Image(name=f"{ATLAS}/images/i", title="x" * 300, etag="e")
    async with servers(authority, keys) as address:
        async with house.stub(images_pb2_grpc.ImageServiceStub, address, keys) as images:
            mask = field_mask_pb2.FieldMask(paths=["state"])
            await images.UpdateImage(images_pb2.UpdateImageRequest(image=image, update_mask=mask))
            call = images.UpdateImage(images_pb2.UpdateImageRequest(image=image))
            assert await refusal(call) == ErrorReason.FIELD_INVALID


async def test_ai_off_refuses_what_needs_ai(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.EDITOR
    authority.switch = "kill_switch"
    request = pb.CreateGenerationRequest(
        parent=ATLAS, generation=pb.Generation(profile="profiles/p", prompt="x")
    )
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            assert await refusal(generations.CreateGeneration(request)) == ErrorReason.GENERATION_OFF
            await generations.GetGeneration(GET)


async def test_a_stream_ends_when_its_caller_is_shut_out(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            stream = generations.WatchGeneration(pb.WatchGenerationRequest(name=GET.name))
            events = aiter(stream)
            assert (await anext(events)).number == 1
            authority.revoke("users/ada")
            async with asyncio.timeout(1.5):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await anext(events)
    assert house.failure_of(caught.value).reason == ErrorReason.CALLER_UNKNOWN


async def test_a_stream_ends_when_its_caller_is_no_member_any_more(
    authority: FakeAuthority, keys: Keys
) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            events = aiter(generations.WatchGeneration(pb.WatchGenerationRequest(name=GET.name)))
            await anext(events)

            del authority.roles[ATLAS, "users/ada"]

            assert await refusal(asyncio.wait_for(anext(events), 2)) == ErrorReason.RESOURCE_NOT_FOUND


async def test_an_upload_is_streamed_to_the_servicer(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.EDITOR

    async def pieces(parent: str) -> AsyncIterator[images_pb2.UploadImageRequest]:
        yield images_pb2.UploadImageRequest(parent=parent)
        for _ in range(3):
            piece = images_pb2.UploadImageRequest()
            piece.file.data = bytes(1 << 20)
            yield piece

    async with servers(authority, keys) as address:
        async with house.stub(images_pb2_grpc.ImageServiceStub, address, keys) as images:
            assert (await images.UploadImage(pieces(ATLAS))).size_bytes == 3 << 20
            assert (
                await refusal(images.UploadImage(pieces("projects/other"))) == ErrorReason.RESOURCE_NOT_FOUND
            )
            assert await refusal(images.UploadImage(pieces(""))) == ErrorReason.FIELD_INVALID


async def test_a_crash_tells_the_caller_nothing(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await generations.GetGeneration(pb.GetGenerationRequest(name=f"{ATLAS}/generations/crash"))
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert caught.value.details() == "Internal error."
    assert CANARY not in str(caught.value.trailing_metadata())


async def test_a_deadline_too_short_is_refused(authority: FakeAuthority, keys: Keys) -> None:
    authority.roles[ATLAS, "users/ada"] = Role.VIEWER
    async with servers(authority, keys) as address:
        async with house.stub(pb_grpc.GenerationServiceStub, address, keys) as generations:
            await generations.GetGeneration(GET)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await generations.GetGeneration(GET, timeout=0.05)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
