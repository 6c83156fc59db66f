"""Tasks in the database: who holds one, and the only way to change one that is held.

A worker's every write names its lease: task, epoch, worker and the state it believes in. It hits one row or
raises `LostLease`; so a worker that froze and was replaced can change nothing. Time is the database's.
"""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta

from google.rpc import status_pb2
from google.type import money_pb2
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.database import Database
from services.generation.providers import Handle
from services.generation.providers import Task as Call
from services.generation.states import HELD, TRANSITIONS, Standing, Task, state_of

# "state IN (…)", for the states in which a worker holds a task.
HELD_CONDITION = f"state IN ({', '.join(repr(str(state)) for state in sorted(HELD))})"


@dataclass(frozen=True)
class Lease:
    """The right to change a task, until someone with a higher epoch has it."""

    task: str
    epoch: int
    worker: str


class LostLease(Exception):
    """Someone else has the task, or it has ended. Nothing more may be done for it."""


@dataclass(frozen=True)
class NewTask:
    """A task as it is accepted."""

    provider: str
    slots: int
    first_index: int
    call: Call


@dataclass(frozen=True)
class End:
    """How a task ends."""

    state: Task
    error: status_pb2.Status | None = None
    may_have_been_billed: bool = False


async def write_transitions(db: Database) -> None:
    """Give the database's trigger the table of `states`."""
    pairs = [(before, after) for before, all_after in TRANSITIONS.items() for after in all_after]
    before, after = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    table = "SELECT * FROM unnest($1::text[], $2::text[])"
    await db.execute(f"INSERT INTO task_transitions {table} ON CONFLICT DO NOTHING", before, after)
    await db.execute(f"DELETE FROM task_transitions WHERE (before, after) NOT IN ({table})", before, after)  # noqa: S608


async def count_waiting(db: Database, provider: str) -> int:
    """How many tasks wait for this provider."""
    return int(
        await db.fetchval("SELECT count(*) FROM tasks WHERE state = 'QUEUED' AND provider = $1", provider)
    )


async def notify_tasks(db: Database, said: str) -> None:
    """Hint to workers: `queued`, or a generation to be cancelled. Never inside a transaction of worth."""
    await db.execute("SELECT pg_notify('tasks', $1)", said)


async def renew_lease(db: Database, lease: Lease, length: timedelta) -> bool:
    """Keep a task; says whether its end has been asked for."""
    return await _change(db, lease, HELD, "lease_end = now() + $5::interval", length)


async def begin_attempt(db: Database, lease: Lease, attempt: str) -> None:
    """Write the intent to send; only when it is committed may a byte leave.

    One round trip for all that follows from it: a generation with a task in work is RUNNING, whatever the
    others are, and what it costs is not known.
    """
    begun = Standing(Task.DISPATCHING, begun=True, asked=1, delivered=0)
    await _change(
        db,
        lease,
        {Task.CLAIMED},
        "state = 'DISPATCHING', tries = tries + 1",
        attempt,
        pb.Generation.State.Name(state_of([begun])),
        pb.GenerationEvent(started=pb.GenerationEvent.Started()).SerializeToString(),
        also="""attempt AS (
                INSERT INTO attempts (id, task, epoch) SELECT $5, id, epoch FROM changed
            ), running AS (
                UPDATE generations g
                   SET state = $6, cost = NULL, start_time = COALESCE(g.start_time, now()),
                       last_event = g.last_event + l.fresh::int
                  FROM locked l, changed c WHERE g.id = l.id AND g.id = c.generation
             RETURNING g.id, g.last_event, l.fresh
            ), event AS (
                INSERT INTO events (generation, number, event)
                SELECT id, last_event, $7 FROM running WHERE fresh
            )""",
    )


async def has_attempt(db: Database, attempt: str) -> bool:
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM attempts WHERE id = $1)", attempt))


async def end_attempt(db: Database, lease: Lease, outcome: str, reason: str | None = None) -> None:
    """Say what became of the task's last attempt, unless that is known."""
    await db.execute(
        """UPDATE attempts SET outcome = $2, reason = $3, end_time = now()
            WHERE task = $1 AND outcome IS NULL""",
        lease.task,
        outcome,
        reason,
    )


async def keep_handle(db: Database, lease: Lease, handle: Handle) -> None:
    await _change(db, lease, {Task.DISPATCHING}, "state = 'SUBMITTED', handle = $5", dict(handle))


async def keep_answer(db: Database, lease: Lease, pictures: int, cost: money_pb2.Money | None) -> None:
    """The answer is there and its pictures are staged: from now on nobody asks the provider again."""
    await _change(
        db,
        lease,
        {Task.DISPATCHING, Task.SUBMITTED},
        "state = 'FETCHING', expected = $5, cost = $6",
        pictures,
        cost.SerializeToString() if cost else None,
    )


async def finish_task(
    db: Database,
    lease: Lease,
    end: End,
    *,
    outcome: str = "ANSWERED",
    reason: str | None = None,
    pictures: Sequence[pb.GeneratedImage] = (),
) -> None:
    """End a task, say what became of its last attempt unless that is known, and keep the pictures it brought.

    The generation stays locked until the transaction ends.
    """
    await _change(
        db,
        lease,
        HELD,
        "state = $5, error = $6, may_have_been_billed = $7, worker = NULL, lease_end = NULL",
        end.state,
        end.error.SerializeToString() if end.error else None,
        end.may_have_been_billed,
        outcome,
        reason,
        [picture.index for picture in pictures],
        [picture.image for picture in pictures],
        [picture.width for picture in pictures],
        [picture.height for picture in pictures],
        [picture.seed if picture.HasField("seed") else None for picture in pictures],
        also="""attempt AS (
                UPDATE attempts a SET outcome = $8, reason = $9, end_time = now()
                  FROM changed c WHERE a.task = c.id AND a.outcome IS NULL
            ), picture AS (
                INSERT INTO pictures (generation, task, index, image, width, height, seed)
                SELECT c.generation, c.id, p.*
                  FROM changed c,
                       unnest($10::int[], $11::text[], $12::int[], $13::int[], $14::bigint[]) AS p
            )""",
    )


async def put_back(db: Database, lease: Lease, wait: timedelta) -> None:
    """Let the task wait and be claimed anew: nothing has been sent, or nothing came of it."""
    changes = (
        "state = 'QUEUED', worker = NULL, lease_end = NULL, handle = NULL, run_at = now() + $5::interval"
    )
    await _change(db, lease, {Task.CLAIMED, Task.DISPATCHING, Task.SUBMITTED}, changes, wait)


async def let_go(db: Database, lease: Lease) -> None:
    """Let another worker go on where the task stands, at once."""
    await _change(db, lease, HELD, "worker = NULL, lease_end = now() - interval '1 second'")


async def give_up(db: Database, lease: Lease) -> None:
    """As `let_go`, but leaving a name: whoever takes the task over counts a death."""
    await _change(db, lease, HELD, "lease_end = now() - interval '1 second'")


async def hold_task(db: Database, lease: Lease) -> None:
    """Raise LostLease unless the task is still ours, and keep it so until the transaction ends."""
    await _change(db, lease, HELD, "epoch = epoch")


async def cancel_tasks(db: Database, generation: str) -> bool:
    """End what has not been sent and ask for the end of the rest; False when nothing is open.

    A worker between claim and intent finds the task CANCELLED and has lost it: nobody begins to send now.
    """
    ended = await db.execute(
        """UPDATE tasks SET state = 'CANCELLED', worker = NULL, lease_end = NULL
            WHERE generation = $1 AND state IN ('QUEUED', 'CLAIMED')""",
        generation,
    )
    asked = await db.execute(
        f"UPDATE tasks SET cancel_asked = true WHERE generation = $1 AND {HELD_CONDITION}",  # noqa: S608
        generation,
    )
    return bool((ended, asked) != ("UPDATE 0", "UPDATE 0"))


async def _change(
    db: Database, lease: Lease, states: Collection[Task], changes: str, *values: object, also: str = ""
) -> bool:
    """Change a held task that is in one of `states`. There is no other way to, and none without the lease.

    `also` is done in the same round trip, with the generation locked first (`locked`), to what the task has
    become (`changed`). Says whether the task's end has been asked for.
    """
    fence = "id = $1 AND epoch = $2 AND worker = $3 AND state = ANY($4)"
    if also:
        fence += " AND generation = (SELECT id FROM locked)"
    row = await db.fetchrow(
        f"""WITH {_LOCKED if also else ""} changed AS (
                UPDATE tasks SET {changes} WHERE {fence} RETURNING id, generation, epoch, cancel_asked
            ){"," if also else ""} {also}
            SELECT cancel_asked FROM changed""",  # noqa: S608
        *astuple(lease),
        list(states),
        *values,
    )
    if row is None:
        raise LostLease(lease.task)
    return bool(row["cancel_asked"])


# The generation of the task that is to be changed.
_LOCKED = """locked AS (
                SELECT id, start_time IS NULL AS fresh FROM generations
                 WHERE id = (SELECT generation FROM tasks WHERE id = $1) FOR UPDATE
            ),"""
