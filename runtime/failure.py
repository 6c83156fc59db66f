"""The one expected error, and the one table that says what callers see of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar, cast

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

DOMAIN = "inkweld"

M = TypeVar("M", bound=Message)

_R = ErrorReason
_C = grpc.StatusCode
CODES: Mapping[ErrorReason, grpc.StatusCode] = MappingProxyType(
    {
        _R.CALLER_UNKNOWN: _C.UNAUTHENTICATED,
        _R.CALLER_FORBIDDEN: _C.PERMISSION_DENIED,
        _R.RESOURCE_NOT_FOUND: _C.NOT_FOUND,
        _R.RESOURCE_EXISTS: _C.ALREADY_EXISTS,
        _R.FIELD_INVALID: _C.INVALID_ARGUMENT,
        _R.ETAG_STALE: _C.ABORTED,
        _R.REQUEST_ID_REUSED: _C.FAILED_PRECONDITION,
        _R.VALUE_LOCKED: _C.FAILED_PRECONDITION,
        _R.RESOURCE_IN_USE: _C.FAILED_PRECONDITION,
        _R.GENERATION_OFF: _C.FAILED_PRECONDITION,
        _R.PROFILE_DISABLED: _C.FAILED_PRECONDITION,
        _R.PROVIDER_DISABLED: _C.FAILED_PRECONDITION,
        _R.PROVIDER_INCOMPLETE: _C.FAILED_PRECONDITION,
        _R.KEY_MISSING: _C.FAILED_PRECONDITION,
        _R.KEY_REJECTED: _C.FAILED_PRECONDITION,
        _R.PROVIDER_UNPAID: _C.FAILED_PRECONDITION,
        _R.CALL_FORBIDDEN: _C.FAILED_PRECONDITION,
        _R.CALL_REFUSED: _C.FAILED_PRECONDITION,
        _R.MODEL_UNKNOWN: _C.INVALID_ARGUMENT,
        _R.CONTENT_REFUSED: _C.INVALID_ARGUMENT,
        _R.PICTURE_REFUSED: _C.INVALID_ARGUMENT,
        _R.ADAPTATION_REFUSED: _C.INVALID_ARGUMENT,
        _R.PROVIDER_RATE_LIMITED: _C.RESOURCE_EXHAUSTED,
        _R.PROVIDER_UNAVAILABLE: _C.UNAVAILABLE,
        _R.PROVIDER_TIMED_OUT: _C.DEADLINE_EXCEEDED,
        _R.ANSWER_LOST: _C.UNKNOWN,
        _R.ANSWER_UNUSABLE: _C.UNKNOWN,
        _R.GENERATION_ENDED: _C.FAILED_PRECONDITION,
        _R.GENERATION_EXPIRED: _C.DEADLINE_EXCEEDED,
        _R.TASK_PARKED: _C.FAILED_PRECONDITION,
        _R.LEASE_TAKEN: _C.ABORTED,
        _R.IMAGE_REFUSED: _C.INVALID_ARGUMENT,
        _R.STORAGE_FULL: _C.RESOURCE_EXHAUSTED,
        _R.DEADLINE_TOO_SHORT: _C.DEADLINE_EXCEEDED,
        _R.SERVICE_UNAVAILABLE: _C.UNAVAILABLE,
        _R.TOO_MANY_TRIES: _C.RESOURCE_EXHAUSTED,
    }
)


class Failure(Exception):
    """An error the caller may act on.

    It crosses process borders whole, as `google.rpc.Status`: reason and metadata as ErrorInfo, `fields` (what
    is allowed, by path) as BadRequest, `retry_after` (seconds) as RetryInfo. The message is for people: no
    secret, prompt, path or provider's text belongs in it. All else that is raised is a bug; callers then see
    "Internal error.".
    """

    def __init__(
        self,
        reason: ErrorReason,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        **metadata: str,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.fields = dict(fields or {})
        self.retry_after = retry_after
        self.metadata = metadata

    @property
    def code(self) -> grpc.StatusCode:
        """The gRPC code of the reason."""
        return CODES[self.reason]

    def to_status(self, request_id: str = "") -> status_pb2.Status:
        """The wire form; `request_id` lets support find the call."""
        info = error_details_pb2.ErrorInfo(
            reason=ErrorReason.Name(self.reason), domain=DOMAIN, metadata=self.metadata
        )
        details = [_packed(info)]
        if request_id:
            details.append(_packed(error_details_pb2.RequestInfo(request_id=request_id)))
        if self.fields:
            violations = [
                error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
                for field, description in self.fields.items()
            ]
            details.append(_packed(error_details_pb2.BadRequest(field_violations=violations)))
        if self.retry_after is not None:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(int(self.retry_after * 1000))
            details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
        return status_pb2.Status(code=self.code.value[0], message=self.message, details=details)

    @classmethod
    def from_status(cls, status: status_pb2.Status) -> "Failure | None":
        """The failure that `to_status` wrote; None for a status that is not one of ours."""
        info = _detail(status, error_details_pb2.ErrorInfo())
        if info is None or info.domain != DOMAIN or info.reason not in ErrorReason.keys():  # noqa: SIM118
            return None
        bad = _detail(status, error_details_pb2.BadRequest())
        retry = _detail(status, error_details_pb2.RetryInfo())
        return cls(
            cast("ErrorReason", ErrorReason.Value(info.reason)),
            status.message,
            fields={v.field: v.description for v in bad.field_violations} if bad else None,
            retry_after=retry.retry_delay.ToMilliseconds() / 1000 if retry else None,
            **info.metadata,
        )


def not_found(name: str) -> Failure:
    """The resource does not exist, or the caller must not learn that it does."""
    return Failure(ErrorReason.RESOURCE_NOT_FOUND, f"{name} does not exist.", resource=name)


def invalid(fields: Mapping[str, str]) -> Failure:
    """Fields break their rules; each value says what is allowed."""
    message = " ".join(f"{field}: {description}." for field, description in fields.items())
    return Failure(ErrorReason.FIELD_INVALID, message.replace("..", "."), fields=fields)


def from_rpc_error(error: grpc.aio.AioRpcError) -> Failure | None:
    """What another service of ours said; SERVICE_UNAVAILABLE when out of reach; None for its bugs."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            failure = Failure.from_status(status_pb2.Status.FromString(value))
            if failure is not None:
                return failure
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return Failure(ErrorReason.SERVICE_UNAVAILABLE, "A part of the system cannot be reached. Try again.")
    return None


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _detail(status: status_pb2.Status, into: M) -> M | None:
    return next((into for detail in status.details if detail.Unpack(into)), None)
