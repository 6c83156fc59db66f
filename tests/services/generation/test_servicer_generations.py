"""Generations through the front door."""

import asyncio
from typing import Any

import grpc
import pytest
from inkweld.access.v1.projects_pb2 import Role
from inkweld.config.v1.providers_pb2 import Provider
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1 import generations_pb2_grpc

from runtime.failure import Failure
from tests import house
from tests.house import failure_of
from tests.services.generation.conftest import PROJECT, Workshop

_G = pb.Generation
# Allowed by itself.
LONG = pb.Element(name="Rook", role=pb.Element.SUBJECT, description="ø" * 4000, role_description="ø" * 2000)


def request(kind: str = "plain", request_id: str = "", **fields: Any) -> pb.CreateGenerationRequest:
    fields = {"profile": f"profiles/{kind}", "prompt": "a fox", **fields}
    return pb.CreateGenerationRequest(parent=PROJECT, generation=_G(**fields), request_id=request_id)


async def refused(call: Any) -> Failure:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return failure_of(error.value)


async def nothing_stored(workshop: Workshop) -> bool:
    tables = ("generations", "tasks", "events", "request_ids")
    return not any([await workshop.db.fetchval(f"SELECT count(*) FROM {table}") for table in tables])  # noqa: S608


async def test_what_is_accepted_is_answered_and_read_back(workshop: Workshop) -> None:
    element = pb.Element(name="Rook", role=pb.Element.SUBJECT)

    created = await workshop.stub.CreateGeneration(
        request(
            prompt="a fox", count=3, size="64x64", elements=[element], state=_G.SUCCEEDED, creator="users/eve"
        )
    )

    assert created == await workshop.stub.GetGeneration(pb.GetGenerationRequest(name=created.name))
    assert created.name.startswith(f"{PROJECT}/generations/")
    assert (created.state, created.creator, created.plan.counts) == (_G.QUEUED, "users/ada", [2, 1])
    assert created.plan.compiled_prompt.startswith("a fox") and created.elements == [element]
    assert (created.expire_time.ToDatetime() - created.create_time.ToDatetime()).days == 30


async def test_a_preview_is_the_plan_and_leaves_nothing(workshop: Workshop) -> None:
    generation = request(count=3).generation

    plan = await workshop.stub.PreviewGeneration(
        pb.PreviewGenerationRequest(parent=PROJECT, generation=generation)
    )

    assert await nothing_stored(workshop)
    assert plan == (await workshop.stub.CreateGeneration(request(count=3))).plan


async def test_same_request_id_creates_once(workshop: Workshop) -> None:
    first = await workshop.stub.CreateGeneration(request(request_id="one"))
    async with workshop.working():
        await workshop.ended(first)

    again = await workshop.stub.CreateGeneration(request(request_id="one"))

    assert again.SerializeToString(deterministic=True) == first.SerializeToString(deterministic=True)
    assert await workshop.db.fetchval("SELECT count(*) FROM generations") == 1


async def test_the_same_call_many_times_at_once_creates_once(workshop: Workshop) -> None:
    answers = await asyncio.gather(
        *(workshop.stub.CreateGeneration(request(request_id="one")) for _ in range(8))
    )

    assert len({answer.name for answer in answers}) == 1
    assert await workshop.db.fetchval("SELECT count(*) FROM tasks") == 1
    assert await workshop.db.fetchval("SELECT count(*) FROM events") == 1


async def test_a_request_id_belongs_to_one_request_and_one_user(workshop: Workshop) -> None:
    await workshop.stub.CreateGeneration(request(request_id="one"))
    workshop.authority.roles[PROJECT, "users/bob"] = Role.EDITOR

    other = await refused(workshop.stub.CreateGeneration(request(request_id="one", prompt="a wolf")))
    async with house.stub(
        generations_pb2_grpc.GenerationServiceStub, workshop.address, workshop.keys, user="users/bob"
    ) as bob:
        his = await bob.CreateGeneration(request(request_id="one"))

    assert other.reason == ErrorReason.REQUEST_ID_REUSED
    assert his.creator == "users/bob"


async def test_what_was_accepted_is_answered_even_when_it_no_longer_would_be(workshop: Workshop) -> None:
    first = await workshop.stub.CreateGeneration(request(request_id="one"))
    workshop.config.now.profiles[0].enabled = False
    await workshop.reconfigured()

    assert await workshop.stub.CreateGeneration(request(request_id="one")) == first


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"profile": "profiles/none"}, "generation.profile"),
        ({"prompt": ""}, "generation.prompt"),
        ({"prompt": "x" * 1001}, "generation.prompt"),
        ({"size": "huge"}, "generation.size"),
        ({"elements": [LONG] * 32}, "generation.elements"),
        ({"count": 0}, "generation.count"),
        ({"count": 99}, "generation.count"),
        ({"input_images": ["projects/other/images/1"]}, "generation.input_images"),
        ({"mask": "projects/other/images/1"}, "generation.mask"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(
    workshop: Workshop, fields: dict[str, Any], named: str
) -> None:
    failure = await refused(workshop.stub.CreateGeneration(request(**fields)))

    assert failure.reason == ErrorReason.FIELD_INVALID
    assert failure.fields.get(named)
    assert await nothing_stored(workshop)


@pytest.mark.parametrize(
    ("state", "missing", "reason"),
    [
        (Provider.DISABLED, [], ErrorReason.PROVIDER_DISABLED),
        (Provider.INCOMPLETE, ["key"], ErrorReason.KEY_MISSING),
        (Provider.INCOMPLETE, ["key", "endpoint"], ErrorReason.PROVIDER_INCOMPLETE),
    ],
)
async def test_a_provider_that_is_not_ready_is_refused(
    workshop: Workshop, state: Any, missing: list[str], reason: ErrorReason
) -> None:
    provider = workshop.config.now.providers[0]
    provider.state = state
    provider.missing.extend(missing)
    await workshop.reconfigured()

    failure = await refused(workshop.stub.CreateGeneration(request()))

    assert (failure.reason, failure.metadata["provider"]) == (reason, "providers/plain")
    assert await nothing_stored(workshop)


async def test_a_disabled_profile_and_an_unknown_kind_are_refused(workshop: Workshop) -> None:
    workshop.config.now.profiles[0].enabled = False
    workshop.config.now.providers[1].kind = "unheard-of"
    await workshop.reconfigured()

    disabled = await refused(workshop.stub.CreateGeneration(request("plain")))
    unknown = await refused(workshop.stub.CreateGeneration(request("stoppable")))

    assert disabled.reason == ErrorReason.PROFILE_DISABLED
    assert (unknown.reason, unknown.metadata["missing"]) == (ErrorReason.PROVIDER_INCOMPLETE, "kind")


async def test_pages_go_back_in_time_without_gaps(workshop: Workshop) -> None:
    created = [(await workshop.create()).name for _ in range(5)]

    listed, token = [], ""
    for _ in range(3):
        page = await workshop.stub.ListGenerations(
            pb.ListGenerationsRequest(parent=PROJECT, page_size=2, page_token=token)
        )
        listed += [generation.name for generation in page.generations]
        token = page.next_page_token

    assert (listed, token) == (created[::-1], "")


async def test_long_generations_make_short_pages(workshop: Workshop) -> None:
    created = [(await workshop.create(elements=[LONG] * 15)).name for _ in range(4)]

    first = await workshop.stub.ListGenerations(pb.ListGenerationsRequest(parent=PROJECT, page_size=1000))
    token = first.next_page_token
    rest = await workshop.stub.ListGenerations(pb.ListGenerationsRequest(parent=PROJECT, page_token=token))

    assert len(first.generations) == 2
    assert [generation.name for generation in (*first.generations, *rest.generations)] == created[::-1]


async def test_a_page_token_of_somebody_else_is_refused(workshop: Workshop) -> None:
    failure = await refused(
        workshop.stub.ListGenerations(pb.ListGenerationsRequest(parent=PROJECT, page_token="nonsense"))
    )

    assert failure.reason == ErrorReason.FIELD_INVALID


async def test_another_projects_generation_is_not_there(workshop: Workshop) -> None:
    workshop.authority.roles["projects/other", "users/ada"] = Role.OWNER
    created = await workshop.create()
    foreign = created.name.replace("atlas", "other")

    for call in (
        workshop.stub.GetGeneration(pb.GetGenerationRequest(name=foreign)),
        workshop.stub.CancelGeneration(pb.CancelGenerationRequest(name=foreign)),
        workshop.stub.SaveGeneration(pb.SaveGenerationRequest(name=foreign)),
    ):
        assert (await refused(call)).reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_saving_keeps_the_chosen_pictures_for_whoever_asks(workshop: Workshop) -> None:
    created = await workshop.create(count=3)
    async with workshop.working():
        ended = await workshop.ended(created)

    saved = await workshop.stub.SaveGeneration(pb.SaveGenerationRequest(name=created.name, indexes=[2, 0]))
    await workshop.stub.SaveGeneration(pb.SaveGenerationRequest(name=created.name, indexes=[0]))

    assert [image.saved for image in saved.images] == [True, False, True]
    assert workshop.images.kept[:2] == [ended.images[2].image, ended.images[0].image]
    assert set(workshop.images.keepers) == {"users/ada"}


async def test_saving_what_is_not_there_saves_nothing(workshop: Workshop) -> None:
    created = await workshop.create()
    early = await refused(workshop.stub.SaveGeneration(pb.SaveGenerationRequest(name=created.name)))
    async with workshop.working():
        await workshop.ended(created)

    unknown = await refused(
        workshop.stub.SaveGeneration(pb.SaveGenerationRequest(name=created.name, indexes=[0, 5]))
    )
    workshop.images.committed.clear()
    expired = await refused(workshop.stub.SaveGeneration(pb.SaveGenerationRequest(name=created.name)))

    assert (early.reason, unknown.reason) == (ErrorReason.FIELD_INVALID, ErrorReason.FIELD_INVALID)
    assert expired.reason == ErrorReason.RESOURCE_NOT_FOUND
    assert not workshop.images.kept


async def test_the_keys_and_prompts_are_in_no_row_that_is_not_theirs(workshop: Workshop) -> None:
    workshop.config.key = "canary-key"
    created = await workshop.create(elements=[pb.Element(name="canary-element", role=pb.Element.STYLE)])
    async with workshop.working():
        await workshop.ended(created)

    rows = str([dict(row) for row in await workshop.db.fetch("SELECT * FROM attempts")])
    rows += str([dict(row) for row in await workshop.db.fetch("SELECT * FROM pictures")])
    everything = rows + str(
        [dict(row) for row in await workshop.db.fetch("SELECT * FROM tasks, generations, events")]
    )

    assert "canary-element" in everything and "canary-element" not in rows
    assert "canary-key" not in everything


async def test_any_words_can_be_asked_for(workshop: Workshop) -> None:
    words = "a \0 fox \ud7ff \U0001f98a \\u0000 'quoted'\n"

    created = await workshop.stub.CreateGeneration(request(prompt=words))
    async with workshop.working():
        await workshop.ended(created)

    assert workshop.plain.asked[0].prompt == created.prompt == words


@pytest.mark.parametrize("name", ["projects/atlas/generations/\0", "projects/atlas/generations/%00' OR 1=1"])
async def test_a_name_that_cannot_be_is_no_crash(workshop: Workshop, name: str) -> None:
    failure = await refused(workshop.stub.GetGeneration(pb.GetGenerationRequest(name=name)))

    assert failure.reason in (ErrorReason.RESOURCE_NOT_FOUND, ErrorReason.FIELD_INVALID)


async def test_a_request_id_that_cannot_be_is_no_crash(workshop: Workshop) -> None:
    failure = await refused(workshop.stub.CreateGeneration(request(request_id="\0")))

    assert failure.reason == ErrorReason.FIELD_INVALID
    assert await nothing_stored(workshop)
