"""The sandbox as a process."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address it says it has."""
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        with process.stderr:
            yield process, json.loads(process.stderr.readline())["url"]
    finally:
        process.kill()
        process.wait(10)


def test_it_says_where_it_is_and_leaves_when_told(tmp_path: Path) -> None:
    with started("--log", str(tmp_path / "log.jsonl")) as (process, url):
        answer = httpx.get(f"{url}/healthz", trust_env=False)
        process.terminate()
        code = process.wait(10)

    assert "stand-in" in answer.json()["sandbox"]
    assert url.startswith("http://127.0.0.1:")
    assert code in {0, -15}


def test_a_taken_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "deploy.sandbox", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert ended.stderr == f"The sandbox cannot have port {port}: Address already in use.\n"


def test_a_script_with_a_typing_error_is_said_plainly(tmp_path: Path) -> None:
    script = tmp_path / "rules.yaml"
    script.write_text("- act: {clsoe: true}")
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0", "--script", str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert "clsoe" in ended.stderr
