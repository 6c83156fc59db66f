"""Migrations run once, in order, whoever starts; notifications arrive, and again after a lost connection."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from runtime import database


def migrations(folder: Path) -> Path:
    (folder / "0001_first.sql").write_text("CREATE TABLE things (id int, data jsonb);")
    (folder / "0002_second.sql").write_text("INSERT INTO things VALUES (1, '{\"a\": 1}');")
    return folder


async def test_replicas_that_start_together_migrate_once(database_url: str, tmp_path: Path) -> None:
    folder = migrations(tmp_path)

    await asyncio.gather(*(database.migrate(database_url, folder) for _ in range(3)))

    async with database.connect(database_url, folder) as db:
        rows = await db.fetch("SELECT id, data FROM things")
    assert [(row["id"], row["data"]) for row in rows] == [(1, {"a": 1})]


async def test_a_failed_migration_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    folder = migrations(tmp_path)
    (folder / "0003_third.sql").write_text("CREATE TABLE half (id int); SELECT nonsense;")

    with pytest.raises(asyncpg.PostgresError):
        await database.migrate(database_url, folder)
    (folder / "0003_third.sql").write_text("CREATE TABLE half (id int);")

    await database.migrate(database_url, folder)


async def test_a_listener_hears_and_comes_back(database_url: str, tmp_path: Path) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(database.listen(database_url, "news", heard.put_nowait))
    async with database.connect(database_url, migrations(tmp_path)) as db, asyncio.timeout(10):
        assert await heard.get() == ""
        await db.execute("SELECT pg_notify('news', 'one')")
        assert await heard.get() == "one"
        await db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        assert await heard.get() == ""
        await db.execute("SELECT pg_notify('news', 'two')")
        assert await heard.get() == "two"
    listening.cancel()
    await asyncio.wait((listening,))
