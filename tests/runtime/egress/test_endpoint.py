"""The way to a configured provider: exactly there, with the key, and honest about what was sent."""

import asyncio
import base64
import socket
import time
import zlib
from typing import ClassVar

import httpx
import msgspec
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress import Egress, Endpoint
from runtime.failure import Failure
from tests.runtime.egress.loopback import Plain, Play, answer, drip, endpoint, headers, raw, serving

R = ErrorReason


class Number(msgspec.Struct):
    a: int


class Text(msgspec.Struct):
    picture: msgspec.Raw


async def failure(
    play: Play, *, seconds: float = 2, max_bytes: int = 100_000, method: str = "post"
) -> Failure:
    async with serving(play) as server:
        api = endpoint(server.url, seconds=seconds, max_bytes=max_bytes)
        with pytest.raises(Failure) as caught:
            await (api.post("/x", {}) if method == "post" else api.get("/x"))
    return caught.value


async def test_a_call_carries_key_and_attempt_and_nothing_of_ours() -> None:
    async with serving(answer(b'{"a": 7}')) as server:
        reply = await endpoint(server.url + "/base/").post("/draw", {"b": 1})

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    sent = headers(head)
    assert head.startswith(b"POST /base/draw HTTP/1.1")
    assert sent["authorization"] == "Bearer k3y"
    assert sent["x-client-request-id"] == "attempt-1"
    assert sent["accept-encoding"] == "identity"
    assert body == b'{"b":1}'
    assert reply.read(Number).a == 7


async def test_bytes_are_sent_as_they_are() -> None:
    async with serving(answer()) as server:
        await endpoint(server.url).put("/upload", b"\x89PNG", content_type="image/png")

    assert server.requests[0].endswith(b"\r\n\r\n\x89PNG")
    assert headers(server.requests[0].partition(b"\r\n\r\n")[0])["content-type"] == "image/png"


async def test_a_large_answer_arrives_whole() -> None:
    body = bytes(range(256)) * 30_000

    async with serving(answer(body)) as server:
        reply = await endpoint(server.url).get("/x")

    assert reply.content == body


@pytest.mark.parametrize("size", [1, 65_535, 65_537, 600_000, 1_500_000])
@pytest.mark.parametrize("piece", [1_000, 70_000, 2_000_000])
async def test_an_answer_is_whole_when_its_length_has_come_though_the_line_stays_open(
    size: int, piece: int
) -> None:
    text = b'"' + b"x" * size + b'"'
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: " + str(len(text)).encode() + b"\r\n\r\n" + text

    async def play(_: bytes, writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(whole), piece):
            writer.write(whole[at : at + piece])
            await writer.drain()
        await asyncio.sleep(30)

    async with serving(play) as server, asyncio.timeout(10):
        reply = await endpoint(server.url).get("/")

    assert reply.content == text


async def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async with serving(answer()) as server:
        await endpoint(server.url).get("/x")

    assert server.connections == 1


async def test_cookies_are_forgotten() -> None:
    async with serving(answer(Set_Cookie="a=b; Path=/")) as server:
        api = endpoint(server.url)
        await api.get("/x")
        await api.get("/x")

    assert b"cookie" not in server.requests[1].lower()


async def test_nobody_there_means_nothing_was_sent() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Failure) as caught:
            await endpoint(f"http://127.0.0.1:{held.getsockname()[1]}").post("/x", {})

    assert caught.value.reason == R.PROVIDER_UNAVAILABLE


async def test_an_unknown_host_means_nothing_was_sent() -> None:
    with pytest.raises(Failure) as caught:
        await endpoint("http://nowhere.invalid").post("/x", {})

    assert caught.value.reason == R.PROVIDER_UNAVAILABLE


async def test_failed_tls_means_nothing_was_sent() -> None:
    async def play(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no TLS\r\n\r\n")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        await play(b"", writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Failure) as caught:
        await endpoint(f"https://127.0.0.1:{port}").post("/x", {})
    server.close()

    assert caught.value.reason == R.PROVIDER_UNAVAILABLE


@pytest.mark.parametrize(
    "play",
    [
        raw(b""),  # closed after the request was read
        raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        raw(b"nonsense\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        answer(status=502),
        answer(status=504),
        answer(status=500),
    ],
)
async def test_no_definite_answer_after_sending_is_lost(play: Play) -> None:
    assert (await failure(play)).reason == R.ANSWER_LOST


async def test_looking_costs_nothing_and_is_never_lost() -> None:
    assert (await failure(raw(b""), method="get")).reason == R.PROVIDER_UNAVAILABLE


async def test_looking_after_work_was_asked_for_can_be_lost() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"POST"):
            await answer()(head, writer)

    async with serving(play) as server:
        api = endpoint(server.url)
        await api.post("/x", {})
        with pytest.raises(Failure) as caught:
            await api.get("/x")

    assert caught.value.reason == R.ANSWER_LOST


@pytest.mark.parametrize(
    "play",
    [
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        drip(b"", b""),
    ],
)
async def test_a_slow_answer_ends_with_the_deadline(play: Play) -> None:
    started = time.monotonic()

    assert (await failure(play, seconds=0.3)).reason == R.ANSWER_LOST
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "play",
    [
        answer(b"x" * 100_001),
        drip(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1000\r\n" + b"x" * 4096 + b"\r\n",
            pause=0,
        ),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000, pause=0),
        answer(zlib.compress(bytes(10**6)), Content_Encoding="deflate"),
        answer(b"{}", Content_Encoding="br"),
        answer(b"{}", Content_Encoding="gzip"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    ],
)
async def test_an_answer_beyond_the_budget_is_unusable(play: Play) -> None:
    assert (await failure(play)).reason == R.ANSWER_UNUSABLE


async def test_a_flood_of_interim_answers_ends_with_the_budget() -> None:
    play = drip(b"", b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * 8000 + b"\r\n\r\n", pause=0, times=1000)

    assert (await failure(play, seconds=20)).reason == R.ANSWER_UNUSABLE


async def test_a_body_in_crumbs_ends_with_the_budget() -> None:
    play = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 300_000)
    started = time.monotonic()

    assert (await failure(play, seconds=20, max_bytes=10**8)).reason == R.ANSWER_UNUSABLE
    assert time.monotonic() - started < 4


async def test_an_answer_of_a_million_values_is_unusable() -> None:
    async with serving(answer(b'{"a": 1, "b": [' + b"1," * 1_000_000 + b"1]}")) as server:
        reply = await endpoint(server.url).get("/x")

    with pytest.raises(Failure):
        reply.read(Number)


async def test_compressed_answers_are_read_within_the_budget() -> None:
    async with serving(answer(zlib.compress(b'{"a": 7}'), Content_Encoding="deflate")) as server:
        reply = await endpoint(server.url).get("/x")

    assert reply.read(Number).a == 7


async def test_redirects_are_refused() -> None:
    async with serving(answer()) as other, serving(answer(status=302, Location=other.url)) as server:
        with pytest.raises(Failure) as caught:
            await endpoint(server.url).post("/x", {})

    assert caught.value.reason == R.CALL_REFUSED
    assert other.connections == 0


async def test_an_address_out_of_an_answer_must_be_of_the_same_origin() -> None:
    async with serving(answer()) as other, serving(answer()) as server:
        api = endpoint(server.url)
        await api.get(server.url + "/status/1")
        with pytest.raises(Failure) as caught:
            await api.get(other.url + "/status/1")

    assert caught.value.reason == R.ANSWER_UNUSABLE
    assert (server.connections, other.connections) == (1, 0)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, R.KEY_REJECTED),
        (402, R.PROVIDER_UNPAID),
        (403, R.CALL_FORBIDDEN),
        (404, R.CALL_REFUSED),
        (422, R.CALL_REFUSED),
        (429, R.PROVIDER_RATE_LIMITED),
        (503, R.PROVIDER_UNAVAILABLE),
    ],
)
async def test_an_answer_by_its_status(status: int, reason: ErrorReason) -> None:
    error = await failure(answer(b'{"message": "sk-secret of a fox"}', status=status))

    assert error.reason == reason
    assert error.metadata == {"provider": "providers/test", "status": str(status)}
    assert "fox" not in str(error.to_status())


@pytest.mark.parametrize(
    ("field", "said", "seconds"),
    [
        ("Retry_After", "7", 7),
        ("Retry_After", "1000000000", 600),
        ("Retry_After", "-5", 0),
        ("Retry_After", "nan", None),
        ("Retry_After", "soon", None),
        ("Retry_After", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("retry_after_ms", "1500", 1.5),
    ],
)
async def test_waiting_is_believed_within_reason(field: str, said: str, seconds: float | None) -> None:
    assert (await failure(answer(b"", status=429, **{field: said}))).retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": "x"}', b'{"a": NaN}', b"[" * 100_000])
async def test_a_body_that_cannot_be_read_is_unusable(body: bytes) -> None:
    async with serving(answer(body)) as server:
        reply = await endpoint(server.url).get("/x")

    with pytest.raises(Failure) as caught:
        reply.read(Number)
    assert caught.value.reason == R.ANSWER_UNUSABLE


@pytest.mark.parametrize("size", [3, 1000, 7_000_000])
async def test_base64_is_decoded(size: int) -> None:
    picture = bytes(range(256)) * (size // 256 + 1)
    text = base64.b64encode(picture)

    async with serving(answer(b'{"picture": "' + text + b'"}')) as server:
        reply = await endpoint(server.url, max_bytes=10**8).get("/x")

    assert await reply.decode(reply.read(Text).picture) == picture


@pytest.mark.parametrize("text", [b"data:image/png;base64,iVBO/+8=", b"iVBO\\/+8=", b"iVBO\\n/+8="])
async def test_unusual_base64_is_decoded(text: bytes) -> None:
    async with serving(answer(b'{"picture": "' + text + b'"}')) as server:
        reply = await endpoint(server.url).get("/x")

    assert await reply.decode(reply.read(Text).picture) == b"\x89PN\xff\xef"


@pytest.mark.parametrize("text", [b'""', b"null", b"12", b'"iVB"', b'"nothing of the kind"', b"[]"])
async def test_broken_base64_is_unusable(text: bytes) -> None:
    async with serving(answer(b'{"picture": ' + text + b"}")) as server:
        reply = await endpoint(server.url).get("/x")

    with pytest.raises(Failure) as caught:
        await reply.decode(reply.read(Text).picture)
    assert caught.value.reason == R.ANSWER_UNUSABLE


@pytest.mark.parametrize("key", ["two\nlines", "späce", " edge", "\x7f"])
def test_a_key_that_is_no_header_text_is_refused_unquoted(key: str) -> None:
    with pytest.raises(Failure) as caught:
        endpoint("http://127.0.0.1", key=key)

    assert caught.value.reason == R.KEY_REJECTED
    assert key.strip() not in str(caught.value.to_status())


@pytest.mark.parametrize(
    "url", ["", "ftp://host", "http://", "http://u:p@host", "http://host?x=1", "http://[::1", "https://xn--"]
)
def test_what_is_no_endpoint_is_refused(url: str) -> None:
    with pytest.raises(Failure) as caught:
        endpoint(url)

    assert caught.value.reason == R.PROVIDER_INCOMPLETE


async def test_a_cancelled_call_closes_its_connection() -> None:
    closed = asyncio.Event()

    async def play(_head: bytes, writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        closed.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    call = asyncio.create_task(
        endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}").post("/x", {})
    )
    await asyncio.sleep(0.1)
    call.cancel()
    await asyncio.wait_for(closed.wait(), 2)
    server.close()

    assert call.cancelled()


class WithHosts(Plain):
    """A kind of more than one host."""

    DEFAULT_ENDPOINT = "https://queue.example"
    HOSTS: ClassVar = {"prices": "https://prices.example"}


def hosted(url: str, transport: httpx.AsyncBaseTransport | None = None) -> Endpoint:
    egress = Egress(transport=transport)
    return egress.endpoint(
        url, "k3y", WithHosts(), provider="p", attempt_id="a", seconds=2, max_bytes=99, account="acc"
    )


async def test_a_kind_may_name_further_hosts_of_its_provider() -> None:
    seen: list[tuple[str, str]] = []

    def play(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers["authorization"]))
        return httpx.Response(200)

    api = hosted("https://queue.example/", httpx.MockTransport(play))
    await api.get("/v1", host="prices")
    await api.post("/x", {}, host="prices")
    await api.get("/x")

    assert seen == [
        ("https://prices.example/v1", "Bearer k3y"),
        ("https://prices.example/x", "Bearer k3y"),
        ("https://queue.example/x", "Bearer k3y"),
    ]
    with pytest.raises(Failure):  # an answer may not name it
        await api.get("https://prices.example/v1")


async def test_a_stand_in_plays_all_hosts_and_no_other_sees_its_key() -> None:
    async with serving(answer()) as server:
        await hosted(server.url + "/fal").get("/v1", host="prices")

        await hosted(server.url + "/fal/queue").get("/v1", host="prices")

    assert server.requests[0].startswith(b"GET /fal/v1 ")
    assert server.requests[1].startswith(b"GET /fal/prices/v1 ")


async def test_headers_of_a_call_do_not_replace_ours() -> None:
    async with serving(answer()) as server:
        api = endpoint(server.url)
        await api.post("/x", {}, headers={"x-more": "1", "authorization": "other"})

    sent = headers(server.requests[0].partition(b"\r\n\r\n")[0])
    assert (sent["x-more"], sent["authorization"]) == ("1", "Bearer k3y")


async def test_the_account_is_there_for_addresses() -> None:
    assert hosted("https://queue.example").account == "acc"


async def test_what_is_free_is_never_lost() -> None:
    async with serving(raw(b"")) as server:
        api = endpoint(server.url)
        for _ in range(2):
            with pytest.raises(Failure) as caught:
                await api.post("/upload", {}, free=True)
            assert caught.value.reason == R.PROVIDER_UNAVAILABLE
