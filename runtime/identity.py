"""Who calls: short-lived JWTs (EdDSA), made by config for people and by each service for itself.

A user's token is believed only when config's key signed it, a service's only when that service's own key did.
"""

import base64
import json
import time
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from inkweld.access.v1.access_pb2 import Scope
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from runtime.failure import Failure

USER_TOKEN_SECONDS = 300
SERVICE_TOKEN_SECONDS = 300
PEOPLE = "inkweld"  # the audience of users' tokens: the whole installation
ISSUER_OF_PEOPLE = "config"

_ALGORITHM = "Ed25519"
_CACHED_TOKENS = 4096


@dataclass(frozen=True)
class Caller:
    """Whom a call is made for: `users/{user}`, `services/{service}`, or nobody (an empty name)."""

    name: str = ""
    admin: bool = False
    scope: int = Scope.SCOPE_UNSPECIFIED
    proof: str = ""  # the session or token that the JWT was given for
    jwt: str = field(default="", repr=False)
    issued: float = 0.0  # seconds since the epoch
    expires: float = 0.0

    @property
    def is_service(self) -> bool:
        """Whether one of our own services calls for itself."""
        return self.name.startswith("services/")


NOBODY = Caller()
_caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def caller() -> Caller:
    """The caller of the gRPC call being served."""
    return _caller.get()


def enter(who: Caller) -> None:
    """Make `who` the caller for the rest of this task. For the server's interceptor and for tests."""
    _caller.set(who)


def unknown() -> Failure:
    """The one refusal of every proof that does not hold, whatever was wrong with it."""
    return Failure(ErrorReason.CALLER_UNKNOWN, "Sign in: the call carries no valid proof of who makes it.")


class Authority(Protocol):
    """What a server must know of people beyond their token."""

    async def exchange(self, secret: str) -> str:
        """The JWT for the secret of a session or token. Raises CALLER_UNKNOWN."""
        ...

    def forget(self, secret: str) -> None:
        """Let go of the JWT kept for a secret."""
        ...

    def revoked(self, caller: Caller) -> bool:
        """Whether the caller, or the proof behind the call, has been shut out since the JWT was made."""
        ...

    async def role(self, project: str, user: str) -> int:
        """The user's `access.v1.Role` in the project; zero for none, and for no such project."""
        ...

    def off(self) -> str | None:
        """The switch that turns AI off; None while it is on."""
        ...


class Signer:
    """Makes tokens with a service's own key."""

    def __init__(self, service: str, key_file: Path) -> None:
        self._service = service
        self._key = OKPKey.import_key(key_file.read_bytes())
        self._own: dict[str, tuple[float, str]] = {}

    def service_token(self, audience: str) -> str:
        """A token of this service for calls to another, made anew shortly before it ends."""
        renew_at, token = self._own.get(audience, (0.0, ""))
        if time.time() >= renew_at:
            token = self._sign(f"services/{self._service}", audience, SERVICE_TOKEN_SECONDS)
            self._own[audience] = (time.time() + SERVICE_TOKEN_SECONDS / 2, token)
        return token

    def user_token(self, user: str, *, admin: bool, scope: int, proof: str, seconds: float) -> str:
        """A token for a person; only config's are believed."""
        return self._sign(user, PEOPLE, seconds, admin=admin, scope=scope, proof=proof)

    def _sign(self, subject: str, audience: str, seconds: float, **claims: str | bool | int) -> str:
        now = time.time()
        registered = {"iss": self._service, "sub": subject, "aud": audience, "iat": now, "exp": now + seconds}
        header = {"alg": _ALGORITHM, "kid": self._service}
        return jwt.encode(header, registered | claims, self._key, algorithms=[_ALGORITHM])


class Verifier:
    """Believes tokens, or does not. Those it has believed it remembers until they end."""

    def __init__(self, service: str, trusted_keys_file: Path) -> None:
        self._service = service
        keys = json.loads(trusted_keys_file.read_text())["keys"]
        self._keys = {key["kid"]: OKPKey.import_key(key) for key in keys}
        self._believed: dict[str, Caller] = {}

    def verify(self, token: str) -> Caller:
        """Who the token speaks for. Raises CALLER_UNKNOWN, the same for every fault."""
        known = self._believed.get(token)
        if known is None:
            known = self._check(token)
            if len(self._believed) >= _CACHED_TOKENS:
                self._believed.clear()
            self._believed[token] = known
        if known.expires <= time.time():
            self._believed.pop(token, None)
            raise unknown()
        return known

    def _check(self, token: str) -> Caller:
        try:
            # Only the algorithm and the name of the key are read from the header; the key itself is ours.
            header = json.loads(_unpadded(token.split(".", 1)[0]))
            if header.keys() - {"alg", "kid", "typ"}:
                raise unknown()
            issuer = header["kid"]
            claims = jwt.decode(token, self._keys[issuer], algorithms=[_ALGORITHM]).claims
            return self._caller(token, issuer, claims)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise unknown() from error

    def _caller(self, token: str, issuer: str, claims: dict[str, object]) -> Caller:
        subject, audience = str(claims["sub"]), claims["aud"]
        of_person = subject.startswith("users/") and issuer == ISSUER_OF_PEOPLE and audience == PEOPLE
        of_service = subject == f"services/{issuer}" and audience == self._service
        issued, expires = float(str(claims["iat"])), float(str(claims["exp"]))
        if claims["iss"] != issuer or not (of_person or of_service):
            raise unknown()
        if not issued - 60 <= time.time() or expires - issued > max(
            USER_TOKEN_SECONDS, SERVICE_TOKEN_SECONDS
        ):
            raise unknown()
        if of_service:
            return Caller(subject, jwt=token, issued=issued, expires=expires)
        return Caller(
            subject,
            admin=claims["admin"] is True,
            scope=int(str(claims["scope"])),
            proof=str(claims["proof"]),
            jwt=token,
            issued=issued,
            expires=expires,
        )


def generate_keys(directory: Path, services: Sequence[str]) -> None:
    """Write `{service}.pem` (mode 0600) for each service and their public halves as `trusted.json` (JWKS)."""
    public = []
    for service in services:
        key = Ed25519PrivateKey.generate()
        path = directory / f"{service}.pem"
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public.append(OKPKey.import_key(path.read_bytes()).as_dict(private=False) | {"kid": service})
    (directory / "trusted.json").write_text(json.dumps({"keys": public}))


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
