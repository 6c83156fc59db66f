"""How providers last did: what their checks said, and what became of the work they were given."""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp
from inkweld.generation.v1 import models_pb2 as pb

from runtime.database import Database

# The newest are looked through, however many there are.
_RECENT = 1000
# A provider that refuses one request for what is in it is well.
_WELL = ("CONTENT_REFUSED", "CALL_REFUSED", "MODEL_UNKNOWN", "PICTURE_REFUSED")
# What else goes wrong is ours, and says nothing of the provider.
_UNWELL = (
    "KEY_REJECTED",
    "PROVIDER_UNPAID",
    "CALL_FORBIDDEN",
    "PROVIDER_RATE_LIMITED",
    "PROVIDER_UNAVAILABLE",
    "PROVIDER_TIMED_OUT",
    "ANSWER_LOST",
    "ANSWER_UNUSABLE",
)


async def upsert_check(db: Database, check: pb.ProviderCheck) -> None:
    """Note a check in place of the one before."""
    await db.execute(
        """INSERT INTO provider_checks AS c (provider, ok, reason, check_time, success_time)
           VALUES ($1, $2, $3, now(), CASE WHEN $2 THEN now() END)
           ON CONFLICT (provider) DO UPDATE
              SET ok = excluded.ok, reason = excluded.reason, check_time = excluded.check_time,
                  success_time = COALESCE(excluded.success_time, c.success_time)""",
        check.provider,
        check.ok,
        check.reason,
    )


async def select_health(db: Database, providers: Collection[str]) -> Sequence[pb.ProviderHealth]:
    """How these providers did, by name; those nothing is known of are left out."""
    rows = await db.fetch(
        """WITH recent AS (
               SELECT task, outcome, reason, end_time FROM attempts
                WHERE end_time IS NOT NULL ORDER BY end_time DESC LIMIT $2
           ), known AS (
               SELECT t.provider, 'WORK' AS source, a.end_time AS at, COALESCE(a.reason, '') AS reason,
                      a.outcome = 'ANSWERED' OR a.reason = ANY($3::text[]) AS ok
                 FROM recent a JOIN tasks t ON t.id = a.task
                WHERE t.provider = ANY($1)
                  AND (a.outcome = 'ANSWERED' OR a.reason = ANY($3::text[] || $4::text[]))
               UNION ALL
               SELECT provider, 'CHECK', check_time, reason, ok
                 FROM provider_checks WHERE provider = ANY($1)
               UNION ALL
               SELECT provider, 'CHECK', success_time, '', true
                 FROM provider_checks WHERE provider = ANY($1) AND success_time IS NOT NULL AND NOT ok
           )
           SELECT DISTINCT ON (provider) provider, source, at, reason, ok,
                  max(at) FILTER (WHERE ok) OVER (PARTITION BY provider) AS success_time
             FROM known ORDER BY provider, at DESC""",
        list(providers),
        _RECENT,
        list(_WELL),
        list(_UNWELL),
    )
    return [_health(row) for row in rows]


def _health(row: asyncpg.Record) -> pb.ProviderHealth:
    ok = bool(row["ok"])
    return pb.ProviderHealth(
        provider=row["provider"],
        ok=ok,
        reason="" if ok and row["source"] == "WORK" else row["reason"],
        source=row["source"],
        observe_time=_time(row["at"]),
        success_time=_time(row["success_time"]) if row["success_time"] else None,
    )


def _time(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
