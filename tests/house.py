"""A real server with all that stands before its servicers, and stubs with real tokens, for tests."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import grpc
from inkweld.access.v1.access_pb2 import Scope

from runtime import channel, identity, sealing
from runtime.failure import Failure
from runtime.identity import Caller, Signer, Verifier
from runtime.server import Server, listening, new_server
from runtime.settings import ServiceSettings

SERVICES = ("config", "generation", "media", "gateway")

Stub = TypeVar("Stub")


class Keys:
    """Signing keys of all services and the rings, in a directory of the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        identity.generate_keys(directory, SERVICES)
        self.private_ring = directory / "ring.json"
        self.public_ring = directory / "ring.public.json"
        sealing.generate(self.private_ring, self.public_ring)

    def settings(self, service: str) -> ServiceSettings:
        """Settings of a service on a free loopback port, which ends at once when asked to."""
        return ServiceSettings(
            address="127.0.0.1:0",
            signing_key_file=self.directory / f"{service}.pem",
            trusted_keys_file=self.trusted,
            drain_seconds=0.0,
        )

    @property
    def trusted(self) -> Path:
        """The public keys of all services."""
        return self.directory / "trusted.json"

    def signer(self, service: str) -> Signer:
        """What makes the service's tokens."""
        return Signer(service, self.directory / f"{service}.pem")

    def user_token(self, user: str, *, admin: bool = False, scope: int = Scope.ADMIN, proof: str = "") -> str:
        """A user's JWT, as config would make it."""
        proof = proof or f"{user}/sessions/test"
        return self.signer("config").user_token(user, admin=admin, scope=scope, proof=proof, seconds=300)


class FakeAuthority:
    """An `Authority` that knows what the test tells it."""

    def __init__(self) -> None:
        self.roles: dict[tuple[str, str], int] = {}
        self.secrets: dict[str, str] = {}
        self.shut_out: dict[str, float] = {}
        self.switch: str | None = None

    def revoke(self, subject: str) -> None:
        """Shut a user or a proof out from now on."""
        self.shut_out[subject] = time.time()

    async def exchange(self, secret: str) -> str:
        if secret not in self.secrets:
            raise identity.unknown()
        return self.secrets[secret]

    def forget(self, secret: str) -> None:
        """Nothing is kept."""

    def revoked(self, caller: Caller) -> bool:
        return caller.issued < max(self.shut_out.get(name, 0.0) for name in (caller.name, caller.proof))

    async def role(self, project: str, user: str) -> int:
        return self.roles.get((project, user), 0)

    def off(self) -> str | None:
        return self.switch


@asynccontextmanager
async def serving(
    service: str,
    servicers: Sequence[tuple[Callable[..., None], object]],
    *,
    authority: identity.Authority,
    keys: Keys,
    names: Sequence[str] = (),
) -> AsyncIterator[str]:
    """Serve the servicers as `service`, with every interceptor; gives the address.

    `servicers` are pairs of a generated `add_…_to_server` and the servicer. `names` are full names of
    services for reflection and health; the policy is enforced with or without.
    """
    server = new_server(Verifier(service, keys.trusted), authority, keys.settings(service))
    for add, servicer in servicers:
        add(servicer, server.grpc)
    async with listening(server, *names) as port:
        yield f"127.0.0.1:{port}"


@asynccontextmanager
async def dialled(address: str, keys: Keys, token: str | None) -> AsyncIterator[grpc.aio.Channel]:
    """A channel whose calls carry `token`, or nothing."""
    identity = (lambda: token) if token else None
    async with channel.connect(address, keys.settings("gateway"), identity=identity) as dialled:
        yield dialled


@asynccontextmanager
async def stub(
    kind: Callable[[grpc.aio.Channel], Stub],
    address: str,
    keys: Keys,
    *,
    user: str = "users/ada",
    admin: bool = False,
    scope: int = Scope.ADMIN,
) -> AsyncIterator[Stub]:
    """A stub that calls as a user."""
    token = keys.user_token(user, admin=admin, scope=scope)
    async with dialled(address, keys, token) as open_channel:
        yield kind(open_channel)


@asynccontextmanager
async def service_stub(
    kind: Callable[[grpc.aio.Channel], Stub], address: str, keys: Keys, *, service: str, audience: str
) -> AsyncIterator[Stub]:
    """A stub that calls as one of our services."""
    async with dialled(address, keys, keys.signer(service).service_token(audience)) as open_channel:
        yield kind(open_channel)


def failure_of(error: BaseException) -> Failure:
    """The failure in an RPC error; an assertion error when it carries none of ours."""
    from runtime.failure import from_rpc_error

    assert isinstance(error, grpc.aio.AioRpcError), error
    failure = from_rpc_error(error)
    assert failure is not None, error
    return failure


__all__ = ["FakeAuthority", "Keys", "Server", "dialled", "failure_of", "service_stub", "serving", "stub"]
