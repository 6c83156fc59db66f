"""Looks share a connection; what may cost money does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runtime.failure import Failure
from tests.runtime.egress.loopback import endpoint, headers


class Patient:
    """A server that answers as often as it is asked, and hangs up after so many answers on a connection."""

    def __init__(self, hang_up_after: int = 1000, body: bytes = b"{}") -> None:
        self.hang_up_after = hang_up_after
        self.body = body
        self.connections = 0
        self.asked: list[str] = []
        self.announced = True
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for answered in range(1, self.hang_up_after + 1):
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(headers(head).get("content-length", "0")))
                self.asked.append(head.split(b" ", 1)[0].decode())
                last = answered == self.hang_up_after and self.announced
                said = b"Connection: close\r\n" if last else b""
                length = str(len(self.body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\n" + said + b"Content-Length: " + length + b"\r\n\r\n" + self.body
                )
                await writer.drain()
                if headers(head).get("connection") == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(patient: Patient) -> AsyncIterator[str]:
    server = await asyncio.start_server(patient.handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_looks_share_a_connection() -> None:
    patient = Patient()

    async with serving(patient) as url:
        api = endpoint(url)
        async with api.polling():
            for _ in range(5):
                assert (await api.get("/status")).content == b"{}"

    assert patient.connections == 1


async def test_without_polling_every_look_has_its_own() -> None:
    patient = Patient()

    async with serving(patient) as url:
        api = endpoint(url)
        for _ in range(3):
            await api.get("/status")

    assert patient.connections == 3


async def test_what_may_cost_money_never_shares() -> None:
    patient = Patient()

    async with serving(patient) as url:
        api = endpoint(url)
        async with api.polling():
            await api.get("/status")
            await api.post("/draw", {})
            await api.get("/status")

    assert patient.asked == ["GET", "POST", "GET"]
    assert patient.connections == 2


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("pause", [0.0, 0.05])
async def test_a_server_that_hangs_up_is_called_again(*, announced: bool, pause: float) -> None:
    patient = Patient(hang_up_after=2)
    patient.announced = announced

    async with serving(patient) as url:
        api = endpoint(url)
        async with api.polling():
            for _ in range(6):
                await api.get("/status")
                await asyncio.sleep(pause)

    assert patient.connections == 3


async def test_looks_at_the_same_time_do_not_disturb_one_another() -> None:
    patient = Patient(body=bytes(1 << 20))

    async with serving(patient) as url:
        api = endpoint(url)
        async with api.polling():
            replies = await asyncio.gather(*(api.get("/status") for _ in range(4)))

    assert {len(reply.content) for reply in replies} == {1 << 20}


async def test_every_look_has_the_whole_budget_and_no_more() -> None:
    patient = Patient(body=bytes(60_000))

    async with serving(patient) as url:
        api = endpoint(url, max_bytes=70_000)
        async with api.polling():
            for _ in range(40):
                await api.get("/status")
            patient.body = bytes(80_000)
            with pytest.raises(Failure):
                await api.get("/status")


async def test_the_connection_ends_with_the_polling() -> None:
    patient = Patient()

    async with serving(patient) as url:
        api = endpoint(url)
        async with api.polling():
            await api.get("/status")
        await api.get("/status")

    assert patient.connections == 2
