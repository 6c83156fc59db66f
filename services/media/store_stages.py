"""Rows of tasks: the fence of each, and what it has staged and committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2 as pb

from runtime.database import Database
from runtime.failure import Failure

# Longer than any generation may take, so that what was paid for waits for the worker that takes over.
PENDING = timedelta(days=2)


@dataclass(frozen=True)
class Stage:
    """What a task has stored at an index: pending, or committed as `image` (a name)."""

    index: int
    project: str
    sha256: bytes
    image: str | None
    picture: pb.StagedImage


async def raise_fence(db: Database, task: str, epoch: int) -> None:
    """Show the epoch of a task's holder and lock the task until the transaction ends.

    Raises LEASE_TAKEN when a later holder has been here; earlier ones are refused from now on.
    """
    passed = await db.fetchval(
        """INSERT INTO fences AS f (task, epoch) VALUES ($1, $2)
           ON CONFLICT (task) DO UPDATE SET epoch = excluded.epoch, update_time = now()
            WHERE f.epoch <= excluded.epoch
           RETURNING true""",
        task,
        epoch,
    )
    if passed is None:
        raise _taken(task)


async def select_stages(db: Database, task: str) -> Sequence[Stage]:
    """All that a task has here, by index; it stays so until the transaction ends."""
    rows = await db.fetch(
        """SELECT s.index, s.project, s.sha256, s.image,
                  b.size_bytes, b.content_type, b.width, b.height
             FROM stages s LEFT JOIN blobs b USING (sha256)
            WHERE s.task = $1 ORDER BY s.index
              FOR UPDATE OF s""",
        task,
    )
    facts = ("sha256", "size_bytes", "content_type", "width", "height")
    return [
        Stage(
            row["index"],
            row["project"],
            row["sha256"],
            row["image"],
            pb.StagedImage(
                index=row["index"], **{fact: row[fact] for fact in facts if row[fact] is not None}
            ),
        )
        for row in rows
    ]


async def insert_stage(
    db: Database, task: str, index: int, *, epoch: int, project: str, sha256: bytes
) -> bool:
    """Record a staged picture in place of a pending one. False when another has been committed there.

    Raises LEASE_TAKEN as `raise_fence` does, in the same round trip.
    """
    row = await db.fetchrow(
        """WITH fence AS (
                INSERT INTO fences AS f (task, epoch) VALUES ($1, $2)
                ON CONFLICT (task) DO UPDATE SET epoch = excluded.epoch, update_time = now()
                 WHERE f.epoch <= excluded.epoch
                RETURNING task),
              stage AS (
                INSERT INTO stages AS s (task, index, project, sha256, expire_time)
                SELECT task, $3, $4, $5, now() + $6::interval FROM fence
                ON CONFLICT (task, index) DO UPDATE
                   SET sha256 = excluded.sha256, project = excluded.project,
                       expire_time = excluded.expire_time
                 WHERE s.image IS NULL OR s.sha256 = excluded.sha256
                RETURNING task)
           SELECT EXISTS (SELECT FROM fence) AS passed, EXISTS (SELECT FROM stage) AS staged""",
        task,
        epoch,
        index,
        project,
        sha256,
        PENDING,
    )
    if row is None or not row["passed"]:
        raise _taken(task)
    return bool(row["staged"])


def _taken(task: str) -> Failure:
    return Failure(ErrorReason.LEASE_TAKEN, "A newer holder works on this task.", task=task)
