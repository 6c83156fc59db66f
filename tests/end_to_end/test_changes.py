import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from inkweld.access.v1 import access_pb2
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub
from inkweld.config.v1 import profiles_pb2, settings_pb2
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2
from inkweld.media.v1.images_pb2_grpc import ImageServiceStub

from runtime.failure import from_rpc_error
from tests.end_to_end import writing
from tests.stack import Stack

pytestmark = pytest.mark.stack


async def reason(call: Awaitable[object]) -> str:
    """Why a call was refused; empty when it was not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error)
        return ErrorReason.Name(failure.reason) if failure else str(error.code())
    return ""


async def seconds_until(wanted: str, call: Callable[[], Awaitable[object]]) -> float:
    """How long it takes until a call is answered so."""
    began = time.monotonic()
    while (said := await reason(call())) != wanted:
        assert time.monotonic() < began + 5, f"{said or 'It works'} still."
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_a_disabled_profile_is_refused_within_a_second(stack: Stack) -> None:
    async with stack.channel("config") as config, stack.channel("generation") as generation:
        profiles = ProfileServiceStub(config)

        async def enable(*, enabled: bool) -> None:
            profile = profiles_pb2.Profile(name=writing.PICTURE, enabled=enabled)
            mask = FieldMask(paths=["enabled"])
            await profiles.UpdateProfile(profiles_pb2.UpdateProfileRequest(profile=profile, update_mask=mask))

        try:
            await enable(enabled=False)
            off = await seconds_until(
                "PROFILE_DISABLED",
                lambda: writing.preview(generation, "A fox out of season", profile=writing.PICTURE),
            )
        finally:
            await enable(enabled=True)
        on = await seconds_until(
            "", lambda: writing.preview(generation, "A fox in season", profile=writing.PICTURE)
        )

    assert off < 1
    assert on < 1


async def test_the_kill_switch_holds_everywhere_within_a_second(stack: Stack) -> None:
    async with (
        stack.channel("config") as config,
        stack.channel("generation") as generation,
        stack.http() as client,
    ):
        settings = SettingsServiceStub(config)

        async def switch(*, off: bool) -> None:
            values = settings_pb2.Settings(kill_switch=off)
            await settings.UpdateSettings(
                settings_pb2.UpdateSettingsRequest(
                    settings=values, update_mask=FieldMask(paths=["kill_switch"])
                )
            )

        try:
            await switch(off=True)
            off = await seconds_until(
                "GENERATION_OFF", lambda: writing.preview(generation, "A fox with AI off")
            )
            features = (await client.get("/v1/features")).json()
        finally:
            await switch(off=False)
        on = await seconds_until("", lambda: writing.preview(generation, "A fox with AI on"))

    assert off < 1
    assert on < 1
    assert features.get("killSwitch")
    assert not features.get("imageGeneration")


async def test_a_deleted_token_is_refused_everywhere_within_a_second(stack: Stack) -> None:
    async with stack.channel("config") as config:
        access = AccessServiceStub(config)
        wanted = access_pb2.Token(title="short-lived", scope=access_pb2.READ)
        token = await access.CreateToken(access_pb2.CreateTokenRequest(parent="users/admin", token=wanted))
        async with stack.channel("media", token.secret) as media:
            images = ImageServiceStub(media)
            listed = images_pb2.ListImagesRequest(parent=writing.PROJECT)
            before = await reason(images.ListImages(listed))
            await access.DeleteToken(access_pb2.DeleteTokenRequest(name=token.name))
            after = await seconds_until("CALLER_UNKNOWN", lambda: images.ListImages(listed))

    assert before == ""
    assert after < 1


async def test_config_may_be_away_for_a_while(stack: Stack) -> None:
    async with stack.channel("config") as config:
        request = access_pb2.ExchangeSecretRequest(secret=stack.admin_token)
        jwt = (await AccessServiceStub(config).ExchangeSecret(request)).jwt
    stack.kill("config")
    try:
        async with stack.channel("generation", jwt) as generation:
            drawn = await writing.draw(generation, "A fox who needs no settings")
    finally:
        stack.restart("config")

    assert drawn.images
