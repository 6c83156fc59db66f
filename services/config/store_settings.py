"""SQL of the settings. A field that is not set is not stored."""

from typing import Any

from google.protobuf import json_format
from inkweld.config.v1 import settings_pb2 as pb

from runtime.database import Database


async def select_settings(db: Database) -> pb.Settings:
    """What is stored."""
    [row] = await db.fetch("SELECT kill_switch, images_enabled, custom_sizes, revision FROM settings")
    stored = pb.Settings(
        name="settings",
        kill_switch=row["kill_switch"],
        images_enabled=row["images_enabled"],
        etag=str(row["revision"]),
    )
    if row["custom_sizes"] is not None:
        json_format.ParseDict(row["custom_sizes"], stored.custom_sizes)
        stored.custom_sizes.SetInParent()
    return stored


async def lock_settings(db: Database) -> None:
    """Let nobody else change them until the transaction ends."""
    await db.execute("SELECT FROM settings FOR UPDATE")


async def update_settings(db: Database, settings: pb.Settings) -> None:
    """Store what is set, and nothing for what is not."""
    sizes: dict[str, Any] | None = None
    if settings.HasField("custom_sizes"):
        sizes = json_format.MessageToDict(settings.custom_sizes)
    await db.execute(
        """UPDATE settings
              SET kill_switch = $1, images_enabled = $2, custom_sizes = $3, revision = revision + 1""",
        settings.kill_switch if settings.HasField("kill_switch") else None,
        settings.images_enabled if settings.HasField("images_enabled") else None,
        sizes,
    )
