"""Profiles, through the front door."""

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc.aio import AioRpcError
from inkweld.config.v1 import profiles_pb2 as pb
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from tests.house import failure_of
from tests.services.config.instance import Config

NAME = "profiles/sketch"


def sketch(title: str = "Sketch", **fields: object) -> pb.Profile:
    profile = pb.Profile(title=title, provider="providers/openai", model="gpt-image-2", **fields)  # type: ignore[arg-type]
    profile.model_config.update({"steps": 20, "sampler_name": "Euler a"})
    return profile


def create(profile: pb.Profile, profile_id: str = "sketch", request_id: str = "") -> pb.CreateProfileRequest:
    return pb.CreateProfileRequest(profile=profile, profile_id=profile_id, request_id=request_id)


async def test_a_profile_comes_back_as_it_was_made(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    wanted = sketch(
        description="Fast",
        image_input=True,
        sizes=["1024x1024", "16:9@2K"],
        default_size="16:9@2K",
        sort_order=-3,
        price_note="2 cents",
    )

    made = await profiles.CreateProfile(create(wanted))

    for field in wanted.DESCRIPTOR.fields:
        if field.name in {one.name for one, _ in wanted.ListFields()}:
            assert getattr(made, field.name) == getattr(wanted, field.name)
    assert (made.name, made.enabled, made.revision) == (NAME, True, 1)
    assert await profiles.GetProfile(pb.GetProfileRequest(name=NAME)) == made
    [asked] = config.models.asked
    assert (asked.kind, asked.profile.model_config["steps"]) == ("openai", 20)


async def test_the_same_request_id_creates_once(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    request = create(sketch(), profile_id="", request_id="one")

    first, again = await profiles.CreateProfile(request), await profiles.CreateProfile(request)

    assert first == again
    assert first.name.startswith("profiles/sketch")


async def test_titles_are_unique(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    await profiles.CreateProfile(create(sketch()))
    await profiles.CreateProfile(create(sketch("Other"), "other"))

    with pytest.raises(AioRpcError) as creating:
        await profiles.CreateProfile(create(sketch(), "third"))
    with pytest.raises(AioRpcError) as renaming:
        await profiles.UpdateProfile(
            pb.UpdateProfileRequest(profile=pb.Profile(name="profiles/other", title="Sketch"))
        )

    assert failure_of(creating.value).reason == ErrorReason.RESOURCE_EXISTS
    assert failure_of(renaming.value).reason == ErrorReason.RESOURCE_EXISTS


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"provider": "providers/nobody"}, "profile.provider"),
        ({"sizes": ["1024x1024"], "default_size": "512x512"}, "profile.default_size"),
        ({"sizes": ["big"]}, "profile.sizes[0]"),
        ({"title": ""}, "profile.title"),
        ({"title": "x" * 101}, "profile.title"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(
    config: Config, fields: dict[str, object], wrong: str
) -> None:
    profiles = await config.admin(ProfileServiceStub)
    profile = sketch()
    profile.MergeFrom(pb.Profile(**{k: v for k, v in fields.items() if v}))  # type: ignore[arg-type]
    if fields.get("title") == "":
        profile.ClearField("title")

    with pytest.raises(AioRpcError) as refusal:
        await profiles.CreateProfile(create(profile))

    assert wrong in failure_of(refusal.value).fields
    assert not (await profiles.ListProfiles(pb.ListProfilesRequest())).profiles


async def test_a_model_config_has_a_limit(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    profile = sketch()
    profile.model_config["prompt"] = "x" * 10_000

    with pytest.raises(AioRpcError) as refusal:
        await profiles.CreateProfile(create(profile))

    assert "profile.model_config" in failure_of(refusal.value).fields


async def test_what_the_kind_refuses_is_not_stored(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    profile = sketch()
    profile.model_config["impossible"] = True

    with pytest.raises(AioRpcError) as refusal:
        await profiles.CreateProfile(create(profile))

    assert failure_of(refusal.value).fields == {"profile.model_config": "impossible is unknown"}
    assert not (await profiles.ListProfiles(pb.ListProfilesRequest())).profiles


async def test_users_see_enabled_profiles_without_their_config(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    await profiles.CreateProfile(create(sketch()))
    await profiles.CreateProfile(create(sketch("Hidden", enabled=False), "hidden"))
    user = await config.stub(ProfileServiceStub)
    narrow = await config.stub(ProfileServiceStub, "users/root", admin=True, scope=1)

    for seer in (user, narrow):
        [seen] = (await seer.ListProfiles(pb.ListProfilesRequest())).profiles
        assert (seen.name, seen.HasField("model_config")) == (NAME, False)
        assert not (await seer.GetProfile(pb.GetProfileRequest(name=NAME))).HasField("model_config")
        with pytest.raises(AioRpcError) as refusal:
            await seer.GetProfile(pb.GetProfileRequest(name="profiles/hidden"))
        assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    assert len((await profiles.ListProfiles(pb.ListProfilesRequest())).profiles) == 2


async def test_lists_go_by_order_then_title(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    for number, (title, order) in enumerate([("B", 1), ("A", 1), ("C", 0), ("D", -1)]):
        await profiles.CreateProfile(create(sketch(title, sort_order=order), f"p{number}"))

    titles, token = [], ""
    for _ in range(2):
        page = await profiles.ListProfiles(pb.ListProfilesRequest(page_size=2, page_token=token))
        titles += [profile.title for profile in page.profiles]
        token = page.next_page_token

    assert (titles, token) == (["D", "C", "A", "B"], "")


async def test_a_field_in_the_mask_that_is_not_set_is_cleared(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    await profiles.CreateProfile(create(sketch(description="Fast", sizes=["1:1"], enabled=False)))

    changed = await profiles.UpdateProfile(
        pb.UpdateProfileRequest(
            profile=pb.Profile(name=NAME),
            update_mask=FieldMask(paths=["description", "sizes", "model_config", "enabled"]),
        )
    )

    assert (changed.description, list(changed.sizes), changed.enabled) == ("", [], True)
    assert not changed.HasField("model_config")
    assert (changed.title, changed.revision) == ("Sketch", 2)


async def test_a_mask_names_only_what_can_change(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    await profiles.CreateProfile(create(sketch()))

    with pytest.raises(AioRpcError) as refusal:
        await profiles.UpdateProfile(
            pb.UpdateProfileRequest(profile=pb.Profile(name=NAME), update_mask=FieldMask(paths=["revision"]))
        )

    assert "update_mask" in failure_of(refusal.value).fields


async def test_an_outdated_reading_changes_nothing(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    read = await profiles.CreateProfile(create(sketch()))
    await profiles.UpdateProfile(pb.UpdateProfileRequest(profile=pb.Profile(name=NAME, description="new")))

    with pytest.raises(AioRpcError) as refusal:
        await profiles.UpdateProfile(
            pb.UpdateProfileRequest(profile=pb.Profile(name=NAME, description="old", etag=read.etag))
        )

    assert failure_of(refusal.value).reason == ErrorReason.ETAG_STALE


async def test_a_deleted_profile_is_gone(config: Config) -> None:
    profiles = await config.admin(ProfileServiceStub)
    await profiles.CreateProfile(create(sketch()))

    await profiles.DeleteProfile(pb.DeleteProfileRequest(name=NAME))

    for call in (
        profiles.GetProfile(pb.GetProfileRequest(name=NAME)),
        profiles.DeleteProfile(pb.DeleteProfileRequest(name=NAME)),
        profiles.UpdateProfile(pb.UpdateProfileRequest(profile=pb.Profile(name=NAME, title="x"))),
    ):
        with pytest.raises(AioRpcError) as refusal:
            await call
        assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_NOT_FOUND
