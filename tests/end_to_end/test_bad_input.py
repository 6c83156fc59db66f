"""Each piece of bad input gets a clear error, with its field and what is allowed, and leaves nothing.

Over HTTP and over gRPC; what a message of the contract cannot even say, over HTTP alone.
"""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import orjson
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1 import images_pb2
from inkweld.media.v1.images_pb2_grpc import ImageServiceStub
from PIL import Image

from deploy.local import demo
from tests.end_to_end import writing
from tests.house import failure_of
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


def told(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """An error's status, its reason, and what is allowed in the fields it names."""
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    assert error["message"]
    by_type = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    fields = by_type.get("BadRequest", {}).get("fieldViolations", [])
    return (
        answer.status_code,
        by_type["ErrorInfo"]["reason"],
        {violation["field"]: violation["description"] for violation in fields},
    )


async def told_by_grpc(call: Any) -> tuple[str, str, dict[str, str]]:
    """The same of a refused call: its code, reason and fields."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    failure = failure_of(caught.value)
    return caught.value.code().name, ErrorReason.Name(failure.reason), dict(failure.fields)


async def wish_by_grpc(stack: Stack, token: str = "", **wish: Any) -> tuple[str, str, dict[str, str]]:
    """What is told of a wish that the generation service itself hears."""
    asked = json_format.ParseDict(wish, pb.Generation())
    request = pb.CreateGenerationRequest(parent=writing.PROJECT, generation=asked)
    async with stack.channel("generation", token) as channel:
        return await told_by_grpc(writing.generations(channel).CreateGeneration(request))


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


SAYABLE = [
    ({"prompt": ""}, "generation.prompt", "at least 1"),
    ({"prompt": "x" * 32_001}, "generation.prompt", "at most 32000"),
    ({"count": 0}, "generation.count", "equal to 16"),
    ({"count": 99}, "generation.count", "equal to 16"),
    ({"size": "large"}, "generation.size", "a shape such as 16:9"),
    ({"size": "4096x4096"}, "generation.size", "512x512"),
    ({"profile": "sketch"}, "generation.profile", "must look like profiles/…"),
    ({"profile": "profiles/none"}, "generation.profile", "an existing profile"),
    ({"outputFormat": "bmp"}, "generation.output_format", "png"),
    ({"elements": [{"name": "Fox"}]}, "generation.elements[0].role", "SUBJECT, SETTING, STYLE, REFERENCE"),
]
UNSAYABLE: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": "red"}, "generation.colour", "not a field"),
    ({"prompt": 5}, "generation.prompt", "text"),
    ({"count": "many"}, "generation.count", "whole number"),
    ({"elements": {"name": "Fox"}}, "generation.elements", "list"),
]


@pytest.mark.parametrize(("change", "field", "allowed"), [*SAYABLE, *UNSAYABLE])
async def test_a_wish_that_cannot_be(
    client: httpx.AsyncClient, change: dict[str, Any], field: str, allowed: str
) -> None:
    status, reason, fields = told(await client.post(GENERATIONS, json=WISH | change))

    assert (status, reason, set(fields)) == (400, "FIELD_INVALID", {field})
    assert allowed in fields[field]


@pytest.mark.parametrize(("change", "field", "allowed"), SAYABLE)
async def test_a_wish_that_cannot_be_by_grpc(
    stack: Stack, client: httpx.AsyncClient, change: dict[str, Any], field: str, allowed: str
) -> None:
    code, reason, fields = await wish_by_grpc(stack, **(WISH | change))

    assert (code, reason, set(fields)) == ("INVALID_ARGUMENT", "FIELD_INVALID", {field})
    assert allowed in fields[field]


async def test_a_profile_that_is_switched_off(stack: Stack, client: httpx.AsyncClient) -> None:
    off, wish = {"enabled": False}, {"profile": writing.PICTURE, "prompt": "A fox at night"}
    await client.patch(f"/v1/{writing.PICTURE}", json=off)
    try:
        answer = await client.post(GENERATIONS, json=wish)
        by_grpc = await wish_by_grpc(stack, **wish)
    finally:
        await client.patch(f"/v1/{writing.PICTURE}", json={"enabled": True})

    assert told(answer) == (400, "PROFILE_DISABLED", {})
    assert by_grpc == ("FAILED_PRECONDITION", "PROFILE_DISABLED", {})


async def test_a_provider_without_a_key(stack: Stack, client: httpx.AsyncClient) -> None:
    provider = {"kind": "openai", "endpoint": f"{stack.sandbox_url}/v1", "enabled": True}
    profile = {"title": "Keyless", "provider": "providers/keyless", "model": "gpt-image-2", "enabled": True}
    await client.post("/v1/providers?providerId=keyless", json=provider)
    made = await client.post("/v1/profiles?profileId=keyless", json=profile)
    wish = {"profile": "profiles/keyless", "prompt": "A fox unpaid"}
    answer = await client.post(GENERATIONS, json=wish)
    by_grpc = await wish_by_grpc(stack, **wish)
    await client.delete("/v1/profiles/keyless")
    await client.delete("/v1/providers/keyless")

    assert made.status_code == 200, made.text
    assert told(answer) == (400, "KEY_MISSING", {})
    assert by_grpc == ("FAILED_PRECONDITION", "KEY_MISSING", {})


async def test_another_users_project(stack: Stack, client: httpx.AsyncClient) -> None:
    token = await stack.new_user("poacher")
    async with stack.http(token) as poacher:
        answers = [
            await poacher.post(GENERATIONS, json=WISH),
            await poacher.get(IMAGES),
            await poacher.post(IMAGES, content=picture(), headers={"content-type": "image/png"}),
        ]

    by_grpc = await wish_by_grpc(stack, token, **WISH)

    assert [told(answer)[:2] for answer in answers] == [(404, "RESOURCE_NOT_FOUND")] * 3
    assert by_grpc == ("NOT_FOUND", "RESOURCE_NOT_FOUND", {})


@pytest.mark.parametrize("proof", [{"cookie": "inkweld=iks_ended"}, {"authorization": "Bearer ikw_ended"}])
async def test_a_proof_that_does_not_hold(
    stack: Stack, client: httpx.AsyncClient, proof: dict[str, str]
) -> None:
    headers = proof | {"sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, trust_env=False) as stranger:
        answer = await stranger.post(GENERATIONS, json=WISH)

    assert told(answer)[:2] == (401, "CALLER_UNKNOWN")


async def test_a_session_that_has_expired(stack: Stack, client: httpx.AsyncClient) -> None:
    headers = {"sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, trust_env=False) as browser:
        signed_in = await browser.post("/v1/session", json={"code": demo.sign_in_code(stack.folder)})
        session = signed_in.json()["name"].rpartition("/")[2]
        past = f"UPDATE sessions SET expire_time = now() - interval '1 s' WHERE id = '{session}'"  # noqa: S608
        stack.postgres.psql(past, "config")
        answer = await browser.post(GENERATIONS, json=WISH)
    secret = next(iter(signed_in.cookies.values()))

    assert told(answer)[:2] == (401, "CALLER_UNKNOWN")
    assert await wish_by_grpc(stack, secret, **WISH) == ("UNAUTHENTICATED", "CALLER_UNKNOWN", {})


@pytest.mark.parametrize("body", [b"{", b"[]", b'"fox"', b'{"prompt": "a", "prompt": "b"}', b"\xff\xfe", b""])
async def test_a_body_that_is_no_wish(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(GENERATIONS, content=body, headers={"content-type": "application/json"})

    assert told(answer)[:2] == (400, "FIELD_INVALID")


async def test_a_body_of_a_hundred_megabytes(client: httpx.AsyncClient) -> None:
    wish = await client.post(GENERATIONS, content=orjson.dumps(WISH | {"prompt": "x" * (100 << 20)}))
    upload = await client.post(IMAGES, content=bytes(100 << 20), headers={"content-type": "image/png"})

    assert (wish.status_code, upload.status_code) == (413, 413)


async def test_a_message_that_is_too_long(stack: Stack, client: httpx.AsyncClient) -> None:
    request = pb.CreateGenerationRequest(
        parent=writing.PROJECT, generation=pb.Generation(prompt="x" * (2 << 20))
    )
    async with grpc.aio.insecure_channel(stack.parts["generation"].address) as channel:
        call = writing.generations(channel).CreateGeneration(
            request, metadata=(("authorization", f"Bearer {stack.admin_token}"),)
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


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
async def test_bytes_that_are_no_picture(stack: Stack, client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post(IMAGES, content=content, headers={"content-type": "image/png"})
    file = HttpBody(content_type="image/png", data=content)
    request = images_pb2.UploadImageRequest(parent=writing.PROJECT, file=file)
    async with stack.channel("media") as channel:
        by_grpc = await told_by_grpc(ImageServiceStub(channel).UploadImage(iter((request,))))

    status, reason, fields = told(answer)
    assert (status, reason) == (400, "IMAGE_REFUSED")
    assert "PNG, JPEG or WebP" in fields["file"]
    assert by_grpc == ("INVALID_ARGUMENT", reason, fields)
