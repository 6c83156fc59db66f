"""SQL of creates that may come twice."""

from dataclasses import astuple, dataclass

from runtime.database import Database

_KEPT = "30 days"


@dataclass(frozen=True)
class Key:
    """What makes two creates the same: who sent them, where to, and under which id."""

    caller: str
    method: str
    request_id: str


async def insert_request(db: Database, key: Key, digest: bytes, name: str) -> bool:
    """Note what a request makes; False when it came before. A twin still under way is waited for."""
    await db.execute(f"DELETE FROM requests WHERE create_time < now() - interval '{_KEPT}'")  # noqa: S608
    done = await db.execute(
        """INSERT INTO requests (caller, method, request_id, digest, name) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING""",
        *astuple(key),
        digest,
        name,
    )
    return bool(done == "INSERT 0 1")


async def select_request(db: Database, key: Key) -> tuple[bytes, str]:
    """The digest of the request as it came first, and the name it made."""
    [row] = await db.fetch(
        "SELECT digest, name FROM requests WHERE caller = $1 AND method = $2 AND request_id = $3",
        *astuple(key),
    )
    return row["digest"], row["name"]
