"""Addresses a hostile provider gives, or an endpoint leads to: none is reached but the configured one."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Egress, Endpoint
from runtime.egress.addresses import Address, is_public
from runtime.egress.exchange import Direct
from runtime.failure import Failure
from services.generation.providers import Cancellable, Event, Image, Provider, Resumable, Task, discover
from tests.runtime.egress.loopback import answer, certificate, serving
from tests.services.generation.providers import hostile
from tests.services.generation.providers.fakes import ACCOUNT, KEY, PNG
from tests.services.generation.providers.hostile import Target, document, whole

R = ErrorReason
KINDS = discover()
TASK = Task(model="m", prompt="a fox", count=1, size="512x512")
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))

# How each kind that follows addresses is told where its result is.
TELLING: dict[str, Any] = {
    "openai": lambda url: {"data": [{"url": url}]},
    "openrouter": lambda url: {"data": [{"b64_json": url}]},
    "falai": lambda url: {"images": [{"url": url}]},
}

# Every one of these is loopback, somebody's inside or nobody's, in all the ways there are to write it.
HOSTS = (
    *("127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1"),
    *("0177.0.0.1", "017700000001", "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.", "127.0.0.1."),
    *("127。0。0。1", "%31%32%37.0.0.1", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[::1%25lo]", "[fe80::1%25lo]"),
    *("169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"),
    *(
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::1]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
    ),
    *("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fc00::1]", "[fec0::1]", "[2001::7f00:1]"),
    *("224.0.0.1", "255.255.255.255", "[ff02::1]", "198.18.0.1", "192.0.0.8", "[2001:db8::1]"),
)
# What is no https address of a host, or one that hides who it is.
ODD = (
    *("http://{here}/x", "http://8.8.8.8/x", "ftp://{here}/x", "file:///etc/passwd", "gopher://{here}/_x"),
    *(
        "//{here}/x",
        "/x",
        "x",
        "",
        " ",
        "https://",
        "https:///x",
        "https:{here}",
        "https://[::1",
        "https://]",
    ),
    *(
        "https://user@{here}/x",
        "https://u:p@{here}/x",
        "https://8.8.8.8@{here}/x",
        "https://{here}@8.8.8.8/x",
    ),
    *(
        "https://8.8.8.8:8443/x",
        "https://8.8.8.8:0/x",
        "https://{here}#@8.8.8.8/",
        "https://{here}?@8.8.8.8/",
    ),
    *("https://8.8.8.8:99999999/x", "https://xn--/x", "https://a..b/x", "https://a\x00b/x", "https://a b/x"),
    *(
        "https://{here}\\@8.8.8.8/",
        "https://\u2100.example/x",
        "https://{here}\r\nHost: a/",
        "https://" + "a" * 300,
    ),
)


class Canary:
    """Listens where no one may come, over IPv4 and IPv6, and counts who does."""

    def __init__(self) -> None:
        self.sang = 0
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sang += 1
        writer.close()


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    bird = Canary()
    async with AsyncExitStack() as stack:
        four = await asyncio.start_server(bird.handle, "0.0.0.0", 0)
        stack.callback(four.close)
        bird.port = four.sockets[0].getsockname()[1]
        try:
            six = await asyncio.start_server(bird.handle, "::1", bird.port)
            stack.callback(six.close)
        except OSError:
            pass  # a machine without IPv6 cannot be reached by it
        yield bird


def on_any_port(host: str, port: int, addresses: Sequence[Address]) -> bool:
    """The rule of egress without its port, which alone would keep us from the canary."""
    return all(is_public(address) for address in addresses)


def endpoint(kind: Provider, url: str, egress: Egress) -> Endpoint:
    return egress.endpoint(
        url,
        KEY,
        kind,
        provider="providers/test",
        attempt_id="a",
        seconds=5,
        max_bytes=1 << 20,
        account=ACCOUNT,
    )


async def drawn(kind: Provider, api: Endpoint) -> list[Event]:
    async with aclosing(kind.generate(TASK, api)) as generated:
        return [event async for event in generated]


async def told(kind: Provider, address: str, egress: Egress) -> Failure:
    """How it ends when the provider says that its result is there."""
    target = Target(kind.KIND, "result" if kind.KIND == "falai" else "call")
    body = json.dumps(TELLING[kind.KIND](address)).encode()
    async with hostile.serving(target, document(body)) as server:
        with pytest.raises(Failure) as caught:
            await drawn(kind, endpoint(kind, server.url, egress))
    return caught.value


GUARDED = Egress(public=on_any_port)
GUARDS = {"any port": GUARDED, "as shipped": Egress()}
following = pytest.mark.parametrize("kind", [KINDS[name] for name in TELLING], ids=list(TELLING))


@following
@pytest.mark.parametrize("guard", GUARDS)
async def test_a_result_inside_is_never_dialled(kind: Provider, guard: str) -> None:
    async with canary() as bird:
        for host in HOSTS:
            failure = await told(kind, f"https://{host}:{bird.port}/x.png", GUARDS[guard])
            assert failure.reason in (R.ANSWER_UNUSABLE, R.ANSWER_LOST), host
            assert KEY not in str(failure.to_status()), host

    assert bird.sang == 0


async def test_without_the_guard_the_canary_sings() -> None:
    async with canary() as bird:
        for host in ("127.0.0.1", "2130706433", "0x7f.1", "localhost"):
            await told(KINDS["falai"], f"https://{host}:{bird.port}/x.png", Egress(public=lambda *_: True))

    assert bird.sang == 4


@following
async def test_an_odd_address_is_no_result(kind: Provider) -> None:
    async with canary() as bird:
        for odd in ODD:
            address = odd.replace("{here}", f"127.0.0.1:{bird.port}")
            failure = await told(kind, address, GUARDS["as shipped"])
            assert failure.reason in (R.ANSWER_UNUSABLE, R.ANSWER_LOST), odd

    assert bird.sang == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_of_a_file_leads_inside(tmp_path: Path, status: int) -> None:
    server_tls, client_tls = certificate(tmp_path)
    async with canary() as bird:
        here = f"127.0.0.1:{bird.port}"
        targets = [f"https://{host}:{bird.port}/" for host in ("127.1", "[::ffff:127.0.0.1]", "0x7f000001")]
        targets += [
            f"http://{here}/",
            f"//{here}/",
            f"https://u@{here}/",
            "//[::1",
            "https://xn--/",
            "",
            "file:///x",
        ]
        for target in targets:
            async with serving(answer(b"", status=status, Location=target), server_tls) as files:

                def files_only(_h: str, port: int, _a: Sequence[Address], home: int = files.port) -> bool:
                    return port == home

                egress = Egress(transport=Direct(client_tls), public=files_only)
                failure = await told(KINDS["falai"], f"https://localhost:{files.port}/x.png", egress)
                assert failure.reason == R.ANSWER_UNUSABLE, target
                assert files.connections <= 1 + (target == "") * 3, target

    assert bird.sang == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@every_kind
async def test_no_redirect_of_an_endpoint_is_followed(kind: Provider, status: int) -> None:
    async with canary() as bird:
        play = whole(b"", f"Location: http://127.0.0.1:{bird.port}/", status=f"{status} Over there")
        async with hostile.serving(Target(kind.KIND), play) as server:
            with pytest.raises(Failure) as caught:
                await drawn(kind, endpoint(kind, server.url, GUARDED))
            with pytest.raises(Failure):
                await kind.check(endpoint(kind, server.url, GUARDED))

    assert caught.value.reason == R.CALL_REFUSED
    assert bird.sang == 0


async def followed(name: str, handle: Mapping[str, str], api: Endpoint) -> None:
    fal = KINDS["falai"]
    assert isinstance(fal, Resumable)
    assert isinstance(fal, Cancellable)
    if name == "cancel_url":
        await fal.cancel(api, handle)
        return
    async with aclosing(fal.resume(handle, api)) as resumed:
        assert [event async for event in resumed]


@pytest.mark.parametrize("name", ["status_url", "response_url", "cancel_url"])
@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:{port}/x", "http://localhost:{home}/x", "https://127.0.0.1:{home}/x"),
        *("http://127.0.0.1:{home}@127.0.0.1:{port}/x", "http://2130706433:{port}/x", ""),
        *("http://[::ffff:127.0.0.1]:{home}/x", "http://xn--/x", "http://[::1", "http://127.0.0.1/x", "x"),
    ],
)
async def test_addresses_of_work_stay_at_the_endpoint(name: str, url: str) -> None:
    fal = KINDS["falai"]
    async with canary() as bird, hostile.serving(Target("falai", "result"), document(b"{}")) as server:
        address = url.format(port=bird.port, home=server.port)
        good = f"{server.url}/work"
        handle = {"status_url": f"{good}/status", "response_url": good, "cancel_url": good}
        handle |= {name: address, "request_id": "r", "model": "m"}
        api = endpoint(fal, server.url, GUARDED)
        with pytest.raises(Failure) as caught:
            await followed(name, handle, api)

    assert caught.value.reason == R.ANSWER_UNUSABLE
    assert bird.sang == 0


@every_kind
async def test_what_is_no_tls_never_sees_the_key(kind: Provider) -> None:
    """An endpoint set as https, played by a server that would like it plain."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 301 X\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Failure) as caught:
        await drawn(kind, endpoint(kind, f"https://127.0.0.1:{port}", GUARDED))
    server.close()

    assert caught.value.reason == R.PROVIDER_UNAVAILABLE
    assert KEY.encode() not in b"".join(seen)


async def test_a_result_at_the_endpoint_itself_comes_without_the_key() -> None:
    async with hostile.serving(Target("openai", "file"), whole(PNG)) as server:
        came = await drawn(KINDS["openai"], endpoint(KINDS["openai"], server.url, GUARDED))

    assert [event.data for event in came if isinstance(event, Image)] == [PNG]
    assert KEY.encode() in server.requests[0]
    assert KEY.encode() not in server.requests[1]


async def test_an_address_without_a_host_is_a_path_of_the_endpoint() -> None:
    fal = KINDS["falai"]
    assert isinstance(fal, Cancellable)
    async with canary() as bird, hostile.serving(Target("falai"), whole(b"")) as server:
        await fal.cancel(endpoint(fal, server.url, GUARDED), {"cancel_url": f"//127.0.0.1:{bird.port}/x"})

    assert len(server.requests) == 1
    assert bird.sang == 0
