import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.names import leaf
from tests.end_to_end import writing
from tests.stack import Stack, eventually

pytestmark = pytest.mark.stack


@asynccontextmanager
async def commits_held_back(stack: Stack) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Media can stage pictures but not make images of them, until the given function is called."""
    connection = await asyncpg.connect(stack.postgres.url("media"))
    try:
        await connection.execute("BEGIN; LOCK TABLE images IN EXCLUSIVE MODE")
        yield lambda: connection.execute("ROLLBACK")
    finally:
        await connection.close()


def reaches(stack: Stack, generation: str, state: str) -> None:
    """Wait until the generation's only task is in a state."""
    eventually(f"the task gets to {state}", lambda: writing.task_states(stack, generation) == [state])


async def test_an_answer_that_was_stored_is_kept_when_generation_is_killed(stack: Stack) -> None:
    prompt = "A fox who is paid for once"
    async with commits_held_back(stack) as let_go:
        async with stack.channel("generation") as channel:
            begun = await writing.begin(channel, prompt)
        reaches(stack, begun.name, "FETCHING")
        stack.kill("generation")
        await let_go()
        stack.restart("generation")

    async with stack.channel("generation") as channel:
        ended = await writing.end(channel, begun.name)

    assert ended.state == pb.Generation.SUCCEEDED
    assert await readable(stack, ended.images[0].image)
    assert stack.charges(prompt) == ["answered"]


async def test_a_call_that_was_cut_off_is_not_made_again(stack: Stack) -> None:
    prompt = "A fox half drawn"
    await stack.script({"match": {"prompt": prompt}, "act": {"seconds": 5}})
    async with stack.channel("generation") as channel:
        begun = await writing.begin(channel, prompt)
    eventually("the provider draws", lambda: stack.asked(prompt) == 1)
    stack.kill("generation")
    stack.restart("generation")

    async with stack.channel("generation") as channel:
        ended = await writing.end(channel, begun.name)

    assert ended.state == pb.Generation.UNKNOWN
    assert ended.may_have_been_billed
    assert len(stack.charges(prompt)) == 1


async def test_a_waiting_generation_survives_the_process(stack: Stack) -> None:
    prompt = "A fox in a queue"
    await stack.script({"match": {"prompt": prompt}, "act": {"seconds": 0.1}})
    async with stack.channel("generation") as channel:
        begun = [await writing.begin(channel, f"{prompt}, number {n}") for n in range(6)]
    stack.kill("generation")
    stack.restart("generation")

    async with stack.channel("generation") as channel:
        ended = [await writing.end(channel, one.name) for one in begun]

    # The one that was just being sent may or may not have left; nobody asks a second time.
    charged = [len(stack.charges(f"{prompt}, number {n}")) for n in range(6)]
    drawn = [one.state == pb.Generation.SUCCEEDED for one in ended]
    assert {one.state for one in ended} <= {pb.Generation.SUCCEEDED, pb.Generation.UNKNOWN}
    assert max(charged) == 1
    assert sum(drawn) >= 5
    assert all(count == 1 for count, came in zip(charged, drawn, strict=True) if came)


async def test_no_image_is_lost_when_media_is_killed(stack: Stack) -> None:
    prompt = "A fox who waits for the library"
    async with commits_held_back(stack) as let_go:
        async with stack.channel("generation") as channel:
            begun = await writing.begin(channel, prompt)
        reaches(stack, begun.name, "FETCHING")
        stack.kill("media")
        await let_go()
    stack.restart("media")

    async with stack.channel("generation") as channel:
        ended = await writing.end(channel, begun.name)

    assert ended.state == pb.Generation.SUCCEEDED
    assert await readable(stack, ended.images[0].image)
    assert stack.charges(prompt) == ["answered"]


async def test_media_may_be_away_while_a_picture_is_drawn(stack: Stack) -> None:
    prompt = "A fox and an empty shelf"
    await stack.script({"match": {"prompt": prompt}, "act": {"seconds": 1}})
    async with stack.channel("generation") as channel:
        begun = await writing.begin(channel, prompt)
        eventually("the provider draws", lambda: stack.asked(prompt) == 1)
        stack.kill("media")
        await asyncio.sleep(1.5)
        stack.restart("media")
        ended = await writing.end(channel, begun.name)

    assert ended.state == pb.Generation.SUCCEEDED
    assert stack.charges(prompt) == ["answered"]


async def test_two_processes_share_the_work(stack: Stack) -> None:
    prompt = "A fox among many"
    await stack.script({"match": {"prompt": prompt}, "act": {"seconds": 0.3, "instant": True}})
    stack.add_generation()
    try:
        async with stack.channel("generation") as channel:
            # A WebUI draws one picture at a time; this provider takes more calls at once.
            begun = [
                await writing.begin(channel, f"{prompt}, number {n}", profile=writing.PICTURE)
                for n in range(12)
            ]
            ended = await asyncio.gather(*(writing.end(channel, one.name) for one in begun))
        logs = [stack.folder.log(name).read_text() for name in ("generation", "generation-2")]
    finally:
        stack.remove("generation-2")

    assert {one.state for one in ended} == {pb.Generation.SUCCEEDED}
    assert all(len(stack.charges(f"{prompt}, number {n}")) == 1 for n in range(12))
    assert all(any(task in log for one in begun for task in _tasks(stack, one.name)) for log in logs)


async def test_a_process_that_froze_past_its_lease_changes_nothing(stack: Stack) -> None:
    prompt = "A fox frozen in mid-leap"
    async with commits_held_back(stack) as let_go:
        async with stack.channel("generation") as channel:
            begun = await writing.begin(channel, prompt)
        reaches(stack, begun.name, "FETCHING")
        stack.freeze("generation")
        try:
            stack.add_generation()
            await let_go()
            async with stack.channel("generation-2") as channel:
                ended = await writing.end(channel, begun.name)
                events = await writing.watch(channel, begun.name)
        finally:
            stack.thaw("generation")
    try:
        await asyncio.sleep(1)  # for the thawed one to try what it had in mind
        async with stack.channel("generation-2") as channel:
            still = await writing.watch(channel, begun.name)
        async with stack.channel("generation") as channel:
            next_one = await writing.draw(channel, "A fox on its feet again")
    finally:
        stack.remove("generation-2")

    assert ended.state == pb.Generation.SUCCEEDED
    assert still == events
    assert stack.charges(prompt) == ["answered"]
    assert next_one.state == pb.Generation.SUCCEEDED


async def readable(stack: Stack, image: str) -> bool:
    """Whether an image's bytes can be had."""
    async with stack.http() as client:
        answer = await client.get(f"/v1/{image}:download")
    return answer.status_code == 200 and answer.content.startswith(b"\x89PNG")


def _tasks(stack: Stack, generation: str) -> list[str]:
    statement = f"SELECT id FROM tasks WHERE generation = '{leaf(generation)}'"  # noqa: S608 -- an id of ours
    return (stack.postgres.psql(statement, "generation") or "").split()
