"""The loop our processes run on has transports and TLS of its own."""

from pathlib import Path

import pytest
import uvloop
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Egress
from runtime.egress.exchange import Direct
from runtime.failure import Failure
from tests.runtime.egress.loopback import answer, certificate, drip, endpoint, raw, serving

BODY = bytes(range(256)) * 30_000


def test_a_large_answer_arrives_whole() -> None:
    async def story() -> bytes:
        async with serving(answer(BODY)) as server:
            return (await endpoint(server.url).post("/x", {})).content

    assert uvloop.run(story()) == BODY


def test_a_file_arrives_over_tls(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path)

    async def story() -> bytes:
        async with serving(answer(BODY), server_tls) as files:
            egress = Egress(transport=Direct(client_tls), public=lambda *_: True)
            return await endpoint(files.url, egress=egress).fetch(f"https://localhost:{files.port}/x")

    assert uvloop.run(story()) == BODY


def test_a_cut_answer_is_lost_and_a_slow_one_ends() -> None:
    async def story() -> list[ErrorReason]:
        reasons = []
        for play in (raw(b"HTTP/1.1 200 OK\r\n"), drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")):
            async with serving(play) as server:
                with pytest.raises(Failure) as caught:
                    await endpoint(server.url, seconds=0.3).post("/x", {})
            reasons.append(caught.value.reason)
        return reasons

    assert uvloop.run(story()) == [ErrorReason.ANSWER_LOST] * 2


def test_nobody_there_means_nothing_was_sent() -> None:
    async def story() -> ErrorReason:
        async with serving(answer()) as server:
            url = server.url
        with pytest.raises(Failure) as caught:
            await endpoint(url).post("/x", {})
        return caught.value.reason

    assert uvloop.run(story()) == ErrorReason.PROVIDER_UNAVAILABLE
