"""Checks of providers: one free call, and what its answer means to whoever set the provider up."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from inkweld.config.v1.providers_pb2 import Provider as Configured
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb

from runtime.egress import Endpoint
from runtime.failure import Failure
from services.generation.discovery import SECONDS, Asking
from services.generation.providers import Hinting, Listing, Provider

_R = ErrorReason
_WAYS_BACK = 8  # from a failure to what it came from
_NEEDS = {"key": "a key", "endpoint": "an endpoint", "account_id": "an account id", "kind": "an adapter"}


class Finding(NamedTuple):
    """What a check found. Something may be limited although it works."""

    ok: bool
    reason: ErrorReason | None
    message: str
    advice: str = ""


_FINE = Finding(ok=True, reason=None, message="The connection works.")
_LIMITED = Finding(
    ok=True,
    reason=_R.CALL_FORBIDDEN,
    message="The key is good, but it is limited: it may not list models.",
    advice="See to it that it may make images, at the provider.",
)
_PATH = Finding(
    ok=False,
    reason=_R.CALL_REFUSED,
    message="Something answers there, but not this kind of API.",
)
_SILENT = Finding(
    ok=False,
    reason=_R.PROVIDER_UNAVAILABLE,
    message="No answer came in time.",
    advice="See whether the endpoint is right, and whether the provider is up and lets this server in.",
)
_BY_REASON = {
    _R.PROVIDER_UNPAID: ("The account has no credit left.", "Top it up at the provider, or raise its limit."),
    _R.CALL_FORBIDDEN: (
        "The provider does not let this key do this.",
        "Look at the key's permissions, and whether the account has to be verified.",
    ),
    _R.PROVIDER_RATE_LIMITED: ("The provider asks us to slow down.", "Wait a little, then test again."),
    _R.PROVIDER_UNAVAILABLE: ("The provider is busy or out of order.", "Wait a little, then test again."),
    _R.GENERATION_OFF: ("AI is switched off.", "Switch it on first: nobody is called while it is off."),
    _R.SERVICE_UNAVAILABLE: ("The key cannot be had just now.", "Test again in a moment."),
}
# What a connection fails of, the first that fits.
_BY_CAUSE: Sequence[tuple[type[BaseException], str, str]] = (
    (
        ssl.SSLCertVerificationError,
        "The server's certificate is not to be trusted.",
        "Use the name the certificate is for, or give the server one that a known authority has signed.",
    ),
    (
        ssl.SSLError,
        "No secure connection comes about.",
        "If the server speaks plain http, write http:// in the endpoint.",
    ),
    (socket.gaierror, "No server of that name is known.", "See whether the endpoint is spelled right."),
    (
        ConnectionRefusedError,
        "Nothing listens there.",
        "Start the server, and see whether host and port are right.",
    ),
    (TimeoutError, _SILENT.message, _SILENT.advice),
)


async def check(asking: Asking, provider: Configured) -> pb.ProviderCheck:
    """Ask whether the provider would work. That it would not is an answer."""
    checked = pb.ProviderCheck(provider=provider.name, check_time=_now())
    ends = asyncio.get_running_loop().time() + SECONDS
    try:
        async with asyncio.timeout_at(ends):
            kind, api = await asking.open(provider)
            began = time.monotonic()
            await kind.check(api)
            checked.latency.FromMilliseconds(int((time.monotonic() - began) * 1000))
        finding = await _look_around(kind, api, ends)
    except TimeoutError:
        finding = _SILENT
    except Failure as failure:
        finding = explain(failure, provider, asking.kind(provider))
    checked.ok, checked.message, checked.advice = finding.ok, finding.message, finding.advice
    checked.reason = _R.Name(finding.reason) if finding.reason else ""
    return checked


async def _look_around(kind: Provider, api: Endpoint, ends: float) -> Finding:
    """After a good check, the list of models, which a web page in the API's place does not have."""
    if not isinstance(kind, Listing):
        return _FINE
    try:
        async with asyncio.timeout_at(ends):
            count = len(await kind.models(api))
    except TimeoutError:
        return _FINE
    except Failure as failure:
        if failure.reason == _R.CALL_FORBIDDEN:
            return _LIMITED
        if failure.reason == _R.ANSWER_UNUSABLE:
            raise
        return _FINE
    models = "1 model" if count == 1 else f"{count} models"
    return _FINE._replace(message=f"The connection works. The provider lists {models}.")


def explain(failure: Failure, provider: Configured, kind: Provider | None) -> Finding:
    """What a failed check means, and what to do about it."""
    found = _explained(failure, provider, kind)
    hints = kind.HINTS if kind is not None and isinstance(kind, Hinting) else {}
    hint = hints.get(_status(failure), "")
    return found._replace(advice=hint) if hint else found


def _explained(failure: Failure, provider: Configured, kind: Provider | None) -> Finding:
    status, reason = _status(failure), failure.reason
    match reason:
        case _R.KEY_MISSING:
            return Finding(ok=False, reason=reason, message="It has no key yet.", advice="Set its key.")
        case _R.PROVIDER_INCOMPLETE:
            needs = [_NEEDS.get(one, one) for one in failure.metadata.get("missing", "").split(",")]
            needed = f"It still needs {' and '.join(needs)}."
            return Finding(ok=False, reason=reason, message=needed, advice="Fill in what is missing.")
        case _R.KEY_REJECTED:
            return _key(status, provider, kind)
        case _R.ANSWER_UNUSABLE | _R.MODEL_UNKNOWN | _R.CALL_REFUSED:
            return _place(status, kind)
        case _R.PROVIDER_UNAVAILABLE if not status:
            return _unreached(failure)
    message, advice = _BY_REASON.get(reason, (failure.message, ""))
    return Finding(ok=False, reason=reason, message=message, advice=advice)


def _key(status: int, provider: Configured, kind: Provider | None) -> Finding:
    if not status:
        message, advice = "The stored key cannot be opened or sent.", "Set the key again."
    elif not provider.HasField("key"):
        message, advice = "The server asks for a key.", "Set the key it was started with."
    else:
        message = "The provider refused the key."
        also = " and the account id" if kind is not None and "account_id" in kind.REQUIRES else ""
        advice = f"See whether the whole key{also} was pasted and is still valid there, or set a new one."
    return Finding(ok=False, reason=_R.KEY_REJECTED, message=message, advice=advice)


def _place(status: int, kind: Provider | None) -> Finding:
    """It is the wrong address, as far as one can tell: the question itself is always the same."""
    if 300 <= status < 400:
        return Finding(
            ok=False,
            reason=_R.CALL_REFUSED,
            message=f"The address sends its callers elsewhere ({status}).",
            advice="Set the endpoint to where it leads; often https:// is missing, or a path.",
        )
    usual = kind.DEFAULT_ENDPOINT if kind is not None else ""
    advice = f"See whether the path is right; usually the endpoint is {usual}." if usual else ""
    advice = advice or "See whether host, port and path of the endpoint are right."
    return _PATH._replace(
        message=f"{_PATH.message[:-1]} ({status})." if status else _PATH.message, advice=advice
    )


def _unreached(failure: Failure) -> Finding:
    causes = list(_causes(failure))
    for kind, message, advice in _BY_CAUSE:
        if any(isinstance(cause, kind) for cause in causes):
            return Finding(ok=False, reason=failure.reason, message=message, advice=advice)
    return _SILENT._replace(message="The provider cannot be reached.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(_WAYS_BACK):
        if found is None:
            return
        yield found
        found = found.__cause__ or found.__context__


def _status(failure: Failure) -> int:
    return int(failure.metadata.get("status", "0"))


def _now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp
