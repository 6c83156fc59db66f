"""This replica's copy of the configuration, fresh within moments of a change made anywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog
from inkweld.config.v1 import configuration_pb2 as pb
from inkweld.config.v1 import providers_pb2

from runtime import database
from runtime.database import Database
from services.config import (
    effective,
    store_configuration,
    store_profiles,
    store_providers,
    store_settings,
)
from services.config.environment import Environment
from services.config.vault import Vault

log = structlog.get_logger()

# A notification can be lost with its connection, silently. The revision is the truth and is cheap to read.
_LOOK_SECONDS = 5.0


class Live:
    """The whole configuration as it holds now, and who waits for the next."""

    def __init__(self, db: asyncpg.Pool, environment: Environment, keys: Vault) -> None:
        self._db = db
        self._environment = environment
        self._keys = keys
        self._current: pb.Configuration | None = None
        self._arrived = asyncio.Condition()
        self._loading = asyncio.Lock()

    @property
    def current(self) -> pb.Configuration:
        """The configuration; nobody may change what this gives. `load` comes first."""
        if self._current is None:
            raise RuntimeError("The configuration was asked for before it was loaded.")
        return self._current

    async def after(self, revision: int) -> pb.Configuration:
        """The configuration, as soon as it is another than that of this revision."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.current.revision != revision)
            return self.current

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Database]:
        """A transaction that changes the configuration: all replicas hear of it, this one before it ends."""
        async with self._db.acquire() as db, db.transaction():
            yield db
            await store_configuration.announce_change(db)
        await self._load_or_stay()

    async def load(self) -> None:
        """Take over what the database holds, if that is news."""
        async with (
            self._loading,
            self._db.acquire() as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            revision = await store_configuration.select_revision(db)
            if self._current is not None and self._current.revision == revision:
                return
            loaded = await self._read(db, revision)
        async with self._arrived:
            self._current = loaded
            self._arrived.notify_all()

    @asynccontextmanager
    async def following(self, url: str) -> AsyncIterator[None]:
        """Stay fresh while the block runs."""
        task = asyncio.create_task(self._follow(url))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _follow(self, url: str) -> None:
        told = asyncio.Event()
        listening = asyncio.create_task(
            database.listen(url, store_configuration.CHANNEL, lambda _: told.set())
        )
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await told.wait()
                told.clear()
                await self._load_or_stay()
        finally:
            listening.cancel()
            await asyncio.wait((listening,))

    async def _load_or_stay(self) -> None:
        try:
            await self.load()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # What is known goes on holding; the next look tries again.
            log.warning("configuration.stale")

    async def _read(self, db: Database, revision: int) -> pb.Configuration:
        stored = await store_providers.select_providers(db)
        providers = [effective.provider(one, self._environment, self._keys) for one in stored]
        return pb.Configuration(
            revision=revision,
            settings=effective.settings(await store_settings.select_settings(db), self._environment),
            providers=[_without_key_facts(provider) for provider in providers],
            profiles=await store_profiles.select_profiles(db, None, None, disabled_too=True),
            revocations=await store_configuration.select_revocations(db),
        )


def _without_key_facts(provider: providers_pb2.Provider) -> providers_pb2.Provider:
    """The provider with nothing of its key but the version: processes need no more."""
    if provider.HasField("key"):
        provider.key.CopyFrom(providers_pb2.Key(version=provider.key.version))
    return provider
