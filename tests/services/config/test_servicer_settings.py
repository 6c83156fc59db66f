"""The switches, through the front door."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc.aio import AioRpcError
from inkweld.config.v1 import settings_pb2 as pb
from inkweld.config.v1.profiles_pb2 import CreateProfileRequest, Profile
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.config.v1.settings_pb2 import Source
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from tests.house import Keys, failure_of
from tests.services.config.instance import Config, running

WIDE = pb.CustomSize(id="wide", title="Wide", width=2048, height=512)


async def test_a_fresh_instance_has_ai_off(config: Config) -> None:
    settings = await (await config.admin(SettingsServiceStub)).GetSettings(pb.GetSettingsRequest())

    assert settings.kill_switch
    assert not settings.images_enabled
    assert set(settings.sources.values()) == {Source.DEFAULT}


async def test_a_stored_value_holds_until_it_is_removed(config: Config) -> None:
    service = await config.admin(SettingsServiceStub)
    wanted = pb.Settings(kill_switch=False, custom_sizes=pb.CustomSizes(sizes=[WIDE]))

    stored = await service.UpdateSettings(pb.UpdateSettingsRequest(settings=wanted))
    removed = await service.UpdateSettings(
        pb.UpdateSettingsRequest(
            settings=pb.Settings(), update_mask=FieldMask(paths=["kill_switch", "custom_sizes"])
        )
    )

    assert (stored.kill_switch, stored.sources["kill_switch"]) == (False, Source.DATABASE)
    assert list(stored.custom_sizes.sizes) == [WIDE]
    assert (removed.kill_switch, removed.sources["kill_switch"]) == (True, Source.DEFAULT)
    assert not removed.custom_sizes.sizes


async def test_an_empty_list_on_purpose_is_stored(keys: Keys, database_url: str) -> None:
    sizes = '[{"id": "wide", "name": "Wide", "width": 2048, "height": 512}]'
    async with running(keys, database_url, {"AI_IMAGE_CUSTOM_SIZES": sizes}) as config:
        service = await config.admin(SettingsServiceStub)
        before = await service.GetSettings(pb.GetSettingsRequest())

        after = await service.UpdateSettings(
            pb.UpdateSettingsRequest(settings=pb.Settings(custom_sizes=pb.CustomSizes()))
        )

    assert list(before.custom_sizes.sizes) == [WIDE]
    assert before.sources["custom_sizes"] == Source.ENVIRONMENT
    assert (len(after.custom_sizes.sizes), after.sources["custom_sizes"]) == (0, Source.DATABASE)


async def test_sizes_have_ids_of_their_own(config: Config) -> None:
    service = await config.admin(SettingsServiceStub)
    twice = pb.Settings(custom_sizes=pb.CustomSizes(sizes=[WIDE, WIDE]))

    with pytest.raises(AioRpcError) as refusal:
        await service.UpdateSettings(pb.UpdateSettingsRequest(settings=twice))

    assert "wide" in failure_of(refusal.value).fields["settings.custom_sizes"]


@pytest.mark.parametrize("value", ["true", "false", ""])
async def test_the_environment_locks_the_kill_switch(keys: Keys, database_url: str, value: str) -> None:
    async with running(keys, database_url, {"AI_KILL_SWITCH": value}) as config:
        service = await config.admin(SettingsServiceStub)
        with pytest.raises(AioRpcError) as refusal:
            await service.UpdateSettings(pb.UpdateSettingsRequest(settings=pb.Settings(kill_switch=False)))
        settings = await service.GetSettings(pb.GetSettingsRequest())

    assert failure_of(refusal.value).reason == ErrorReason.VALUE_LOCKED
    assert settings.kill_switch_locked
    assert settings.kill_switch == (value != "false")
    assert settings.sources["kill_switch"] == Source.ENVIRONMENT


async def test_the_environment_wins_over_a_stored_kill_switch(keys: Keys, database_url: str) -> None:
    async with running(keys, database_url) as config:
        service = await config.admin(SettingsServiceStub)
        await service.UpdateSettings(pb.UpdateSettingsRequest(settings=pb.Settings(kill_switch=False)))

    async with running(keys, database_url, {"AI_KILL_SWITCH": "true"}) as config:
        features = await (await config.stub(SettingsServiceStub, token="")).GetFeatures(
            pb.GetFeaturesRequest()
        )

    assert (features.kill_switch, features.kill_switch_locked) == (True, True)


async def test_an_outdated_reading_changes_nothing(config: Config) -> None:
    service = await config.admin(SettingsServiceStub)
    read = await service.GetSettings(pb.GetSettingsRequest())
    await service.UpdateSettings(pb.UpdateSettingsRequest(settings=pb.Settings(images_enabled=True)))

    with pytest.raises(AioRpcError) as refusal:
        await service.UpdateSettings(
            pb.UpdateSettingsRequest(settings=pb.Settings(images_enabled=False, etag=read.etag))
        )

    assert failure_of(refusal.value).reason == ErrorReason.ETAG_STALE


async def test_pictures_are_offered_when_everything_is_there(keys: Keys, database_url: str) -> None:
    async with running(keys, database_url, {"OPENAI_API_KEY": "sk-0123456789abcdef"}) as config:
        settings = await config.admin(SettingsServiceStub)
        profiles = await config.admin(ProfileServiceStub)
        nobody = await config.stub(SettingsServiceStub, token="")

        async def offered() -> bool:
            return (await nobody.GetFeatures(pb.GetFeaturesRequest())).image_generation

        seen = [await offered()]
        await settings.UpdateSettings(pb.UpdateSettingsRequest(settings=pb.Settings(kill_switch=False)))
        seen.append(await offered())
        profile = Profile(title="Picture", provider="providers/openai", model="gpt-image-2")
        await profiles.CreateProfile(CreateProfileRequest(profile=profile))
        seen.append(await offered())
        await settings.UpdateSettings(pb.UpdateSettingsRequest(settings=pb.Settings(images_enabled=False)))
        seen.append(await offered())

    assert seen == [False, False, True, False]
