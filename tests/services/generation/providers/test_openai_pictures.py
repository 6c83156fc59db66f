"""OpenAI's edits and streams."""

import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.providers import Adaptation, Event, Finished, Image, Partial, Picture, Task, openai
from tests.services.generation.providers.fakes import FakeOpenAI, api, encoded, events, picture

ONE, TWO = Picture(b"one", "image/png", 8, 8), Picture(b"two", "image/webp", 8, 8)
MASK = Picture(b"mask", "image/png", 8, 8)
TASK = Task(model="gpt-image-1", prompt="a fox", count=1, form={"fidelity": "both"})
USAGE = {
    "input_tokens": 4,
    "output_tokens": 372,
    "input_tokens_details": {"text_tokens": 4, "image_tokens": 0},
}


async def sent(task: Task) -> tuple[str, dict[str, Any], Finished]:
    fake = FakeOpenAI()
    last = (await events(openai, task, api(openai, fake)))[-1]
    assert isinstance(last, Finished)
    return fake.paths[0], fake.bodies[0], last


def stream(*happenings: dict[str, Any] | str) -> FakeOpenAI:
    frames = [one if isinstance(one, str) else json.dumps(one) for one in happenings]
    content = "".join(f"event: x\ndata: {frame}\n\n" for frame in frames)
    fake = FakeOpenAI()
    fake.answer = httpx.Response(
        200, content=content.encode(), headers={"content-type": "text/event-stream", "x-request-id": "req_2"}
    )
    return fake


def happening(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {"type": f"image_generation.{kind}", "b64_json": encoded(number), **more}


async def streamed(fake: FakeOpenAI, partials: int = 2) -> list[Event]:
    task = replace(TASK, size="auto", config={"partial_images": partials})
    return await events(openai, task, api(openai, fake))


async def failure(*happenings: dict[str, Any] | str) -> ErrorReason:
    with pytest.raises(Failure) as caught:
        await streamed(stream(*happenings))
    return caught.value.reason


async def test_pictures_travel_as_a_form_in_their_order() -> None:
    path, body, _ = await sent(replace(TASK, references=[ONE, TWO], mask=MASK, size="1024x1024"))

    assert path == "/v1/images/edits"
    assert body == {
        "model": "gpt-image-1",
        "prompt": "a fox",
        "n": "1",
        "size": "1024x1024",
        "image[]": [("image/png", b"one"), ("image/webp", b"two")],
        "mask": ("image/png", b"mask"),
    }


async def test_a_single_picture_has_the_plain_name() -> None:
    _, body, _ = await sent(replace(TASK, references=[ONE]))

    assert body["image"] == ("image/png", b"one")


async def test_where_moderation_is_set_they_travel_as_json() -> None:
    config = {"moderation": "low"}
    _, body, _ = await sent(replace(TASK, references=[ONE], mask=MASK, config=config))

    url = f"data:image/png;base64,{base64.b64encode(b'one').decode()}"
    assert body["images"] == [{"image_url": url}]
    assert set(body["mask"]) == {"image_url"}
    assert body["moderation"] == "low"


async def test_what_is_too_large_for_json_says_what_was_left_out() -> None:
    large = Picture(bytes(16 << 20), "image/png", 8, 8)
    _, body, last = await sent(replace(TASK, references=[large], config={"moderation": "low"}))

    assert "moderation" not in body
    assert [change.asked for change in last.adaptations] == ["moderation low"]


@pytest.mark.parametrize(
    ("takes", "wish", "given"),
    [("both", "high", "high"), ("low", "low", "low"), ("low", "high", None), ("", "high", None)],
)
async def test_fidelity_is_sent_where_the_model_knows_it(takes: str, wish: str, given: str | None) -> None:
    task = replace(TASK, references=[ONE], form={"fidelity": takes}, config={"input_fidelity": wish})
    _, body, last = await sent(task)

    assert body.get("input_fidelity") == given
    assert bool(last.adaptations) == (given is None)


async def test_without_pictures_nobody_speaks_of_fidelity() -> None:
    _, body, last = await sent(replace(TASK, config={"input_fidelity": "high"}))

    assert ("input_fidelity" in body, last.adaptations) == (False, [])


async def test_partials_come_before_the_picture() -> None:
    fake = stream(
        happening("partial_image", 7, partial_image_index=0),
        happening("partial_image", 8, partial_image_index=1),
        happening("completed", 0, size="1024x1536", usage=USAGE),
        "[DONE]",
    )

    came = await streamed(fake)

    assert (fake.bodies[0]["stream"], fake.bodies[0]["partial_images"]) == (True, 2)
    assert came[:3] == [Partial(0, picture(7)), Partial(0, picture(8)), Image(0, picture(0))]
    assert came[3] == Finished(
        usage={"images": 1, "text_in": 4, "image_in": 0, "text_out": 0, "image_out": 372},
        adaptations=[Adaptation("size", "auto", "1024x1536", "The model chose.")],
        request_id="req_2",
    )


async def test_no_partials_are_asked_for_in_so_many_words() -> None:
    fake = stream(happening("completed", 0))

    came = await streamed(fake, partials=0)

    assert fake.bodies[0]["partial_images"] == 0
    assert isinstance(came[0], Image)


async def test_several_pictures_are_not_streamed() -> None:
    fake = FakeOpenAI()

    await events(openai, replace(TASK, count=2, config={"partial_images": 2}), api(openai, fake))

    assert not fake.bodies[0].keys() & {"stream", "partial_images"}


async def test_who_does_not_stream_is_understood_too() -> None:
    assert (await streamed(FakeOpenAI()))[0] == Image(0, picture(0))


async def test_what_breaks_off_is_told_by_its_code() -> None:
    blocked = {"type": "error", "error": {"code": "moderation_blocked", "type": "x"}}
    trouble = {"type": "error", "error": {"code": None, "type": "server_error"}}
    partial = happening("partial_image", 7)

    assert await failure(partial, blocked) == ErrorReason.CONTENT_REFUSED
    assert await failure(trouble) == ErrorReason.PROVIDER_UNAVAILABLE
    assert await failure(partial, trouble) == ErrorReason.ANSWER_LOST
    assert await failure(partial) == ErrorReason.ANSWER_LOST
    assert await failure("{") == ErrorReason.ANSWER_UNUSABLE
