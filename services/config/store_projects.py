"""SQL of projects and their members."""

from datetime import datetime

import asyncpg
from inkweld.access.v1 import projects_pb2 as pb

from runtime.database import Database
from runtime.names import leaf

_PROJECT = "projects.id, title, description, role, create_time, update_time"
_MEMBER = "project_id, user_id, role, users.title"


async def insert_project(db: Database, name: str, project: pb.Project) -> bool:
    """Add a project without members; False when its id is taken, even by a deleted one."""
    done = await db.execute(
        "INSERT INTO projects (id, title, description) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        leaf(name),
        project.title,
        project.description,
    )
    return bool(done == "INSERT 0 1")


async def select_project(db: Database, name: str, user: str) -> pb.Project | None:
    """A project as this member sees it."""
    row = await db.fetchrow(
        f"""SELECT {_PROJECT} FROM projects JOIN members ON project_id = projects.id
             WHERE projects.id = $1 AND user_id = $2 AND delete_time IS NULL""",  # noqa: S608
        leaf(name),
        leaf(user),
    )
    return _project(row) if row else None


async def select_projects(
    db: Database, user: str, after: tuple[datetime, str] | None, limit: int
) -> list[pb.Project]:
    """A user's projects, the latest first, after the one of this time and id."""
    time, id = after or (None, None)
    rows = await db.fetch(
        f"""SELECT {_PROJECT} FROM projects JOIN members ON project_id = projects.id
             WHERE user_id = $1 AND delete_time IS NULL
               AND ($2::timestamptz IS NULL OR (create_time, projects.id) < ($2, $3))
             ORDER BY create_time DESC, projects.id DESC LIMIT $4""",  # noqa: S608
        leaf(user),
        time,
        id,
        limit,
    )
    return [_project(row) for row in rows]


async def update_project(db: Database, project: pb.Project, fields: set[str]) -> None:
    """Set those of title and description that are among `fields`."""
    await db.execute(
        """UPDATE projects SET title = coalesce($2, title), description = coalesce($3, description),
                  update_time = now()
            WHERE id = $1""",
        leaf(project.name),
        project.title if "title" in fields else None,
        project.description if "description" in fields else None,
    )


async def delete_project(db: Database, name: str) -> list[str]:
    """Empty a project, keeping its id taken; the names of those who were members."""
    id = leaf(name)
    await db.execute(
        "UPDATE projects SET title = '', description = '', delete_time = now() WHERE id = $1", id
    )
    rows = await db.fetch("DELETE FROM members WHERE project_id = $1 RETURNING user_id", id)
    return [f"{name}/members/{row['user_id']}" for row in rows]


async def lock_project(db: Database, name: str) -> bool:
    """Let nobody else change the members until the transaction ends; False when there is no such project."""
    id = await db.fetchval(
        "SELECT id FROM projects WHERE id = $1 AND delete_time IS NULL FOR UPDATE", leaf(name)
    )
    return id is not None


async def insert_member(db: Database, project: str, user: str, role: pb.Role) -> bool:
    """Add a member; False when they are one already."""
    done = await db.execute(
        "INSERT INTO members (project_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        leaf(project),
        leaf(user),
        role,
    )
    await _touch(db, project)
    return bool(done == "INSERT 0 1")


async def select_member(db: Database, name: str) -> pb.Member | None:
    row = await db.fetchrow(
        f"""SELECT {_MEMBER} FROM members JOIN users ON users.id = user_id
             WHERE project_id = $1 AND user_id = $2""",  # noqa: S608
        name.split("/")[1],
        leaf(name),
    )
    return _member(row) if row else None


async def select_members(db: Database, project: str, after: str, limit: int) -> list[pb.Member]:
    """A project's members by id, after the one of this id."""
    rows = await db.fetch(
        f"""SELECT {_MEMBER} FROM members JOIN users ON users.id = user_id
             WHERE project_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3""",  # noqa: S608
        leaf(project),
        after,
        limit,
    )
    return [_member(row) for row in rows]


async def count_owners(db: Database, project: str) -> int:
    count = await db.fetchval(
        "SELECT count(*) FROM members WHERE project_id = $1 AND role = $2", leaf(project), pb.Role.OWNER
    )
    return int(count)


async def update_member(db: Database, project: str, user: str, role: pb.Role) -> None:
    await db.execute(
        "UPDATE members SET role = $3 WHERE project_id = $1 AND user_id = $2", leaf(project), leaf(user), role
    )
    await _touch(db, project)


async def delete_member(db: Database, project: str, user: str) -> None:
    await db.execute("DELETE FROM members WHERE project_id = $1 AND user_id = $2", leaf(project), leaf(user))
    await _touch(db, project)


async def select_role(db: Database, project: str, user: str) -> int:
    """The user's role in the project; zero for none."""
    role = await db.fetchval(
        "SELECT role FROM members WHERE project_id = $1 AND user_id = $2", leaf(project), leaf(user)
    )
    return int(role or 0)


async def _touch(db: Database, project: str) -> None:
    await db.execute("UPDATE projects SET update_time = now() WHERE id = $1", leaf(project))


def _project(row: asyncpg.Record) -> pb.Project:
    return pb.Project(
        name=f"projects/{row['id']}",
        title=row["title"],
        description=row["description"],
        role=row["role"],
        create_time=row["create_time"],
        update_time=row["update_time"],
    )


def _member(row: asyncpg.Record) -> pb.Member:
    return pb.Member(
        name=f"projects/{row['project_id']}/members/{row['user_id']}",
        user=f"users/{row['user_id']}",
        role=row["role"],
        title=row["title"],
    )
