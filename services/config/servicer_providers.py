"""Speaks for providers and takes their keys, which it never gives back."""

from typing import TYPE_CHECKING

import asyncpg
from google.protobuf.empty_pb2 import Empty
from inkweld.config.v1 import providers_pb2 as pb
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceServicer
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1.models_pb2 import Kind, ListKindsRequest

from runtime import masks, pages
from runtime.database import Database
from runtime.failure import Failure, invalid, not_found
from runtime.identity import caller
from runtime.names import leaf
from runtime.server import Context
from services.config import effective, endpoints, repetition, store_profiles, updates, vault
from services.config import store_providers as store
from services.config.environment import BUILT_IN, Environment
from services.config.live import Live
from services.config.store_providers import Stored
from services.config.vault import Vault

if TYPE_CHECKING:
    from inkweld.generation.v1.models_pb2_grpc import ModelServiceAsyncStub

_CHANGEABLE = ("title", "enabled", "endpoint", "account_id")


class ProviderService(ProviderServiceServicer):
    def __init__(
        self,
        db: asyncpg.Pool,
        live: Live,
        environment: Environment,
        keys: Vault,
        models: "ModelServiceAsyncStub",
    ) -> None:
        self._db = db
        self._live = live
        self._environment = environment
        self._keys = keys
        self._models = models

    async def ListProviders(
        self, request: pb.ListProvidersRequest, context: Context
    ) -> pb.ListProvidersResponse:
        size = pages.size(request.page_size)
        after = pages.decode(request.page_token, int, str) or (-1, "")
        known = [self._effective(stored) for stored in await store.select_providers(self._db)]
        left = [provider for provider in known if _place(provider) > after]
        providers, more = pages.cut(left, size)
        page = pb.ListProvidersResponse(providers=providers)
        if more:
            page.next_page_token = pages.encode(*_place(providers[-1]))
        return page

    async def GetProvider(self, request: pb.GetProviderRequest, context: Context) -> pb.Provider:
        return await self._provider(self._db, request.name)

    async def CreateProvider(self, request: pb.CreateProviderRequest, context: Context) -> pb.Provider:
        name = f"providers/{request.provider_id}"
        _check_endpoint(request.provider)
        kind = await self._kind(request.provider.kind)
        async with self._live.change() as db:
            if first := await repetition.earlier(db, request, name):
                return await self._provider(db, first)
            default = kind.default_endpoint or None
            if not await store.insert_provider(db, name, request.provider, list(kind.requires), default):
                raise Failure(ErrorReason.RESOURCE_EXISTS, f"{name} exists already.", resource=name)
            return await self._provider(db, name)

    async def UpdateProvider(self, request: pb.UpdateProviderRequest, context: Context) -> pb.Provider:
        wanted = request.provider
        fields = masks.changed(request, wanted, _CHANGEABLE)
        if "endpoint" in fields:
            _check_endpoint(wanted)
        async with self._live.change() as db:
            stored = await _locked(db, wanted.name)
            updates.check_etag(wanted.etag, stored.provider.etag, wanted.name)
            before = effective.origin(stored, self._environment)
            updates.put(fields, wanted, stored.provider)
            await store.update_provider(db, stored.provider)
            if effective.origin(stored, self._environment) != before:
                await store.delete_key(db, wanted.name)
            return await self._provider(db, wanted.name)

    async def DeleteProvider(self, request: pb.DeleteProviderRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            if (await _locked(db, request.name)).provider.built_in:
                raise _in_use(request.name, "A built-in provider stays. Switch it off instead.")
            if user := await store_profiles.select_user_of(db, request.name):
                raise _in_use(request.name, "A profile names this provider. Change or delete it first.", user)
            await store.delete_provider(db, request.name)
        return Empty()

    async def SetProviderKey(self, request: pb.SetProviderKeyRequest, context: Context) -> pb.Provider:
        name, key = request.name, request.api_key
        async with self._live.change() as db:
            stored = await _locked(db, name)
            origin = effective.origin(stored, self._environment)
            if not origin:
                raise Failure(
                    ErrorReason.PROVIDER_INCOMPLETE,
                    "Set the endpoint first: a key is sealed to the address it is for.",
                    provider=name,
                    missing="endpoint",
                )
            version = stored.key_version + 1
            sealed_key = self._keys.seal(key, provider=name, origin=origin, version=version)
            shown = pb.Key(last_four=vault.last_four(key), setter=caller().name, version=version)
            await store.update_key(db, name, shown, sealed_key, origin)
            return await self._provider(db, name)

    async def DeleteProviderKey(self, request: pb.DeleteProviderKeyRequest, context: Context) -> pb.Provider:
        async with self._live.change() as db:
            await _locked(db, request.name)
            await store.delete_key(db, request.name)
            return await self._provider(db, request.name)

    async def GetSealedKey(self, request: pb.GetSealedKeyRequest, context: Context) -> pb.SealedKey:
        stored = await store.select_provider(self._db, request.name)
        if stored is None:
            raise not_found(request.name)
        origin = effective.origin(stored, self._environment)
        sealed = pb.SealedKey(provider=request.name, origin=origin)
        if stored.sealed_key is not None:
            if stored.key_origin != origin:
                message = "The stored key is for another address. Set it again."
                raise Failure(ErrorReason.KEY_REJECTED, message, provider=request.name)
            sealed.version, sealed.sealed_key = stored.key_version, stored.sealed_key
        elif key := self._keys.environment_key(request.name, origin):
            sealed.sealed_key = key.sealed_key
        else:
            raise Failure(ErrorReason.KEY_MISSING, f"{request.name} has no key.", provider=request.name)
        return sealed

    async def _provider(self, db: Database, name: str) -> pb.Provider:
        stored = await store.select_provider(db, name)
        if stored is None:
            raise not_found(name)
        return self._effective(stored)

    def _effective(self, stored: Stored) -> pb.Provider:
        return effective.provider(stored, self._environment, self._keys)

    async def _kind(self, kind: str) -> Kind:
        """What generation says of a kind of provider. Raises FIELD_INVALID when it knows no such kind."""
        listed = await self._models.ListKinds(ListKindsRequest(page_size=1000))
        kinds = {leaf(one.name): one for one in listed.kinds}
        if kind not in kinds:
            raise invalid({"provider.kind": f"must be one of {', '.join(sorted(kinds))}"})
        return kinds[kind]


async def _locked(db: Database, name: str) -> Stored:
    stored = await store.lock_provider(db, name)
    if stored is None:
        raise not_found(name)
    return stored


def _check_endpoint(provider: pb.Provider) -> None:
    if provider.HasField("endpoint") and (problem := endpoints.problem(provider.endpoint)):
        raise invalid({"provider.endpoint": problem})


def _place(provider: pb.Provider) -> tuple[int, str]:
    """Where a provider stands in lists."""
    order = list(BUILT_IN)
    id = leaf(provider.name)
    return (order.index(id) if provider.built_in else len(order), id)


def _in_use(provider: str, message: str, user: str = "") -> Failure:
    return Failure(ErrorReason.RESOURCE_IN_USE, message, resource=provider, user=user)
