"""The process: what it serves, alone or not, and how it ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1 import generations_pb2_grpc

from tests import house
from tests.services.generation.conftest import Workshop


@asynccontextmanager
async def process(
    workshop: Workshop, *arguments: str, **variables: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The service as a process between the workshop's config and media."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    keys = workshop.keys
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "INKWELD_ADDRESS": address,
        "INKWELD_DATABASE_URL": workshop.url,
        "INKWELD_SIGNING_KEY_FILE": str(keys.directory / "generation.pem"),
        "INKWELD_TRUSTED_KEYS_FILE": str(keys.trusted),
        "INKWELD_RING_FILE": str(keys.private_ring),
        "INKWELD_CONFIG_ADDRESS": workshop.config_address,
        "INKWELD_MEDIA_ADDRESS": workshop.media_address,
        "INKWELD_DRAIN_SECONDS": "5",
        **variables,
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.generation",
        *arguments,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running, address
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def healthy(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel, asyncio.timeout(30):
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def listed(workshop: Workshop, address: str) -> pb.ListGenerationsResponse:
    async with house.stub(generations_pb2_grpc.GenerationServiceStub, address, workshop.keys) as stub:
        answer: pb.ListGenerationsResponse = await stub.ListGenerations(
            pb.ListGenerationsRequest(parent="projects/atlas")
        )
    return answer


async def test_a_worker_alone_serves_nothing_but_its_health_and_ends_when_asked(workshop: Workshop) -> None:
    async with process(workshop, "worker") as (running, address):
        await healthy(address)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await listed(workshop, address)
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            code = await running.wait()

    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert code == 0


async def test_without_workers_it_only_serves(workshop: Workshop) -> None:
    generation = await workshop.create()

    async with process(workshop, INKWELD_WORKERS="0") as (running, address):
        await healthy(address)
        answer = await listed(workshop, address)
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            code = await running.wait()

    assert [found.name for found in answer.generations] == [generation.name]
    assert (await workshop.task(generation))["state"] == "QUEUED"
    assert code == 0


async def test_what_is_missing_is_named_and_no_value_is(workshop: Workshop) -> None:
    async with process(workshop, INKWELD_WORKERS="canary", INKWELD_RING_FILE="") as (running, _):
        _, said = await running.communicate()

    assert running.returncode == 2
    assert b"INKWELD_WORKERS" in said and b"canary" not in said


async def test_a_damaged_ring_stops_it(workshop: Workshop) -> None:
    workshop.keys.private_ring.write_text("{}")

    async with process(workshop) as (running, _):
        _, said = await running.communicate()

    assert running.returncode
    assert b"ring" in said
