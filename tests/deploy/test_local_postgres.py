import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from deploy.local.supervisor import Process, wait_until


@contextmanager
def running(postgres: Postgres, log: Path) -> Iterator[Process]:
    postgres.prepare()
    process = Process("postgres", postgres.command, log, stop=signal.SIGINT, **postgres.process)
    try:
        wait_until(lambda: postgres.psql("SELECT 1") is not None, process, 30)
        yield process
    finally:
        process.stop(10)


def test_its_rows_are_there_at_the_next_start(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "postgres")
    with running(postgres, tmp_path / "log"):
        postgres.create(["words"])
        postgres.psql("CREATE TABLE kept AS SELECT 'fox' AS word", "words")

    with running(postgres, tmp_path / "log"):
        postgres.create(["words"])
        assert postgres.psql("SELECT word FROM kept", "words") == "fox\n"


def test_a_server_left_by_a_killed_owner_is_ended(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "postgres")
    with running(postgres, tmp_path / "log") as left:
        with running(Postgres(tmp_path / "postgres"), tmp_path / "log"):
            assert left.ended
            assert postgres.psql("SELECT 1") == "1\n"


def test_a_folder_too_deep_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    postgres = Postgres(deep / "postgres")
    with running(postgres, tmp_path / "log"):
        assert postgres.psql("SELECT 1") == "1\n"
        assert str(deep) not in postgres.url("config")


def test_others_cannot_reach_its_socket(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "postgres")
    with running(postgres, tmp_path / "log"):
        assert (tmp_path / "postgres").stat().st_mode & 0o077 == 0
        assert postgres.psql("SHOW listen_addresses") == "\n"


@pytest.mark.parametrize("number", [signal.SIGINT])
def test_it_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with running(Postgres(tmp_path / "postgres"), tmp_path / "log") as process:
        began = time.monotonic()
        process.stop(10)
        assert time.monotonic() - began < 5
