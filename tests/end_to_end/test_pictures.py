"""Images to go by, through the whole house."""

import pytest
from inkweld.generation.v1 import generations_pb2 as pb

from tests.end_to_end import writing
from tests.stack import Stack

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(("profile", "size"), [(writing.PICTURE, "1024x1024"), (writing.SKETCH, "512x512")])
async def test_a_picture_is_drawn_after_another(stack: Stack, profile: str, size: str) -> None:
    async with stack.channel("generation") as channel:
        first = await writing.draw(channel, "A fox in the snow")
        begun = await writing.begin(
            channel,
            "The same fox in summer",
            profile=profile,
            size=size,
            input_images=[first.images[0].image],
        )
        events = await writing.watch(channel, begun.name)

    ended = events[-1].finished.generation
    assert ended.state == pb.Generation.SUCCEEDED, ended.error
    assert list(ended.plan.input_images) == [first.images[0].image]
    assert list(ended.plan.adaptations) == []
    if profile == writing.PICTURE:
        assert any(event.HasField("partial") for event in events)
