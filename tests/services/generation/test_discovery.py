"""What a provider has to offer: its own list and the catalogue's, asked for once in a while."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from inkweld.config.v1.providers_pb2 import Provider
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb

from deploy.sandbox.app import create_app
from deploy.sandbox.keys import ACCOUNTS, KEY
from deploy.sandbox.server import running
from runtime.egress import Egress
from services.generation import catalogue, discovery
from services.generation.discovery import Asking, Discovery
from services.generation.planner import Planner
from services.generation.providers import Listing, discover, falai, openai, openrouter, workersai
from services.generation.providers import stable_diffusion as webui
from tests.services.generation.providers import fakes

KINDS = discover()
PATHS = {
    "openai": "/v1",
    "openrouter": "/api/v1",
    "falai": "/fal/queue",
    "workersai": "/client/v4",
    "stable-diffusion": "",
}
LISTING: tuple[Listing, ...] = (openai, openrouter, falai, workersai, webui)


class Keys:
    def __init__(self) -> None:
        self.key = KEY

    async def open(self, provider: Provider, endpoint: str) -> str | None:
        return self.key


class Desk:
    """A discovery, and what it goes by."""

    def __init__(self) -> None:
        self.switch: str | None = None
        self.keys = Keys()
        configuration: Any = SimpleNamespace(off=lambda: self.switch)
        keys: Any = self.keys
        asking = Asking(configuration, KINDS, keys, Egress())
        self.discovery = Discovery(asking, Planner(catalogue.load(), KINDS))

    async def models(self, provider: Provider) -> dict[str, pb.Model]:
        return {model.model: model for model in (await self.discovery.offer(provider)).models}


def provider(kind: str, url: str) -> Provider:
    made = Provider(name="providers/x", kind=kind, endpoint=url + PATHS[kind], account_id=ACCOUNTS[0])
    made.key.version = 1
    return made


@pytest.fixture
async def sandbox() -> AsyncIterator[str]:
    async with running(create_app(None, scripted=True)) as url:
        yield url


async def order(url: str, call: str, **act: object) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{url}/sandbox/script", json=[{"match": {"call": call}, "act": act, "times": 1}]
        )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", PATHS)
async def test_catalogue_and_listing_become_one_list(sandbox: str, kind: str) -> None:
    offer = await Desk().discovery.offer(provider(kind, sandbox))

    names = [model.name for model in offer.models]
    assert offer.failure is None
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    assert all(name.startswith("providers/x/models/") for name in names)
    assert any(model.offered for model in offer.models)
    assert all(model.known or model.offered for model in offer.models)
    assert all(model.capabilities.sizes for model in offer.models)
    assert all(model.category for model in offer.models)


async def test_a_model_nobody_noted_can_do_what_any_of_its_kind_can(sandbox: str) -> None:
    offer = await Desk().discovery.offer(provider("stable-diffusion", sandbox))

    assert offer.any is not None
    strange = [model for model in offer.models if not model.known]
    assert strange
    assert all(model.capabilities == offer.any.capabilities for model in strange)


async def test_models_that_need_a_picture_are_told_apart(sandbox: str) -> None:
    models = (await Desk().models(provider("falai", sandbox))).values()

    assert {model.category for model in models} == {pb.Model.TEXT_TO_IMAGE, pb.Model.IMAGE_TO_IMAGE}


async def test_a_retired_model_is_not_offered_again_by_its_provider(sandbox: str) -> None:
    retired = [model.model for model in catalogue.load().models("openai") if model.retired]

    assert not set(retired) & set(await Desk().models(provider("openai", sandbox)))


async def test_a_listing_is_asked_for_once_until_the_key_changes(
    sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, configured = Desk(), provider("openai", sandbox)
    await desk.models(configured)
    desk.keys.key = "wrong"

    kept = await desk.discovery.offer(configured)
    configured.key.version = 2
    asked = await desk.discovery.offer(configured)

    assert kept.failure is None
    assert asked.failure is not None
    assert asked.failure.reason == ErrorReason.KEY_REJECTED


async def test_a_listing_grows_old(sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, configured = Desk(), provider("openai", sandbox)
    monkeypatch.setattr(discovery, "LISTING_SECONDS", 0.0)
    await desk.models(configured)
    desk.keys.key = "wrong"

    assert (await desk.discovery.offer(configured)).failure is not None


@pytest.mark.parametrize("act", [{"garbage": True}, {"status": 500}, {"close": True}])
async def test_without_a_listing_the_catalogue_is_there(sandbox: str, act: dict[str, object]) -> None:
    await order(sandbox, "*/models", **act)

    offer = await Desk().discovery.offer(provider("openai", sandbox))

    assert offer.failure is not None
    assert offer.models
    assert not any(model.offered for model in offer.models)


async def test_a_listing_that_never_comes_ends_in_time(sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "SECONDS", 0.3)
    await order(sandbox, "*/models", delay_seconds=3)

    offer = await Desk().discovery.offer(provider("openai", sandbox))

    assert offer.failure is not None
    assert offer.failure.reason == ErrorReason.PROVIDER_UNAVAILABLE


async def test_nobody_is_asked_while_ai_is_off(sandbox: str) -> None:
    desk = Desk()
    desk.switch = "kill_switch"

    offer = await desk.discovery.offer(provider("openai", sandbox))

    assert offer.failure is not None
    assert offer.failure.reason == ErrorReason.GENERATION_OFF
    assert offer.models


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"data": [{"id": "gpt-4o"}, {"id": "gpt-image-2"}]}, ["gpt-image-2"]),
        ({"data": [{"id": "my-own"}]}, ["my-own"]),
        ({"models": [{"name": "llava:7b"}, {"name": "x/flux2"}]}, ["x/flux2"]),
        ({"models": None, "data": []}, []),
    ],
)
async def test_hosts_that_speak_openai_list_in_their_own_ways(
    answer: dict[str, object], names: list[str]
) -> None:
    fake = fakes.FakeOpenAI()
    fake.answer = httpx.Response(200, json=answer)

    assert [listed.model for listed in await openai.models(fakes.api(openai, fake))] == names
