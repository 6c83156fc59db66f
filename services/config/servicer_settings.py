"""Speaks for the settings: the switches of the whole instance."""

import asyncpg
from inkweld.config.v1 import settings_pb2 as pb
from inkweld.config.v1.providers_pb2 import Provider
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceServicer
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import masks
from runtime.failure import Failure, invalid
from runtime.server import Context
from services.config import effective, sizes, updates
from services.config import store_settings as store
from services.config.environment import Environment
from services.config.live import Live

_CHANGEABLE = ("kill_switch", "images_enabled", "custom_sizes")


class SettingsService(SettingsServiceServicer):
    def __init__(self, db: asyncpg.Pool, live: Live, environment: Environment) -> None:
        self._db = db
        self._live = live
        self._environment = environment

    async def GetFeatures(self, request: pb.GetFeaturesRequest, context: Context) -> pb.Features:
        current = self._live.current
        ready = {one.name for one in current.providers if one.state == Provider.State.READY}
        offered = any(profile.enabled and profile.provider in ready for profile in current.profiles)
        return pb.Features(
            kill_switch=current.settings.kill_switch,
            kill_switch_locked=current.settings.kill_switch_locked,
            image_generation=offered and effective.off(current.settings) is None,
        )

    async def GetSettings(self, request: pb.GetSettingsRequest, context: Context) -> pb.Settings:
        return effective.settings(await store.select_settings(self._db), self._environment)

    async def UpdateSettings(self, request: pb.UpdateSettingsRequest, context: Context) -> pb.Settings:
        wanted = request.settings
        fields = masks.changed(request, wanted, _CHANGEABLE)
        self._check(wanted, fields)
        async with self._live.change() as db:
            await store.lock_settings(db)
            stored = await store.select_settings(db)
            updates.check_etag(wanted.etag, stored.etag, "settings")
            updates.put(fields, wanted, stored)
            await store.update_settings(db, stored)
            return effective.settings(await store.select_settings(db), self._environment)

    def _check(self, wanted: pb.Settings, fields: set[str]) -> None:
        if "kill_switch" in fields and self._environment.kill_switch is not None:
            raise Failure(
                ErrorReason.VALUE_LOCKED,
                "The environment holds the kill switch; only an operator can change it.",
                field="kill_switch",
            )
        if "custom_sizes" in fields and (problem := sizes.problem(wanted.custom_sizes)):
            raise invalid({"settings.custom_sizes": problem})
