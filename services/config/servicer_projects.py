"""Speaks for projects and their members."""

from datetime import UTC, datetime

import asyncpg
from google.protobuf.empty_pb2 import Empty
from inkweld.access.v1 import projects_pb2 as pb
from inkweld.access.v1.projects_pb2_grpc import ProjectServiceServicer
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import masks, pages
from runtime.database import Database
from runtime.failure import Failure, invalid, not_found
from runtime.identity import caller
from runtime.names import leaf, project_of, slug
from runtime.server import Context
from services.config import repetition, store_configuration, store_users
from services.config import store_projects as store
from services.config.live import Live


class ProjectService(ProjectServiceServicer):
    def __init__(self, db: asyncpg.Pool, live: Live) -> None:
        self._db = db
        self._live = live

    async def ListProjects(
        self, request: pb.ListProjectsRequest, context: Context
    ) -> pb.ListProjectsResponse:
        size = pages.size(request.page_size)
        after = pages.decode(request.page_token, datetime, str)
        found = await store.select_projects(self._db, caller().name, after, size + 1)
        projects, more = pages.cut(found, size)
        page = pb.ListProjectsResponse(projects=projects)
        if more:
            last = projects[-1]
            page.next_page_token = pages.encode(last.create_time.ToDatetime(UTC), leaf(last.name))
        return page

    async def GetProject(self, request: pb.GetProjectRequest, context: Context) -> pb.Project:
        return await _project(self._db, request.name)

    async def CreateProject(self, request: pb.CreateProjectRequest, context: Context) -> pb.Project:
        name = f"projects/{request.project_id or slug(request.project.title)}"
        async with self._live.change() as db:
            if first := await repetition.earlier(db, request, name):
                return await _project(db, first)
            if not await store.insert_project(db, name, request.project):
                raise _taken(name)
            owner = caller().name
            await store.insert_member(db, name, owner, pb.Role.OWNER)
            await store_configuration.revoke(db, [_member_name(name, owner)])
            return await _project(db, name)

    async def UpdateProject(self, request: pb.UpdateProjectRequest, context: Context) -> pb.Project:
        fields = masks.changed(request, request.project, ("title", "description"))
        await store.update_project(self._db, request.project, fields)
        return await _project(self._db, request.project.name)

    async def DeleteProject(self, request: pb.DeleteProjectRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            await _lock(db, request.name)
            members = await store.delete_project(db, request.name)
            await store_configuration.revoke(db, members)
        return Empty()

    async def ListMembers(self, request: pb.ListMembersRequest, context: Context) -> pb.ListMembersResponse:
        size = pages.size(request.page_size)
        (after,) = pages.decode(request.page_token, str) or ("",)
        found = await store.select_members(self._db, request.parent, after, size + 1)
        members, more = pages.cut(found, size)
        page = pb.ListMembersResponse(members=members)
        if more:
            page.next_page_token = pages.encode(leaf(members[-1].name))
        return page

    async def CreateMember(self, request: pb.CreateMemberRequest, context: Context) -> pb.Member:
        user = request.member.user
        name = _member_name(request.parent, user)
        async with self._live.change() as db:
            await _lock(db, request.parent)
            if first := await repetition.earlier(db, request, name):
                return await _member(db, first)
            if not user.startswith("users/") or await store_users.select_user(db, user) is None:
                raise invalid({"member.user": "must be the name of a user, such as users/ada"})
            if not await store.insert_member(db, request.parent, user, request.member.role):
                raise _taken(name)
            await store_configuration.revoke(db, [name])
            return await _member(db, name)

    async def UpdateMember(self, request: pb.UpdateMemberRequest, context: Context) -> pb.Member:
        name, role = request.member.name, request.member.role
        async with self._live.change() as db:
            await _lock(db, project_of(name))
            member = await _member(db, name)
            if masks.changed(request, request.member, ("role",)):
                await store.update_member(db, project_of(name), member.user, role)
                await _keep_an_owner(db, member)
                await store_configuration.revoke(db, [name])
            return await _member(db, name)

    async def DeleteMember(self, request: pb.DeleteMemberRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            project = project_of(request.name)
            await _lock(db, project)
            member = await _member(db, request.name)
            await store.delete_member(db, project, member.user)
            await _keep_an_owner(db, member)
            await store_configuration.revoke(db, [request.name])
        return Empty()

    async def GetRole(self, request: pb.GetRoleRequest, context: Context) -> pb.GetRoleResponse:
        role = await store.select_role(self._db, request.project, request.user)
        return pb.GetRoleResponse(role=pb.Role.Name(role))


async def _project(db: Database, name: str) -> pb.Project:
    project = await store.select_project(db, name, caller().name)
    if project is None:
        raise not_found(name)
    return project


async def _member(db: Database, name: str) -> pb.Member:
    member = await store.select_member(db, name)
    if member is None:
        raise not_found(name)
    return member


async def _lock(db: Database, project: str) -> None:
    if not await store.lock_project(db, project):
        raise not_found(project)


async def _keep_an_owner(db: Database, member: pb.Member) -> None:
    """Raise RESOURCE_IN_USE, which undoes the change, when it left the project without an owner."""
    if not await store.count_owners(db, project_of(member.name)):
        raise Failure(
            ErrorReason.RESOURCE_IN_USE,
            "A project needs an owner. Make someone else one first.",
            resource=member.name,
            user=project_of(member.name),
        )


def _member_name(project: str, user: str) -> str:
    return f"{project}/members/{leaf(user)}"


def _taken(name: str) -> Failure:
    return Failure(ErrorReason.RESOURCE_EXISTS, f"{name} exists already.", resource=name)
