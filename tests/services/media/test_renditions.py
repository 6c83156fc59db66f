import asyncio
import os
import signal
from typing import Any

import pytest
from inkweld.media.v1 import images_pb2 as pb

from services.media import formats
from services.media.decoders import Decoders
from tests.services.media import pictures
from tests.services.media.conftest import Media

LARGE = pictures.png(1500, 500)


@pytest.fixture
def shrunk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sides that decoders are asked for from now on."""
    asked: list[int] = []
    shrink = Decoders.shrink

    async def noting(self: Decoders, source: Any, side: int, *rest: Any) -> bytes:
        asked.append(side)
        return await shrink(self, source, side, *rest)

    monkeypatch.setattr(Decoders, "shrink", noting)
    return asked


async def test_copies_are_webp_of_their_size(media: Media) -> None:
    image = await media.upload(LARGE)

    for rendition, size in {pb.W256: (256, 85), pb.W1024: (1024, 341)}.items():
        info, content_type, data = await media.download(image.name, rendition)
        assert formats.inspect(memoryview(data)) == formats.Facts("image/webp", *size)
        assert content_type == "image/webp"
        assert info.etag != f'"{image.sha256}"'
        assert info.total_bytes == info.length == len(data)
        assert info.file_name.endswith(".webp")


async def test_copies_are_made_when_asked_for_and_once(media: Media, shrunk: list[int]) -> None:
    image = await media.upload(LARGE)
    before = list(shrunk)

    copies = await asyncio.gather(*(media.download(image.name, pb.W256) for _ in range(8)))
    later = await media.download(image.name, pb.W256)

    assert before == []
    assert shrunk == [256]
    assert all(copy == later for copy in copies)
    assert len(media.files) == 2


async def test_the_same_bytes_share_their_copies(media: Media, shrunk: list[int]) -> None:
    for image in [await media.upload(LARGE) for _ in range(2)]:
        await media.download(image.name, pb.W1024)

    assert shrunk == [1024]


async def test_whoever_leaves_does_not_stop_it_for_the_others(media: Media, shrunk: list[int]) -> None:
    image = await media.upload(pictures.bomb(4000, 4000))

    leaving = asyncio.create_task(media.download(image.name, pb.W256))
    staying = asyncio.create_task(media.download(image.name, pb.W256))
    await asyncio.sleep(0.05)
    leaving.cancel()

    assert (await staying)[2]
    assert shrunk == [256]


async def test_a_decoder_that_was_stopped_costs_nobody_a_picture(media: Media, shrunk: list[int]) -> None:
    """Its death is noticed before it is asked, or the read is repeated; no failure is remembered."""
    image = await media.upload(LARGE)

    os.kill(media.decoders.pids[0], signal.SIGKILL)

    assert (await media.download(image.name, pb.W256))[2]
    assert set(shrunk) == {256}


async def test_ranges_of_a_copy_are_of_the_copy(media: Media) -> None:
    image = await media.upload(LARGE)
    _, _, whole = await media.download(image.name, pb.W256)

    info, _, part = await media.download(image.name, pb.W256, offset=-20)

    assert part == whole[-20:]
    assert info.total_bytes == len(whole)
