"""PostgreSQL: a pool, migrations at start, and notifications."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import asyncpg
import orjson
import structlog
from asyncpg.pool import PoolConnectionProxy

log = structlog.get_logger()

Database: TypeAlias = "asyncpg.Pool | asyncpg.Connection | PoolConnectionProxy"

_MIGRATION_LOCK = 0x696E6B77  # any number that only we use
_RECONNECT_SECONDS = 0.2


@asynccontextmanager
async def connect(url: str, migrations: Path, *, size: int = 8) -> AsyncIterator[asyncpg.Pool]:
    """Bring the schema up to date and open a pool. JSONB columns are read and written as Python objects."""
    await migrate(url, migrations)
    # A clock for each connection at rest would be set and stopped at every query; they may rest for ever.
    pool = await asyncpg.create_pool(
        url, min_size=1, max_size=size, max_inactive_connection_lifetime=0, init=_prepare, reset=_leave
    )
    try:
        yield pool
    finally:
        await pool.close()


async def migrate(url: str, migrations: Path) -> None:
    """Apply the numbered SQL files that this database has not seen, in order, one transaction each.

    Replicas that start together wait for one another.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)")
        done = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
        for path in sorted(migrations.glob("*.sql")):
            if path.stem not in done:
                async with connection.transaction():
                    await connection.execute(path.read_text())
                    await connection.execute("INSERT INTO migrations (name) VALUES ($1)", path.stem)
                log.info("migration.applied", migration=path.stem)
    finally:
        await connection.close()


async def listen(url: str, channel: str, wake: Callable[[str], None]) -> None:
    """Call `wake` with the payload of every notification, until cancelled.

    It is also called, with an empty payload, at every connection: what was said in between was missed, so
    whoever listens looks for itself.
    """
    while True:
        try:
            connection = await asyncpg.connect(url)
            lost = asyncio.Event()
            connection.add_termination_listener(lambda *_, lost=lost: lost.set())
            try:
                await connection.add_listener(channel, lambda *said: wake(str(said[-1])))
                wake("")
                await lost.wait()
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            log.warning("listener.lost", channel=channel)
        await asyncio.sleep(_RECONNECT_SECONDS)


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=orjson.loads)


async def _leave(_: asyncpg.Connection) -> None:
    """Hand a connection back as it is; an open transaction has been rolled back.

    Nobody leaves settings, listeners or session locks on a pooled connection, and to reset them all the same
    would cost a round trip for every query.
    """


def _to_jsonb(value: object) -> str:
    return orjson.dumps(value).decode()
