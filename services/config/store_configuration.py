"""SQL of what every process must hear: that the configuration changed, and who was shut out."""

from collections.abc import Iterable

from inkweld.config.v1 import configuration_pb2 as pb

from runtime.database import Database

CHANNEL = "configuration"
# Longer than an access token lives.
_KEPT = "10 minutes"


async def announce_change(db: Database) -> None:
    """Count the change and, when the transaction commits, wake every replica.

    It comes last in a transaction: those that change the configuration wait for one another from here on.
    """
    revision = await db.fetchval("UPDATE configuration SET revision = revision + 1 RETURNING revision")
    await db.execute("SELECT pg_notify($1, $2)", CHANNEL, str(revision))


async def select_revision(db: Database) -> int:
    return int(await db.fetchval("SELECT revision FROM configuration"))


async def revoke(db: Database, subjects: Iterable[str]) -> None:
    """End trust in what was issued to, or learned of, these subjects before now."""
    await db.execute(f"DELETE FROM revocations WHERE not_before < now() - interval '{_KEPT}'")  # noqa: S608
    # The moment is the clock's, not the transaction's beginning: a token may have been issued since.
    await db.executemany(
        """INSERT INTO revocations (subject, not_before) VALUES ($1, clock_timestamp())
           ON CONFLICT (subject) DO UPDATE SET not_before = excluded.not_before""",
        [(subject,) for subject in subjects],
    )


async def select_revocations(db: Database) -> list[pb.Revocation]:
    rows = await db.fetch(
        f"""SELECT subject, not_before FROM revocations
             WHERE not_before > now() - interval '{_KEPT}' ORDER BY not_before""",  # noqa: S608
    )
    return [pb.Revocation(subject=row["subject"], not_before=row["not_before"]) for row in rows]
