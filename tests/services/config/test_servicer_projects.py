"""Projects and members, through the front door."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc.aio import AioRpcError
from inkweld.access.v1 import projects_pb2 as pb
from inkweld.access.v1.projects_pb2_grpc import ProjectServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from tests.house import failure_of
from tests.services.config.instance import Config

ATLAS = pb.CreateProjectRequest(project=pb.Project(title="Atlas"), project_id="atlas", request_id="one")


async def test_the_creator_owns_the_project(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)

    made = await projects.CreateProject(ATLAS)

    assert (made.name, made.title, made.role) == ("projects/atlas", "Atlas", pb.Role.OWNER)
    assert await projects.GetProject(pb.GetProjectRequest(name="projects/atlas")) == made


async def test_the_same_request_id_creates_once(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    request = pb.CreateProjectRequest(project=pb.Project(title="Atlas"), request_id="one")

    first, again = await projects.CreateProject(request), await projects.CreateProject(request)

    assert first == again


async def test_twins_under_way_create_once(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    request = pb.CreateProjectRequest(project=pb.Project(title="Atlas"), request_id="one")

    made = await asyncio.gather(*(projects.CreateProject(request) for _ in range(12)))

    assert len({project.name for project in made}) == 1
    assert len((await projects.ListProjects(pb.ListProjectsRequest())).projects) == 1


async def test_the_same_request_id_with_another_body_is_refused(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(ATLAS)

    with pytest.raises(AioRpcError) as refusal:
        await projects.CreateProject(pb.CreateProjectRequest(project=pb.Project(title="B"), request_id="one"))

    assert failure_of(refusal.value).reason == ErrorReason.REQUEST_ID_REUSED


async def test_a_taken_id_is_refused_even_after_deletion(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(ATLAS)
    await projects.DeleteProject(pb.DeleteProjectRequest(name="projects/atlas"))

    with pytest.raises(AioRpcError) as refusal:
        await projects.CreateProject(
            pb.CreateProjectRequest(project=pb.Project(title="Atlas"), project_id="atlas")
        )

    assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_EXISTS


async def test_anothers_project_does_not_exist(config: Config) -> None:
    await (await config.stub(ProjectServiceStub)).CreateProject(ATLAS)
    stranger = await config.stub(ProjectServiceStub, "users/bob")
    administrator = await config.admin(ProjectServiceStub)

    for projects in (stranger, administrator):
        with pytest.raises(AioRpcError) as refusal:
            await projects.GetProject(pb.GetProjectRequest(name="projects/atlas"))
        assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_NOT_FOUND
        assert not (await projects.ListProjects(pb.ListProjectsRequest())).projects


async def test_an_update_changes_what_its_mask_names(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(ATLAS)
    wanted = pb.Project(name="projects/atlas", title="ignored", description="Maps")

    changed = await projects.UpdateProject(
        pb.UpdateProjectRequest(project=wanted, update_mask=FieldMask(paths=["description"]))
    )

    assert (changed.title, changed.description) == ("Atlas", "Maps")


async def test_projects_come_in_pages_the_latest_first(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    for number in range(5):
        await projects.CreateProject(
            pb.CreateProjectRequest(project=pb.Project(title=f"P{number}"), project_id=f"p{number}")
        )

    titles, token = [], ""
    for _ in range(3):
        page = await projects.ListProjects(pb.ListProjectsRequest(page_size=2, page_token=token))
        titles += [project.title for project in page.projects]
        token = page.next_page_token

    assert (titles, token) == (["P4", "P3", "P2", "P1", "P0"], "")


async def test_a_page_token_of_nobodys_making_is_refused(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)

    with pytest.raises(AioRpcError) as refusal:
        await projects.ListProjects(pb.ListProjectsRequest(page_token="nonsense"))

    assert "page_token" in failure_of(refusal.value).fields


async def test_members_may_do_what_their_role_says(config: Config) -> None:
    owner = await config.stub(ProjectServiceStub)
    await owner.CreateProject(ATLAS)
    bob = await config.stub(ProjectServiceStub, "users/bob")
    viewer = pb.Member(user="users/bob", role=pb.Role.VIEWER)

    added = await owner.CreateMember(pb.CreateMemberRequest(parent="projects/atlas", member=viewer))

    assert (added.name, added.title) == ("projects/atlas/members/bob", "Bob")
    assert (await bob.GetProject(pb.GetProjectRequest(name="projects/atlas"))).role == pb.Role.VIEWER
    with pytest.raises(AioRpcError) as refusal:
        await bob.UpdateProject(
            pb.UpdateProjectRequest(project=pb.Project(name="projects/atlas", title="Mine"))
        )
    assert failure_of(refusal.value).reason == ErrorReason.CALLER_FORBIDDEN


@pytest.mark.parametrize("user", ["users/nobody", "bob", ""])
async def test_only_users_become_members(config: Config, user: str) -> None:
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(ATLAS)

    with pytest.raises(AioRpcError) as refusal:
        await projects.CreateMember(
            pb.CreateMemberRequest(parent="projects/atlas", member=pb.Member(user=user, role=pb.Role.EDITOR))
        )

    assert "member.user" in failure_of(refusal.value).fields


async def test_a_member_is_added_once(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(ATLAS)
    request = pb.CreateMemberRequest(
        parent="projects/atlas", member=pb.Member(user="users/bob", role=pb.Role.EDITOR)
    )
    await projects.CreateMember(request)

    with pytest.raises(AioRpcError) as refusal:
        await projects.CreateMember(request)

    assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_EXISTS


async def test_the_last_owner_stays_owner(config: Config) -> None:
    projects = await config.stub(ProjectServiceStub)
    await projects.CreateProject(ATLAS)
    name = "projects/atlas/members/ada"

    with pytest.raises(AioRpcError) as leaving:
        await projects.DeleteMember(pb.DeleteMemberRequest(name=name))
    with pytest.raises(AioRpcError) as stepping_down:
        await projects.UpdateMember(pb.UpdateMemberRequest(member=pb.Member(name=name, role=pb.Role.EDITOR)))

    assert failure_of(leaving.value).reason == ErrorReason.RESOURCE_IN_USE
    assert failure_of(stepping_down.value).reason == ErrorReason.RESOURCE_IN_USE
    members = await projects.ListMembers(pb.ListMembersRequest(parent="projects/atlas"))
    assert [member.role for member in members.members] == [pb.Role.OWNER]


async def test_a_removed_member_is_out_at_once(config: Config) -> None:
    owner = await config.stub(ProjectServiceStub)
    await owner.CreateProject(ATLAS)
    await owner.CreateMember(
        pb.CreateMemberRequest(
            parent="projects/atlas", member=pb.Member(user="users/bob", role=pb.Role.OWNER)
        )
    )
    bob = await config.stub(ProjectServiceStub, "users/bob")
    await bob.GetProject(pb.GetProjectRequest(name="projects/atlas"))

    await owner.DeleteMember(pb.DeleteMemberRequest(name="projects/atlas/members/bob"))

    with pytest.raises(AioRpcError) as refusal:
        await bob.GetProject(pb.GetProjectRequest(name="projects/atlas"))
    assert failure_of(refusal.value).reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_services_learn_roles(config: Config) -> None:
    await (await config.stub(ProjectServiceStub)).CreateProject(ATLAS)
    media = await config.service(ProjectServiceStub, "media")

    own = await media.GetRole(pb.GetRoleRequest(project="projects/atlas", user="users/ada"))
    other = await media.GetRole(pb.GetRoleRequest(project="projects/atlas", user="users/bob"))

    assert (own.role, other.role) == (pb.Role.OWNER, pb.Role.ROLE_UNSPECIFIED)
