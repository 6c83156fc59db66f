"""A call to media is made until it is answered, whatever a broken connection raises."""

import asyncio

import pytest

from services.generation.drafts import insist


@pytest.mark.parametrize("broken", [asyncio.CancelledError, asyncio.InvalidStateError])
async def test_a_stream_that_broke_is_made_again(broken: type[BaseException]) -> None:
    answers = iter([broken(), None])

    async def call() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "staged"

    assert await insist(call) == "staged"


async def test_who_was_asked_to_stop_stops() -> None:
    hanging = asyncio.create_task(insist(lambda: asyncio.sleep(60)))
    await asyncio.sleep(0)

    hanging.cancel()

    with pytest.raises(asyncio.CancelledError):
        await hanging
