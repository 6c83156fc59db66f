"""SQL of profiles."""

import asyncpg
from google.protobuf import json_format
from inkweld.config.v1 import profiles_pb2 as pb

from runtime.database import Database
from runtime.names import leaf

_COLUMNS = """id, title, description, provider, model, enabled, image_input, sizes, default_size,
              model_config, sort_order, price_note, revision, create_time, update_time"""

After = tuple[int, str, str]


async def insert_profile(db: Database, name: str, profile: pb.Profile) -> pb.Profile | None:
    """Add a profile; None when its id or its title is taken."""
    row = await db.fetchrow(
        f"""INSERT INTO profiles (id, title, description, provider, model, enabled, image_input, sizes,
                                  default_size, model_config, sort_order, price_note)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT DO NOTHING RETURNING {_COLUMNS}""",  # noqa: S608
        leaf(name),
        *_values(profile),
    )
    return _profile(row) if row else None


async def select_profile(db: Database, name: str) -> pb.Profile | None:
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM profiles WHERE id = $1", leaf(name))  # noqa: S608
    return _profile(row) if row else None


async def select_profiles(
    db: Database, after: After | None, limit: int | None, *, disabled_too: bool
) -> list[pb.Profile]:
    """Profiles by sort order, then title, after the one with these."""
    order, title, id = after or (None, None, None)
    rows = await db.fetch(
        f"""SELECT {_COLUMNS} FROM profiles
             WHERE (enabled OR $1) AND ($2::integer IS NULL OR (sort_order, title, id) > ($2, $3, $4))
             ORDER BY sort_order, title, id LIMIT $5""",  # noqa: S608
        disabled_too,
        order,
        title,
        id,
        limit,
    )
    return [_profile(row) for row in rows]


async def update_profile(db: Database, profile: pb.Profile) -> pb.Profile | None:
    """Store a profile that was read at its `revision`; None when it has changed since."""
    row = await db.fetchrow(
        f"""UPDATE profiles
               SET title = $2, description = $3, provider = $4, model = $5, enabled = $6, image_input = $7,
                   sizes = $8, default_size = $9, model_config = $10, sort_order = $11, price_note = $12,
                   revision = revision + 1, update_time = now()
             WHERE id = $1 AND revision = $13 RETURNING {_COLUMNS}""",  # noqa: S608
        leaf(profile.name),
        *_values(profile),
        profile.revision,
    )
    return _profile(row) if row else None


async def delete_profile(db: Database, name: str) -> bool:
    """Delete a profile; False when there is none of that name."""
    return bool(await db.execute("DELETE FROM profiles WHERE id = $1", leaf(name)) == "DELETE 1")


async def select_user_of(db: Database, provider: str) -> str | None:
    """A profile that names the provider."""
    id = await db.fetchval("SELECT id FROM profiles WHERE provider = $1 ORDER BY id LIMIT 1", provider)
    return f"profiles/{id}" if id else None


def _values(profile: pb.Profile) -> tuple[object, ...]:
    config = json_format.MessageToDict(profile.model_config) if profile.HasField("model_config") else None
    return (
        profile.title,
        profile.description,
        profile.provider,
        profile.model,
        profile.enabled,
        profile.image_input,
        list(profile.sizes),
        profile.default_size,
        config,
        profile.sort_order,
        profile.price_note,
    )


def _profile(row: asyncpg.Record) -> pb.Profile:
    profile = pb.Profile(
        name=f"profiles/{row['id']}",
        title=row["title"],
        description=row["description"],
        provider=row["provider"],
        model=row["model"],
        enabled=row["enabled"],
        image_input=row["image_input"],
        sizes=row["sizes"],
        default_size=row["default_size"],
        sort_order=row["sort_order"],
        price_note=row["price_note"],
        revision=row["revision"],
        create_time=row["create_time"],
        update_time=row["update_time"],
        etag=str(row["revision"]),
    )
    if row["model_config"] is not None:
        profile.model_config.update(row["model_config"])
    return profile
