"""What holds for every request and answer."""

import asyncio

import pytest

from gateway.border import SECURITY
from tests.gateway.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADDRESSES = ["/", "/healthz", "/readyz", "/v1/features", "/v1/me", "/v1/nothing", "/assets/none.js", "/x.txt"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE"])
async def test_every_answer_has_the_security_headers(front: Front, address: str, method: str) -> None:
    reply = await front.http.request(method, address)

    assert {name: reply.headers.get(name) for name in SECURITY} == SECURITY
    assert reply.headers["x-request-id"]


async def test_scripts_come_from_us_alone(front: Front) -> None:
    policy = (await front.http.get("/")).headers["content-security-policy"]

    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8333", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8333", 200),
        ("pictures.example", 200),
        ("evil.example", 421),
        ("pictures.example.evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
async def test_only_our_host_names_are_served(front: Front, host: str, status: int) -> None:
    reply = await front.http.get("/v1/features", headers={"host": host})

    assert reply.status_code == status


async def test_probes_come_under_any_name(front: Front) -> None:
    assert (await front.http.get("/healthz", headers={"host": "10.0.0.7:8333"})).status_code == 200


async def test_a_request_id_travels_with_the_call(front: Front) -> None:
    reply = await front.http.get("/v1/features", headers={"x-request-id": "abc-12345"})

    assert reply.headers["x-request-id"] == "abc-12345"
    assert front.memory.request_ids == ["abc-12345"]


async def test_an_odd_request_id_is_replaced(front: Front) -> None:
    reply = await front.http.get("/v1/features", headers={"x-request-id": "a b\t{}"})

    assert reply.headers["x-request-id"] != "a b\t{}"
    assert front.memory.request_ids == [reply.headers["x-request-id"]]


async def test_a_json_body_has_a_cap(front: Front) -> None:
    body = b'{"title": "' + b"x" * (1 << 20) + b'"}'
    headers = front.bearer() | {"content-type": "application/json"}

    reply = await front.http.post("/v1/projects", content=body, headers=headers)

    assert reply.status_code == 413
    violation = reply.json()["error"]["details"][-1]["fieldViolations"][0]
    assert violation == {"field": "body", "description": "The body may have 1 MiB at most."}
    assert not front.memory.seen


async def test_headers_have_a_cap(front: Front) -> None:
    reply = await front.http.get("/v1/features", headers={"x-filler": "x" * (40 << 10)})

    assert reply.status_code == 431


async def test_the_log_holds_no_query_and_no_cookie(front: Front, capfd: pytest.CaptureFixture[str]) -> None:
    await front.http.get("/v1/features?planted=canary1", headers={"cookie": "inkweld-8333=canary2"})

    written = "".join(capfd.readouterr())
    assert "canary" not in written
    assert "request.answered" in written


async def test_a_broken_request_gets_an_answer_and_harms_no_one(front: Front) -> None:
    host, port = front.http.base_url.host, front.http.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(1000), 2)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 400")
    assert (await front.http.get("/healthz")).status_code == 200
