"""When the database cannot be had for a moment: what that looks like, and going on trying."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

log = structlog.get_logger()

T = TypeVar("T")

TROUBLE = (
    OSError,  # refused, reset, timed out
    asyncpg.InterfaceError,  # the connection went while in use
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up
    asyncpg.InsufficientResourcesError,
    asyncpg.DeadlockDetectedError,
)

_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 1.0


async def persist(work: Callable[[], Awaitable[T]]) -> T:
    """Do a transaction, again and again while the database is away. Who cannot wait for ever cancels it.

    A commit whose answer got lost is done again as well: its fence then says that it had happened.
    """
    wait = _FIRST_SECONDS
    while True:
        try:
            return await work()
        except TROUBLE as error:
            log.warning("database.lost", error=type(error).__name__)
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_SECONDS)
