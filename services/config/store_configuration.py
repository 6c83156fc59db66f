"""SQL of what every process must hear: that the configuration changed, and who was shut out."""

from collections.abc import Iterable
from datetime import timedelta

from inkweld.config.v1 import configuration_pb2 as pb

from runtime.database import Database

CHANNEL = "configuration"
# Longer than an access token lives.
_KEPT = "10 minutes"
_PROOFS_AHEAD = timedelta(minutes=1)


async def announce_change(db: Database) -> None:
    """Count the change and, when the transaction commits, wake every replica.

    It comes last in a transaction: those that change the configuration wait for one another from here on.
    """
    revision = await db.fetchval("UPDATE configuration SET revision = revision + 1 RETURNING revision")
    await db.execute("SELECT pg_notify($1, $2)", CHANNEL, str(revision))


async def select_revision(db: Database) -> int:
    return int(await db.fetchval("SELECT revision FROM configuration"))


async def revoke(db: Database, subjects: Iterable[str], *, ahead: timedelta = timedelta()) -> None:
    """End trust in what was issued to, or learned of, these subjects before now.

    Until the transaction commits, tokens are issued on what held before. `ahead` reaches those too.
    """
    await db.execute(f"DELETE FROM revocations WHERE not_before < now() - interval '{_KEPT}'")  # noqa: S608
    await db.executemany(
        """INSERT INTO revocations (subject, not_before) VALUES ($1, clock_timestamp() + $2)
           ON CONFLICT (subject) DO UPDATE SET not_before = excluded.not_before""",
        [(subject, ahead) for subject in sorted(subjects)],
    )


async def end_proofs(db: Database, proofs: Iterable[str]) -> None:
    """End sessions or tokens, which never come back."""
    await revoke(db, proofs, ahead=_PROOFS_AHEAD)


async def select_revocations(db: Database) -> list[pb.Revocation]:
    rows = await db.fetch(
        f"""SELECT subject, not_before FROM revocations
             WHERE not_before > now() - interval '{_KEPT}' ORDER BY not_before""",  # noqa: S608
    )
    return [pb.Revocation(subject=row["subject"], not_before=row["not_before"]) for row in rows]
