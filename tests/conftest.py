"""What must be closed after a test: the embedded PostgreSQL, and databases in it."""

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from tests.house import FakeAuthority, Keys
from tests.stack import Stack

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL of this test run, or the reason why there is none."""
    cluster = Postgres(tmp_path_factory.mktemp("postgres") / "cluster")
    cluster.prepare()
    # What the tests write need not survive a power cut.
    process = subprocess.Popen(
        [*cluster.command, "-c", "fsync=off"], stderr=subprocess.DEVNULL, **cluster.process
    )
    try:
        _wait_until_answers(cluster)
        yield cluster
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A fresh, empty database."""
    name = f"test_{next(_numbers)}"
    postgres.create([name])
    yield postgres.url(name)
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Signing keys and rings of all services."""
    folder = tmp_path / "keys"
    folder.mkdir()
    return Keys(folder)


@pytest.fixture
def authority() -> FakeAuthority:
    """What the servers of a test know of people."""
    return FakeAuthority()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system as processes. Who breaks a part of it mends it again."""
    with Stack(
        tmp_path_factory.mktemp("stack") / "data", generation={"INKWELD_LEASE_SECONDS": "3"}
    ) as running:
        running.begin()
        yield running


def _wait_until_answers(cluster: Postgres) -> None:
    ends = time.monotonic() + 20
    while cluster.psql("SELECT 1") is None:
        assert time.monotonic() < ends, "PostgreSQL did not start."
        time.sleep(0.05)
