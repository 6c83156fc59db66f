"""The way to a provider's result: public, https, every hop checked, never with the key."""

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Egress, _all_public
from runtime.egress.addresses import Address, is_public
from runtime.egress.exchange import Direct
from runtime.failure import Failure
from tests.runtime.egress.loopback import Loopback, Play, answer, certificate, endpoint, raw, serving

UNUSABLE = ErrorReason.ANSWER_UNUSABLE


def public_on_any_port(host: str, port: int, addresses: Sequence[Address]) -> bool:
    return all(is_public(address) for address in addresses)


GUARDED = Egress(public=public_on_any_port)


class Here:
    """Takes one port of loopback for the public internet."""

    def __init__(self) -> None:
        self.port = 0

    def __call__(self, host: str, port: int, addresses: Sequence[Address]) -> bool:
        return port == self.port


async def fetch(url: str, egress: Egress, *, seconds: float = 5) -> bytes:
    return await endpoint("http://127.0.0.1:9", egress=egress, seconds=seconds).fetch(url)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "0",
            "0.0.0.0",
            "localhost",
        ),
        *("127.0.0.1.", "[::1]", "[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        *("169.254.169.254", "10.0.0.1"),
    ],
)
async def test_no_spelling_of_an_inner_address_is_dialled(host: str) -> None:
    async with serving(answer()) as canary:
        with pytest.raises(Failure):
            await fetch(f"https://{host}:{canary.port}/x", GUARDED)

    assert canary.connections == 0


async def test_without_the_guard_the_canary_sings() -> None:
    """The test above would notice: the same address without the guard is reached."""
    async with serving(answer()) as canary:
        with pytest.raises(Failure):
            await fetch(f"https://2130706433:{canary.port}/x", Egress(public=lambda *_: True), seconds=0.3)

        assert canary.connections == 1


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    assert _all_public("h", 443, [ip_address("8.8.8.8")])
    assert not _all_public("h", 443, [ip_address("8.8.8.8"), ip_address("10.0.0.1")])
    assert not _all_public("h", 8443, [ip_address("8.8.8.8")])


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/x",
        "file:///etc/passwd",
        "//8.8.8.8/x",
        "x",
        "",
        "https://u:p@8.8.8.8/",
        "https://[::1",
    ],
)
async def test_other_schemes_are_not_fetched(url: str) -> None:
    with pytest.raises(Failure) as caught:
        await fetch(url, GUARDED)

    assert caught.value.reason == UNUSABLE


async def test_a_file_comes_without_the_key(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path)
    here = Here()

    async with serving(answer(b"\x89PNG"), server_tls) as files:
        here.port = files.port
        data = await fetch(url(files), Egress(transport=Direct(client_tls), public=here))

    assert data == b"\x89PNG"
    assert b"k3y" not in files.requests[0]
    assert b"attempt-1" not in files.requests[0]


async def test_an_unknown_certificate_is_not_trusted(tmp_path: Path) -> None:
    server_tls, _ = certificate(tmp_path)
    here = Here()

    async with serving(answer(), server_tls) as files:
        here.port = files.port
        with pytest.raises(Failure):
            await fetch(url(files), Egress(public=here))

    assert files.requests == []


async def test_every_hop_is_checked(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path)
    here = Here()

    async with serving(answer()) as canary:
        for target in (f"https://127.0.0.1:{canary.port}/", canary.url, "file:///x", ""):
            async with serving(answer(status=302, Location=target), server_tls) as files:
                here.port = files.port
                with pytest.raises(Failure) as caught:
                    await fetch(url(files), Egress(transport=Direct(client_tls), public=here))
            assert caught.value.reason == UNUSABLE

    assert canary.connections == 0


async def test_redirects_end(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path)
    here = Here()

    async with serving(answer(status=307, Location="/again"), server_tls) as files:
        here.port = files.port
        with pytest.raises(Failure) as caught:
            await fetch(url(files), Egress(transport=Direct(client_tls), public=here))

    assert caught.value.reason == UNUSABLE
    assert files.connections == 4


@pytest.mark.parametrize(
    ("play", "reason"),
    [
        (answer(status=404), UNUSABLE),
        (answer(status=410), UNUSABLE),
        (answer(status=500), ErrorReason.ANSWER_LOST),
        (answer(b"x", Content_Encoding="gzip"), UNUSABLE),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10000001\r\n\r\n"), UNUSABLE),
    ],
)
async def test_what_is_no_file_is_refused(tmp_path: Path, play: Play, reason: ErrorReason) -> None:
    server_tls, client_tls = certificate(tmp_path)
    here = Here()

    async with serving(play, server_tls) as files:
        here.port = files.port
        with pytest.raises(Failure) as caught:
            await fetch(url(files), Egress(transport=Direct(client_tls), public=here))

    assert caught.value.reason == reason


def url(server: Loopback) -> str:
    return f"https://localhost:{server.port}/a.png"


async def test_a_provider_may_point_at_itself_and_the_key_stays_here() -> None:
    async with serving(answer(b"\x89PNG")) as provider:
        data = await endpoint(provider.url, egress=GUARDED).fetch(f"{provider.url}/a.png")

    assert data == b"\x89PNG"
    assert b"k3y" not in provider.requests[0]


async def test_a_redirect_may_not_point_at_the_provider() -> None:
    async with serving(answer(status=302, Location="/b.png")) as provider:
        with pytest.raises(Failure) as caught:
            await endpoint(provider.url, egress=GUARDED).fetch(f"{provider.url}/a.png")

    assert caught.value.reason == UNUSABLE
    assert provider.connections == 1


async def test_a_file_is_stored_where_the_provider_says_without_the_key(tmp_path: Path) -> None:
    server_tls, client_tls = certificate(tmp_path)
    here = Here()

    async with serving(answer(), server_tls) as files:
        here.port = files.port
        api = endpoint("http://127.0.0.1:9", egress=Egress(transport=Direct(client_tls), public=here))
        await api.store(url(files), b"\x89PNG", "image/png")

    assert files.requests[0].startswith(b"PUT /a.png ")
    assert files.requests[0].endswith(b"\x89PNG")
    assert b"k3y" not in files.requests[0]


@pytest.mark.parametrize("address", ["http://8.8.8.8/x", "https://127.0.0.1/x", "https://10.0.0.1/x"])
async def test_nothing_is_stored_inside(address: str) -> None:
    with pytest.raises(Failure):
        await endpoint("http://127.0.0.1:9", egress=GUARDED).store(address, b"x", "image/png")


async def test_what_is_not_stored_can_be_tried_again() -> None:
    async with serving(answer(status=403)) as provider:
        with pytest.raises(Failure) as caught:
            await endpoint(provider.url).store(f"{provider.url}/x", b"x", "image/png")

    assert caught.value.reason == ErrorReason.PROVIDER_UNAVAILABLE
