"""Speaks for profiles: what an administrator offers to writers."""

from typing import TYPE_CHECKING

import asyncpg
from google.protobuf.empty_pb2 import Empty
from inkweld.access.v1.access_pb2 import Scope
from inkweld.config.v1 import profiles_pb2 as pb
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceServicer
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1.models_pb2 import CheckProfileRequest

from runtime import masks, pages
from runtime.database import Database
from runtime.failure import Failure, invalid, not_found
from runtime.identity import caller
from runtime.names import leaf, slug
from runtime.server import Context
from services.config import repetition, store_providers, updates
from services.config import store_profiles as store
from services.config.live import Live

if TYPE_CHECKING:
    from inkweld.generation.v1.models_pb2_grpc import ModelServiceAsyncStub

# All profiles travel in one message to every process.
MODEL_CONFIG_BYTES = 8192

_CHANGEABLE = (
    "title",
    "description",
    "provider",
    "model",
    "enabled",
    "image_input",
    "sizes",
    "default_size",
    "model_config",
    "sort_order",
    "price_note",
)


class ProfileService(ProfileServiceServicer):
    def __init__(self, db: asyncpg.Pool, live: Live, models: "ModelServiceAsyncStub") -> None:
        self._db = db
        self._live = live
        self._models = models

    async def ListProfiles(
        self, request: pb.ListProfilesRequest, context: Context
    ) -> pb.ListProfilesResponse:
        size = pages.size(request.page_size)
        after = pages.decode(request.page_token, int, str, str)
        found = await store.select_profiles(self._db, after, size + 1, disabled_too=_sees_all())
        profiles, more = pages.cut([_seen(profile) for profile in found], size)
        page = pb.ListProfilesResponse(profiles=profiles)
        if more:
            last = profiles[-1]
            page.next_page_token = pages.encode(last.sort_order, last.title, leaf(last.name))
        return page

    async def GetProfile(self, request: pb.GetProfileRequest, context: Context) -> pb.Profile:
        profile = await _profile(self._db, request.name)
        if not (profile.enabled or _sees_all()):
            raise not_found(request.name)
        return _seen(profile)

    async def CreateProfile(self, request: pb.CreateProfileRequest, context: Context) -> pb.Profile:
        name = f"profiles/{request.profile_id or slug(request.profile.title)}"
        wanted = pb.Profile()
        wanted.CopyFrom(request.profile)
        _enable_unless_said(wanted)
        await self._check(wanted)
        async with self._live.change() as db:
            if first := await repetition.earlier(db, request, name):
                return await _profile(db, first)
            await _hold_provider(db, wanted)
            profile = await store.insert_profile(db, name, wanted)
            if profile is None:
                raise _taken(name)
            return profile

    async def UpdateProfile(self, request: pb.UpdateProfileRequest, context: Context) -> pb.Profile:
        wanted = request.profile
        fields = masks.changed(request, wanted, _CHANGEABLE)
        profile = await _profile(self._db, wanted.name)
        updates.check_etag(wanted.etag, profile.etag, profile.name)
        updates.put(fields, wanted, profile)
        _enable_unless_said(profile)
        await self._check(profile)
        try:
            async with self._live.change() as db:
                await _hold_provider(db, profile)
                updated = await store.update_profile(db, profile)
                # Generation was asked about what was read; someone else's change in between was not checked.
                if updated is None:
                    raise updates.stale(profile.name)
                return updated
        except asyncpg.UniqueViolationError as error:
            raise _taken(profile.name) from error

    async def DeleteProfile(self, request: pb.DeleteProfileRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            if not await store.delete_profile(db, request.name):
                raise not_found(request.name)
        return Empty()

    async def _check(self, profile: pb.Profile) -> None:
        """Hold a profile against its provider's kind, which generation knows. Raises FIELD_INVALID."""
        if profile.model_config.ByteSize() > MODEL_CONFIG_BYTES:
            raise invalid({"profile.model_config": f"must be at most {MODEL_CONFIG_BYTES} bytes"})
        provider = await store_providers.select_provider(self._db, profile.provider)
        if provider is None:
            raise _without_provider()
        if profile.default_size and profile.sizes and profile.default_size not in profile.sizes:
            raise invalid({"profile.default_size": f"must be one of {', '.join(profile.sizes)}"})
        await self._models.CheckProfile(CheckProfileRequest(profile=profile, kind=provider.provider.kind))


async def _profile(db: Database, name: str) -> pb.Profile:
    profile = await store.select_profile(db, name)
    if profile is None:
        raise not_found(name)
    return profile


async def _hold_provider(db: Database, profile: pb.Profile) -> None:
    if not await store_providers.hold_provider(db, profile.provider):
        raise _without_provider()


def _seen(profile: pb.Profile) -> pb.Profile:
    """The profile as the caller may see it."""
    if not _sees_all():
        profile.ClearField("model_config")
    return profile


def _sees_all() -> bool:
    return caller().admin and caller().scope >= Scope.ADMIN


def _enable_unless_said(profile: pb.Profile) -> None:
    if not profile.HasField("enabled"):
        profile.enabled = True


def _without_provider() -> Failure:
    return invalid({"profile.provider": "must be the name of a provider, such as providers/openai"})


def _taken(name: str) -> Failure:
    return Failure(
        ErrorReason.RESOURCE_EXISTS, "A profile with this title or id exists already.", resource=name
    )
