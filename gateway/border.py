"""What holds for every request and answer: host, request id, security headers, the log, the last guard."""

import re
import secrets
import time
from collections.abc import Collection

import grpc
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import errors

log = structlog.get_logger()

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HEAD_BYTES = 32 << 10
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

# Lit and Web Awesome set styles on elements; small icons are data: URLs, read by fetch too.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "font-src 'self' data:; connect-src 'self' data:; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
SECURITY = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


class Border:
    """The outermost middleware. Probes come under any host name, since they name an address."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        secure: bool,
        probes: Collection[str],
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in (*LOOPBACK, *hosts))
        self._probes = probes
        self._headers = SECURITY | ({"strict-transport-security": _STRICT_TRANSPORT} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        answer = _Answer(send, self._headers | {"x-request-id": request_id})
        begun = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                self._check(scope, headers)
                await self._app(scope, receive, answer.send)
            except ClientDisconnect:
                answer.status = 499
            except Exception as error:  # noqa: BLE001 - the guard: whatever went wrong, one body tells it
                await self._refuse(error, request_id, scope, receive, answer)
            if scope["path"] not in self._probes:
                spent = round((time.perf_counter() - begun) * 1000, 1)
                log.info(
                    "request.answered",
                    method=scope["method"],
                    path=scope["path"],
                    status=answer.status,
                    ms=spent,
                )

    def _check(self, scope: Scope, headers: Headers) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEAD_BYTES:
            raise errors.Refusal(431, "headers", "The headers are too large.", {"connection": "close"})
        hosts = headers.getlist("host")
        known = len(hosts) == 1 and re.sub(r":\d+$", "", hosts[0]).lower() in self._hosts
        if not known and scope["path"] not in self._probes:
            raise errors.Refusal(421, "host", "This host name is not served here.")

    async def _refuse(
        self, error: Exception, request_id: str, scope: Scope, receive: Receive, answer: "_Answer"
    ) -> None:
        response = errors.answer(error, request_id)
        if response is None:
            _log_bug(error)
            response = errors.internal(request_id)
        if answer.status:
            # Too late for a status. Ending short of the promised length tells the client.
            return
        await response(scope, receive, answer.send)


class _Answer:
    """Sends what the application answers, with the headers that every answer has."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def _log_bug(error: Exception) -> None:
    if isinstance(error, grpc.aio.AioRpcError):
        # The service has logged what went wrong there, under the same request id.
        log.error("upstream.crashed", code=error.code().name)
    else:
        log.error("request.crashed", exc_info=error)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
