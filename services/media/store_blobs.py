"""Rows of blobs and renditions, and what the collector finds unused."""

from collections.abc import Sequence
from datetime import timedelta

from runtime.database import Database
from services.media.formats import Facts

# A blob nothing speaks of. Committed stages do not count: their image does.
_UNUSED = """NOT EXISTS (SELECT FROM images i WHERE i.sha256 = b.sha256)
         AND NOT EXISTS (SELECT FROM stages s WHERE s.sha256 = b.sha256 AND s.image IS NULL)
         AND NOT EXISTS (SELECT FROM renditions r WHERE r.sha256 = b.sha256)"""


async def insert_blob(db: Database, sha256: bytes, size_bytes: int, facts: Facts) -> None:
    """Record a blob and lock its row until the transaction ends, also when it was there before."""
    await db.execute(
        """INSERT INTO blobs (sha256, size_bytes, content_type, width, height) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (sha256) DO UPDATE
              SET size_bytes = excluded.size_bytes, content_type = excluded.content_type,
                  width = excluded.width, height = excluded.height""",
        sha256,
        size_bytes,
        facts.content_type,
        facts.width,
        facts.height,
    )


async def insert_strays(db: Database, hashes: Sequence[bytes]) -> None:
    """Give bytes that were found without a row one, so that they are collected as any other blob."""
    await db.execute(
        """INSERT INTO blobs (sha256, size_bytes, content_type, width, height)
           SELECT found, 0, '', 0, 0 FROM unnest($1::bytea[]) found
            WHERE NOT EXISTS (SELECT FROM blobs WHERE sha256 = found)
           ON CONFLICT (sha256) DO NOTHING""",
        hashes,
    )


async def select_rendition(db: Database, source: bytes, side: int) -> tuple[bytes, int] | None:
    """Hash and size of the copy; None when it has not been made."""
    row = await db.fetchrow(
        """SELECT r.sha256, b.size_bytes FROM renditions r JOIN blobs b USING (sha256)
            WHERE r.source = $1 AND r.side = $2""",
        source,
        side,
    )
    return (row["sha256"], row["size_bytes"]) if row else None


async def insert_rendition(db: Database, source: bytes, side: int, sha256: bytes) -> None:
    """Record a copy, unless its source has gone or someone else was faster."""
    await db.execute(
        """INSERT INTO renditions (source, side, sha256)
           SELECT sha256, $2, $3 FROM blobs WHERE sha256 = $1 FOR KEY SHARE
           ON CONFLICT (source, side) DO NOTHING""",
        source,
        side,
        sha256,
    )


async def delete_expired(db: Database, fences_after: timedelta) -> int:
    """Delete drafts and stages whose time has come, and fences nobody has shown for so long; how many."""
    done = [
        await db.execute("DELETE FROM images WHERE expire_time <= now()"),
        await db.execute("DELETE FROM stages WHERE expire_time <= now()"),
        await db.execute("DELETE FROM fences WHERE update_time <= now() - $1::interval", fences_after),
    ]
    return sum(int(said.rpartition(" ")[2]) for said in done)


async def select_unused(db: Database, limit: int) -> list[bytes]:
    """Blobs that nothing referred to a moment ago."""
    rows = await db.fetch(f"SELECT b.sha256 FROM blobs b WHERE {_UNUSED} LIMIT $1", limit)  # noqa: S608
    return [row["sha256"] for row in rows]


async def lock_unused(db: Database, sha256: bytes) -> bool:
    """Lock a blob's row against new references; whether there still is none.

    Two statements, because the second must see what was committed while the first waited for the lock.
    """
    if await db.fetchval("SELECT true FROM blobs WHERE sha256 = $1 FOR UPDATE", sha256) is None:
        return False
    unused = f"SELECT true FROM blobs b WHERE b.sha256 = $1 AND {_UNUSED}"  # noqa: S608
    return await db.fetchval(unused, sha256) is not None


async def delete_blob(db: Database, sha256: bytes) -> None:
    """Delete the row of a blob, and with it the records of copies made from it."""
    await db.execute("DELETE FROM blobs WHERE sha256 = $1", sha256)
