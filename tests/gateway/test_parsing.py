"""Whatever a body or a query holds, it is either taken or refused by name."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from inkweld.config.v1.settings_pb2 import UpdateSettingsRequest
from inkweld.generation.v1.generations_pb2 import CreateGenerationRequest, Generation
from inkweld.media.v1.images_pb2 import DownloadImageRequest

from gateway import parsing
from runtime.failure import Failure

NAMES = [field.json_name for field in Generation.DESCRIPTOR.fields] + [
    "@type",
    "value",
    "role",
    "data",
    "details",
]
TEXT = st.text(max_size=8) | st.sampled_from(
    ["1e400", "NaN", "-1", "2026-01-01T00:00:00Z", "a,b", "SUBJECT", "=="]
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | TEXT, inner, max_size=3)
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)


@settings(max_examples=400, deadline=None)
@given(BODIES)
def test_no_body_is_a_surprise(body: dict[str, Any]) -> None:
    data = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS) if _plain(body) else b"{]"

    _takes_or_names(lambda: parsing.read_body(data, CreateGenerationRequest(), "generation"))
    _takes_or_names(lambda: parsing.read_body(data, CreateGenerationRequest(), "*"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_are(data: bytes) -> None:
    _takes_or_names(lambda: parsing.read_body(data, UpdateSettingsRequest(), "settings"))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        ["rendition", "name", "readOffset", "updateMask", "settings.etag", "generation.elements", "x"]
    ),
    TEXT,
)
def test_no_parameter_is(key: str, value: str) -> None:
    query = f"{key}={value}"

    for request in (DownloadImageRequest(), UpdateSettingsRequest(), CreateGenerationRequest()):
        _takes_or_names(lambda request=request: parsing.read_query(query, request, ()))


def test_deep_nesting_is_refused() -> None:
    for data in (b'{"elements":' * 300, b'{"elements":[{"data":{"a":' + b"[" * 5000, b"[" * 100_000):
        _takes_or_names(lambda data=data: parsing.read_body(data, CreateGenerationRequest(), "generation"))
    deep = b'{"elements":[{"name":"x","data":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}]}"
    _takes_or_names(lambda: parsing.read_body(deep, CreateGenerationRequest(), "generation"))


def _takes_or_names(read: Any) -> None:
    try:
        read()
    except Failure as failure:
        unnamed = not failure.fields
    else:
        unnamed = False
    assert not unnamed


def _plain(value: Any) -> bool:
    """Whether orjson can write it: integers of 64 bits, no lone surrogates."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True
