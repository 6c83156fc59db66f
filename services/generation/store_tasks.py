"""Tasks in the database: who holds one, and the only way to change one that is held.

A worker's every write names its lease: task, epoch, worker and the state it believes in. It hits one row or
raises `LostLease`; so a worker that froze and was replaced can change nothing. Time is the database's.
"""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

import msgspec
from asyncpg import Pool, Record
from google.rpc import status_pb2
from google.type import money_pb2
from inkweld.config.v1 import profiles_pb2

from runtime.database import Database
from runtime.names import new_id
from services.generation.providers import Handle
from services.generation.providers import Task as Call
from services.generation.states import HELD, TRANSITIONS, Task

_CLAIM_LOCK = 0x636C61696D  # any number that only claims use


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
class Held:
    """A claimed task, and what is to be known to work on it."""

    lease: Lease
    generation: str
    project: str
    creator: str
    provider: str
    state: Task
    first_index: int
    count: int
    call: Call
    handle: Handle | None
    expected: int | None
    deaths: int
    tries: int
    cancel_asked: bool
    seconds_left: float
    profile: profiles_pb2.Profile
    expire_time: datetime

    @property
    def name(self) -> str:
        """The generation's resource name."""
        return f"{self.project}/generations/{self.generation}"


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


async def insert_tasks(db: Database, generation: str, creator: str, tasks: Sequence[NewTask]) -> None:
    await db.executemany(
        """INSERT INTO tasks (id, generation, creator, provider, slots, first_index, count, call, deadline)
           SELECT $1, $2, $3, $4, $5, $6, $7, $8, deadline FROM generations WHERE id = $2""",
        [
            (
                new_id(),
                generation,
                creator,
                task.provider,
                task.slots,
                task.first_index,
                task.call.count,
                msgspec.json.encode(task.call),
            )
            for task in tasks
        ],
    )


async def count_waiting(db: Database, provider: str) -> int:
    """How many tasks wait for this provider."""
    return int(
        await db.fetchval("SELECT count(*) FROM tasks WHERE state = 'QUEUED' AND provider = $1", provider)
    )


async def notify_tasks(db: Database, said: str) -> None:
    """Hint to workers: `queued`, or a generation to be cancelled. Never inside a transaction of worth."""
    await db.execute("SELECT pg_notify('tasks', $1)", said)


async def claim_task(db: Pool, worker: str, lease: timedelta) -> Held | None:
    """Take the next task in line; None when there is none.

    Users take turns: first who was served longest ago. A provider never has more tasks open than its slots;
    since a count cannot be locked, claims come one after the other. SKIP LOCKED passes by what others change.
    """
    if not await db.fetchval(_ANY_READY):
        return None
    async with db.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
        row = await connection.fetchrow(_CLAIM, worker, lease)
    return _held(row, worker) if row else None


async def take_over(db: Database, worker: str, lease: timedelta) -> Held | None:
    """Take a task whose lease ran out, where it stands; None when there is none.

    The higher epoch shuts its former holder out. One that let go by itself (and left no name) has not died.
    """
    row = await db.fetchrow(_TAKE_OVER, worker, lease)
    return _held(row, worker) if row else None


async def renew_lease(db: Database, lease: Lease, length: timedelta) -> bool:
    """Keep a task; says whether its end has been asked for."""
    return await _change(db, lease, HELD, "lease_end = now() + $5::interval", length)


async def begin_attempt(db: Database, lease: Lease, attempt: str) -> None:
    """Write the intent to send; only when it is committed may a byte leave."""
    await _change(db, lease, {Task.CLAIMED}, "state = 'DISPATCHING', tries = tries + 1")
    await db.execute(
        "INSERT INTO attempts (id, task, epoch) VALUES ($1, $2, $3)", attempt, lease.task, lease.epoch
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


async def finish_task(db: Database, lease: Lease, end: End) -> None:
    await _change(
        db,
        lease,
        HELD,
        "state = $5, error = $6, may_have_been_billed = $7, worker = NULL, lease_end = NULL",
        end.state,
        end.error.SerializeToString() if end.error else None,
        end.may_have_been_billed,
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
        f"UPDATE tasks SET cancel_asked = true WHERE generation = $1 AND {_HELD}",  # noqa: S608
        generation,
    )
    return bool((ended, asked) != ("UPDATE 0", "UPDATE 0"))


async def _change(
    db: Database, lease: Lease, states: Collection[Task], changes: str, *values: object
) -> bool:
    """Change a held task that is in one of `states`. There is no other way to, and none without the lease.

    Says whether the task's end has been asked for.
    """
    fence = "id = $1 AND epoch = $2 AND worker = $3 AND state = ANY($4)"
    row = await db.fetchrow(
        f"UPDATE tasks SET {changes} WHERE {fence} RETURNING cancel_asked",  # noqa: S608
        *astuple(lease),
        list(states),
        *values,
    )
    if row is None:
        raise LostLease(lease.task)
    return bool(row["cancel_asked"])


_HELD = f"state IN ({', '.join(repr(str(state)) for state in sorted(HELD))})"
_FACTS = """t.id, t.generation, t.creator, t.provider, t.epoch, t.state, t.first_index, t.count, t.call,
    t.handle, t.expected, t.deaths, t.tries, t.cancel_asked, g.project, g.profile, g.expire_time,
    extract(epoch FROM t.deadline - now()) AS seconds_left"""


_READY = f"""
    WITH busy AS (
        SELECT provider, count(*) AS n FROM tasks WHERE {_HELD} GROUP BY provider
    ), ready AS (
        SELECT t.id, t.creator FROM tasks t LEFT JOIN busy USING (provider)
         WHERE t.state = 'QUEUED' AND t.run_at <= now()
           AND (t.slots > COALESCE(busy.n, 0) OR t.deadline <= now())
    )"""  # noqa: S608

# Looked at before the claims' lock is waited for.
_ANY_READY = f"{_READY} SELECT EXISTS (SELECT FROM ready)"  # noqa: S608

_CLAIM = f"""{_READY}, turns AS (
        SELECT c.creator, (SELECT max(s.claim_time) FROM tasks s WHERE s.creator = c.creator) AS served
          FROM (SELECT DISTINCT creator FROM ready) c
    )
    UPDATE tasks t
       SET state = 'CLAIMED', worker = $1, epoch = t.epoch + 1, lease_end = now() + $2::interval,
           claim_time = clock_timestamp()
      FROM generations g
     WHERE t.id = (SELECT w.id FROM tasks w JOIN ready USING (id) JOIN turns ON turns.creator = w.creator
                    ORDER BY turns.served NULLS FIRST, w.run_at, w.generation, w.first_index LIMIT 1
                      FOR UPDATE OF w SKIP LOCKED)
       AND g.id = t.generation
 RETURNING {_FACTS}"""  # noqa: S608

_TAKE_OVER = f"""
    UPDATE tasks t
       SET deaths = t.deaths + (t.worker IS NOT NULL)::int, worker = $1, epoch = t.epoch + 1,
           lease_end = now() + $2::interval
      FROM generations g
     WHERE t.id = (SELECT id FROM tasks WHERE {_HELD} AND lease_end < now()
                    ORDER BY lease_end LIMIT 1 FOR UPDATE SKIP LOCKED)
       AND g.id = t.generation
 RETURNING {_FACTS}"""  # noqa: S608


def _held(row: Record, worker: str) -> Held:
    return Held(
        lease=Lease(row["id"], row["epoch"], worker),
        generation=row["generation"],
        project=row["project"],
        creator=row["creator"],
        provider=row["provider"],
        state=Task(row["state"]),
        first_index=row["first_index"],
        count=row["count"],
        call=msgspec.json.decode(row["call"], type=Call),
        handle=row["handle"],
        expected=row["expected"],
        deaths=row["deaths"],
        tries=row["tries"],
        cancel_asked=row["cancel_asked"],
        seconds_left=float(row["seconds_left"]),
        profile=profiles_pb2.Profile.FromString(row["profile"]),
        expire_time=row["expire_time"],
    )
