"""A running config service for each test that wants one."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.house import Keys
from tests.services.config.instance import Config, running


@pytest_asyncio.fixture
async def config(keys: Keys, database_url: str) -> AsyncIterator[Config]:
    """A replica of config in an empty environment, with the users ada, bob and root (an administrator)."""
    async with running(keys, database_url) as config:
        await config.db.execute(
            """INSERT INTO users (id, title, admin)
               VALUES ('ada', 'Ada', false), ('bob', 'Bob', false), ('root', 'Root', true)"""
        )
        yield config
