"""A process follows config: changes, revocations and roles, also over a lost connection."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from inkweld.access.v1 import access_pb2, access_pb2_grpc, projects_pb2, projects_pb2_grpc
from inkweld.config.v1 import configuration_pb2, configuration_pb2_grpc
from inkweld.config.v1.settings_pb2 import Settings
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import configuration
from runtime.configuration import Configuration
from runtime.failure import Failure
from runtime.identity import Caller
from tests import house
from tests.house import FakeAuthority, Keys


class Config(
    configuration_pb2_grpc.ConfigurationServiceServicer,
    projects_pb2_grpc.ProjectServiceServicer,
    access_pb2_grpc.AccessServiceServicer,
):
    """Config as the other services know it; it remembers what it was asked."""

    def __init__(self) -> None:
        self.said = configuration_pb2.Configuration(settings=Settings(kill_switch=False, images_enabled=True))
        self.news = asyncio.Event()
        self.role = projects_pb2.EDITOR
        self.asked: list[str] = []

    def say(self, said: configuration_pb2.Configuration) -> None:
        self.said = said
        self.news.set()
        self.news = asyncio.Event()

    async def WatchConfiguration(
        self, request: Any, context: Any
    ) -> AsyncIterator[configuration_pb2.Configuration]:
        while True:
            news = self.news
            yield self.said
            await news.wait()

    async def GetRole(
        self, request: projects_pb2.GetRoleRequest, context: Any
    ) -> projects_pb2.GetRoleResponse:
        self.asked.append(request.user)
        return projects_pb2.GetRoleResponse(role=self.role)

    async def ExchangeSecret(
        self, request: access_pb2.ExchangeSecretRequest, context: Any
    ) -> access_pb2.AccessToken:
        self.asked.append("exchange")
        token = access_pb2.AccessToken(jwt="a.b.c")
        token.expire_time.FromSeconds(int(time.time()) + 300)
        return token


@asynccontextmanager
async def following(config: Config, keys: Keys) -> AsyncIterator[Configuration]:
    servicers: list[tuple[Callable[..., None], object]] = [
        (configuration_pb2_grpc.add_ConfigurationServiceServicer_to_server, config),
        (projects_pb2_grpc.add_ProjectServiceServicer_to_server, config),
        (access_pb2_grpc.add_AccessServiceServicer_to_server, config),
    ]
    async with house.serving("config", servicers, authority=FakeAuthority(), keys=keys) as address:
        token = keys.signer("media").service_token("config")
        async with house.dialled(address, keys, token) as channel, configuration.watch(channel) as live:
            yield live


async def test_before_the_first_word_nothing_is_known(keys: Keys) -> None:
    async with house.dialled("127.0.0.1:1", keys, None) as channel, configuration.watch(channel) as live:
        assert not live.arrived
        with pytest.raises(Failure) as caught:
            live.off()
    assert caught.value.reason == ErrorReason.SERVICE_UNAVAILABLE


async def test_a_change_arrives_within_a_second(keys: Keys) -> None:
    config = Config()
    async with following(config, keys) as live, asyncio.timeout(5):
        await live.changed()
        assert live.off() is None

        config.say(configuration_pb2.Configuration(settings=Settings(kill_switch=True)))

        async with asyncio.timeout(1):
            await live.changed()
        assert live.off() == "kill_switch"


async def test_a_role_is_asked_once_until_it_is_revoked(keys: Keys) -> None:
    config = Config()
    async with following(config, keys) as live, asyncio.timeout(5):
        await live.changed()
        assert await live.role("projects/a", "users/ada") == projects_pb2.EDITOR
        assert await live.role("projects/a", "users/ada") == projects_pb2.EDITOR
        assert config.asked == ["users/ada"]

        config.role = projects_pb2.ROLE_UNSPECIFIED
        config.say(revocation("projects/a/members/ada"))
        await live.changed()

        assert await live.role("projects/a", "users/ada") == 0


async def test_who_is_shut_out_is_known_by_user_and_by_proof(keys: Keys) -> None:
    config = Config()
    before = Caller("users/ada", proof="users/ada/sessions/s", issued=time.time() - 10)
    after = Caller("users/ada", proof="users/ada/sessions/s", issued=time.time() + 10)
    async with following(config, keys) as live, asyncio.timeout(5):
        await live.changed()
        assert not live.revoked(before)
        for subject in ("users/ada", "users/ada/sessions/s"):
            config.say(revocation(subject))
            await live.changed()
            assert live.revoked(before)
            assert not live.revoked(after)
        config.say(revocation("users/eve"))
        await live.changed()
        assert not live.revoked(before)


async def test_a_great_many_may_be_shut_out_at_once(keys: Keys) -> None:
    config = Config()
    shut_out = [f"users/ada/tokens/{number:026}" for number in range(30_000)]
    async with following(config, keys) as live, asyncio.timeout(10):
        await live.changed()
        said = configuration_pb2.Configuration()
        for subject in shut_out:
            said.revocations.add(subject=subject).not_before.GetCurrentTime()
        config.say(said)
        await live.changed()

        last = Caller("users/ada", proof=shut_out[-1], issued=time.time() - 10)
        assert live.revoked(last)


async def test_a_secret_is_exchanged_once(keys: Keys) -> None:
    config = Config()
    async with following(config, keys) as live:
        assert [await live.exchange("ikw_x") for _ in range(3)] == ["a.b.c"] * 3
    assert config.asked == ["exchange"]


def revocation(subject: str) -> configuration_pb2.Configuration:
    said = configuration_pb2.Configuration(revocations=[configuration_pb2.Revocation(subject=subject)])
    said.revocations[0].not_before.FromMicroseconds(int(time.time() * 1e6))
    return said
