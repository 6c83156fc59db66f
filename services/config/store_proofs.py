"""SQL of what people and programs prove themselves with: sessions, tokens, one-time codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from inkweld.access.v1 import access_pb2 as pb

from runtime.database import Database
from runtime.names import leaf, new_id

_SESSION = "id, user_id, create_time, expire_time"
_TOKEN = "id, user_id, title, scope, create_time, expire_time, last_use_time"  # noqa: S105 - columns


@dataclass(frozen=True)
class Holder:
    """Whom a secret that holds was given to, and for what."""

    user: str
    admin: bool
    proof: str
    scope: int
    expire_time: datetime


async def insert_session(
    db: Database, user: str, secret_hash: bytes, life: timedelta, *, by_code: bool
) -> pb.Session:
    await db.execute("DELETE FROM sessions WHERE expire_time < now()")
    [row] = await db.fetch(
        f"""INSERT INTO sessions (id, user_id, secret_hash, by_code, expire_time)
            VALUES ($1, $2, $3, $4, now() + $5) RETURNING {_SESSION}""",  # noqa: S608
        new_id(),
        leaf(user),
        secret_hash,
        by_code,
        life,
    )
    return _session(row)


async def select_holder_of_session(db: Database, secret_hash: bytes) -> Holder | None:
    row = await db.fetchrow(
        """SELECT user_id, admin, sessions.id, expire_time
             FROM sessions JOIN users ON users.id = user_id
            WHERE secret_hash = $1 AND expire_time > now() AND NOT disabled""",
        secret_hash,
    )
    if row is None:
        return None
    user = f"users/{row['user_id']}"
    return Holder(user, row["admin"], f"{user}/sessions/{row['id']}", pb.Scope.ADMIN, row["expire_time"])


async def select_holder_of_token(db: Database, secret_hash: bytes) -> Holder | None:
    row = await db.fetchrow(
        """SELECT user_id, admin, tokens.id, scope, expire_time
             FROM tokens JOIN users ON users.id = user_id
            WHERE secret_hash = $1 AND expire_time > now() AND NOT disabled""",
        secret_hash,
    )
    if row is None:
        return None
    user = f"users/{row['user_id']}"
    return Holder(user, row["admin"], f"{user}/tokens/{row['id']}", row["scope"], row["expire_time"])


async def is_by_code(db: Database, session: str) -> bool:
    """Whether the session was begun with a one-time code."""
    return bool(await db.fetchval("SELECT by_code FROM sessions WHERE id = $1", leaf(session)))


async def select_sessions(db: Database, user: str, before: str | None, limit: int) -> list[pb.Session]:
    rows = await db.fetch(
        f"""SELECT {_SESSION} FROM sessions
             WHERE user_id = $1 AND expire_time > now() AND ($2::text IS NULL OR id < $2)
             ORDER BY id DESC LIMIT $3""",  # noqa: S608
        leaf(user),
        before,
        limit,
    )
    return [_session(row) for row in rows]


async def delete_session(db: Database, name: str) -> bool:
    """End a session; False when there is none of that name."""
    done = await db.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND id = $2", name.split("/")[1], leaf(name)
    )
    return bool(done == "DELETE 1")


async def delete_sessions(db: Database, user: str, *, but: str = "") -> list[str]:
    """End all of a user's sessions except one; the names of the ended."""
    rows = await db.fetch(
        "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id", leaf(user), leaf(but)
    )
    return [f"{user}/sessions/{row['id']}" for row in rows]


async def insert_token(
    db: Database, name: str, token: pb.Token, secret_hash: bytes, expire_time: datetime
) -> pb.Token | None:
    """Add a token; None when there is no such user."""
    row = await db.fetchrow(
        f"""INSERT INTO tokens (id, user_id, title, scope, secret_hash, expire_time)
            SELECT $1, users.id, $3, $4, $5, $6 FROM users WHERE users.id = $2
            RETURNING {_TOKEN}""",  # noqa: S608
        leaf(name),
        name.split("/")[1],
        token.title,
        token.scope,
        secret_hash,
        expire_time,
    )
    return _token(row) if row else None


async def ensure_token(db: Database, name: str, title: str, secret_hash: bytes, life: timedelta) -> None:
    """Make sure that the token of this name has full scope and this secret, and no former one."""
    await db.execute(
        """INSERT INTO tokens (id, user_id, title, scope, secret_hash, expire_time)
           VALUES ($1, $2, $3, $4, $5, now() + $6)
           ON CONFLICT (id) DO UPDATE
              SET secret_hash = excluded.secret_hash, scope = excluded.scope,
                  expire_time = excluded.expire_time""",
        leaf(name),
        name.split("/")[1],
        title,
        pb.Scope.ADMIN,
        secret_hash,
        life,
    )


async def select_tokens(db: Database, user: str, before: str | None, limit: int) -> list[pb.Token]:
    rows = await db.fetch(
        f"""SELECT {_TOKEN} FROM tokens
             WHERE user_id = $1 AND ($2::text IS NULL OR id < $2)
             ORDER BY id DESC LIMIT $3""",  # noqa: S608
        leaf(user),
        before,
        limit,
    )
    return [_token(row) for row in rows]


async def touch_token(db: Database, name: str) -> None:
    """Note that a token was used, to the minute: most uses write nothing."""
    await db.execute(
        """UPDATE tokens SET last_use_time = date_trunc('minute', now())
            WHERE id = $1 AND last_use_time IS DISTINCT FROM date_trunc('minute', now())""",
        leaf(name),
    )


async def delete_token(db: Database, name: str) -> bool:
    """End a token; False when there is none of that name."""
    done = await db.execute(
        "DELETE FROM tokens WHERE user_id = $1 AND id = $2", name.split("/")[1], leaf(name)
    )
    return bool(done == "DELETE 1")


async def delete_tokens(db: Database, user: str) -> list[str]:
    """End all of a user's tokens; their names."""
    rows = await db.fetch("DELETE FROM tokens WHERE user_id = $1 RETURNING id", leaf(user))
    return [f"{user}/tokens/{row['id']}" for row in rows]


async def insert_code(db: Database, user: str, secret_hash: bytes, life: timedelta) -> datetime | None:
    """Add a one-time code; when it ends, or None when there is no such user."""
    await db.execute("DELETE FROM sign_in_codes WHERE expire_time < now()")
    expire_time: datetime | None = await db.fetchval(
        """INSERT INTO sign_in_codes (secret_hash, user_id, expire_time)
           SELECT $1, id, now() + $3 FROM users WHERE id = $2 RETURNING expire_time""",
        secret_hash,
        leaf(user),
        life,
    )
    return expire_time


async def take_code(db: Database, secret_hash: bytes) -> str | None:
    """Use up a code. Whom it lets in; None when it does not hold."""
    user_id = await db.fetchval(
        """DELETE FROM sign_in_codes USING users
            WHERE secret_hash = $1 AND expire_time > now() AND users.id = user_id AND NOT disabled
            RETURNING user_id""",
        secret_hash,
    )
    return f"users/{user_id}" if user_id else None


async def delete_codes(db: Database, user: str) -> None:
    await db.execute("DELETE FROM sign_in_codes WHERE user_id = $1", leaf(user))


def _session(row: asyncpg.Record) -> pb.Session:
    return pb.Session(
        name=f"users/{row['user_id']}/sessions/{row['id']}",
        create_time=row["create_time"],
        expire_time=row["expire_time"],
    )


def _token(row: asyncpg.Record) -> pb.Token:
    return pb.Token(
        name=f"users/{row['user_id']}/tokens/{row['id']}",
        title=row["title"],
        scope=row["scope"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        last_use_time=row["last_use_time"],
    )
