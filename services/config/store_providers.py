"""SQL of providers. A value that is NULL is not stored; the environment's or the default holds."""

from dataclasses import dataclass, field, replace

import asyncpg
from inkweld.config.v1 import providers_pb2 as pb

from runtime.database import Database
from runtime.names import leaf
from services.config.environment import BUILT_IN

_COLUMNS = """id, kind, built_in, requires, default_endpoint, title, enabled, endpoint, account_id,
              sealed_key, key_origin, key_version, key_last_four, key_set_time, key_setter, revision,
              update_time"""


@dataclass(frozen=True)
class Stored:
    """What is known of a provider before the environment is asked."""

    # Of its fields that may come from elsewhere, those are set that are stored.
    provider: pb.Provider
    requires: tuple[str, ...]
    default_endpoint: str | None
    default_title: str
    sealed_key: bytes | None = field(default=None, repr=False)
    key_origin: str = ""
    key_version: int = 0


async def select_provider(db: Database, name: str) -> Stored | None:
    """A provider; a built-in one also when nothing is stored for it."""
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM providers WHERE id = $1", leaf(name))  # noqa: S608
    return _stored(row) if row else _bare(leaf(name))


async def lock_provider(db: Database, name: str) -> Stored | None:
    """As `select_provider`, and nobody else changes it until the transaction ends."""
    id = leaf(name)
    if id in BUILT_IN:
        await db.execute(
            """INSERT INTO providers (id, kind, built_in, requires, revision) VALUES ($1, $1, true, '{}', 0)
               ON CONFLICT DO NOTHING""",
            id,
        )
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM providers WHERE id = $1 FOR UPDATE", id)  # noqa: S608
    return _stored(row) if row else None


async def hold_provider(db: Database, name: str) -> bool:
    """Keep a provider from being deleted until the transaction ends; False when it does not exist."""
    id = leaf(name)
    found = await db.fetchval("SELECT id FROM providers WHERE id = $1 FOR SHARE", id)
    return found is not None or id in BUILT_IN


async def select_providers(db: Database) -> list[Stored]:
    """The built-in ones in their order, then the added ones by name."""
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM providers ORDER BY id")  # noqa: S608
    stored = {row["id"]: _stored(row) for row in rows}
    built_in = [stored.pop(id, None) or _bare(id) for id in BUILT_IN]
    return [one for one in (*built_in, *stored.values()) if one is not None]


async def insert_provider(
    db: Database, name: str, provider: pb.Provider, requires: list[str], default_endpoint: str | None
) -> bool:
    """Add a provider with the values that are set; False when its id is taken."""
    if leaf(name) in BUILT_IN:
        return False
    done = await db.execute(
        """INSERT INTO providers (id, kind, built_in, requires, default_endpoint, title, enabled, endpoint,
                                  account_id)
           VALUES ($1, $2, false, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING""",
        leaf(name),
        provider.kind,
        requires,
        default_endpoint,
        *_values(provider),
    )
    return bool(done == "INSERT 0 1")


async def update_provider(db: Database, provider: pb.Provider) -> None:
    """Store the values that are set, and nothing for those that are not."""
    await db.execute(
        """UPDATE providers SET title = $2, enabled = $3, endpoint = $4, account_id = $5,
                  revision = revision + 1, update_time = now()
            WHERE id = $1""",
        leaf(provider.name),
        *_values(provider),
    )


async def update_key(db: Database, provider: str, key: pb.Key, sealed_key: bytes, origin: str) -> None:
    await db.execute(
        """UPDATE providers SET sealed_key = $2, key_origin = $3, key_version = $4, key_last_four = $5,
                  key_setter = $6, key_set_time = now(), revision = revision + 1, update_time = now()
            WHERE id = $1""",
        leaf(provider),
        sealed_key,
        origin,
        key.version,
        key.last_four,
        key.setter,
    )


async def delete_key(db: Database, provider: str) -> None:
    """Forget the stored key; the version stays, so that no later key is sealed to the same one."""
    await db.execute(
        """UPDATE providers SET sealed_key = NULL, key_origin = NULL, key_last_four = NULL,
                  key_set_time = NULL, key_setter = NULL, revision = revision + 1, update_time = now()
            WHERE id = $1""",
        leaf(provider),
    )


async def delete_provider(db: Database, name: str) -> None:
    await db.execute("DELETE FROM providers WHERE id = $1", leaf(name))


def _values(provider: pb.Provider) -> tuple[object, ...]:
    """The values that may be stored, in the order of the columns; None where the field is not set."""
    names = ("title", "enabled", "endpoint", "account_id")
    return tuple(getattr(provider, name) if provider.HasField(name) else None for name in names)


def _bare(id: str) -> Stored | None:
    """A built-in provider for which nothing is stored."""
    built_in = BUILT_IN.get(id)
    if built_in is None:
        return None
    provider = pb.Provider(name=f"providers/{id}", kind=id, built_in=True, etag="0")
    return Stored(provider, built_in.requires, built_in.endpoint, built_in.title)


def _stored(row: asyncpg.Record) -> Stored:
    provider = pb.Provider(
        name=f"providers/{row['id']}",
        kind=row["kind"],
        title=row["title"],
        enabled=row["enabled"],
        endpoint=row["endpoint"],
        account_id=row["account_id"],
        built_in=row["built_in"],
        update_time=row["update_time"],
        etag=str(row["revision"]),
    )
    if row["sealed_key"] is not None:
        provider.key.CopyFrom(
            pb.Key(
                last_four=row["key_last_four"],
                set_time=row["key_set_time"],
                setter=row["key_setter"],
                version=row["key_version"],
            )
        )
    known = _bare(row["id"]) or Stored(provider, tuple(row["requires"]), row["default_endpoint"], row["id"])
    return replace(
        known,
        provider=provider,
        sealed_key=row["sealed_key"],
        key_origin=row["key_origin"] or "",
        key_version=row["key_version"],
    )
