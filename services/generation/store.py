"""Generations in the database.

Whoever changes a generation and its tasks together locks the generation first; so nobody waits in a circle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from asyncpg import Record
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2
from google.type import money_pb2
from inkweld.config.v1 import profiles_pb2
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.database import Database
from runtime.names import leaf, new_id, project_of
from services.generation import money
from services.generation.states import FINAL, SENT, Standing, Task, state_of
from services.generation.store_tasks import NewTask

_COLUMNS = """g.id, g.project, g.creator, g.asked, g.plan, g.state, g.error, g.cost, g.may_have_been_billed,
    g.create_time, g.start_time, g.end_time, g.expire_time,
    (SELECT jsonb_agg(jsonb_build_object(
                'index', p.index, 'image', p.image, 'width', p.width, 'height', p.height, 'seed', p.seed,
                'saved', p.saved) ORDER BY p.index)
       FROM pictures p WHERE p.generation = g.id) AS pictures"""


@dataclass(frozen=True)
class Draft:
    """A generation as it is accepted."""

    id: str
    project: str
    creator: str
    asked: pb.Generation
    plan: pb.Plan
    profile: profiles_pb2.Profile


@dataclass(frozen=True)
class Reply:
    """What was answered to a call with a request id."""

    fingerprint: bytes
    generation: pb.Generation


class RequestIdTaken(Exception):
    """The same call was accepted a moment ago; this one must leave nothing behind."""


async def insert_generation(
    db: Database,
    draft: Draft,
    tasks: Sequence[NewTask],
    queued: pb.GenerationEvent,
    *,
    lives: timedelta,
    kept: timedelta,
) -> pb.Generation:
    """Store a generation, its tasks and its first event: one statement, so all of it or nothing."""
    rows = await db.fetch(
        f"""WITH generation AS (
                INSERT INTO generations AS g
                       (id, project, creator, asked, plan, profile, deadline, expire_time, last_event)
                VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, now() + $8::interval, 1)
             RETURNING {_COLUMNS}, g.deadline
            ), task AS (
                INSERT INTO tasks
                       (id, generation, creator, provider, slots, first_index, count, call, deadline)
                SELECT t.id, g.id, g.creator, t.provider, t.slots, t.first_index, t.count, t.call, g.deadline
                  FROM generation g,
                       unnest($9::text[], $10::text[], $11::int[], $12::int[], $13::int[], $14::bytea[])
                       AS t (id, provider, slots, first_index, count, call)
            ), event AS (
                INSERT INTO events (generation, number, event) SELECT id, 1, $15 FROM generation
            ) SELECT * FROM generation""",  # noqa: S608
        draft.id,
        draft.project,
        draft.creator,
        draft.asked.SerializeToString(),
        draft.plan.SerializeToString(),
        draft.profile.SerializeToString(),
        lives,
        kept,
        [new_id() for _ in tasks],
        [task.provider for task in tasks],
        [task.slots for task in tasks],
        [task.first_index for task in tasks],
        [task.call.count for task in tasks],
        [msgspec.json.encode(task.call) for task in tasks],
        queued.SerializeToString(),
    )
    return _generation(rows[0])


async def select_generation(db: Database, name: str) -> pb.Generation | None:
    row = await db.fetchrow(
        f"SELECT {_COLUMNS} FROM generations g WHERE g.project = $1 AND g.id = $2",  # noqa: S608
        project_of(name),
        leaf(name),
    )
    return _generation(row) if row else None


async def select_generations(
    db: Database, project: str, after: tuple[datetime, str] | None, size: int
) -> list[pb.Generation]:
    """A page, newest first, beginning after the generation with these keys."""
    rows = await db.fetch(
        f"""SELECT {_COLUMNS} FROM generations g
             WHERE g.project = $1 AND ($2::timestamptz IS NULL OR (g.create_time, g.id) < ($2, $3))
             ORDER BY g.create_time DESC, g.id DESC LIMIT $4""",  # noqa: S608
        project,
        *(after or (None, None)),
        size,
    )
    return [_generation(row) for row in rows]


async def select_reply(db: Database, creator: str, request_id: str) -> Reply | None:
    row = await db.fetchrow(
        "SELECT fingerprint, reply FROM request_ids WHERE creator = $1 AND request_id = $2",
        creator,
        request_id,
    )
    return Reply(row["fingerprint"], pb.Generation.FromString(row["reply"])) if row else None


async def insert_reply(db: Database, request_id: str, fingerprint: bytes, reply: pb.Generation) -> None:
    """Keep the answer to a request id. Raises RequestIdTaken when another call with it was faster."""
    done = await db.execute(
        """INSERT INTO request_ids (creator, request_id, fingerprint, generation, reply)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
        reply.creator,
        request_id,
        fingerprint,
        leaf(reply.name),
        reply.SerializeToString(),
    )
    if done != "INSERT 0 1":
        raise RequestIdTaken


async def lock_generation(db: Database, generation: str) -> None:
    await db.execute("SELECT FROM generations WHERE id = $1 FOR UPDATE", generation)


async def save_pictures(db: Database, name: str, indexes: Sequence[int]) -> None:
    await db.execute(
        """UPDATE pictures p SET saved = true FROM generations g
            WHERE g.project = $1 AND g.id = $2 AND p.generation = g.id AND p.index = ANY($3::int[])""",
        project_of(name),
        leaf(name),
        indexes,
    )


async def add_adaptations(db: Database, generation: str, adaptations: Sequence[pb.Adaptation]) -> None:
    """What only an answer showed to be different. The caller holds the generation's lock."""
    plan = pb.Plan.FromString(await db.fetchval("SELECT plan FROM generations WHERE id = $1", generation))
    plan.adaptations.extend(adaptations)
    await db.execute("UPDATE generations SET plan = $2 WHERE id = $1", generation, plan.SerializeToString())


async def refresh_generation(
    db: Database, generation: str, events: Sequence[pb.GenerationEvent] = ()
) -> bool:
    """Make the generation say what its tasks say.

    `events` are appended, and the last one after the change that ends it. Returns whether it has ended.
    The caller holds the generation's lock.
    """
    rows = await db.fetch(
        f"""SELECT {_COLUMNS}, now() AS moment, t.state AS task_state, t.tries, t.count,
                   t.error AS task_error, t.cost AS task_cost, t.may_have_been_billed AS task_billed,
                   (SELECT count(*) FROM pictures p WHERE p.task = t.id) AS delivered
              FROM generations g JOIN tasks t ON t.generation = g.id
             WHERE g.id = $1 ORDER BY t.first_index""",  # noqa: S608
        generation,
    )
    before = rows[0]
    after = {**before, **_standing(rows)}
    appended = list(events)
    if after["start_time"] and not before["start_time"]:
        appended.insert(0, pb.GenerationEvent(started=pb.GenerationEvent.Started()))
    if after["end_time"] and not before["end_time"]:
        finished = pb.GenerationEvent.Finished(generation=_generation(after))
        appended.append(pb.GenerationEvent(finished=finished))
    await db.execute(
        """WITH changed AS (
                UPDATE generations
                   SET state = $2, error = $3, cost = $4, may_have_been_billed = $5, start_time = $6,
                       end_time = $7, last_event = last_event + cardinality($8::bytea[])
                 WHERE id = $1 RETURNING id, last_event - cardinality($8::bytea[]) AS last)
           INSERT INTO events (generation, number, event)
           SELECT c.id, c.last + e.number, e.event
             FROM changed c, unnest($8::bytea[]) WITH ORDINALITY AS e (event, number)""",
        generation,
        *(after[column] for column in _STANDING),
        [event.SerializeToString() for event in appended],
    )
    return after["end_time"] is not None


_STANDING = ("state", "error", "cost", "may_have_been_billed", "start_time", "end_time")


def _standing(tasks: Sequence[Record]) -> dict[str, Any]:
    """What a generation's own columns are to say, by its tasks."""
    state = state_of(
        [
            Standing(Task(t["task_state"]), t["tries"] > 0, asked=t["count"], delivered=t["delivered"])
            for t in tasks
        ]
    )
    costs = [money_pb2.Money.FromString(t["task_cost"]) for t in tasks if t["task_cost"] is not None]
    # A cost that leaves out what nobody knows would be too low, so it is not told.
    sent = sum(t["task_state"] == "SUCCEEDED" or t["task_state"] in SENT for t in tasks)
    cost = money.total(costs) if len(costs) >= sent else None
    begun = any(t["tries"] for t in tasks)
    ended = all(t["task_state"] in FINAL for t in tasks)
    was = tasks[0]
    return {
        "state": pb.Generation.State.Name(state),
        "error": next((t["task_error"] for t in tasks if t["task_error"] is not None), None),
        "cost": cost.SerializeToString() if cost else None,
        "may_have_been_billed": any(t["task_billed"] for t in tasks),
        "start_time": (was["start_time"] or was["moment"]) if begun else None,
        "end_time": (was["end_time"] or was["moment"]) if ended else None,
    }


def _generation(row: Mapping[str, Any] | Record) -> pb.Generation:
    generation = pb.Generation.FromString(row["asked"])
    generation.name = f"{row['project']}/generations/{row['id']}"
    generation.state = cast("pb.Generation.State", pb.Generation.State.Value(row["state"]))
    generation.plan.ParseFromString(row["plan"])
    generation.creator = row["creator"]
    generation.may_have_been_billed = row["may_have_been_billed"]
    generation.images.extend(_picture(picture) for picture in row["pictures"] or ())
    if row["error"] is not None:
        generation.error.CopyFrom(status_pb2.Status.FromString(row["error"]))
    if row["cost"] is not None:
        generation.cost.CopyFrom(money_pb2.Money.FromString(row["cost"]))
    for field in ("create_time", "start_time", "end_time", "expire_time"):
        if row[field] is not None:
            getattr(generation, field).CopyFrom(timestamp(row[field]))
    return generation


def timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _picture(picture: dict[str, Any]) -> pb.GeneratedImage:
    return pb.GeneratedImage(**picture)
