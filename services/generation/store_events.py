"""What happened to generations, as numbered rows."""

from collections.abc import Collection

from asyncpg import Record
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.database import Database


async def append_event(db: Database, generation: str, event: pb.GenerationEvent) -> None:
    """Add the next event, numbered under the generation's row lock: the caller has a transaction open."""
    await db.execute(
        """WITH numbered AS (UPDATE generations SET last_event = last_event + 1 WHERE id = $1
                             RETURNING id, last_event)
           INSERT INTO events (generation, number, event) SELECT id, last_event, $2 FROM numbered""",
        generation,
        event.SerializeToString(),
    )


async def append_partial(db: Database, generation: str, index: int, data: bytes) -> None:
    """Add an event that a picture is on its way, and let it alone have how the picture looks."""
    event = pb.GenerationEvent(partial=pb.GenerationEvent.Partial(index=index))
    await append_event(db, generation, event)
    await db.execute(
        """INSERT INTO partials (generation, index, number, data)
           SELECT id, $2, last_event, $3 FROM generations WHERE id = $1
           ON CONFLICT (generation, index) DO UPDATE SET number = excluded.number, data = excluded.data""",
        generation,
        index,
        data,
    )


async def select_events(db: Database, generation: str, after: int, limit: int) -> list[pb.GenerationEvent]:
    """The events after one, oldest first, at most so many."""
    rows = await db.fetch(
        """SELECT e.number, e.create_time, e.event, p.data
             FROM events e LEFT JOIN partials p ON p.generation = e.generation AND p.number = e.number
            WHERE e.generation = $1 AND e.number > $2 ORDER BY e.number LIMIT $3""",
        generation,
        after,
        limit,
    )
    return [_event(row) for row in rows]


async def has_ended(db: Database, generation: str) -> bool:
    """Whether no event will follow."""
    return bool(await db.fetchval("SELECT end_time IS NOT NULL FROM generations WHERE id = $1", generation))


async def select_last_numbers(db: Database, generations: Collection[str]) -> dict[str, int]:
    """How far each of these generations has come."""
    rows = await db.fetch("SELECT id, last_event FROM generations WHERE id = ANY($1)", list(generations))
    return {row["id"]: row["last_event"] for row in rows}


async def notify_events(db: Database, generation: str) -> None:
    """Hint that there are new events. It locks the whole database, so never inside a transaction of worth."""
    await db.execute("SELECT pg_notify('events', $1)", generation)


def _event(row: Record) -> pb.GenerationEvent:
    event = pb.GenerationEvent.FromString(row["event"])
    if row["data"] is not None:
        event.partial.data = row["data"]
    event.number = row["number"]
    event.time.FromDatetime(row["create_time"])
    return event
