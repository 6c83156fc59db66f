"""What surrounds every call: its caller, its request id, its line in the log, what becomes of errors.

It holds the only broad `except` of the servers: what is not a `Failure` is a bug, which the log describes and
the caller does not.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import grpc
import structlog
from google.rpc import status_pb2
from grpc_status import rpc_status
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import identity
from runtime.contract import Method
from runtime.failure import Failure, from_rpc_error, invalid
from runtime.identity import Caller
from runtime.names import new_id

log = structlog.get_logger()

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@asynccontextmanager
async def guarded(
    method: Method, who: Caller, metadata: dict[str, Any], context: _Context
) -> AsyncIterator[None]:
    """The surroundings of one call: its caller, its request id, its line in the log, its errors."""
    request_id = _request_id(metadata)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    identity.enter(who)
    began = time.perf_counter()
    code = grpc.StatusCode.OK
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        code = grpc.StatusCode.CANCELLED
        raise
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        failure = _expected(error)
        code = failure.code if failure else grpc.StatusCode.INTERNAL
        if failure is None:
            log.exception("call.crashed", method=method.path, exc_info=error)
        status = failure.to_status(request_id) if failure else _crash()
        await context.abort_with_status(rpc_status.to_status(status))
    finally:
        taken = round((time.perf_counter() - began) * 1000, 2)
        log.info("call.finished", method=method.path, code=code.name, milliseconds=taken, caller=who.name)


def _expected(error: Exception) -> Failure | None:
    """The failure an error stands for; None when it is a bug."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TimeoutError):
        return Failure(ErrorReason.DEADLINE_TOO_SHORT, "The call's deadline passed.")
    if isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
        return invalid({"": "text cannot hold the character U+0000"})
    # Another of our services failed on the way: its own words, when they are ours, are the answer.
    return from_rpc_error(error) if isinstance(error, grpc.aio.AioRpcError) else None


def _request_id(metadata: dict[str, Any]) -> str:
    given = str(metadata.get("x-request-id", ""))
    return given if given.replace("-", "").isalnum() and len(given) <= 64 else new_id()


def _crash() -> status_pb2.Status:
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message="Internal error.")
