import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local.folder import free_ports

pytestmark = pytest.mark.stack


class Run:
    """`make run` without make, on a port and a data folder of its own."""

    def __init__(self, data: Path, port: int, **environment: str) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-m", "deploy.local"),
            env=os.environ | {"PORT": str(port), "DATA_DIR": str(data)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{port}"

    def code(self) -> str:
        """Wait until it is up; the code of the link it prints."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if link := re.search(rf"{re.escape(self.url)}/welcome#(\S+)", line):
                return link[1]
        raise AssertionError(self.process.communicate()[1])

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Interrupt it and wait; its exit code and what it said of errors."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def running(data: Path, port: int, **environment: str) -> Iterator[Run]:
    run = Run(data, port, **environment)
    guard = threading.Timer(90, run.process.kill)
    guard.start()
    try:
        yield run
    finally:
        guard.cancel()
        run.process.kill()
        run.process.communicate()


def test_one_command_brings_everything_up_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    with running(tmp_path / "data", port) as run, httpx.Client(base_url=run.url, trust_env=False) as browser:
        code = run.code()
        ready = browser.get("/readyz")
        signed_in = browser.post("/v1/session", json={"code": code})
        again = httpx.post(f"{run.url}/v1/session", json={"code": code}, trust_env=False)
        token = (tmp_path / "data" / "admin-token").read_text().strip()
        bearer = {"authorization": f"Bearer {token}"}
        made = browser.post("/v1/projects", json={"title": "Kept"}, headers=bearer)
        projects = browser.get("/v1/projects", headers=bearer)
        profiles = browser.get("/v1/profiles", headers=bearer)
        family = psutil.Process(run.process.pid).children(recursive=True)
        ended = run.end()

    assert ready.status_code == 200
    assert signed_in.json()["user"]["name"] == "users/admin"
    assert again.status_code == 401
    assert made.status_code == 200
    assert {one["title"] for one in projects.json()["projects"]} == {"The Lantern Coast (demo)", "Kept"}
    assert all("demo" in one["title"] for one in profiles.json()["profiles"])
    assert ended == (0, "")
    assert len(family) >= 6
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    with running(tmp_path / "data", port) as run:
        run.code()
        kept = httpx.get(f"{run.url}/v1/projects", headers=bearer, trust_env=False)
        terminated, _ = run.end(signal.SIGTERM)

    assert {one["title"] for one in kept.json()["projects"]} == {"The Lantern Coast (demo)", "Kept"}
    assert terminated == 0


def test_the_demo_leaves_what_the_environment_said(tmp_path: Path) -> None:
    with running(tmp_path / "data", free_ports(1)[0], AI_KILL_SWITCH="true") as run:
        run.code()
        features = httpx.get(f"{run.url}/v1/features", trust_env=False).json()
        ended = run.end()

    assert (features["killSwitch"], features["killSwitchLocked"]) == (True, True)
    assert ended == (0, "")


def test_a_busy_port_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with running(tmp_path / "data", port) as run:
            _, said = run.process.communicate(timeout=30)

    assert f"Port {port} is in use" in said
    assert run.process.returncode == 1


def test_a_broken_part_is_named_with_its_last_words(tmp_path: Path) -> None:
    with running(tmp_path / "data", free_ports(1)[0], INKWELD_WORKERS="many") as run:
        _, said = run.process.communicate(timeout=60)

    assert "generation ended with code 2" in said
    assert "INKWELD_WORKERS" in said
    assert run.process.returncode == 1


def test_a_setting_that_is_wrong_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path, 0, PORT="eighty")
    _, said = run.process.communicate(timeout=30)

    assert said.startswith("PORT:")
    assert run.process.returncode == 2
