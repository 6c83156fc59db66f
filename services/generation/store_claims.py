"""Claiming tasks: whose turn it is, how many a provider takes, and taking over from the dead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from asyncpg import Pool, Record
from inkweld.config.v1 import profiles_pb2
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.database import Database
from services.generation.providers import Handle
from services.generation.providers import Task as Call
from services.generation.states import Task
from services.generation.store_tasks import HELD_CONDITION, Lease

_CLAIM_LOCK = 0x636C61696D  # any number that only claims use


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
    call: Call  # without its pictures
    input_images: Sequence[str]
    mask: str
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


async def claim_tasks(db: Pool, worker: str, lease: timedelta, most: int) -> list[Held]:
    """Take the next tasks in line, at most so many; fewer when there are no more.

    Users take turns: first who was served longest ago. A provider never has more tasks open than its slots;
    since a count cannot be locked, claims come one after the other. SKIP LOCKED passes by what others change.
    """
    if not await db.fetchval(_ANY_READY):
        return []
    rows: list[Record] = []
    async with db.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
        while len(rows) < most and (row := await connection.fetchrow(_CLAIM, worker, lease)):
            rows.append(row)
    return [_held(row, worker) for row in rows]


async def take_over(db: Database, worker: str, lease: timedelta) -> Held | None:
    """Take a task whose lease ran out, where it stands; None when there is none.

    The higher epoch shuts its former holder out. One that let go by itself (and left no name) has not died.
    """
    row = await db.fetchrow(_TAKE_OVER, worker, lease)
    return _held(row, worker) if row else None


_FACTS = """t.id, t.generation, t.creator, t.provider, t.epoch, t.state, t.first_index, t.count, t.call,
    t.handle, t.expected, t.deaths, t.tries, t.cancel_asked, g.project, g.profile, g.plan, g.expire_time,
    extract(epoch FROM t.deadline - now()) AS seconds_left"""


_READY = f"""
    WITH busy AS (
        SELECT provider, count(*) AS n FROM tasks WHERE {HELD_CONDITION} GROUP BY provider
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
       SET state = 'CLAIMED', worker = $1, epoch = t.epoch + 1,
           lease_end = clock_timestamp() + $2::interval,
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
     WHERE t.id = (SELECT id FROM tasks WHERE {HELD_CONDITION} AND lease_end < now()
                    ORDER BY lease_end LIMIT 1 FOR UPDATE SKIP LOCKED)
       AND g.id = t.generation
 RETURNING {_FACTS}"""  # noqa: S608


def _held(row: Record, worker: str) -> Held:
    plan = pb.Plan.FromString(row["plan"])
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
        input_images=plan.input_images,
        mask=plan.mask,
        handle=row["handle"],
        expected=row["expected"],
        deaths=row["deaths"],
        tries=row["tries"],
        cancel_asked=row["cancel_asked"],
        seconds_left=float(row["seconds_left"]),
        profile=profiles_pb2.Profile.FromString(row["profile"]),
        expire_time=row["expire_time"],
    )
