"""A config service as it runs: a real server on a real database, with a fake of generation's ModelService."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import grpc
from google.protobuf.empty_pb2 import Empty
from inkweld.access.v1.access_pb2 import Scope
from inkweld.config.v1.configuration_pb2_grpc import ConfigurationServiceStub
from inkweld.generation.v1 import models_pb2 as models
from inkweld.generation.v1.models_pb2_grpc import (
    ModelServiceServicer,
    ModelServiceStub,
    add_ModelServiceServicer_to_server,
)

from runtime import channel, database, sealing
from runtime.failure import invalid
from services.config import environment
from services.config.__main__ import MIGRATIONS, SERVICES, servicers
from services.config.authority import DatabaseAuthority
from services.config.live import Live
from services.config.vault import Vault
from tests import house
from tests.house import FakeAuthority, Keys

Stub = TypeVar("Stub")


class FakeModels(ModelServiceServicer):
    """Generation's word on kinds and profiles; remembers the profiles it was asked about."""

    def __init__(self) -> None:
        self.asked: list[models.CheckProfileRequest] = []

    async def ListKinds(self, request: models.ListKindsRequest, context: Any) -> models.ListKindsResponse:
        return models.ListKindsResponse(
            kinds=[
                models.Kind(
                    name="kinds/openai", requires=["key"], default_endpoint="https://api.openai.com/v1"
                ),
                models.Kind(name="kinds/stable-diffusion", requires=["endpoint"]),
            ]
        )

    async def CheckProfile(self, request: models.CheckProfileRequest, context: Any) -> Empty:
        self.asked.append(request)
        if "impossible" in request.profile.model_config:
            raise invalid({"profile.model_config": "impossible is unknown"})
        return Empty()


class Config:
    """One replica of config, and ways to call it."""

    def __init__(self, address: str, db: asyncpg.Pool, keys: Keys, models: FakeModels) -> None:
        self.address = address
        self.db = db
        self.keys = keys
        self.models = models
        self._open = AsyncExitStack()

    async def stub(
        self,
        kind: Callable[[grpc.aio.Channel], Stub],
        user: str = "users/ada",
        *,
        admin: bool = False,
        scope: int = Scope.ADMIN,
        token: str | None = None,
        proof: str = "",
    ) -> Stub:
        """A stub that calls as a user, or with a token of any sort; an empty one is none."""
        if token is None:
            token = self.keys.user_token(user, admin=admin, scope=scope, proof=proof)
        return kind(await self._open.enter_async_context(house.dialled(self.address, self.keys, token)))

    async def admin(self, kind: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """A stub that calls as an administrator."""
        return await self.stub(kind, "users/root", admin=True)

    async def service(self, kind: Callable[[grpc.aio.Channel], Stub], service: str) -> Stub:
        """A stub that calls as one of our services."""
        return await self.stub(kind, token=self.keys.signer(service).service_token("config"))

    async def watch(self, service: str = "generation") -> Any:
        """The configuration stream, as one of our services reads it."""
        from inkweld.config.v1.configuration_pb2 import WatchConfigurationRequest

        stub = await self.service(ConfigurationServiceStub, service)
        return stub.WatchConfiguration(WatchConfigurationRequest())

    async def close(self) -> None:
        await self._open.aclose()


async def all_rows(db: asyncpg.Pool) -> str:
    """All rows of all tables, as text; bytes as hexadecimal."""
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await db.fetch(f"SELECT '{table[0]}' || t::text FROM {table[0]} t") for table in tables]  # noqa: S608
    return "\n".join(row[0] for table in rows for row in table)


@asynccontextmanager
async def running(keys: Keys, url: str, environ: Mapping[str, str] | None = None) -> AsyncIterator[Config]:
    """A replica of config in this environment, which is empty by default."""
    environ = environ or {}
    said = environment.read(environ)
    vault = Vault(sealing.load_public(keys.public_ring), said, environment.read_keys(environ))
    models = FakeModels()
    settings, signer = keys.settings("config"), keys.signer("config")
    beside = [(add_ModelServiceServicer_to_server, models)]
    async with (
        house.serving("generation", beside, authority=FakeAuthority(), keys=keys) as generation,
        database.connect(url, MIGRATIONS) as db,
        channel.connect(
            generation, settings, identity=channel.as_service(signer, "generation")
        ) as to_generation,
    ):
        live = Live(db, said, vault)
        await live.load()
        authority = DatabaseAuthority(db, signer, live)
        models_stub = ModelServiceStub(to_generation)
        own = servicers(db, live=live, authority=authority, said=said, keys=vault, models=models_stub)
        async with (
            live.following(url),
            house.serving("config", own, authority=authority, keys=keys, names=SERVICES) as address,
        ):
            config = Config(address, db, keys, models)
            try:
                yield config
            finally:
                await config.close()
