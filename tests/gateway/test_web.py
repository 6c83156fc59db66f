"""The web client's files."""

import pytest

from tests.gateway.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    "address", ["/", "/projects/atlas", "/admin/providers/openai", "/projects/atlas/images/x"]
)
async def test_the_client_s_addresses_are_its_page(front: Front, address: str) -> None:
    reply = await front.http.get(address)

    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["cache-control"] == "no-cache"


async def test_hashed_assets_are_kept_forever(front: Front) -> None:
    reply = await front.http.get("/assets/main-0a1b2c3d.js")

    assert reply.headers["content-type"].startswith("text/javascript")
    assert "immutable" in reply.headers["cache-control"]


async def test_a_page_that_did_not_change_is_304(front: Front) -> None:
    tag = (await front.http.get("/")).headers["etag"]

    reply = await front.http.get("/", headers={"if-none-match": tag})

    assert (reply.status_code, reply.content) == (304, b"")


@pytest.mark.parametrize(
    "address", ["/assets/gone.js", "/robots.txt", "/assets/..%2f..%2fkeys%2ftrusted.json"]
)
async def test_a_missing_file_is_no_page(front: Front, address: str) -> None:
    reply = await front.http.get(address)

    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == 404


async def test_files_are_for_reading(front: Front) -> None:
    reply = await front.http.post("/")

    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")
