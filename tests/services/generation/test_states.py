"""The state of a generation, and the ways of a task."""

import asyncpg
import pytest
from asyncpg import Pool
from hypothesis import given
from hypothesis import strategies as st
from inkweld.generation.v1 import generations_pb2 as pb

from services.generation.states import FINAL, HELD, SENT, TRANSITIONS, Standing, Task, state_of
from tests.services.generation.conftest import Workshop

_G = pb.Generation
STANDINGS = st.lists(
    st.builds(
        Standing,
        state=st.sampled_from(Task),
        begun=st.booleans(),
        asked=st.just(2),
        delivered=st.integers(min_value=0, max_value=2),
    ),
    min_size=1,
    max_size=4,
)


def _whole(state: Task, delivered: int = 0) -> Standing:
    return Standing(state, begun=True, asked=2, delivered=delivered)


@given(STANDINGS)
def test_a_generation_is_final_exactly_when_all_its_tasks_are(tasks: list[Standing]) -> None:
    final = state_of(tasks) not in (_G.QUEUED, _G.RUNNING)

    assert final == all(task.state in FINAL for task in tasks)


@given(STANDINGS)
def test_a_generation_has_succeeded_only_in_full_and_never_hides_a_picture(tasks: list[Standing]) -> None:
    state = state_of(tasks)

    if state == _G.SUCCEEDED:
        assert all(task.delivered == task.asked for task in tasks)
    if state in (_G.FAILED, _G.CANCELLED, _G.EXPIRED, _G.UNKNOWN):
        assert not any(task.delivered for task in tasks)


@given(STANDINGS, st.randoms(use_true_random=False))
def test_the_order_of_tasks_does_not_matter(tasks: list[Standing], random: object) -> None:
    turned = list(reversed(tasks))

    assert state_of(turned) == state_of(tasks)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([Task.UNKNOWN, Task.CANCELLED, Task.FAILED], _G.UNKNOWN),
        ([Task.CANCELLED, Task.EXPIRED, Task.FAILED], _G.CANCELLED),
        ([Task.EXPIRED, Task.FAILED], _G.EXPIRED),
        ([Task.FAILED], _G.FAILED),
        ([Task.FAILED, Task.QUEUED], _G.RUNNING),
    ],
)
def test_without_a_picture_doubt_comes_first(states: list[Task], expected: int) -> None:
    assert state_of([_whole(state) for state in states]) == expected


def test_it_is_queued_until_a_worker_begins() -> None:
    waiting = Standing(Task.QUEUED, begun=False, asked=1, delivered=0)
    again = Standing(Task.QUEUED, begun=True, asked=1, delivered=0)

    assert state_of([waiting, waiting]) == _G.QUEUED
    assert state_of([waiting, again]) == _G.RUNNING


def test_every_open_task_can_end() -> None:
    reached = {Task.QUEUED}
    while more := {after for state in reached for after in TRANSITIONS[state]} - reached:
        reached |= more

    assert reached == set(Task)
    assert all(TRANSITIONS[state] & FINAL for state in Task if state not in FINAL)
    assert SENT < HELD


async def test_the_database_refuses_every_way_that_is_not_in_the_table(workshop: Workshop) -> None:
    refused = set()
    for before in Task:
        for after in Task:
            generation = await workshop.create()
            if not await _moves(workshop.db, generation.name.rsplit("/", 1)[-1], before, after):
                refused.add((before, after))

    allowed = {(before, after) for before in Task for after in TRANSITIONS[before] | {before}}
    assert refused == {(before, after) for before in Task for after in Task} - allowed


async def _moves(db: Pool, generation: str, before: Task, after: Task) -> bool:
    await db.execute("ALTER TABLE tasks DISABLE TRIGGER task_transition")
    await db.execute("UPDATE tasks SET state = $2 WHERE generation = $1", generation, before)
    await db.execute("ALTER TABLE tasks ENABLE TRIGGER task_transition")
    try:
        await db.execute("UPDATE tasks SET state = $2 WHERE generation = $1", generation, after)
    except asyncpg.CheckViolationError:
        return False
    return True
