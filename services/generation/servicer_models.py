"""Kinds of provider, their models, how providers fare, and what a profile can do."""

from collections.abc import Sequence
from typing import TypeVar

import asyncpg
from google.protobuf.empty_pb2 import Empty
from inkweld.config.v1.providers_pb2 import Provider
from inkweld.generation.v1 import models_pb2 as pb
from inkweld.generation.v1.models_pb2_grpc import ModelServiceServicer

from runtime import identity, pages
from runtime.configuration import Configuration
from runtime.failure import not_found
from runtime.names import leaf
from runtime.server import Context
from services.generation import checkup, store_health
from services.generation.discovery import Asking, Discovery
from services.generation.planner import Planner

Named = TypeVar("Named", pb.Kind, pb.Model)

EVERY = "providers/-"


class ModelService(ModelServiceServicer):
    """Serves `inkweld.generation.v1.ModelService`."""

    def __init__(
        self, db: asyncpg.Pool, configuration: Configuration, planner: Planner, asking: Asking
    ) -> None:
        self._db = db
        self._configuration = configuration
        self._planner = planner
        self._asking = asking
        self._discovery = Discovery(asking, planner)

    async def ListKinds(self, request: pb.ListKindsRequest, context: Context) -> pb.ListKindsResponse:
        kinds, token = _page(self._planner.kinds(), request.page_size, request.page_token)
        return pb.ListKindsResponse(kinds=kinds, next_page_token=token)

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        found = self._planner.models(leaf(request.parent))
        models, token = _page(found, request.page_size, request.page_token)
        return pb.ListModelsResponse(models=models, next_page_token=token)

    async def ListProviderModels(
        self, request: pb.ListProviderModelsRequest, context: Context
    ) -> pb.ListProviderModelsResponse:
        offer = await self._discovery.offer(self._provider(request.parent))
        words = request.query.lower().split()
        found = [
            model
            for model in offer.models
            if request.category in (pb.Model.CATEGORY_UNSPECIFIED, model.category)
            and all(word in f"{model.model} {model.title}".lower() for word in words)
        ]
        models, token = _page(found, request.page_size, request.page_token)
        return pb.ListProviderModelsResponse(
            models=models,
            next_page_token=token,
            any=offer.any,
            categories=sorted({model.category for model in offer.models}),
            listing_error=offer.failure.to_status() if offer.failure else None,
        )

    async def CheckProvider(self, request: pb.CheckProviderRequest, context: Context) -> pb.ProviderCheck:
        checked = await checkup.check(self._asking, self._provider(request.name))
        self._discovery.forget(request.name)
        await store_health.upsert_check(self._db, checked)
        return checked

    async def ListProviderHealth(
        self, request: pb.ListProviderHealthRequest, context: Context
    ) -> pb.ListProviderHealthResponse:
        if request.parent == EVERY:
            providers = {provider.name: provider for provider in self._configuration.current.providers}
        else:
            providers = {request.parent: self._provider(request.parent)}
        known = await store_health.select_health(self._db, list(providers))
        # What was seen before the provider was last changed says nothing of how it is set up now.
        health = [one for one in known if _is_of(one, providers[one.provider])]
        return pb.ListProviderHealthResponse(health=health)

    async def GetCapabilities(self, request: pb.GetCapabilitiesRequest, context: Context) -> pb.Capabilities:
        profile = self._configuration.profile(request.name.removesuffix("/capabilities"))
        if profile is None or not (profile.enabled or identity.caller().admin):
            raise not_found(request.name)
        provider = self._configuration.provider(profile.provider)
        if provider is None:
            raise not_found(request.name)
        capabilities = self._planner.capabilities(profile, provider.kind)
        if capabilities.any_size:
            custom = self._configuration.current.settings.custom_sizes.sizes
            sizes = [f"{size.width}x{size.height}" for size in custom]
            capabilities.sizes.extend(dict.fromkeys(size for size in sizes if size not in capabilities.sizes))
        return capabilities

    async def CheckProfile(self, request: pb.CheckProfileRequest, context: Context) -> Empty:
        self._planner.check_profile(request.profile, request.kind)
        return Empty()

    def _provider(self, name: str) -> Provider:
        provider = self._configuration.provider(name)
        if provider is None:
            raise not_found(name)
        return provider


def _is_of(health: pb.ProviderHealth, provider: Provider) -> bool:
    changed = provider.update_time.ToMicroseconds() if provider.HasField("update_time") else 0
    return health.observe_time.ToMicroseconds() >= changed


def _page(found: Sequence[Named], page_size: int, token: str) -> tuple[Sequence[Named], str]:
    """The page after the token's name, and the next token. What is listed is in order of its names."""
    after = pages.decode(token, str)
    rest = [item for item in found if after is None or item.name > after[0]]
    page, more = pages.cut(rest, pages.size(page_size))
    return page, pages.encode(page[-1].name) if more else ""
