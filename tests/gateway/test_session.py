"""Sessions, tokens, and pages that would act for a user."""

import asyncio
import itertools
import time

import pytest
from google.protobuf import empty_pb2
from inkweld.access.v1 import access_pb2

from gateway.session import check_origin
from runtime.failure import Failure
from runtime.identity import unknown
from tests.gateway.front import Front, gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

OURS = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}


def _ours(front: Front) -> dict[str, str]:
    host = front.http.base_url.netloc.decode()
    return {"origin": f"http://{host}", "sec-fetch-site": "same-origin"}


async def test_signing_in_gives_a_cookie_and_no_secret(front: Front) -> None:
    front.memory.answers["SignIn"] = access_pb2.Session(name="users/ada/sessions/s", secret="hush")

    reply = await front.http.post("/v1/session", json={"code": "c"})

    assert reply.headers["set-cookie"] == "inkweld-8333=hush; Path=/; HttpOnly; SameSite=Lax"
    assert "secret" not in reply.json() or reply.json()["secret"] == ""
    assert "hush" not in reply.text


async def test_over_tls_the_cookie_is_bound_to_the_host(front: Front) -> None:
    front.memory.answers["SignIn"] = access_pb2.Session(secret="hush")

    async with gateway(front.addresses, front.keys, secure=True) as (http, _, _):
        reply = await http.post("/v1/session", json={"code": "c"})

    assert reply.headers["set-cookie"] == "__Host-inkweld=hush; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert "max-age" in reply.headers["strict-transport-security"]


async def test_the_cookie_speaks_for_its_user(front: Front) -> None:
    front.sign_in("hush-1")

    reply = await front.http.get("/v1/me", headers={"cookie": "inkweld-8333=hush-1"})

    assert reply.status_code == 200
    assert front.memory.callers[-1] == "users/ada"


async def test_a_token_speaks_for_its_user(front: Front) -> None:
    front.sign_in("ikw_t", proof="users/ada/tokens/t")

    reply = await front.http.get("/v1/me", headers={"authorization": "Bearer ikw_t"})

    assert reply.status_code == 200
    assert front.memory.callers[-1] == "users/ada"


async def test_the_exchange_is_kept(front: Front) -> None:
    front.sign_in("hush-2")

    for _ in range(3):
        await front.http.get("/v1/me", headers={"cookie": "inkweld-8333=hush-2"})

    assert [name for name, _ in front.memory.seen].count("ExchangeSecret") == 1


async def test_a_revoked_session_is_refused_within_a_second(front: Front) -> None:
    front.sign_in("hush-3", "users/bo", "users/bo/sessions/s3")
    cookie = {"cookie": "inkweld-8333=hush-3"}
    assert (await front.http.get("/v1/me", headers=cookie)).status_code == 200

    front.secrets.clear()
    front.config.shut_out("users/bo/sessions/s3")

    ends = time.monotonic() + 1
    while (reply := await front.http.get("/v1/me", headers=cookie)).status_code == 200:
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)
    assert reply.status_code == 401


async def test_a_session_outlives_a_change_to_its_user(front: Front) -> None:
    front.sign_in("hush-4", "users/cy", "users/cy/sessions/s4")
    cookie = {"cookie": "inkweld-8333=hush-4"}
    await front.http.get("/v1/me", headers=cookie)

    revision = front.configuration.current.revision
    front.config.shut_out("users/cy")
    while front.configuration.current.revision == revision:
        await front.configuration.changed()
    front.sign_in("hush-4", "users/cy", "users/cy/sessions/s4")

    assert (await front.http.get("/v1/me", headers=cookie)).status_code == 200


async def test_an_ended_session_is_401_and_loses_its_cookie(front: Front) -> None:
    reply = await front.http.get("/v1/me", headers={"cookie": "inkweld-8333=gone"})

    assert reply.status_code == 401
    assert reply.json()["error"]["details"][0]["reason"] == "CALLER_UNKNOWN"
    assert "Max-Age=0" in reply.headers["set-cookie"]


async def test_a_wrong_password_leaves_the_session_alone(front: Front) -> None:
    front.sign_in("hush-8")
    front.memory.answers["SetPassword"] = unknown()

    reply = await front.http.post(
        "/v1/users/ada:setPassword",
        json={"password": "long enough 1"},
        headers={"cookie": "inkweld-8333=hush-8"} | _ours(front),
    )

    assert reply.status_code == 401
    assert "set-cookie" not in reply.headers


async def test_an_ended_session_keeps_no_one_from_signing_in(front: Front) -> None:
    front.memory.answers["SignIn"] = access_pb2.Session(secret="new")

    reply = await front.http.post(
        "/v1/session", json={"code": "c"}, headers={"cookie": "inkweld-8333=gone"} | _ours(front)
    )

    assert reply.status_code == 200


async def test_signing_out_takes_the_cookie(front: Front) -> None:
    front.sign_in("hush-5")
    front.memory.answers["SignOut"] = empty_pb2.Empty()

    reply = await front.http.delete("/v1/session", headers={"cookie": "inkweld-8333=hush-5"} | _ours(front))

    assert reply.status_code == 200
    assert "Max-Age=0" in reply.headers["set-cookie"]
    front.secrets.clear()
    again = await front.http.get("/v1/me", headers={"cookie": "inkweld-8333=hush-5"})
    assert again.status_code == 401


@pytest.mark.parametrize(
    "proof", ["Basic YWRh", "Bearer", "Bearer nonsense", "bearer ikw_wrong", "Bearer \xff"]
)
async def test_a_bad_proof_is_refused_like_any_other(front: Front, proof: str) -> None:
    reply = await front.http.get("/v1/me", headers={b"authorization": proof.encode("latin-1")})

    assert reply.status_code == 401
    error = reply.json()["error"]
    assert error["message"] == "Sign in: the call carries no valid proof of who makes it."


async def test_a_foreign_page_changes_nothing(front: Front) -> None:
    front.sign_in("hush-6")
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}

    reply = await front.http.post(
        "/v1/projects", json={"title": "A"}, headers={"cookie": "inkweld-8333=hush-6"} | foreign
    )

    assert reply.status_code == 403
    assert not front.memory.seen


async def test_our_page_may(front: Front) -> None:
    front.sign_in("hush-7")

    reply = await front.http.post(
        "/v1/projects", json={"title": "A"}, headers={"cookie": "inkweld-8333=hush-7"} | _ours(front)
    )

    assert reply.status_code == 200


ORIGINS = {
    None: None,
    "http://app.example": True,
    "https://app.example": True,
    "HTTPS://APP.EXAMPLE": True,
    "https://app.example:444": False,
    "https://app.example.evil.example": False,
    "https://evil.example": False,
    "https://user@app.example": False,
    "file://app.example": False,
    "null": False,
    "": False,
    "app.example": False,
    "https://[": False,
}
SITES = {
    None: None,
    "same-origin": True,
    "same-site": False,
    "cross-site": False,
    "none": False,
    "odd": False,
}
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")


async def test_the_table_of_origins() -> None:
    cells = 0
    for (origin, by_origin), (site, by_site), method, cookie in itertools.product(
        ORIGINS.items(), SITES.items(), METHODS, (True, False)
    ):
        headers = {"host": "app.example"}
        headers |= {} if origin is None else {"origin": origin}
        headers |= {} if site is None else {"sec-fetch-site": site}
        vouched = by_origin is True or by_site is True
        foreign = by_origin is False or by_site is False
        expected = method in ("GET", "HEAD") or (not foreign and (vouched or not cookie))

        assert _passes(method, headers, cookie=cookie) is expected, (method, headers, cookie)
        assert _passes(method, headers | {"authorization": "Bearer x"}, cookie=cookie)
        cells += 2
    assert cells > 1800


def _passes(method: str, headers: dict[str, str], *, cookie: bool) -> bool:
    try:
        check_origin(method, headers, with_cookie=cookie)
    except Failure:
        return False
    return True
