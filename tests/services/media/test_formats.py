from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.media import formats
from tests.services.media import pictures

SEEDS = [pictures.png(), pictures.jpeg(progressive=True), pictures.webp(), pictures.webp(lossless=True)]


@pytest.mark.parametrize("name", pictures.REFUSED)
def test_what_is_no_whole_picture_is_refused(name: str) -> None:
    with pytest.raises(Failure) as caught:
        formats.inspect(memoryview(pictures.REFUSED[name]()))

    assert caught.value.reason == ErrorReason.IMAGE_REFUSED
    assert "PNG, JPEG or WebP" in caught.value.fields["file"]


@pytest.mark.parametrize("name", pictures.ACCEPTED)
def test_odd_pictures_are_pictures(name: str) -> None:
    facts = formats.inspect(memoryview(pictures.ACCEPTED[name]()))

    assert (facts.width, facts.height) in {(64, 48), (300, 300), (65_535, 1)}


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(pictures.png(), "image/png"), (pictures.jpeg(), "image/jpeg"), (pictures.webp(), "image/webp")],
)
def test_the_type_is_found_in_the_bytes(data: bytes, content_type: str) -> None:
    assert formats.inspect(memoryview(data)) == formats.Facts(content_type, 64, 48)


@pytest.mark.parametrize("data", SEEDS)
def test_no_shorter_part_of_a_picture_is_a_picture(data: bytes) -> None:
    for end in range(0, len(data), 3):
        with pytest.raises(Failure):
            formats.inspect(memoryview(data[:end]))


@given(seed=st.sampled_from(SEEDS), at=st.integers(0, 10_000), replacement=st.binary(max_size=9))
def test_damaged_bytes_are_a_picture_or_refused_and_nothing_else(
    seed: bytes, at: int, replacement: bytes
) -> None:
    at %= len(seed)
    damaged = seed[:at] + replacement + seed[at + len(replacement) :]

    with suppress(Failure):
        facts = formats.inspect(memoryview(damaged))
        assert 0 < facts.width * facts.height <= formats.MAX_PIXELS


@given(st.binary(max_size=200), st.sampled_from([data[:16] for data in SEEDS]))
def test_garbage_behind_a_signature_is_refused(garbage: bytes, signature: bytes) -> None:
    with pytest.raises(Failure):
        formats.inspect(memoryview(signature + garbage))
