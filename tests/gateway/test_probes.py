"""Liveness and readiness."""

import asyncio
import time

import pytest

from tests.gateway.front import Front, gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_ready_when_every_part_answers(front: Front) -> None:
    ends = time.monotonic() + 5
    while (reply := await front.http.get("/readyz")).status_code != 200:
        assert time.monotonic() < ends, reply.text
        await asyncio.sleep(0.02)

    assert set(reply.json()["parts"]) == {"config", "generation", "media", "configuration"}


async def test_not_ready_names_what_is_missing(front: Front) -> None:
    async with gateway(front.addresses | {"media": "127.0.0.1:9"}, front.keys) as (http, _, _):
        alive, ready = await http.get("/healthz"), await http.get("/readyz")

    assert alive.status_code == 200
    assert ready.status_code == 503
    parts = ready.json()["parts"]
    assert (parts["config"], parts["media"]) == ("SERVING", "UNAVAILABLE")
