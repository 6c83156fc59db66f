"""Claiming one task at a time."""

from datetime import timedelta

from asyncpg import Pool

from services.generation import store_claims
from services.generation.store_claims import Held


async def claim_task(db: Pool, worker: str, lease: timedelta) -> Held | None:
    """The next task in line; None when there is none."""
    claimed = await store_claims.claim_tasks(db, worker, lease, 1)
    return claimed[0] if claimed else None
