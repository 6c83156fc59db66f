"""Kinds, models and capabilities through the front door."""

from typing import Any

import grpc
import pytest
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb
from inkweld.generation.v1 import models_pb2_grpc

from runtime.failure import Failure
from services.generation.providers import Listed
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


async def test_a_check_is_answered_kept_and_for_administrators_only(workshop: Workshop) -> None:
    request = pb.CheckProviderRequest(name="providers/plain")

    failure = await refused(workshop.models.CheckProvider(request))
    async with as_admin(workshop) as models:
        check = await models.CheckProvider(request)
        known = await models.ListProviderHealth(pb.ListProviderHealthRequest(parent="providers/-"))
        nobody = await refused(models.CheckProvider(pb.CheckProviderRequest(name="providers/none")))

    assert failure.reason == ErrorReason.CALLER_FORBIDDEN
    assert (check.provider, check.ok, check.reason) == ("providers/plain", True, "")
    assert [(one.provider, one.ok) for one in known.health] == [("providers/plain", True)]
    assert nobody.reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_no_provider_is_called_while_ai_is_off(workshop: Workshop) -> None:
    workshop.authority.switch = "kill_switch"

    async with as_admin(workshop) as models:
        failure = await refused(models.CheckProvider(pb.CheckProviderRequest(name="providers/plain")))

    assert failure.reason == ErrorReason.GENERATION_OFF


async def test_a_key_that_cannot_be_opened_is_found(workshop: Workshop) -> None:
    workshop.config.sealed_to = "https://elsewhere.test"

    async with as_admin(workshop) as models:
        check = await models.CheckProvider(pb.CheckProviderRequest(name="providers/plain"))

    assert (check.ok, check.reason, check.advice) == (False, "KEY_REJECTED", "Set the key again.")


async def test_what_was_seen_before_a_provider_changed_is_not_told(workshop: Workshop) -> None:
    async with as_admin(workshop) as models:
        await models.CheckProvider(pb.CheckProviderRequest(name="providers/plain"))
        workshop.config.now.providers[0].update_time.GetCurrentTime()
        await workshop.reconfigured()
        known = await models.ListProviderHealth(pb.ListProviderHealthRequest(parent="providers/plain"))

    assert list(known.health) == []


async def test_models_of_a_provider_are_searched_and_paged(workshop: Workshop) -> None:
    workshop.plain.listed = [Listed(name) for name in ("fox-1", "fox-2", "owl-1")]
    workshop.plain.listed.append(Listed("fox-edit", "Fox, edited", needs_picture=True))
    parent = "providers/plain"

    async with as_admin(workshop) as models:
        first = await models.ListProviderModels(
            pb.ListProviderModelsRequest(parent=parent, query="FOX", page_size=2)
        )
        rest = await models.ListProviderModels(
            pb.ListProviderModelsRequest(parent=parent, query="FOX", page_token=first.next_page_token)
        )
        edits = await models.ListProviderModels(
            pb.ListProviderModelsRequest(parent=parent, category=pb.Model.IMAGE_TO_IMAGE)
        )

    assert [model.model for page in (first, rest) for model in page.models] == ["fox-1", "fox-2", "fox-edit"]
    assert rest.next_page_token == ""
    assert [model.title for model in edits.models] == ["Fox, edited"]
    assert first.any.capabilities.sizes == ["64x64"]
    assert list(first.categories) == [pb.Model.TEXT_TO_IMAGE, pb.Model.IMAGE_TO_IMAGE]
