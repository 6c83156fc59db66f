"""Each piece of bad input gets a clear error, with its field and what is allowed, and leaves nothing."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image

from tests.end_to_end import writing
from tests.stack import Stack

pytestmark = pytest.mark.stack

GENERATIONS = f"/v1/{writing.PROJECT}/generations"
IMAGES = f"/v1/{writing.PROJECT}/images"
WISH = {"profile": writing.SKETCH, "prompt": "A fox who should not be", "size": "512x512"}


def picture(kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(made, kind)
    return made.getvalue()


def bomb() -> bytes:
    """A small PNG that says it is 30,000 by 30,000 pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1 << 20))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def told(answer: httpx.Response) -> tuple[int, str, set[str]]:
    """An error's status, its reason, and the fields it names."""
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    assert error["message"]
    by_type = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    fields = by_type.get("BadRequest", {}).get("fieldViolations", [])
    assert all(violation["description"] for violation in fields)
    return answer.status_code, by_type["ErrorInfo"]["reason"], {violation["field"] for violation in fields}


def stored(stack: Stack) -> list[str | None]:
    """How many rows there are of what bad input might have made."""
    counts = [
        (table, database)
        for database, tables in (
            ("generation", ("generations", "tasks", "events", "request_ids")),
            ("media", ("images", "blobs", "stages")),
        )
        for table in tables
    ]
    return [stack.postgres.psql(f"SELECT count(*) FROM {table}", database) for table, database in counts]  # noqa: S608


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator's client; what it does in the test must leave no row behind."""
    before = stored(stack)
    async with stack.http() as client:
        yield client
    assert stored(stack) == before


@pytest.mark.parametrize(
    ("change", "status", "reason", "field"),
    [
        ({"colour": "red"}, 400, "FIELD_INVALID", "generation.colour"),
        ({"prompt": 5}, 400, "FIELD_INVALID", "generation.prompt"),
        ({"prompt": ""}, 400, "FIELD_INVALID", "generation.prompt"),
        ({"prompt": "x" * 32_001}, 400, "FIELD_INVALID", "generation.prompt"),
        ({"count": 0}, 400, "FIELD_INVALID", "generation.count"),
        ({"count": 99}, 400, "FIELD_INVALID", "generation.count"),
        ({"size": "large"}, 400, "FIELD_INVALID", "generation.size"),
        ({"size": "4096x4096"}, 400, "FIELD_INVALID", "generation.size"),
        ({"profile": "profiles/none"}, 400, "FIELD_INVALID", "generation.profile"),
        ({"outputFormat": "bmp"}, 400, "FIELD_INVALID", "generation.output_format"),
        ({"elements": [{"name": "Fox"}]}, 400, "FIELD_INVALID", "generation.elements[0].role"),
    ],
)
async def test_a_wish_that_cannot_be(
    client: httpx.AsyncClient, change: dict[str, Any], status: int, reason: str, field: str
) -> None:
    answer = await client.post(GENERATIONS, json=WISH | change)

    assert told(answer) == (status, reason, {field})


async def test_a_profile_that_is_switched_off(client: httpx.AsyncClient) -> None:
    off = {"enabled": False}
    await client.patch(f"/v1/{writing.PICTURE}", json=off)
    try:
        answer = await client.post(GENERATIONS, json={"profile": writing.PICTURE, "prompt": "A fox at night"})
    finally:
        await client.patch(f"/v1/{writing.PICTURE}", json={"enabled": True})

    assert told(answer) == (400, "PROFILE_DISABLED", set())


async def test_a_provider_without_a_key(stack: Stack, client: httpx.AsyncClient) -> None:
    provider = {"kind": "openai", "endpoint": f"{stack.sandbox_url}/v1", "enabled": True}
    profile = {"title": "Keyless", "provider": "providers/keyless", "model": "gpt-image-2", "enabled": True}
    await client.post("/v1/providers?providerId=keyless", json=provider)
    made = await client.post("/v1/profiles?profileId=keyless", json=profile)
    answer = await client.post(GENERATIONS, json={"profile": "profiles/keyless", "prompt": "A fox unpaid"})
    await client.delete("/v1/profiles/keyless")
    await client.delete("/v1/providers/keyless")

    assert made.status_code == 200, made.text
    assert told(answer) == (400, "KEY_MISSING", set())


async def test_another_users_project(stack: Stack, client: httpx.AsyncClient) -> None:
    token = await stack.new_user("poacher")
    async with stack.http(token) as poacher:
        answers = [
            await poacher.post(GENERATIONS, json=WISH),
            await poacher.get(IMAGES),
            await poacher.post(IMAGES, content=picture(), headers={"content-type": "image/png"}),
        ]

    assert [told(answer)[:2] for answer in answers] == [(404, "RESOURCE_NOT_FOUND")] * 3


@pytest.mark.parametrize("proof", [{"cookie": "inkweld=iks_ended"}, {"authorization": "Bearer ikw_ended"}])
async def test_a_proof_that_does_not_hold(
    stack: Stack, client: httpx.AsyncClient, proof: dict[str, str]
) -> None:
    headers = proof | {"sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, trust_env=False) as stranger:
        answer = await stranger.post(GENERATIONS, json=WISH)

    assert told(answer)[:2] == (401, "CALLER_UNKNOWN")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"fox"', b'{"prompt": "a", "prompt": "b"}', b"\xff\xfe", b""])
async def test_a_body_that_is_no_wish(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(GENERATIONS, content=body, headers={"content-type": "application/json"})

    assert told(answer)[:2] == (400, "FIELD_INVALID")


async def test_a_body_of_a_hundred_megabytes(client: httpx.AsyncClient) -> None:
    wish = await client.post(GENERATIONS, content=orjson.dumps(WISH | {"prompt": "x" * (100 << 20)}))
    upload = await client.post(IMAGES, content=bytes(100 << 20), headers={"content-type": "image/png"})

    assert (wish.status_code, upload.status_code) == (413, 413)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"Once upon a time.", id="a text named .png"),
        pytest.param(bomb(), id="a PNG bomb"),
        pytest.param(picture("JPEG")[:-200], id="a truncated JPEG"),
        pytest.param(picture()[:-20], id="a truncated PNG"),
        pytest.param(picture("GIF"), id="a GIF"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_bytes_that_are_no_picture(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post(IMAGES, content=content, headers={"content-type": "image/png"})

    assert told(answer)[:2] == (400, "IMAGE_REFUSED")
