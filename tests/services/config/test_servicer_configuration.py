"""Every change reaches every process, through the front door of every replica."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from grpc.aio import AioRpcError
from inkweld.access.v1 import access_pb2, projects_pb2
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub
from inkweld.access.v1.projects_pb2_grpc import ProjectServiceStub
from inkweld.config.v1 import configuration_pb2 as pb
from inkweld.config.v1 import profiles_pb2, providers_pb2, settings_pb2
from inkweld.config.v1.configuration_pb2_grpc import ConfigurationServiceStub
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceStub
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from tests.house import Keys, failure_of
from tests.services.config.instance import Config, running

KEY = "sk-canary-0123456789"


async def until(stream: Any, holds: Callable[[pb.Configuration], bool]) -> pb.Configuration:
    """The first configuration of which something holds; the test fails when it takes a second."""
    async with asyncio.timeout(1):
        while True:
            configuration: pb.Configuration = await stream.read()
            if holds(configuration):
                return configuration


def subjects(configuration: pb.Configuration) -> set[str]:
    return {revocation.subject for revocation in configuration.revocations}


async def test_the_whole_configuration_comes_at_once(config: Config) -> None:
    stream = await config.watch()

    first = await until(stream, lambda _: True)

    assert first.settings.kill_switch
    assert len(first.providers) == 5
    assert first.revision > 0


async def test_every_kind_of_change_arrives_within_a_second(config: Config) -> None:
    stream = await config.watch()
    settings = await config.admin(SettingsServiceStub)
    providers = await config.admin(ProviderServiceStub)
    profiles = await config.admin(ProfileServiceStub)
    sketch = profiles_pb2.Profile(title="Sketch", provider="providers/openai", model="m")
    sketch.model_config.update({"steps": 20})

    await settings.UpdateSettings(
        settings_pb2.UpdateSettingsRequest(settings=settings_pb2.Settings(kill_switch=False))
    )
    await until(stream, lambda now: not now.settings.kill_switch)
    await providers.SetProviderKey(providers_pb2.SetProviderKeyRequest(name="providers/openai", api_key=KEY))
    await until(stream, lambda now: now.providers[0].state == providers_pb2.Provider.State.READY)
    await profiles.CreateProfile(profiles_pb2.CreateProfileRequest(profile=sketch, profile_id="sketch"))
    now = await until(stream, lambda now: len(now.profiles) == 1)
    assert now.profiles[0].model_config["steps"] == 20
    await profiles.DeleteProfile(profiles_pb2.DeleteProfileRequest(name="profiles/sketch"))
    await until(stream, lambda now: not now.profiles)
    await providers.DeleteProviderKey(providers_pb2.DeleteProviderKeyRequest(name="providers/openai"))
    await until(stream, lambda now: not now.providers[0].HasField("key"))


async def test_nothing_of_a_key_travels_but_its_version(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    await providers.SetProviderKey(providers_pb2.SetProviderKeyRequest(name="providers/openai", api_key=KEY))

    now = await until(await config.watch(), lambda _: True)

    assert now.providers[0].key == providers_pb2.Key(version=1)


@pytest.fixture
async def replicas(keys: Keys, database_url: str) -> AsyncIterator[tuple[Config, Config]]:
    """Two replicas of config on one database, with the users ada and bob and the administrator root."""
    async with running(keys, database_url) as one, running(keys, database_url) as other:
        await one.db.execute(
            """INSERT INTO users (id, title, admin)
               VALUES ('ada', 'Ada', false), ('bob', 'Bob', false), ('root', 'Root', true)"""
        )
        yield one, other


async def test_a_change_made_at_one_replica_arrives_at_the_other(replicas: tuple[Config, Config]) -> None:
    one, other = replicas
    settings = await one.admin(SettingsServiceStub)
    stream = await other.watch()
    await until(stream, lambda now: now.settings.kill_switch)

    request = settings_pb2.UpdateSettingsRequest(settings=settings_pb2.Settings(kill_switch=False))
    await settings.UpdateSettings(request)

    await until(stream, lambda now: not now.settings.kill_switch)
    features = await (await other.stub(SettingsServiceStub, token="")).GetFeatures(
        settings_pb2.GetFeaturesRequest()
    )
    assert not features.kill_switch


async def test_changes_survive_the_loss_of_the_listener(replicas: tuple[Config, Config]) -> None:
    one, other = replicas
    stream = await other.watch()
    await until(stream, lambda now: now.settings.kill_switch)
    await one.db.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE query LIKE 'LISTEN%' AND datname = current_database()"""
    )

    settings = await one.admin(SettingsServiceStub)
    request = settings_pb2.UpdateSettingsRequest(settings=settings_pb2.Settings(kill_switch=False))
    await settings.UpdateSettings(request)

    await until(stream, lambda now: not now.settings.kill_switch)


async def test_an_ended_token_is_refused_at_every_replica_within_a_second(
    replicas: tuple[Config, Config],
) -> None:
    one, other = replicas
    access = await one.stub(AccessServiceStub)
    wanted = access_pb2.Token(title="t", scope=access_pb2.Scope.ADMIN)
    token = await access.CreateToken(access_pb2.CreateTokenRequest(parent="users/ada", token=wanted))
    given = await access.ExchangeSecret(access_pb2.ExchangeSecretRequest(secret=token.secret))
    with_jwt = await other.stub(AccessServiceStub, token=given.jwt)
    await with_jwt.GetMe(access_pb2.GetMeRequest())

    await access.DeleteToken(access_pb2.DeleteTokenRequest(name=token.name))

    await asyncio.sleep(0.5)
    with pytest.raises(AioRpcError) as refusal:
        await with_jwt.GetMe(access_pb2.GetMeRequest())
    assert failure_of(refusal.value).reason == ErrorReason.CALLER_UNKNOWN
    now = await until(await other.watch(), lambda _: True)
    assert token.name in subjects(now)


async def test_whoever_is_shut_out_is_named(config: Config) -> None:
    stream = await config.watch("gateway")
    admin = await config.admin(AccessServiceStub)
    code = await admin.CreateSignInCode(access_pb2.CreateSignInCodeRequest(name="users/ada"))
    session = await admin.SignIn(access_pb2.SignInRequest(code=code.code))
    projects = await config.stub(ProjectServiceStub)
    atlas = projects_pb2.CreateProjectRequest(project=projects_pb2.Project(title="Atlas"), project_id="atlas")
    bob = projects_pb2.Member(user="users/bob", role=projects_pb2.Role.EDITOR)

    await projects.CreateProject(atlas)
    await until(stream, lambda now: "projects/atlas/members/ada" in subjects(now))
    await projects.CreateMember(projects_pb2.CreateMemberRequest(parent="projects/atlas", member=bob))
    await until(stream, lambda now: "projects/atlas/members/bob" in subjects(now))
    before = time.time()
    await projects.DeleteMember(projects_pb2.DeleteMemberRequest(name="projects/atlas/members/bob"))
    await until(
        stream,
        lambda now: any(
            one.subject.endswith("/bob") and one.not_before.ToMicroseconds() / 1e6 >= before
            for one in now.revocations
        ),
    )
    await admin.DeleteSession(access_pb2.DeleteSessionRequest(name=session.name))
    await until(stream, lambda now: session.name in subjects(now))
    ada = access_pb2.User(name="users/ada", disabled=True)
    await admin.UpdateUser(access_pb2.UpdateUserRequest(user=ada))
    await until(stream, lambda now: "users/ada" in subjects(now))


async def test_old_revocations_go(config: Config) -> None:
    await config.db.execute("INSERT INTO revocations VALUES ('users/bob', now() - interval '11 minutes')")
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(
        projects_pb2.CreateProjectRequest(project=projects_pb2.Project(title="Atlas"))
    )

    now = await until(await config.watch(), lambda _: True)

    assert "users/bob" not in subjects(now)
    assert await config.db.fetchval("SELECT count(*) FROM revocations") == 1


@pytest.mark.parametrize("token", ["", None])
async def test_only_services_watch(config: Config, token: str | None) -> None:
    stub = await config.stub(ConfigurationServiceStub, "users/root", admin=True, token=token)

    with pytest.raises(AioRpcError):
        await stub.WatchConfiguration(pb.WatchConfigurationRequest()).read()
