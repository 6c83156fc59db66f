"""A live copy of config's configuration, and what follows from it for callers."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog
from inkweld.access.v1 import access_pb2, access_pb2_grpc, projects_pb2, projects_pb2_grpc
from inkweld.config.v1 import configuration_pb2, configuration_pb2_grpc
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.config.v1.providers_pb2 import Provider
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure, from_rpc_error
from runtime.identity import Caller

log = structlog.get_logger()

_RECONNECT_SECONDS = 0.2
_ROLE_SECONDS = 300.0  # how long a role may be believed when config is out of reach, as long as a JWT
_RENEW_SECONDS = 30.0  # a JWT this close to its end is exchanged anew
_CACHED = 10_000


class Configuration:
    """What config last said. It is an `Authority`: the server asks it about people."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stream = configuration_pb2_grpc.ConfigurationServiceStub(channel)
        self._access = access_pb2_grpc.AccessServiceStub(channel)
        self._projects = projects_pb2_grpc.ProjectServiceStub(channel)
        self._current: configuration_pb2.Configuration | None = None
        self._shut_out: dict[str, float] = {}
        self._roles: dict[tuple[str, str], tuple[float, int]] = {}
        self._jwts: dict[bytes, tuple[float, str]] = {}
        self._change = asyncio.Event()

    @property
    def current(self) -> configuration_pb2.Configuration:
        """The configuration. Raises SERVICE_UNAVAILABLE until the first has arrived."""
        if self._current is None:
            raise Failure(
                ErrorReason.SERVICE_UNAVAILABLE, "The configuration has not arrived yet. Try again."
            )
        return self._current

    @property
    def arrived(self) -> bool:
        """Whether there is a configuration."""
        return self._current is not None

    def provider(self, name: str) -> Provider | None:
        """The provider of that name."""
        return next((provider for provider in self.current.providers if provider.name == name), None)

    def profile(self, name: str) -> Profile | None:
        """The profile of that name, enabled or not."""
        return next((profile for profile in self.current.profiles if profile.name == name), None)

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._change.wait()

    async def exchange(self, secret: str) -> str:
        """The JWT for the secret of a session or token, kept until shortly before it ends."""
        key = hashlib.sha256(secret.encode()).digest()
        ends, jwt = self._jwts.get(key, (0.0, ""))
        if time.time() < ends - _RENEW_SECONDS:
            return jwt
        try:
            given = await self._access.ExchangeSecret(access_pb2.ExchangeSecretRequest(secret=secret))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) or error from error
        _make_room(self._jwts)
        self._jwts[key] = (given.expire_time.ToMilliseconds() / 1000, given.jwt)
        return given.jwt

    def forget(self, secret: str) -> None:
        """Let go of the JWT kept for a secret."""
        self._jwts.pop(hashlib.sha256(secret.encode()).digest(), None)

    def revoked(self, caller: Caller) -> bool:
        """Whether the caller, or the proof behind the call, has been shut out since the JWT was made."""
        last = max(self._shut_out.get(caller.name, 0.0), self._shut_out.get(caller.proof, 0.0))
        return caller.issued < last

    async def role(self, project: str, user: str) -> int:
        """The user's role in the project; zero for none. Only config knows, and says when it changes."""
        until, role = self._roles.get((project, user), (0.0, 0))
        if time.monotonic() < until:
            return role
        asked_at = self._current
        try:
            answer = await self._projects.GetRole(projects_pb2.GetRoleRequest(project=project, user=user))
        except grpc.aio.AioRpcError as error:
            failure = from_rpc_error(error)
            # A name that config refuses is the name of no project.
            if failure and failure.reason == ErrorReason.FIELD_INVALID:
                return 0
            raise failure or error from error
        # An answer that was overtaken by a change is used once and not kept.
        if answer.role and self._current is asked_at:
            _make_room(self._roles)
            self._roles[project, user] = (time.monotonic() + _ROLE_SECONDS, answer.role)
        return answer.role

    def off(self) -> str | None:
        """The switch that turns AI off; None while it is on."""
        settings = self.current.settings
        if settings.kill_switch:
            return "kill_switch"
        return None if settings.images_enabled else "images_enabled"

    async def follow(self) -> None:
        """Take over what config says, until cancelled; reconnects by itself."""
        while True:
            try:
                stream = self._stream.WatchConfiguration(configuration_pb2.WatchConfigurationRequest())
                try:
                    async for configuration in stream:
                        self._take(configuration)
                finally:
                    stream.cancel()
            except grpc.aio.AioRpcError as error:
                log.warning("configuration.lost", code=error.code().name)
            await asyncio.sleep(_RECONNECT_SECONDS)

    def _take(self, configuration: configuration_pb2.Configuration) -> None:
        self._current = configuration
        before = self._shut_out
        self._shut_out = {r.subject: r.not_before.ToMicroseconds() / 1e6 for r in configuration.revocations}
        for subject in {s for s, moment in self._shut_out.items() if before.get(s) != moment}:
            self._forget_roles(subject)
        self._change.set()
        self._change = asyncio.Event()

    def _forget_roles(self, subject: str) -> None:
        """Forget what a revocation ends: one membership, or all of a project or a user."""
        project, _, member = subject.partition("/members/")
        for key in [k for k in self._roles if k[0] == project or k[1] == subject]:
            if not member or key[1] == f"users/{member}":
                del self._roles[key]


@asynccontextmanager
async def watch(channel: grpc.aio.Channel) -> AsyncIterator[Configuration]:
    """Follow config while the block runs; `channel` calls it as one of our services."""
    configuration = Configuration(channel)
    following = asyncio.create_task(configuration.follow())
    try:
        yield configuration
    finally:
        following.cancel()
        await asyncio.wait((following,))


def _make_room(cache: dict[object, object] | dict) -> None:  # type: ignore[type-arg]
    if len(cache) >= _CACHED:
        cache.clear()
