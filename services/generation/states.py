"""The states of a task, the ways between them, and the state of a generation that follows.

The table exists here once: the worker reads it, the database's trigger gets it at start, and tests walk it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from inkweld.generation.v1 import generations_pb2 as pb

_G = pb.Generation


class Task(StrEnum):
    """Where a task is."""

    QUEUED = "QUEUED"  # waits for a worker
    CLAIMED = "CLAIMED"  # a worker has it and has sent nothing
    DISPATCHING = "DISPATCHING"  # the intent is committed: bytes may have left
    SUBMITTED = "SUBMITTED"  # the provider gave a handle
    FETCHING = "FETCHING"  # the answer is there and its pictures are staged
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"  # sent, no definite answer


_T = Task
TRANSITIONS: Mapping[Task, frozenset[Task]] = MappingProxyType(
    {
        _T.QUEUED: frozenset({_T.CLAIMED, _T.FAILED, _T.CANCELLED, _T.EXPIRED}),
        _T.CLAIMED: frozenset({_T.DISPATCHING, _T.QUEUED, _T.FAILED, _T.CANCELLED, _T.EXPIRED}),
        _T.DISPATCHING: frozenset(
            {_T.SUBMITTED, _T.FETCHING, _T.QUEUED, _T.FAILED, _T.CANCELLED, _T.EXPIRED, _T.UNKNOWN}
        ),
        _T.SUBMITTED: frozenset({_T.FETCHING, _T.QUEUED, _T.FAILED, _T.CANCELLED, _T.EXPIRED, _T.UNKNOWN}),
        _T.FETCHING: frozenset({_T.SUCCEEDED, _T.FAILED, _T.CANCELLED, _T.EXPIRED}),
        _T.SUCCEEDED: frozenset(),
        _T.FAILED: frozenset(),
        _T.CANCELLED: frozenset(),
        _T.EXPIRED: frozenset(),
        _T.UNKNOWN: frozenset(),
    }
)

FINAL = frozenset(state for state, after in TRANSITIONS.items() if not after)
HELD = frozenset({_T.CLAIMED, _T.DISPATCHING, _T.SUBMITTED, _T.FETCHING})
# From here on a provider may have begun to draw.
SENT = frozenset({_T.DISPATCHING, _T.SUBMITTED, _T.FETCHING})


@dataclass(frozen=True)
class Standing:
    """What the state of a generation follows from, of one task."""

    state: Task
    begun: bool  # whether a worker ever had it
    asked: int  # pictures
    delivered: int


def state_of(tasks: Collection[Standing]) -> pb.Generation.State:
    """The state of a generation with these tasks."""
    states = {task.state for task in tasks}
    if not any(task.begun for task in tasks) and states <= {Task.QUEUED}:
        return _G.QUEUED
    if states - FINAL:
        return _G.RUNNING
    if all(task.state is Task.SUCCEEDED and task.delivered >= task.asked for task in tasks):
        return _G.SUCCEEDED
    if any(task.delivered for task in tasks):
        return _G.PARTIALLY_SUCCEEDED
    order = ((_T.UNKNOWN, _G.UNKNOWN), (_T.CANCELLED, _G.CANCELLED), (_T.EXPIRED, _G.EXPIRED))
    return next((after for state, after in order if state in states), _G.FAILED)
