"""What another service believes of people, through its live copy of what config says."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from grpc.aio import AioRpcError
from inkweld.access.v1 import access_pb2
from inkweld.access.v1 import projects_pb2 as pb
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub
from inkweld.access.v1.projects_pb2_grpc import ProjectServiceStub
from inkweld.config.v1 import settings_pb2
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1.models_pb2 import ListKindsRequest
from inkweld.generation.v1.models_pb2_grpc import ModelServiceStub, add_ModelServiceServicer_to_server

from runtime import configuration
from runtime.configuration import Configuration
from runtime.failure import Failure
from runtime.identity import Verifier
from tests import house
from tests.services.config.instance import Config, FakeModels


@pytest.fixture
async def media(config: Config) -> AsyncIterator[Configuration]:
    """What the media service knows."""
    token = config.keys.signer("media").service_token("config")
    async with (
        house.dialled(config.address, config.keys, token) as channel,
        configuration.watch(channel) as live,
    ):
        await asyncio.wait_for(live.changed(), 2)
        yield live


async def test_the_switches_arrive(config: Config, media: Configuration) -> None:
    settings = await config.admin(SettingsServiceStub)

    seen = [media.off()]
    for wanted in (settings_pb2.Settings(kill_switch=False), settings_pb2.Settings(images_enabled=True)):
        changed = asyncio.ensure_future(media.changed())
        await settings.UpdateSettings(settings_pb2.UpdateSettingsRequest(settings=wanted))
        await asyncio.wait_for(changed, 1)
        seen.append(media.off())

    assert seen == ["kill_switch", "images_enabled", None]


async def test_a_changed_role_holds_within_a_second(config: Config, media: Configuration) -> None:
    owner = await config.stub(ProjectServiceStub)
    await owner.CreateProject(pb.CreateProjectRequest(project=pb.Project(title="Atlas"), project_id="atlas"))
    name = "projects/atlas/members/bob"
    bob = pb.Member(user="users/bob", role=pb.Role.EDITOR)
    # A call begins when it is made, so each is made when its turn comes.
    steps = (
        (owner.CreateMember, pb.CreateMemberRequest(parent="projects/atlas", member=bob)),
        (
            owner.UpdateMember,
            pb.UpdateMemberRequest(member=pb.Member(name=name, role=pb.Role.VIEWER)),
        ),
        (owner.DeleteMember, pb.DeleteMemberRequest(name=name)),
    )

    roles = [await media.role("projects/atlas", "users/bob")]
    for method, request in steps:
        await method(request)  # type: ignore[arg-type]
        await asyncio.sleep(0.3)
        roles.append(await media.role("projects/atlas", "users/bob"))

    assert roles == [0, pb.Role.EDITOR, pb.Role.VIEWER, 0]


async def test_a_deleted_project_is_nobodys_within_a_second(config: Config, media: Configuration) -> None:
    owner = await config.stub(ProjectServiceStub)
    await owner.CreateProject(pb.CreateProjectRequest(project=pb.Project(title="Atlas"), project_id="atlas"))
    before = await media.role("projects/atlas", "users/ada")

    await owner.DeleteProject(pb.DeleteProjectRequest(name="projects/atlas"))
    await asyncio.sleep(0.3)

    assert (before, await media.role("projects/atlas", "users/ada")) == (pb.Role.OWNER, 0)


async def test_a_programs_secret_outlives_a_change_of_standing(config: Config, media: Configuration) -> None:
    """What was said of the user is asked anew; the token itself holds on."""
    access = await config.stub(AccessServiceStub)
    wanted = access_pb2.Token(title="t", scope=access_pb2.Scope.ADMIN)
    token = await access.CreateToken(access_pb2.CreateTokenRequest(parent="users/ada", token=wanted))
    models = [(add_ModelServiceServicer_to_server, FakeModels())]
    async with (
        house.serving("generation", models, authority=media, keys=config.keys) as address,
        house.dialled(address, config.keys, token.secret) as channel,
    ):
        program = ModelServiceStub(channel)
        with pytest.raises(AioRpcError) as refusal:
            await program.ListKinds(ListKindsRequest())
        administrator = await config.admin(AccessServiceStub)
        ada = access_pb2.User(name="users/ada", admin=True)
        await administrator.UpdateUser(access_pb2.UpdateUserRequest(user=ada))
        await asyncio.sleep(0.3)

        assert (await program.ListKinds(ListKindsRequest())).kinds

    assert house.failure_of(refusal.value).reason == ErrorReason.CALLER_FORBIDDEN


async def test_an_ended_token_is_believed_by_nobody(config: Config, media: Configuration) -> None:
    access = await config.stub(AccessServiceStub)
    wanted = access_pb2.Token(title="t", scope=access_pb2.Scope.READ)
    token = await access.CreateToken(access_pb2.CreateTokenRequest(parent="users/ada", token=wanted))
    verifier = Verifier("media", config.keys.trusted)
    caller = verifier.verify(await media.exchange(token.secret))

    believed = not media.revoked(caller)
    await access.DeleteToken(access_pb2.DeleteTokenRequest(name=token.name))
    await asyncio.sleep(0.3)

    assert (caller.name, caller.proof, caller.scope) == ("users/ada", token.name, access_pb2.Scope.READ)
    assert believed
    assert media.revoked(caller)
    media.forget(token.secret)
    with pytest.raises(Failure):
        await media.exchange(token.secret)
