"""SQL of people."""

from datetime import datetime

import asyncpg
from inkweld.access.v1 import access_pb2 as pb

from runtime.database import Database
from runtime.names import leaf

_COLUMNS = "id, title, admin, disabled, password_hash IS NOT NULL AS has_password, create_time"


async def insert_user(db: Database, name: str, user: pb.User) -> pb.User | None:
    """Add a user; None when the id is taken."""
    row = await db.fetchrow(
        f"""INSERT INTO users (id, title, admin, disabled) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING {_COLUMNS}""",  # noqa: S608
        leaf(name),
        user.title or leaf(name),
        user.admin,
        user.disabled,
    )
    return _user(row) if row else None


async def select_user(db: Database, name: str) -> pb.User | None:
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM users WHERE id = $1", leaf(name))  # noqa: S608
    return _user(row) if row else None


async def select_users(db: Database, after: str, limit: int) -> list[pb.User]:
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM users WHERE id > $1 ORDER BY id LIMIT $2",  # noqa: S608
        after,
        limit,
    )
    return [_user(row) for row in rows]


async def lock_administrators(db: Database) -> None:
    """Let nobody else change who administers until the transaction ends."""
    await db.execute("SELECT id FROM users WHERE admin ORDER BY id FOR UPDATE")


async def count_administrators(db: Database) -> int:
    """How many can administer."""
    return int(await db.fetchval("SELECT count(*) FROM users WHERE admin AND NOT disabled"))


async def update_user(db: Database, user: pb.User) -> pb.User:
    """Set a user's title, standing and whether they are kept out."""
    [row] = await db.fetch(
        f"UPDATE users SET title = $2, admin = $3, disabled = $4 WHERE id = $1 RETURNING {_COLUMNS}",  # noqa: S608
        leaf(user.name),
        user.title,
        user.admin,
        user.disabled,
    )
    return _user(row)


async def ensure_administrator(db: Database, name: str, title: str) -> None:
    """Make sure that the user exists and administers."""
    await db.execute(
        """INSERT INTO users (id, title, admin) VALUES ($1, $2, true)
           ON CONFLICT (id) DO UPDATE SET admin = true, disabled = false""",
        leaf(name),
        title,
    )


async def select_password_hash(db: Database, name: str) -> str | None:
    """The hash; None when there is no such user, none with a password, or they are kept out."""
    hash_: str | None = await db.fetchval(
        "SELECT password_hash FROM users WHERE id = $1 AND NOT disabled", leaf(name)
    )
    return hash_


async def update_password_hash(db: Database, name: str, password_hash: str) -> pb.User | None:
    row = await db.fetchrow(
        f"UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING {_COLUMNS}",  # noqa: S608
        leaf(name),
        password_hash,
    )
    return _user(row) if row else None


async def count_try(db: Database, subject: bytes, seconds: float) -> tuple[int, datetime]:
    """Count a try before it is judged. How many there were in this window, and when it ends.

    Counting first means that tries made at once cannot slip past the limit together.
    """
    await db.execute("DELETE FROM tries WHERE end_time < now() - interval '1 hour'")
    [row] = await db.fetch(
        """INSERT INTO tries (subject, count, end_time) VALUES ($1, 1, now() + make_interval(secs => $2))
           ON CONFLICT (subject) DO UPDATE
              SET count = CASE WHEN tries.end_time < now() THEN 1 ELSE tries.count + 1 END,
                  end_time = CASE WHEN tries.end_time < now() THEN excluded.end_time ELSE tries.end_time END
           RETURNING count, end_time""",
        subject,
        seconds,
    )
    return row["count"], row["end_time"]


async def delete_tries(db: Database, subject: bytes) -> None:
    await db.execute("DELETE FROM tries WHERE subject = $1", subject)


def _user(row: asyncpg.Record) -> pb.User:
    return pb.User(
        name=f"users/{row['id']}",
        title=row["title"],
        admin=row["admin"],
        disabled=row["disabled"],
        has_password=row["has_password"],
        create_time=row["create_time"],
    )
