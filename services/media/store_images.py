"""Rows of images: the library and the drafts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from inkweld.media.v1 import images_pb2 as pb

from runtime.database import Database
from runtime.names import leaf, new_id, project_of

_COLUMNS = """i.project, i.id, i.title, i.sha256, i.generation, i.number, i.creator, i.version, i.create_time,
              i.keep_time, i.expire_time, b.size_bytes, b.content_type, b.width, b.height"""
# A draft is gone at its time, whenever the collector comes by.
_ALIVE = "(i.expire_time IS NULL OR i.expire_time > now())"


async def select_image(db: Database, name: str) -> pb.Image | None:
    """An image; None when there is none of that name."""
    row = await db.fetchrow(
        f"""SELECT {_COLUMNS} FROM images i JOIN blobs b USING (sha256)
             WHERE i.project = $1 AND i.id = $2 AND {_ALIVE}""",  # noqa: S608
        project_of(name),
        leaf(name),
    )
    return _image(row) if row else None


async def select_images(db: Database, names: Sequence[str]) -> list[pb.Image]:
    """Those of the images that exist, in the order of the names. All are of one project."""
    rows = await db.fetch(
        f"""SELECT {_COLUMNS} FROM images i JOIN blobs b USING (sha256)
             WHERE i.project = $1 AND i.id = ANY($2) AND {_ALIVE}""",  # noqa: S608
        project_of(names[0]) if names else "",
        [leaf(name) for name in names],
    )
    found = {image.name: image for image in map(_image, rows)}
    return [found[name] for name in names if name in found]


async def select_library(
    db: Database, project: str, after: tuple[datetime, str] | None, limit: int
) -> list[pb.Image]:
    """A page of the project's library, newest first."""
    kept, last = after or (None, None)
    rows = await db.fetch(
        f"""SELECT {_COLUMNS} FROM images i JOIN blobs b USING (sha256)
             WHERE i.project = $1 AND i.keep_time IS NOT NULL
               AND ($2::timestamptz IS NULL OR (i.keep_time, i.id) < ($2, $3))
             ORDER BY i.keep_time DESC, i.id DESC LIMIT $4""",  # noqa: S608
        project,
        kept,
        last,
        limit,
    )
    return [_image(row) for row in rows]


async def select_by_request(db: Database, project: str, request_id: str) -> pb.Image | None:
    """The image that an upload with this request id made."""
    row = await db.fetchrow(
        f"""SELECT {_COLUMNS} FROM images i JOIN blobs b USING (sha256)
             WHERE i.project = $1 AND i.request_id = $2""",  # noqa: S608
        project,
        request_id,
    )
    return _image(row) if row else None


async def insert_upload(
    db: Database, project: str, sha256: bytes, *, title: str, creator: str, request_id: str
) -> pb.Image | None:
    """Put a picture into the library. None when the request id has been used."""
    row = await db.fetchrow(
        f"""WITH i AS (
                INSERT INTO images
                       (project, id, title, sha256, generation, number, creator, request_id, keep_time)
                VALUES ($1, $2, $3, $4, '', 0, $5, $6, now())
                ON CONFLICT (project, request_id) WHERE request_id IS NOT NULL DO NOTHING
                RETURNING *)
            SELECT {_COLUMNS} FROM i JOIN blobs b USING (sha256)""",  # noqa: S608
        project,
        new_id(),
        title,
        sha256,
        creator,
        request_id or None,
    )
    return _image(row) if row else None


async def insert_draft(
    db: Database, task: str, index: int, *, generation: str, number: int, creator: str, expires: datetime
) -> pb.Image:
    """Make a draft of what a task has pending at an index, and note there which image it became."""
    row = await db.fetchrow(
        f"""WITH s AS (UPDATE stages SET image = $3 WHERE task = $1 AND index = $2 RETURNING project, sha256),
              i AS (INSERT INTO images (project, id, title, sha256, generation, number, creator, expire_time)
                    SELECT project, $4, '', sha256, $5, $6, $7, $8 FROM s
                    RETURNING *)
            SELECT {_COLUMNS} FROM i JOIN blobs b USING (sha256)""",  # noqa: S608
        task,
        index,
        f"{project_of(generation)}/images/{(image := new_id())}",
        image,
        generation,
        number,
        creator,
        expires,
    )
    return _image(row)


async def lock_images(db: Database, project: str, names: Sequence[str]) -> None:
    """Lock the rows of images, always in the same order, so that they stay until the transaction ends."""
    await db.execute(
        "SELECT FROM images WHERE project = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
        project,
        [leaf(name) for name in names],
    )


async def keep_images(db: Database, project: str, names: Sequence[str]) -> None:
    """Turn those that are drafts into images of the library."""
    await db.execute(
        """UPDATE images SET keep_time = now(), expire_time = NULL, version = version + 1
            WHERE project = $1 AND id = ANY($2) AND keep_time IS NULL AND expire_time > now()""",
        project,
        [leaf(name) for name in names],
    )


async def update_title(db: Database, name: str, title: str) -> None:
    """Change what an image is called."""
    await db.execute(
        "UPDATE images SET title = $3, version = version + 1 WHERE project = $1 AND id = $2",
        project_of(name),
        leaf(name),
        title,
    )


async def delete_image(db: Database, name: str) -> bool:
    """Delete an image; whether there was one."""
    done = await db.execute(
        f"DELETE FROM images i WHERE project = $1 AND id = $2 AND {_ALIVE}",  # noqa: S608
        project_of(name),
        leaf(name),
    )
    return done == "DELETE 1"


def _image(row: Any) -> pb.Image:
    return pb.Image(
        name=f"{row['project']}/images/{row['id']}",
        title=row["title"],
        state=pb.Image.KEPT if row["keep_time"] else pb.Image.DRAFT,
        content_type=row["content_type"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"].hex(),
        generation=row["generation"],
        index=row["number"],
        creator=row["creator"],
        create_time=_timestamp(row["create_time"]),
        keep_time=_timestamp(row["keep_time"]),
        expire_time=_timestamp(row["expire_time"]),
        etag=f'"{row["version"]}"',
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
