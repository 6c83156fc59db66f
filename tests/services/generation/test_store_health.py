"""How providers last did, out of checks and of work."""

import pytest
from asyncpg import Pool
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb

from services.generation import store_health
from tests.services.generation.conftest import Workshop
from tests.services.generation.fakes import failing

NAME = "providers/plain"


async def health(db: Pool) -> pb.ProviderHealth | None:
    found = await store_health.select_health(db, [NAME])
    assert len(found) < 2
    return found[0] if found else None


async def note(db: Pool, *, ok: bool, reason: str = "") -> None:
    await store_health.upsert_check(db, pb.ProviderCheck(provider=NAME, ok=ok, reason=reason))


async def test_of_a_provider_nobody_asked_nothing_is_known(workshop: Workshop) -> None:
    assert await health(workshop.db) is None


async def test_the_last_check_holds_and_the_last_good_one_is_kept(workshop: Workshop) -> None:
    await note(workshop.db, ok=True)
    await note(workshop.db, ok=False, reason="KEY_REJECTED")

    found = await health(workshop.db)

    assert found is not None
    assert (found.ok, found.reason, found.source) == (False, "KEY_REJECTED", pb.ProviderHealth.CHECK)
    assert found.success_time.ToMicroseconds() < found.observe_time.ToMicroseconds()


async def test_work_that_went_well_counts_after_a_bad_check(workshop: Workshop) -> None:
    await note(workshop.db, ok=False, reason="PROVIDER_UNAVAILABLE")
    async with workshop.working():
        await workshop.ended(await workshop.create())

    found = await health(workshop.db)

    assert found is not None
    assert (found.ok, found.reason, found.source) == (True, "", pb.ProviderHealth.WORK)
    assert found.success_time == found.observe_time


@pytest.mark.parametrize(
    ("reason", "ok"), [(ErrorReason.KEY_REJECTED, False), (ErrorReason.CONTENT_REFUSED, True)]
)
async def test_only_failures_that_are_the_providers_count_against_it(
    workshop: Workshop, reason: ErrorReason, *, ok: bool
) -> None:
    workshop.plain.script = failing(reason)
    async with workshop.working():
        await workshop.ended(await workshop.create())

    found = await health(workshop.db)

    assert found is not None
    assert found.ok is ok
