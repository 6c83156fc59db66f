"""Kinds, models and capabilities through the front door."""

from typing import Any

import grpc
import pytest
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb
from inkweld.generation.v1 import models_pb2_grpc

from runtime.failure import Failure
from tests import house
from tests.house import failure_of
from tests.services.generation.conftest import Workshop


async def refused(call: Any) -> Failure:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return failure_of(error.value)


def as_admin(workshop: Workshop) -> Any:
    return house.stub(models_pb2_grpc.ModelServiceStub, workshop.address, workshop.keys, admin=True)


async def test_every_kind_is_listed_page_by_page(workshop: Workshop) -> None:
    async with as_admin(workshop) as models:
        first = await models.ListKinds(pb.ListKindsRequest(page_size=2))
        second = await models.ListKinds(pb.ListKindsRequest(page_size=2, page_token=first.next_page_token))

    names = [kind.name for page in (first, second) for kind in page.kinds]
    assert names == ["kinds/plain", "kinds/queue", "kinds/stoppable"]
    assert second.next_page_token == ""


async def test_models_of_a_kind_and_of_none(workshop: Workshop) -> None:
    async with as_admin(workshop) as models:
        found = await models.ListModels(pb.ListModelsRequest(parent="kinds/plain"))
        failure = await refused(models.ListModels(pb.ListModelsRequest(parent="kinds/none")))

    assert [model.name for model in found.models] == ["kinds/plain/models/*"]
    assert failure.reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_a_disabled_profile_exists_for_administrators_only(workshop: Workshop) -> None:
    workshop.config.now.profiles[0].enabled = False
    workshop.config.now.settings.custom_sizes.sizes.add(id="wide", title="Wide", width=128, height=64)
    await workshop.reconfigured()
    request = pb.GetCapabilitiesRequest(name="profiles/plain/capabilities")

    failure = await refused(workshop.models.GetCapabilities(request))
    async with as_admin(workshop) as models:
        found = await models.GetCapabilities(request)

    assert failure.reason == ErrorReason.RESOURCE_NOT_FOUND
    assert (found.name, found.default_size) == ("profiles/plain/capabilities", "64x64")
    assert found.sizes == ["64x64", "128x64"]


async def test_config_may_have_a_profile_checked(workshop: Workshop) -> None:
    profile = Profile(name="profiles/x", title="X", provider="providers/plain", model="*")

    async with house.service_stub(
        models_pb2_grpc.ModelServiceStub,
        workshop.address,
        workshop.keys,
        service="config",
        audience="generation",
    ) as models:
        failure = await refused(models.CheckProfile(pb.CheckProfileRequest(profile=profile, kind="none")))

    assert failure.reason == ErrorReason.FIELD_INVALID
    assert "profile.provider" in failure.fields
