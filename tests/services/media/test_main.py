import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from inkweld.media.v1 import images_pb2 as pb
from inkweld.media.v1.images_pb2_grpc import ImageServiceStub

from deploy.local.folder import free_ports
from tests import house
from tests.house import Keys
from tests.services.media import pictures
from tests.services.media.conftest import ATLAS, stages

if TYPE_CHECKING:
    from inkweld.media.v1.images_pb2_grpc import ImageServiceAsyncStub

KILLS = 2


class Process:
    """The media process, which can be killed and started again."""

    def __init__(self, database_url: str, keys: Keys, blobs: Path) -> None:
        port, config = free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self.blobs = blobs
        self.environment = os.environ | {
            "INKWELD_ADDRESS": self.address,
            "INKWELD_DATABASE_URL": database_url,
            "INKWELD_CONFIG_ADDRESS": f"127.0.0.1:{config}",
            "INKWELD_BLOBS": str(blobs),
            "INKWELD_SIGNING_KEY_FILE": str(keys.directory / "media.pem"),
            "INKWELD_TRUSTED_KEYS_FILE": str(keys.trusted),
            "INKWELD_DRAIN_SECONDS": "1",
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        program = [sys.executable, "-m", "services.media"]
        with subprocess.Popen(program, env=self.environment, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()


async def fenced(worker: "ImageServiceAsyncStub", task: str) -> pb.FenceTaskResponse:
    """What a task has, as soon as the process answers."""
    return await worker.FenceTask(pb.FenceTaskRequest(task=task, epoch=1), wait_for_ready=True, timeout=30)


async def stage_until_it_dies(worker: "ImageServiceAsyncStub", task: str) -> list[bytes]:
    """Hashes of the pictures that were said to be stored."""
    safe: list[bytes] = []
    while len(safe) < 100:
        data = pictures.png() + os.urandom(1_200_000)
        sha256 = hashlib.sha256(data).digest()
        header = pb.StageImageRequest.Header(
            parent=ATLAS, task=task, epoch=1, index=len(safe), size_bytes=len(data), sha256=sha256
        )
        try:
            await worker.StageImage(stages(header, data), timeout=10)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError, asyncio.CancelledError):
            break  # the last two are what grpc raises when the connection breaks in the middle of a stream
        safe.append(sha256)
    return safe


async def test_kill_9_loses_nothing_that_was_answered_and_leaves_nothing_half(
    database_url: str, keys: Keys, tmp_path: Path
) -> None:
    media = Process(database_url, keys, tmp_path / "blobs")
    safe: dict[str, list[bytes]] = {}

    for kill in range(KILLS):
        with media.running() as process:
            async with house.service_stub(
                ImageServiceStub, media.address, keys, service="generation", audience="media"
            ) as worker:
                await fenced(worker, "warm")
                tasks = [f"t{kill}-{number}" for number in range(6)]
                staging = [asyncio.create_task(stage_until_it_dies(worker, task)) for task in tasks]
                await asyncio.sleep(0.5)
                process.kill()
                safe |= dict(zip(tasks, await asyncio.gather(*staging), strict=True))

    with media.running():
        async with house.service_stub(
            ImageServiceStub, media.address, keys, service="generation", audience="media"
        ) as worker:
            for task, hashes in safe.items():
                there = (await fenced(worker, task)).staged
                assert {picture.sha256 for picture in there} >= set(hashes)
                assert all(is_whole(media.blobs, picture.sha256) for picture in there)
    assert sum(map(len, safe.values())) > KILLS


def is_whole(blobs: Path, sha256: bytes) -> bool:
    name = sha256.hex()
    return hashlib.sha256((blobs / name[:2] / name[2:4] / name).read_bytes()).digest() == sha256


async def test_a_process_asked_to_end_ends_well(database_url: str, keys: Keys, tmp_path: Path) -> None:
    media = Process(database_url, keys, tmp_path / "blobs")

    with media.running() as process:
        async with house.service_stub(
            ImageServiceStub, media.address, keys, service="generation", audience="media"
        ) as worker:
            await fenced(worker, "warm")
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 20)

    assert code == 0


async def test_what_is_missing_is_named_and_no_value_shown(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "INKWELD_DATABASE_URL": "postgresql://x:canary@y/z"}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.media"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "INKWELD_BLOBS" in done.stderr
    assert "canary" not in done.stderr
