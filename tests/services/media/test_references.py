"""Images on their way to providers."""

from io import BytesIO

import grpc
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2 as pb
from PIL import Image

from tests.house import failure_of
from tests.services.media import pictures
from tests.services.media.conftest import Media

Request = pb.ReadImageRequest


async def read(media: Media, request: Request) -> tuple[pb.ReadImageResponse.Header, bytes]:
    messages = [message async for message in media.worker.ReadImage(request)]
    data = b"".join(message.data for message in messages[1:])
    assert len(data) == messages[0].header.size_bytes
    return messages[0].header, data


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def holed() -> bytes:
    """Opaque on the left, transparent on the right."""
    picture = Image.new("RGBA", (64, 48), (200, 10, 10, 255))
    picture.paste((0, 0, 0, 0), (32, 0, 64, 48))
    return pictures.encoded(picture)


async def test_what_fits_is_sent_as_it_is(media: Media) -> None:
    image = await media.upload(pictures.jpeg())

    header, data = await read(media, Request(name=image.name, content_types=["image/png", "image/jpeg"]))

    assert (header.content_type, header.width, header.height) == ("image/jpeg", 64, 48)
    assert data == pictures.jpeg()


async def test_another_format_is_made_from_the_pixels(media: Media) -> None:
    image = await media.upload(pictures.webp())

    header, data = await read(media, Request(name=image.name, content_types=["image/png"]))

    assert (header.content_type, opened(data).format, opened(data).size) == ("image/png", "PNG", (64, 48))


async def test_too_many_bytes_become_fewer(media: Media) -> None:
    image = await media.upload(pictures.encoded(Image.effect_noise((900, 600), 90)))

    header, data = await read(media, Request(name=image.name, max_bytes=60_000))

    assert len(data) <= 60_000
    assert opened(data).size == (header.width, header.height)
    assert header.width / header.height == pytest.approx(1.5, abs=0.03)


async def test_a_mask_is_transparent_or_white_and_of_the_size_asked_for(media: Media) -> None:
    image = await media.upload(holed())

    _, clear = await read(media, Request(name=image.name, form=Request.TRANSPARENCY, width=128, height=96))
    _, white = await read(media, Request(name=image.name, form=Request.WHITE))

    assert opened(clear).size == (128, 96)
    assert [opened(clear).getpixel((x, 40)) for x in (5, 120)] == [(0, 0, 0, 255), (0, 0, 0, 0)]
    assert [opened(white).getpixel((x, 20)) for x in (5, 60)] == [0, 255]


async def test_what_nothing_shines_through_is_no_mask(media: Media) -> None:
    image = await media.upload(pictures.png())

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read(media, Request(name=image.name, form=Request.WHITE))

    assert failure_of(caught.value).reason == ErrorReason.IMAGE_REFUSED


async def test_a_sketch_is_small_and_leaves_nothing(media: Media) -> None:
    data = pictures.encoded(pictures.noise(1500, 1000))
    pieces = [pb.SketchImageRequest(data=data[at : at + 1000]) for at in range(0, len(data), 1000)]

    sketch = (await media.worker.SketchImage(iter(pieces))).data

    assert (opened(sketch).format, opened(sketch).size) == ("WEBP", (512, 341))
    assert media.files == []


async def test_nobody_but_generation_reads_this_way(media: Media) -> None:
    image = await media.upload(pictures.png())

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [message async for message in media.images.ReadImage(Request(name=image.name))]

    assert failure_of(caught.value).reason == ErrorReason.CALLER_FORBIDDEN
