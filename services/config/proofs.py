"""What people and programs prove themselves with: secrets, stored as SHA-256, and passwords, as argon2id."""

import asyncio
import hashlib
import secrets
import zlib

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN, SESSION, CODE = "ikw_", "iks_", "ikc_"  # beginnings that scanners recognise

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_CHARACTERS = 52  # of five bits each: 256 and four to spare
_CHECK_CHARACTERS = 7
# The hash of a password that nobody knows, made with the hasher's own parameters.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def new_secret(kind: str) -> str:
    """A secret of 256 random bits, with a checksum by which scanners tell it from other text."""
    random = kind + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return random + _check(random)


def digest(secret: str) -> bytes:
    """What is stored of a secret. It is random, so one round is enough, and looking it up tells no time."""
    return hashlib.sha256(secret.encode()).digest()


class Passwords:
    """Makes and compares what is stored of passwords, two at a time: each takes 64 MiB while it lasts."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        """What is stored of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one. Takes as long when there is none to compare with."""
        async with self._turns:
            fits = await asyncio.to_thread(self._verify, password, password_hash or _NOBODYS)
        return fits and password_hash is not None

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _check(text: str) -> str:
    number = zlib.crc32(text.encode())
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_CHECK_CHARACTERS))
