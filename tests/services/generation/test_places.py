"""Pictures left on the local disk: only where media is seen to look at the same one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from inkweld.media.v1 import images_pb2 as pb
from inkweld.media.v1 import images_pb2_grpc

from services.generation.places import Places

PLACE = "0" * 32


class Media(images_pb2_grpc.ImageServiceServicer):
    """Hands out one directory, and remembers how often it was asked."""

    def __init__(self, directory: Path, proof: bytes) -> None:
        self.answer = pb.OpenPlaceResponse(place=PLACE, directory=str(directory), proof=proof)
        self.asked = 0

    async def OpenPlace(self, request: pb.OpenPlaceRequest, context: Any) -> pb.OpenPlaceResponse:
        self.asked += 1
        return self.answer


@asynccontextmanager
async def places(media: Media) -> AsyncIterator[Places]:
    server = grpc.aio.server()
    images_pb2_grpc.add_ImageServiceServicer_to_server(media, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Places(channel)
    finally:
        await server.stop(None)


async def test_a_picture_is_left_under_a_new_name_until_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "proof").write_bytes(b"seen")
    media = Media(tmp_path, b"seen")

    async with places(media) as ours:
        async with ours.leave(b"one") as first, ours.leave(b"two") as second:
            left = [(tmp_path / name.removeprefix(f"{PLACE}/")).read_bytes() for name in (first, second)]

    assert left == [b"one", b"two"]
    assert media.asked == 1
    assert [path.name for path in tmp_path.iterdir()] == ["proof"]


async def test_nothing_is_left_where_media_is_on_another_disk(tmp_path: Path) -> None:
    (tmp_path / "proof").write_bytes(b"something else")
    media = Media(tmp_path, b"seen")

    async with places(media) as ours:
        async with ours.leave(b"one") as first:
            pass
        async with ours.leave(b"two") as second:
            assert len(list(tmp_path.iterdir())) == 1

    assert (first, second, media.asked) == ("", "", 1)


async def test_a_place_that_has_gone_is_asked_for_anew(tmp_path: Path) -> None:
    (tmp_path / "proof").write_bytes(b"seen")
    media = Media(tmp_path, b"seen")

    async with places(media) as ours:
        async with ours.leave(b"one"):
            pass
        ours.forget()
        async with ours.leave(b"two") as name:
            assert name.startswith(f"{PLACE}/")

    assert media.asked == 2
