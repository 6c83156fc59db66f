"""Whom a token speaks for, and every way it may not."""

import base64
import json
import time

import pytest
from inkweld.access.v1.access_pb2 import Scope
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from runtime.failure import Failure
from runtime.identity import Signer, Verifier
from tests.house import Keys


def refused(verifier: Verifier, token: str) -> bytes:
    with pytest.raises(Failure) as caught:
        verifier.verify(token)
    assert caught.value.reason == ErrorReason.CALLER_UNKNOWN
    return bytes(caught.value.to_status().SerializeToString())


def test_a_token_of_config_speaks_for_its_user(keys: Keys) -> None:
    token = keys.user_token("users/ada", admin=True, scope=Scope.WRITE, proof="users/ada/tokens/t")

    caller = Verifier("media", keys.trusted).verify(token)

    assert (caller.name, caller.admin, caller.scope) == ("users/ada", True, Scope.WRITE)
    assert caller.proof == "users/ada/tokens/t"
    assert token not in repr(caller)


def test_a_service_token_is_for_one_audience(keys: Keys) -> None:
    token = keys.signer("generation").service_token("media")

    assert Verifier("media", keys.trusted).verify(token).name == "services/generation"
    refused(Verifier("config", keys.trusted), token)


def test_only_config_speaks_for_users(keys: Keys) -> None:
    forged = keys.signer("generation").user_token("users/ada", admin=True, scope=3, proof="", seconds=300)

    refused(Verifier("media", keys.trusted), forged)


def test_every_malformed_token_gets_the_same_refusal(keys: Keys) -> None:
    verifier = Verifier("media", keys.trusted)
    good = keys.user_token("users/ada")
    claims = json.loads(_part(good, 1))
    own = OKPKey.import_key((keys.directory / "config.pem").read_bytes())
    embedded = OKPKey.generate_key("Ed25519")
    tokens = {
        "empty": "",
        "nonsense": "a.b.c",
        "no signature": good.rsplit(".", 1)[0] + ".",
        "other body": _swapped(good, {**claims, "sub": "users/eve"}),
        "alg none": _header(good, {"alg": "none", "kid": "config"}),
        "no alg": _header(good, {"kid": "config"}),
        "symmetric": jwt.encode({"alg": "HS256", "kid": "config"}, claims, OctKey.import_key("x" * 32)),
        "crit": _header(good, {"alg": "Ed25519", "kid": "config", "crit": ["b64"]}),
        "embedded key": jwt.encode(
            {"alg": "Ed25519", "kid": "config", "jwk": embedded.as_dict(private=False)},
            claims,
            embedded,
            algorithms=["Ed25519"],
        ),
        "unknown key": _header(good, {"alg": "Ed25519", "kid": "stranger"}),
        "other audience": _signed(own, claims | {"aud": "elsewhere"}),
        "expired": _signed(own, claims | {"iat": time.time() - 400, "exp": time.time() - 100}),
        "too long": _signed(own, claims | {"exp": time.time() + 9000}),
        "no expiry": _signed(own, {k: v for k, v in claims.items() if k != "exp"}),
    }

    refusals = {refused(verifier, token) for token in tokens.values()}

    assert len(refusals) == 1


def test_a_token_ends_even_when_it_was_believed_before(keys: Keys) -> None:
    verifier = Verifier("media", keys.trusted)
    signer: Signer = keys.signer("config")
    token = signer.user_token("users/ada", admin=False, scope=1, proof="", seconds=0.2)
    verifier.verify(token)

    time.sleep(0.25)

    refused(verifier, token)


def _part(token: str, index: int) -> bytes:
    part = token.split(".")[index]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _swapped(token: str, claims: object) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{_encoded(claims)}.{signature}"


def _header(token: str, header: object) -> str:
    return ".".join((_encoded(header), *token.split(".")[1:]))


def _signed(key: OKPKey, claims: dict[str, object]) -> str:
    return jwt.encode({"alg": "Ed25519", "kid": "config"}, claims, key, algorithms=["Ed25519"])
