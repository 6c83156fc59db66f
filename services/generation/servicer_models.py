"""Kinds of provider, their models, and what a profile can do."""

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.empty_pb2 import Empty
from inkweld.generation.v1 import models_pb2 as pb
from inkweld.generation.v1.models_pb2_grpc import ModelServiceServicer

from runtime import identity, pages
from runtime.configuration import Configuration
from runtime.failure import not_found
from runtime.names import leaf
from runtime.server import Context
from services.generation.planner import Planner

Named = TypeVar("Named", pb.Kind, pb.Model)


class ModelService(ModelServiceServicer):
    """Serves `inkweld.generation.v1.ModelService`."""

    def __init__(self, configuration: Configuration, planner: Planner) -> None:
        self._configuration = configuration
        self._planner = planner

    async def ListKinds(self, request: pb.ListKindsRequest, context: Context) -> pb.ListKindsResponse:
        kinds, token = _page(self._planner.kinds(), request.page_size, request.page_token)
        return pb.ListKindsResponse(kinds=kinds, next_page_token=token)

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        found = self._planner.models(leaf(request.parent))
        models, token = _page(found, request.page_size, request.page_token)
        return pb.ListModelsResponse(models=models, next_page_token=token)

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


def _page(found: Sequence[Named], page_size: int, token: str) -> tuple[Sequence[Named], str]:
    """The page after the token's name, and the next token. What is listed is in order of its names."""
    after = pages.decode(token, str)
    rest = [item for item in found if after is None or item.name > after[0]]
    page, more = pages.cut(rest, pages.size(page_size))
    return page, pages.encode(page[-1].name) if more else ""
