"""Providers and their keys, through the front door."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc.aio import AioRpcError
from inkweld.config.v1 import providers_pb2 as pb
from inkweld.config.v1.profiles_pb2 import CreateProfileRequest, Profile
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceStub
from inkweld.config.v1.settings_pb2 import Source
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import sealing
from tests.house import Keys, failure_of
from tests.services.config.instance import Config, running

KEY = "sk-canary-0123456789"
OPENAI = "providers/openai"
WEBUI = "providers/stable-diffusion"
State = pb.Provider.State
NO_ENDPOINTS = (
    "",
    "ftp://host",
    "host:7860",
    "http://",
    "http://user:password@host",
    "http://host/?a=b",
    "http://host/#x",
    "http://host:0",
    "http://host:99999",
    "http://host/\nX: y",
    "http://ho st",
    "http://host\\@evil",
    "javascript:alert(1)",
    "//host",
)
NO_KEYS = ("", "********", "sk-a\nb", " sk-a", "sk-ä", "a\0b")


def update(name: str, *cleared: str, **values: object) -> pb.UpdateProviderRequest:
    """Set these fields and clear those."""
    return pb.UpdateProviderRequest(
        provider=pb.Provider(name=name, **values),  # type: ignore[arg-type]
        update_mask=FieldMask(paths=[*cleared, *values]),
    )


def opened(config: Config, sealed: pb.SealedKey) -> str:
    """The key, as generation would open it."""
    return sealing.open_sealed(
        sealing.load_private(config.keys.private_ring),
        sealed.sealed_key,
        provider=sealed.provider,
        origin=sealed.origin,
        version=sealed.version,
    )


async def sealed_key(config: Config, name: str) -> pb.SealedKey:
    generation = await config.service(ProviderServiceStub, "generation")
    return await generation.GetSealedKey(pb.GetSealedKeyRequest(name=name))


async def test_the_five_are_always_there(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    listed = (await providers.ListProviders(pb.ListProvidersRequest())).providers

    assert [(one.name, one.title, one.endpoint, list(one.missing)) for one in listed] == [
        ("providers/openai", "OpenAI", "https://api.openai.com/v1", ["key"]),
        ("providers/openrouter", "OpenRouter", "https://openrouter.ai/api/v1", ["key"]),
        ("providers/falai", "Fal.ai", "https://queue.fal.run", ["key"]),
        ("providers/stable-diffusion", "Stable Diffusion", "", ["endpoint"]),
        (
            "providers/workersai",
            "Cloudflare Workers AI",
            "https://api.cloudflare.com/client/v4",
            ["key", "account_id"],
        ),
    ]
    assert {one.state for one in listed} == {State.INCOMPLETE}
    assert not any(one.enabled or one.HasField("update_time") for one in listed)


async def test_lists_come_in_pages_with_added_ones_last(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    for provider_id in ("zebra", "attic"):
        request = pb.CreateProviderRequest(
            provider=pb.Provider(kind="stable-diffusion"), provider_id=provider_id
        )
        await providers.CreateProvider(request)

    names, token = [], ""
    for _ in range(3):
        page = await providers.ListProviders(pb.ListProvidersRequest(page_size=3, page_token=token))
        names += [one.name for one in page.providers]
        token = page.next_page_token

    assert (names[-2:], len(names), token) == (["providers/attic", "providers/zebra"], 7, "")


async def test_a_key_makes_a_provider_ready_and_is_shown_as_a_mask(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    made = await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=KEY))

    assert (made.state, made.enabled, list(made.missing)) == (State.READY, True, [])
    assert (made.key.mask, made.key.last_four, made.key.setter) == ("********", "6789", "users/root")
    assert (made.key.version, made.sources["key"]) == (1, Source.DATABASE)
    assert made.key.HasField("set_time")
    assert opened(config, await sealed_key(config, OPENAI)) == KEY


async def test_a_short_key_shows_nothing(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    made = await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key="user:pass"))

    assert (made.key.mask, made.key.last_four) == ("********", "")


async def test_what_is_no_key_is_refused(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    for key in NO_KEYS:
        with pytest.raises(AioRpcError) as refusal:
            await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=key))
        failure = failure_of(refusal.value)
        assert "api_key" in failure.fields, key
        assert "sk-" not in failure.message


async def test_each_key_has_its_own_version(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=KEY))
    gone = await providers.DeleteProviderKey(pb.DeleteProviderKeyRequest(name=OPENAI))

    again = await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=KEY))

    assert (gone.HasField("key"), gone.state, again.key.version) == (False, State.INCOMPLETE, 2)


async def test_a_new_origin_drops_the_key(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=KEY))

    same = await providers.UpdateProvider(update(OPENAI, endpoint="https://API.openai.com:443/v2"))
    moved = await providers.UpdateProvider(update(OPENAI, endpoint="https://elsewhere.example/v1"))
    back = await providers.UpdateProvider(update(OPENAI, "endpoint"))

    assert same.HasField("key")
    assert not moved.HasField("key")
    assert (back.endpoint, back.HasField("key")) == ("https://api.openai.com/v1", False)
    with pytest.raises(AioRpcError) as refusal:
        await sealed_key(config, OPENAI)
    assert failure_of(refusal.value).reason == ErrorReason.KEY_MISSING


async def test_the_environments_key_goes_only_where_the_environment_says(
    keys: Keys, database_url: str
) -> None:
    async with running(keys, database_url, {"OPENAI_API_KEY": KEY}) as config:
        providers = await config.admin(ProviderServiceStub)
        own = await sealed_key(config, OPENAI)
        moved = await providers.UpdateProvider(update(OPENAI, endpoint="https://elsewhere.example/v1"))
        with pytest.raises(AioRpcError) as refusal:
            await sealed_key(config, OPENAI)
        back = await providers.UpdateProvider(update(OPENAI, "endpoint"))

    assert opened(config, own) == KEY
    assert (moved.HasField("key"), list(moved.missing)) == (False, ["key"])
    assert failure_of(refusal.value).reason == ErrorReason.KEY_MISSING
    assert back.sources["key"] == Source.ENVIRONMENT


async def test_a_webuis_environment_key_goes_where_the_administrator_says(
    keys: Keys, database_url: str
) -> None:
    async with running(keys, database_url, {"SD_API_KEY": KEY}) as config:
        providers = await config.admin(ProviderServiceStub)
        made = await providers.UpdateProvider(update(WEBUI, endpoint="http://10.0.0.5:7860"))
        sealed = await sealed_key(config, WEBUI)

    assert (made.state, made.key.last_four) == (State.READY, "6789")
    assert (sealed.origin, opened(config, sealed)) == ("http://10.0.0.5:7860", KEY)


async def test_a_key_whose_origin_moved_with_the_environment_is_refused_loudly(
    keys: Keys, database_url: str
) -> None:
    async with running(keys, database_url) as config:
        providers = await config.admin(ProviderServiceStub)
        await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=KEY))

    moved = {"OPENAI_API_BASE": "https://elsewhere.example/v1", "OPENAI_API_KEY": "sk-environment-0001"}
    async with running(keys, database_url, moved) as config:
        provider = await (await config.admin(ProviderServiceStub)).GetProvider(
            pb.GetProviderRequest(name=OPENAI)
        )
        with pytest.raises(AioRpcError) as refusal:
            await sealed_key(config, OPENAI)

    assert (provider.state, list(provider.missing)) == (State.INCOMPLETE, ["key"])
    assert failure_of(refusal.value).reason == ErrorReason.KEY_REJECTED


async def test_a_key_needs_an_endpoint(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    with pytest.raises(AioRpcError) as refusal:
        await providers.SetProviderKey(pb.SetProviderKeyRequest(name=WEBUI, api_key=KEY))

    assert failure_of(refusal.value).reason == ErrorReason.PROVIDER_INCOMPLETE


async def test_an_optional_key_is_optional(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    ready = await providers.UpdateProvider(update(WEBUI, endpoint="http://127.0.0.1:7860"))
    off = await providers.UpdateProvider(update(WEBUI, enabled=False))
    unsaid = await providers.UpdateProvider(update(WEBUI, "enabled"))

    assert (ready.state, ready.sources["enabled"]) == (State.READY, Source.DEFAULT)
    assert (off.state, off.sources["enabled"]) == (State.DISABLED, Source.DATABASE)
    assert (unsaid.state, unsaid.enabled) == (State.READY, True)


async def test_what_is_no_endpoint_is_refused(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    for endpoint in NO_ENDPOINTS:
        with pytest.raises(AioRpcError) as refusal:
            await providers.UpdateProvider(update(WEBUI, endpoint=endpoint))
        assert "provider.endpoint" in failure_of(refusal.value).fields, endpoint


async def test_an_account_id_stays_within_its_place_in_a_url(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    with pytest.raises(AioRpcError) as refusal:
        await providers.UpdateProvider(update("providers/workersai", account_id="../../evil"))

    assert "provider.account_id" in failure_of(refusal.value).fields


async def test_an_added_provider_is_like_the_others(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    request = pb.CreateProviderRequest(
        provider=pb.Provider(kind="openai", title="Second", endpoint="http://10.0.0.9/v1"),
        provider_id="second",
        request_id="one",
    )

    made = await providers.CreateProvider(request)

    assert await providers.CreateProvider(request) == made
    assert (made.name, made.kind, made.built_in, list(made.missing)) == (
        "providers/second",
        "openai",
        False,
        ["key"],
    )
    ready = await providers.SetProviderKey(pb.SetProviderKeyRequest(name=made.name, api_key=KEY))
    assert ready.state == State.READY
    await providers.DeleteProvider(pb.DeleteProviderRequest(name=made.name))
    with pytest.raises(AioRpcError) as refusal:
        await providers.GetProvider(pb.GetProviderRequest(name=made.name))
    assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_a_kind_gives_the_endpoint_that_is_not_said(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    request = pb.CreateProviderRequest(provider=pb.Provider(kind="openai"), provider_id="second")

    made = await providers.CreateProvider(request)

    assert (made.endpoint, made.sources["endpoint"]) == ("https://api.openai.com/v1", Source.DEFAULT)


async def test_a_kind_that_generation_does_not_know_is_refused(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    with pytest.raises(AioRpcError) as refusal:
        await providers.CreateProvider(
            pb.CreateProviderRequest(provider=pb.Provider(kind="dalle"), provider_id="second")
        )

    assert failure_of(refusal.value).fields == {"provider.kind": "must be one of openai, stable-diffusion"}


async def test_ids_are_taken_by_the_five_too(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)

    with pytest.raises(AioRpcError) as refusal:
        await providers.CreateProvider(
            pb.CreateProviderRequest(provider=pb.Provider(kind="openai"), provider_id="falai")
        )

    assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_EXISTS


async def test_what_is_used_stays(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    request = pb.CreateProviderRequest(provider=pb.Provider(kind="openai"), provider_id="second")
    await providers.CreateProvider(request)
    profile = Profile(title="Sketch", provider="providers/second", model="m")
    await (await config.admin(ProfileServiceStub)).CreateProfile(
        CreateProfileRequest(profile=profile, profile_id="sketch")
    )

    refusals = []
    for name in ("providers/second", OPENAI):
        with pytest.raises(AioRpcError) as refusal:
            await providers.DeleteProvider(pb.DeleteProviderRequest(name=name))
        refusals.append(failure_of(refusal.value))

    assert {failure.reason for failure in refusals} == {ErrorReason.RESOURCE_IN_USE}
    assert refusals[0].metadata["user"] == "profiles/sketch"


async def test_an_outdated_reading_changes_nothing(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    read = await providers.GetProvider(pb.GetProviderRequest(name=OPENAI))
    await providers.UpdateProvider(update(OPENAI, title="Ours"))

    with pytest.raises(AioRpcError) as refusal:
        await providers.UpdateProvider(
            pb.UpdateProviderRequest(provider=pb.Provider(name=OPENAI, title="Mine", etag=read.etag))
        )

    assert failure_of(refusal.value).reason == ErrorReason.ETAG_STALE


async def test_only_generation_gets_sealed_keys(config: Config) -> None:
    providers = await config.admin(ProviderServiceStub)
    await providers.SetProviderKey(pb.SetProviderKeyRequest(name=OPENAI, api_key=KEY))

    for caller in (providers, *[await config.service(ProviderServiceStub, s) for s in ("media", "gateway")]):
        with pytest.raises(AioRpcError) as refusal:
            await caller.GetSealedKey(pb.GetSealedKeyRequest(name=OPENAI))
        assert failure_of(refusal.value).reason == ErrorReason.CALLER_FORBIDDEN
