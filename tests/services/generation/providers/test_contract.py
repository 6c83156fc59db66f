"""What every kind of provider promises. A new module is held to it by being there."""

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import httpx
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation import catalogue, providers
from services.generation.providers import Cancellable, Finished, Image, Provider, Task, discover
from tests.services.generation.providers.fakes import KEY, Fake, api, events, picture

KINDS = discover()


class Forgetful(Fake, Protocol):
    """What the contract must know of a fake beside its memory."""

    keys: set[str | None]
    answer: httpx.Response | None


def _fake(kind: Provider) -> Callable[[], Forgetful]:
    """The fake that the test of the kind's module names."""
    module = kind.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    test = importlib.import_module(f"tests.services.generation.providers.test_{module}")
    fake: Callable[[], Forgetful] = test.FAKE
    return fake


FAKES = {name: _fake(kind) for name, kind in KINDS.items()}
TASK = Task(model="m", prompt="a fox", count=2, size="512x512")
# These draw one picture for each call, and are never asked for more.
SINGLE = ("workersai",)

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def fake_of(kind: Provider) -> Fake:
    return FAKES[kind.KIND]()


@every_kind
def test_it_says_what_it_is(kind: Provider) -> None:
    assert kind.TITLE
    assert set(kind.REQUIRES) <= {"key", "endpoint", "account_id"}
    assert "{key}" in kind.AUTHORIZATION or "{basic}" in kind.AUTHORIZATION
    assert bool(kind.DEFAULT_ENDPOINT) != ("endpoint" in kind.REQUIRES)


@every_kind
def test_its_config_schema_is_one_and_closed(kind: Provider) -> None:
    jsonschema.Draft202012Validator.check_schema(dict(kind.CONFIG_SCHEMA))

    assert kind.CONFIG_SCHEMA["additionalProperties"] is False


@every_kind
def test_the_catalogue_knows_its_models(kind: Provider) -> None:
    assert catalogue.load().models(kind.KIND)


@every_kind
async def test_pictures_come_in_order_and_the_end_comes_last(kind: Provider) -> None:
    count = 1 if kind.KIND in SINGLE else 2
    came = await events(kind, replace(TASK, count=count), api(kind, fake_of(kind)))

    images = [event for event in came if isinstance(event, Image)]
    assert [(image.index, image.data) for image in images] == [(n, picture(n)) for n in range(count)]
    assert isinstance(came[-1], Finished)
    assert sum(isinstance(event, Finished) for event in came) == 1


@every_kind
async def test_the_key_travels_in_the_header_only(kind: Provider) -> None:
    fake = FAKES[kind.KIND]()

    await events(kind, TASK, api(kind, fake))

    assert fake.keys == {kind.AUTHORIZATION.format(key=KEY)}
    assert KEY not in str(fake.bodies)


@every_kind
async def test_the_model_is_always_sent(kind: Provider) -> None:
    fake = fake_of(kind)

    await events(kind, TASK, api(kind, fake))

    assert "'m'" in str(fake.bodies)


@every_kind
async def test_a_good_key_passes_the_check_and_a_wrong_one_fails(kind: Provider) -> None:
    fake = FAKES[kind.KIND]()
    await kind.check(api(kind, fake))
    fake.answer = httpx.Response(401, json={"error": {"code": "invalid_api_key"}, "detail": "no"})

    with pytest.raises(Failure) as caught:
        await kind.check(api(kind, fake))

    assert caught.value.reason == ErrorReason.KEY_REJECTED


@every_kind
@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b'{"data": []}', b'{"images": []}', b"null", b"<html>"]
)
async def test_an_answer_without_a_picture_is_unusable(kind: Provider, content: bytes) -> None:
    fake = FAKES[kind.KIND]()
    fake.answer = httpx.Response(200, content=content)

    with pytest.raises(Failure) as caught:
        await events(kind, TASK, api(kind, fake))

    assert caught.value.reason == ErrorReason.ANSWER_UNUSABLE


@every_kind
async def test_an_error_shows_nothing_of_its_text(kind: Provider) -> None:
    fake = FAKES[kind.KIND]()
    text = "your prompt 'a secret fox' is bad"
    fake.answer = httpx.Response(
        400, json={"error": {"message": text, "code": text, "param": text}, "detail": text}
    )

    with pytest.raises(Failure) as caught:
        await events(kind, TASK, api(kind, fake))

    assert "fox" not in str(caught.value.to_status())


@every_kind
@given(
    status=st.integers(300, 599),
    body=st.binary(max_size=200) | st.sampled_from([b"[" * 9999, b'{"error": 1}']),
)
def test_no_error_body_confuses_it(kind: Provider, status: int, body: bytes) -> None:
    kind.refusal(status, body)


@every_kind
async def test_who_can_cancel_does(kind: Provider) -> None:
    if isinstance(kind, Cancellable):
        await kind.cancel(api(kind, fake_of(kind)), None)


@every_kind
def test_other_hosts_are_https_and_nothing_more(kind: Provider) -> None:
    for url in getattr(kind, "HOSTS", {}).values():
        assert re.fullmatch(r"https://[a-z.]+", url)


ACME = """
KIND, TITLE, REQUIRES = "acme", "Acme", ("key",)
DEFAULT_ENDPOINT, AUTHORIZATION = "https://acme.example", "Bearer {key}"
CONFIG_SCHEMA = {"type": "object", "additionalProperties": False, "properties": {}}

from services.generation.providers import Finished, Image

async def check(api):
    await api.get("/me")

async def generate(task, api):
    reply = await api.post("/draw", {"model": task.model})
    yield Image(0, reply.content)
    yield Finished(usage={"images": 1})

def refusal(status, body):
    return None
"""


async def test_a_new_module_is_all_a_new_kind_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme.py").write_text(ACME)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])

    acme = discover()["acme"]
    came = await events(acme, TASK, api(acme, Drawing()))

    monkeypatch.delitem(sys.modules, acme.__name__)  # type: ignore[attr-defined]
    assert came == [Image(0, picture(0)), Finished(usage={"images": 1})]


class Drawing:
    """Draws whatever it is asked."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=picture(0))
