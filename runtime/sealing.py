"""Keys sealed with HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM).

A sealed key is bound to its provider, the origin of the provider's endpoint and the version of the key: moved
to another row it does not open. Who holds the public ring can seal, who holds the private ring can open.

Sealed form: one byte of format (1), one byte of ring id length, the ring id, the ciphertext.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from runtime.names import new_id

K = TypeVar("K", X25519PrivateKey, X25519PublicKey)

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FORMAT = 1


@dataclass(frozen=True)
class Ring(Generic[K]):
    """Keys by id, and which of them seals."""

    current: str
    keys: Mapping[str, K]


class _Stored(msgspec.Struct):
    """A ring as a file: raw keys, and each one's public half so that a swapped or cut key shows at start."""

    kind: str
    current: str
    keys: dict[str, bytes]
    checks: dict[str, bytes]


def origin(endpoint: str) -> str:
    """Scheme, host and port of an endpoint, the port always spelled out."""
    parts = urlsplit(endpoint)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def seal(ring: Ring[X25519PublicKey], key: str, *, provider: str, origin: str, version: int) -> bytes:
    """Seal a provider's key so that only the private ring opens it, and only for this provider and origin."""
    public = ring.keys[ring.current]
    ciphertext = _SUITE.encrypt(key.encode(), public, info=_info(provider, origin, version))
    ring_id = ring.current.encode()
    return bytes((_FORMAT, len(ring_id))) + ring_id + ciphertext


def open_sealed(
    ring: Ring[X25519PrivateKey], sealed: bytes, *, provider: str, origin: str, version: int
) -> str:
    """The key. Raises KEY_REJECTED when ring, binding or bytes are not what it was sealed with."""
    refused = Failure(
        ErrorReason.KEY_REJECTED, "The stored key cannot be opened. Set it again.", provider=provider
    )
    if len(sealed) < 2 or sealed[0] != _FORMAT:
        raise refused
    end = 2 + sealed[1]
    private = ring.keys.get(sealed[2:end].decode(errors="replace"))
    if private is None:
        raise refused
    try:
        return _SUITE.decrypt(sealed[end:], private, info=_info(provider, origin, version)).decode()
    except (InvalidTag, ValueError) as error:
        raise refused from error


def generate(private_path: Path, public_path: Path) -> None:
    """Make a ring of one key: a private file (mode 0600) for generation alone, a public one for config."""
    ring_id, key = new_id(), X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    checks = {ring_id: public}
    private_path.touch(mode=0o600)
    private_path.write_bytes(
        msgspec.json.encode(_Stored("private", ring_id, {ring_id: key.private_bytes_raw()}, checks))
    )
    public_path.write_bytes(msgspec.json.encode(_Stored("public", ring_id, {ring_id: public}, checks)))


def load_private(path: Path) -> Ring[X25519PrivateKey]:
    """Read a private ring. Raises ValueError, without its content, unless every key fits its check value."""
    stored = _read(path, "private")
    keys = {ring_id: X25519PrivateKey.from_private_bytes(raw) for ring_id, raw in stored.keys.items()}
    fits = all(keys[i].public_key().public_bytes_raw() == stored.checks[i] for i in keys)
    if not fits:
        raise ValueError(f"The ring {path} is damaged: a key does not fit its check value.")
    return Ring(stored.current, keys)


def load_public(path: Path) -> Ring[X25519PublicKey]:
    """Read a public ring. Raises ValueError, without its content, unless every key fits its check value."""
    stored = _read(path, "public")
    if stored.keys != stored.checks:
        raise ValueError(f"The ring {path} is damaged: a key does not fit its check value.")
    return Ring(stored.current, {i: X25519PublicKey.from_public_bytes(raw) for i, raw in stored.keys.items()})


def _read(path: Path, kind: str) -> _Stored:
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueError(f"The ring {path} cannot be read.") from error
    whole = (
        stored.kind == kind and stored.current in stored.keys and stored.keys.keys() == stored.checks.keys()
    )
    if not whole or any(len(raw) != 32 for raw in stored.keys.values()):
        raise ValueError(f"The ring {path} is not a whole {kind} ring.")
    return stored


def _info(provider: str, origin: str, version: int) -> bytes:
    return f"{provider}|{origin}|{version}".encode()
