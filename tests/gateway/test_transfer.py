"""Bytes in and out."""

from collections.abc import AsyncIterator

import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import DecodeError
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2 as pb

from gateway import transfer
from runtime.failure import Failure, invalid
from tests.gateway.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHOLE = bytes(range(256)) * 4
TAG = f'"{"ab" * 32}"'
URL = "/v1/projects/atlas/images/x:download"


def store(request: pb.DownloadImageRequest) -> list[HttpBody]:
    """What media does with a picture of 1024 bytes."""
    info = pb.BytesInfo(etag=TAG, total_bytes=len(WHOLE), file_name='fox "1"/ü.png')
    if TAG in request.if_none_match:
        info.not_modified = True
        return [_first(info)]
    start = request.read_offset if request.read_offset >= 0 else max(0, len(WHOLE) + request.read_offset)
    if start >= len(WHOLE):
        raise invalid({"read_offset": "must be below 1024"})
    data = WHOLE[start:][: request.read_limit or None]
    info.offset, info.length = start, len(data)
    return [_first(info), *(HttpBody(data=data[at : at + 300]) for at in range(0, len(data), 300))]


def _first(info: pb.BytesInfo) -> HttpBody:
    first = HttpBody(content_type="image/png")
    first.extensions.add().Pack(info)
    return first


@pytest.fixture
def stored(front: Front) -> Front:
    front.memory.answers["DownloadImage"] = store
    return front


async def test_a_download_says_what_it_is_and_cannot_run(stored: Front) -> None:
    reply = await stored.http.get(URL, headers=stored.bearer())

    assert (reply.status_code, reply.content) == (200, WHOLE)
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["content-length"] == "1024"
    assert reply.headers["etag"] == TAG
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["cache-control"] == "private, no-cache"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert (
        reply.headers["content-disposition"]
        == "inline; filename=\"fox _1___.png\"; filename*=UTF-8''fox%20_1__%C3%BC.png"
    )


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=900-5000", 900, 1023),
    ],
)
async def test_a_range_is_sent_alone(stored: Front, asked: str, first: int, last: int) -> None:
    reply = await stored.http.get(URL, headers=stored.bearer() | {"range": asked})

    assert reply.status_code == 206
    assert reply.headers["content-range"] == f"bytes {first}-{last}/1024"
    assert reply.content == WHOLE[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes="])
async def test_what_is_no_single_range_gets_the_whole(stored: Front, asked: str) -> None:
    reply = await stored.http.get(URL, headers=stored.bearer() | {"range": asked})

    assert (reply.status_code, reply.content) == (200, WHOLE)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
async def test_a_range_outside_is_416(stored: Front, asked: str) -> None:
    reply = await stored.http.get(URL, headers=stored.bearer() | {"range": asked})

    assert reply.status_code == 416
    if asked != "bytes=-0":
        assert reply.headers["content-range"] == "bytes */1024"


async def test_if_range_with_another_tag_gets_the_whole(stored: Front) -> None:
    ask = stored.bearer() | {"range": "bytes=0-9"}

    assert (await stored.http.get(URL, headers=ask | {"if-range": TAG})).status_code == 206
    whole = await stored.http.get(URL, headers=ask | {"if-range": '"old"'})
    assert (whole.status_code, whole.content) == (200, WHOLE)


async def test_what_the_browser_has_is_not_sent(stored: Front) -> None:
    reply = await stored.http.get(URL, headers=stored.bearer() | {"if-none-match": f'W/"x", {TAG}'})

    assert (reply.status_code, reply.content) == (304, b"")
    assert reply.headers["etag"] == TAG


async def test_head_sends_the_headers_alone(stored: Front) -> None:
    reply = await stored.http.head(URL, headers=stored.bearer())

    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["content-length"] == "1024"


@pytest.mark.parametrize(
    ("version", "forever"),
    [("ab" * 32, True), ("cd" * 8, True), ("ab", False), ("", False), ("../" * 8, False)],
)
async def test_only_an_address_with_a_hash_is_kept_forever(stored: Front, version: str, forever: int) -> None:
    reply = await stored.http.get(f"{URL}?rendition=W256&v={version}", headers=stored.bearer())

    assert ("immutable" in reply.headers["cache-control"]) == bool(forever)
    assert stored.memory.last.rendition == pb.W256


async def test_what_headers_say_is_no_parameter(stored: Front) -> None:
    reply = await stored.http.get(f"{URL}?readOffset=5", headers=stored.bearer())

    assert reply.status_code == 400


async def test_the_bytes_of_a_message_are_found() -> None:
    for size in (0, 1, 127, 128, 16_383, 16_384, 300_000):
        alone = HttpBody(data=bytes(size))
        beside = HttpBody(content_type="image/png", data=b"\x12" * size)

        assert bytes(transfer._data(alone.SerializeToString())) == alone.data
        assert bytes(transfer._data(beside.SerializeToString())) == beside.data
    with pytest.raises(DecodeError):
        transfer._data(b"\x12\x05abc")


async def test_an_error_is_no_download(front: Front) -> None:
    front.memory.answers["DownloadImage"] = Failure(ErrorReason.RESOURCE_NOT_FOUND, "x does not exist.")

    assert (await front.http.get(URL, headers=front.bearer())).status_code == 404


async def test_an_upload_travels_in_pieces(front: Front) -> None:
    data = bytes(3 << 20) + b"end"
    front.memory.answers["UploadImage"] = pb.Image(name="projects/atlas/images/new")
    headers = front.bearer() | {"content-type": "image/png", "idempotency-key": "once"}

    reply = await front.http.post("/v1/projects/atlas/images?title=Fox", content=data, headers=headers)

    assert reply.status_code == 200, reply.text
    assert reply.json()["name"] == "projects/atlas/images/new"
    first, *rest = front.memory.last
    assert (first.parent, first.title, first.request_id) == ("projects/atlas", "Fox", "once")
    assert b"".join(piece.file.data for piece in (first, *rest)) == data
    assert len(rest) == 3
    assert not any(piece.parent for piece in rest)


async def test_an_upload_without_a_length_works_too(front: Front) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    reply = await front.http.post("/v1/projects/atlas/images", content=body(), headers=front.bearer())

    assert reply.status_code == 200, reply.text
    assert sum(len(piece.file.data) for piece in front.memory.last) == 3000


async def test_too_many_bytes_are_413(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "UPLOAD_BYTES", 1 << 20)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * (64 << 10)

    declared = await front.http.post(
        "/v1/projects/atlas/images", content=bytes((1 << 20) + 1), headers=front.bearer()
    )
    undeclared = await front.http.post("/v1/projects/atlas/images", content=body(), headers=front.bearer())

    for reply in (declared, undeclared):
        assert reply.status_code == 413
        assert reply.json()["error"]["code"] == 413


async def test_a_refusal_in_the_middle_of_an_upload_is_heard(front: Front) -> None:
    front.memory.answers["UploadImage"] = Failure(ErrorReason.IMAGE_REFUSED, "That is no picture.")

    reply = await front.http.post("/v1/projects/atlas/images", content=bytes(3 << 20), headers=front.bearer())

    assert reply.status_code == 400
    assert reply.json()["error"]["details"][0]["reason"] == "IMAGE_REFUSED"


async def test_an_upload_into_a_stranger_s_project_is_404(front: Front) -> None:
    # Each time the refusal meets another moment of the sending.
    for size in range(1 << 20, 4 << 20, 300_000):
        reply = await front.http.post(
            "/v1/projects/other/images", content=bytes(size), headers=front.bearer()
        )

        assert reply.status_code == 404


async def test_an_empty_upload_is_still_one_for_its_project(front: Front) -> None:
    await front.http.post("/v1/projects/atlas/images", headers=front.bearer())

    assert [(piece.parent, piece.file.data) for piece in front.memory.last] == [("projects/atlas", b"")]
