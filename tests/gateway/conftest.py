"""One gateway with its upstreams for all tests of it, forgetful between them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateway.front import Front, running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with running(tmp_path_factory.mktemp("gateway")) as front:
        yield front


@pytest.fixture
def front(_running: Front) -> Front:
    """The gateway, its upstreams and their memory."""
    _running.reset()
    return _running
