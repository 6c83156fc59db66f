"""Whose request it is: the session's cookie, or a bearer token; and no foreign page may use the cookie."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from google.protobuf.message import Message
from inkweld.access.v1.access_pb2 import Session
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from gateway.errors import SessionEnded
from gateway.methods import Method
from runtime.configuration import Configuration
from runtime.failure import Failure
from runtime.identity import Verifier, unknown

Headers = Mapping[str, str]

SECRET_PREFIX = "ikw_"  # noqa: S105 - how API tokens begin
SAFE = ("GET", "HEAD")


class Sessions:
    """Turns what a request proves into the JWT that the services want."""

    def __init__(self, configuration: Configuration, verifier: Verifier, *, secure: bool, port: int) -> None:
        self._configuration = configuration
        self._verifier = verifier
        self._flag = "; Secure" if secure else ""
        # `__Host-` makes browsers refuse one set by another host or over plain HTTP. Without it the port is
        # in the name, because cookies do not know ports and two instances may run side by side.
        self._name = "__Host-inkweld" if secure else f"inkweld-{port}"

    def secret(self, headers: Headers) -> str:
        """The secret in the session's cookie; empty when there is none."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._name)
        except CookieError:
            return ""
        return found.value if found else ""

    async def jwt(self, headers: Headers) -> str:
        """The caller's JWT; empty when nothing is proved. Raises CALLER_UNKNOWN for a proof that ended."""
        if "authorization" not in headers:
            secret = self.secret(headers)
            return await self._of_session(secret) if secret else ""
        scheme, _, token = headers["authorization"].partition(" ")
        if scheme.lower() != "bearer" or not token.isascii() or not token.isprintable():
            raise unknown()
        # What is no secret of ours is a JWT, or nothing: the services will tell.
        return await self._exchanged(token) if token.startswith(SECRET_PREFIX) else token

    def cookie(self, secret: str) -> str:
        """The header that gives a browser its session."""
        return f"{self._name}={secret}; Path=/; HttpOnly; SameSite=Lax{self._flag}"

    def no_cookie(self) -> str:
        """The header that takes it away."""
        return f"{self._name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{self._flag}"

    def of_answer(self, method: Method, reply: Message, headers: Headers) -> dict[str, str]:
        """What beginning or ending a session means to the browser; its secret leaves the body."""
        if isinstance(reply, Session) and reply.secret:
            cookie = self.cookie(reply.secret)
            reply.ClearField("secret")
            return {"set-cookie": cookie}
        if method.descriptor.name == "SignOut":
            self._configuration.forget(self.secret(headers))
            return {"set-cookie": self.no_cookie()}
        return {}

    async def _of_session(self, secret: str) -> str:
        try:
            return await self._exchanged(secret)
        except Failure as failure:
            if failure.reason == ErrorReason.CALLER_UNKNOWN:
                raise SessionEnded(self.no_cookie()) from failure
            raise

    async def _exchanged(self, secret: str) -> str:
        jwt = await self._configuration.exchange(secret)
        if not self._configuration.revoked(self._verifier.verify(jwt)):
            return jwt
        # Perhaps only what was said of the user has changed, and the secret still holds.
        self._configuration.forget(secret)
        jwt = await self._configuration.exchange(secret)
        if self._configuration.revoked(self._verifier.verify(jwt)):
            raise unknown()
        return jwt


def check_origin(method: str, headers: Headers, *, with_cookie: bool) -> None:
    """Refuse a request by which a foreign page would act for the user.

    A cookie travels by itself, so that a change made with one needs the browser's word that our own page
    asked for it. Without a cookie it is enough that nothing says otherwise: that keeps strangers from signing
    someone in. A bearer token does not travel by itself.
    """
    if method in SAFE or "authorization" in headers:
        return
    ours = _is_ours(headers)
    if ours is False or (ours is None and with_cookie):
        raise Failure(
            ErrorReason.CALLER_FORBIDDEN, "A page of another origin may not do this.", method=method
        )


def _is_ours(headers: Headers) -> bool | None:
    """Whether our own page made the request; None when the browser did not say."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return bool(_netloc(origin) == headers.get("host", "").lower())
    return True if site is not None else None


def _netloc(origin: str) -> str | None:
    """Host and port of an origin; None for `null` and whatever else is no origin."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return None
    return parts.netloc if parts.scheme in ("http", "https") and parts.netloc else None
