"""A sealed key opens for its provider, origin and version, with its ring, and for nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import sealing
from runtime.failure import Failure

BOUND: dict[str, Any] = {"provider": "providers/openai", "origin": "https://api.example:443", "version": 3}


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("rings")
    sealing.generate(folder / "private", folder / "public")
    return folder / "private", folder / "public"


def test_a_sealed_key_opens_with_what_it_was_sealed_to(rings: tuple[Path, Path]) -> None:
    sealed = sealing.seal(sealing.load_public(rings[1]), "sk-secret", **BOUND)

    assert b"sk-secret" not in sealed
    assert sealing.open_sealed(sealing.load_private(rings[0]), sealed, **BOUND) == "sk-secret"


@pytest.mark.parametrize(
    "other", [{"provider": "providers/falai"}, {"origin": "https://evil.example:443"}, {"version": 4}]
)
def test_a_sealed_key_that_was_moved_does_not_open(
    rings: tuple[Path, Path], other: dict[str, object]
) -> None:
    sealed = sealing.seal(sealing.load_public(rings[1]), "sk-secret", **BOUND)

    with pytest.raises(Failure) as caught:
        sealing.open_sealed(sealing.load_private(rings[0]), sealed, **(BOUND | other))

    assert caught.value.reason == ErrorReason.KEY_REJECTED


@given(place=st.integers(0, 200), bit=st.integers(0, 7))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_flipped_bit_opens(rings: tuple[Path, Path], place: int, bit: int) -> None:
    sealed = bytearray(sealing.seal(sealing.load_public(rings[1]), "sk-secret", **BOUND))
    sealed[place % len(sealed)] ^= 1 << bit

    with pytest.raises(Failure):
        sealing.open_sealed(sealing.load_private(rings[0]), bytes(sealed), **BOUND)


@pytest.mark.parametrize("broken", ["missing", "empty", "cut", "public", "swapped"])
def test_a_broken_ring_stops_the_start(rings: tuple[Path, Path], tmp_path: Path, broken: str) -> None:
    path = tmp_path / "ring"
    whole = rings[0].read_bytes()
    sealing.generate(tmp_path / "other", tmp_path / "other.public")
    contents = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "public": rings[1].read_bytes(),
        "swapped": _with_keys_of(whole, (tmp_path / "other").read_bytes()),
    }
    if broken in contents:
        path.write_bytes(contents[broken])

    with pytest.raises(ValueError, match="ring"):
        sealing.load_private(path)


def test_an_origin_spells_its_port() -> None:
    assert sealing.origin("https://API.example/v1") == "https://api.example:443"
    assert sealing.origin("http://127.0.0.1:7860") == "http://127.0.0.1:7860"


def _with_keys_of(whole: bytes, other: bytes) -> bytes:
    """The ring `whole` with the secret of `other` under its own id and check value."""
    import json

    ring, stranger = json.loads(whole), json.loads(other)
    ring["keys"] = {ring["current"]: stranger["keys"][stranger["current"]]}
    return json.dumps(ring).encode()
