"""The gateway as a process."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from inkweld.generation.v1 import generations_pb2 as pb

from tests.gateway.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]


def _environment(front: Front, **own: str) -> dict[str, str]:
    keys = front.keys.directory
    addresses = {f"INKWELD_{name.upper()}_ADDRESS": address for name, address in front.addresses.items()}
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
        "INKWELD_SIGNING_KEY_FILE": str(keys / "gateway.pem"),
        "INKWELD_TRUSTED_KEYS_FILE": str(keys / "trusted.json"),
        "INKWELD_SECURE_COOKIES": "false",
        **addresses,
        **own,
    }


async def test_it_serves_until_it_is_asked_to_end(front: Front) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    front.memory.answers["WatchGeneration"] = [pb.GenerationEvent(number=1), 20.0]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env=_environment(front, INKWELD_PORT=str(port)),
        stderr=subprocess.PIPE,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await _until_ready(http)
            watch = "/v1/projects/atlas/generations/g:watch"
            async with http.stream("GET", watch, headers=front.bearer()) as reply:
                lines = reply.aiter_lines()
                while not (await anext(lines)).startswith("data:"):
                    pass
                begun = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert [line async for line in lines] == [""]
            _, written = await asyncio.wait_for(process.communicate(), 5)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 0, written
    assert time.monotonic() - begun < 3
    assert b"request.answered" in written


async def test_plain_http_off_loopback_is_refused(front: Front) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env=_environment(front, INKWELD_HOST="0.0.0.0"),
        stderr=subprocess.PIPE,
    )
    _, written = await process.communicate()

    assert process.returncode == 2
    assert b"INKWELD_HTTP_CERTIFICATE_FILE" in written


async def _until_ready(http: httpx.AsyncClient) -> None:
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        try:
            if (await http.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway did not become ready")
