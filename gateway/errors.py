"""Errors as HTTP shows them: the body of AIP-193, made in one place."""

import math
from collections.abc import Mapping
from typing import Any

import grpc
import orjson
from google.protobuf import json_format

# Imported for what it registers: a detail becomes JSON only when its type is known to the process.
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from starlette.responses import Response

from runtime.failure import Failure, from_rpc_error
from runtime.identity import unknown

HTTP_CODES: Mapping[int, int] = {
    code_pb2.CANCELLED: 499,
    code_pb2.UNKNOWN: 500,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}


class Refusal(Exception):
    """What HTTP itself refuses, with a code that no gRPC code stands for, such as 405 or 413.

    `part` is the part of the request that is wrong, such as its body.
    """

    def __init__(self, code: int, part: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.failure = Failure(ErrorReason.FIELD_INVALID, message, fields={part: message})
        self.headers = dict(headers or {})


class SessionEnded(Exception):
    """The session in the request's cookie is no more; `cookie` is the header that takes it away."""

    def __init__(self, cookie: str) -> None:
        super().__init__("the session has ended")
        self.cookie = cookie


def answer(error: Exception, request_id: str) -> Response | None:
    """The answer to an expected error; None for a bug, which the caller logs and answers with `internal`."""
    match error:
        case Refusal():
            return _response(error.failure.to_status(request_id), error.code, error.headers)
        case SessionEnded():
            response = _failure(unknown(), request_id)
            response.headers["set-cookie"] = error.cookie
            return response
        case Failure():
            return _failure(error, request_id)
        case grpc.aio.AioRpcError():
            return _upstream(error, request_id)
        case _:
            return None


def internal(request_id: str) -> Response:
    """All that anyone outside learns of a bug."""
    status = Status(code=code_pb2.INTERNAL, message="Internal error.")
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    return _response(status, 500)


def no_such_path() -> Failure:
    """Nothing is at this address. The address is not repeated: it may hold what should not be logged."""
    return Failure(ErrorReason.RESOURCE_NOT_FOUND, "There is nothing at this address.")


def _upstream(error: grpc.aio.AioRpcError, request_id: str) -> Response | None:
    # What a service says in any other form than our status was not written for callers.
    failure = from_rpc_error(error)
    return None if failure is None else _failure(failure, request_id)


def _failure(failure: Failure, request_id: str) -> Response:
    headers = {}
    if failure.retry_after is not None:
        headers["retry-after"] = str(math.ceil(failure.retry_after))
    if failure.reason == ErrorReason.CALLER_UNKNOWN:
        headers["www-authenticate"] = 'Bearer realm="inkweld"'
    status = failure.to_status(request_id)
    return _response(status, HTTP_CODES[status.code], headers)


def _response(status: Status, code: int, headers: Mapping[str, str] | None = None) -> Response:
    body: dict[str, Any] = {
        "code": int(code),
        "status": code_pb2.Code.Name(status.code),
        "message": status.message,
    }
    body["details"] = [json_format.MessageToDict(detail) for detail in status.details]
    head = {"cache-control": "no-store", **(headers or {})}
    return Response(orjson.dumps({"error": body}), code, head, media_type="application/json")
