"""What an answer that is no success means, in our reasons.

A provider's own words never leave here: only codes that look like identifiers do, as metadata.
"""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure

MAX_RETRY_SECONDS = 600.0
_CODE = re.compile(r"[A-Za-z0-9_./\[\], -]{1,100}")
_NO_DETAILS: Mapping[str, str] = {}


class Refusal(NamedTuple):
    """What an adapter reads in an error body; `details` become the failure's metadata."""

    reason: ErrorReason
    details: Mapping[str, str] = _NO_DETAILS


_BY_STATUS = {
    401: ErrorReason.KEY_REJECTED,
    402: ErrorReason.PROVIDER_UNPAID,
    403: ErrorReason.CALL_FORBIDDEN,
    429: ErrorReason.PROVIDER_RATE_LIMITED,
    503: ErrorReason.PROVIDER_UNAVAILABLE,
    529: ErrorReason.PROVIDER_UNAVAILABLE,
}

_MESSAGES = {
    ErrorReason.KEY_REJECTED: "The provider refused the key.",
    ErrorReason.PROVIDER_UNPAID: "The provider's account has no credit left.",
    ErrorReason.CALL_FORBIDDEN: "The provider does not let this key do this.",
    ErrorReason.CALL_REFUSED: "The provider refused the request.",
    ErrorReason.MODEL_UNKNOWN: "The provider does not offer this model.",
    ErrorReason.CONTENT_REFUSED: "The provider's safety rules refused this.",
    ErrorReason.PICTURE_REFUSED: "The provider refused a picture it was given.",
    ErrorReason.PROVIDER_TIMED_OUT: "The provider took too long and gave up.",
    ErrorReason.PROVIDER_RATE_LIMITED: "The provider asks us to slow down.",
    ErrorReason.PROVIDER_UNAVAILABLE: "The provider could not do it now.",
    ErrorReason.ANSWER_LOST: "No definite answer came from the provider.",
    ErrorReason.ANSWER_UNUSABLE: "The provider answered with something that is no usable picture.",
}


def failure(reason: ErrorReason, provider: str, **details: str) -> Failure:
    """A failure in our words."""
    error = Failure(reason, _MESSAGES[reason], provider=provider)
    error.metadata.update({key: value for key, value in details.items() if _CODE.fullmatch(value)})
    return error


def refused(
    status: int, headers: Mapping[str, str], refusal: Refusal | None, *, provider: str, paid: bool
) -> Failure:
    """The failure of an answer that is no success.

    A gateway's 502 or 504 says nothing about the work behind it, nor does any error the adapter does not
    know; for a call that may cost money this is no definite refusal.
    """
    if refusal is None:
        refusal = Refusal(_by_status(status, paid=paid))
    error = failure(refusal.reason, provider, **refusal.details)
    error.metadata["status"] = str(status)
    error.retry_after = _retry_after(headers)
    return error


def _by_status(status: int, *, paid: bool) -> ErrorReason:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500 or status == 408:
        return ErrorReason.ANSWER_LOST if paid else ErrorReason.PROVIDER_UNAVAILABLE
    return ErrorReason.CALL_REFUSED


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as said in one of three ways; capped, for a provider may say anything."""
    milliseconds, after = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    try:
        if milliseconds:
            seconds = float(milliseconds) / 1000
        elif after and after.isascii() and not after[0].isalpha():
            seconds = float(after)
        elif after:
            seconds = parsedate_to_datetime(after).timestamp() - time.time()
        else:
            return None
    except (ValueError, OverflowError):
        return None
    # min and max let NaN through; a comparison does not.
    return min(max(seconds, 0.0), MAX_RETRY_SECONDS) if seconds == seconds else None  # noqa: PLR0124
