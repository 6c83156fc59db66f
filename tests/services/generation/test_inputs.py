"""Images to go by, from the request to the provider."""

from typing import Any

import grpc
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1.images_pb2 import Image, ReadImageRequest

from runtime.failure import Failure
from services.generation.providers import Picture
from tests.house import failure_of
from tests.services.generation.conftest import PROJECT, Workshop

ONE, TWO, HOLED = (f"{PROJECT}/images/{name}" for name in ("one", "two", "holed"))


@pytest.fixture
async def gallery(workshop: Workshop) -> Workshop:
    """Three images in the library, and a profile that sends pictures."""
    for name in (ONE, TWO, HOLED):
        workshop.images.library[name] = Image(name=name, content_type="image/png", width=640, height=480)
    for profile in workshop.config.now.profiles:
        profile.image_input = True
    await workshop.reconfigured()
    return workshop


async def refusal(workshop: Workshop, **asked: Any) -> Failure:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await workshop.create(**asked)
    return failure_of(caught.value)


async def test_pictures_reach_the_provider_in_order_with_the_mask(gallery: Workshop) -> None:
    generation = await gallery.create(input_images=[TWO, ONE], mask=HOLED)
    async with gallery.working():
        ended = await gallery.ended(generation)

    (task,) = gallery.plain.asked
    assert ended.state == pb.Generation.SUCCEEDED
    assert list(ended.plan.input_images) == [TWO, ONE]
    assert task.references == [Picture(name.encode(), "image/png", 64, 64) for name in (TWO, ONE)]
    assert task.mask == Picture(HOLED.encode(), "image/png", 64, 64)
    assert list(gallery.images.read[0].content_types) == ["image/png"]
    assert gallery.images.read[2].form == ReadImageRequest.WHITE
    assert (gallery.images.read[2].width, gallery.images.read[2].height) == (64, 64)


async def test_an_elements_picture_is_held_to_the_same(gallery: Workshop) -> None:
    def fox(image: str) -> pb.Element:
        return pb.Element(name="Fox", role=pb.Element.SUBJECT, image=image)

    seen = await gallery.create(elements=[fox(ONE)])
    gone = await refusal(gallery, elements=[fox(TWO), fox(f"{PROJECT}/images/gone")])
    foreign = await refusal(gallery, elements=[fox("projects/other/images/one")])

    assert list(seen.plan.input_images) == [ONE]
    assert set(gone.fields) == {"generation.elements[1].image"}
    assert set(foreign.fields) == {"generation.elements"}


async def test_what_cannot_be_seen_is_named(gallery: Workshop) -> None:
    failure = await refusal(
        gallery, input_images=[ONE, f"{PROJECT}/images/gone"], mask=f"{PROJECT}/images/no"
    )

    assert failure.reason == ErrorReason.FIELD_INVALID
    assert set(failure.fields) == {"generation.input_images[1]", "generation.mask"}


async def test_a_mask_of_another_shape_is_refused(gallery: Workshop) -> None:
    gallery.images.library[HOLED].width = 100

    assert set((await refusal(gallery, input_images=[ONE], mask=HOLED)).fields) == {"generation.mask"}


async def test_a_mask_must_be_able_to_be_transparent(gallery: Workshop) -> None:
    gallery.images.library[HOLED].content_type = "image/jpeg"

    assert set((await refusal(gallery, input_images=[ONE], mask=HOLED)).fields) == {"generation.mask"}


async def test_an_image_deleted_meanwhile_ends_the_generation_before_anything_is_sent(
    gallery: Workshop,
) -> None:
    generation = await gallery.create(input_images=[ONE])
    del gallery.images.library[ONE]

    async with gallery.working():
        ended = await gallery.ended(generation)

    failure = Failure.from_status(ended.error)
    assert failure is not None and failure.reason == ErrorReason.PICTURE_REFUSED
    assert (ended.state, ended.may_have_been_billed, gallery.plain.asked) == (pb.Generation.FAILED, False, [])
    assert await gallery.db.fetchval("SELECT count(*) FROM attempts") == 0
