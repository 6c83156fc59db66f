import asyncio
import errno
import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2 as pb

from runtime import pages
from runtime.failure import Failure
from services.media import downloads, formats, store_images
from tests.house import failure_of
from tests.services.media import pictures
from tests.services.media.conftest import ATLAS, Media, uploads


async def failure(call: Any) -> Failure:
    """The failure a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return failure_of(caught.value)


async def library(media: Media, **request: Any) -> pb.ListImagesResponse:
    return await media.images.ListImages(pb.ListImagesRequest(parent=ATLAS, **request))


async def test_an_upload_is_in_the_library(media: Media) -> None:
    image = await media.upload(pictures.png(), title="A fox")

    assert image.name.startswith(f"{ATLAS}/images/")
    assert (image.title, image.state, image.creator) == ("A fox", pb.Image.KEPT, "users/ada")
    assert (image.content_type, image.width, image.height) == ("image/png", 64, 48)
    assert not image.HasField("expire_time")
    assert await media.images.GetImage(pb.GetImageRequest(name=image.name)) == image
    assert list((await library(media)).images) == [image]


async def test_original_bytes_come_back_as_they_were(media: Media) -> None:
    for piece in (100_000, 1 << 20):
        data = pictures.png() + os.urandom(2_000_000)
        image = await media.upload(data, piece=piece)
        info, content_type, received = await media.download(image.name)

        assert received == data
        assert content_type == "image/png"
        assert info.etag == f'"{image.sha256}"'
        assert (info.total_bytes, info.offset, info.length) == (len(data), 0, len(data))
        assert info.file_name.endswith(".png")


async def test_hostile_uploads_are_refused_and_leave_nothing(media: Media) -> None:
    for name, make in (pictures.REFUSED | pictures.UNDECODABLE).items():
        refused = await failure(media.upload(make()))
        assert refused.reason == ErrorReason.IMAGE_REFUSED, name
        assert refused.code == grpc.StatusCode.INVALID_ARGUMENT, name
        assert refused.fields == {"file": f"must be {formats.ALLOWED}"}, name

    assert media.files == []
    assert await media.pool.fetchval("SELECT count(*) FROM blobs") == 0


async def test_odd_pictures_are_taken_and_shown(media: Media) -> None:
    for name, make in pictures.ACCEPTED.items():
        image = await media.upload(make())
        _, content_type, copy = await media.download(image.name, pb.W256)
        assert content_type == "image/webp", name
        assert formats.inspect(memoryview(copy)).width <= 256, name


async def test_too_many_bytes_are_refused_while_they_come(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 2 << 20)
    written = 0
    write = os.write

    def counting(descriptor: int, data: memoryview) -> int:
        nonlocal written
        written += len(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", counting)

    refused = await failure(media.upload(bytes(30 << 20)))

    assert refused.reason == ErrorReason.IMAGE_REFUSED
    assert written <= 2 << 20
    assert media.files == []


async def test_an_upload_that_breaks_off_leaves_nothing(media: Media) -> None:
    half = asyncio.Event()

    async def hesitant() -> Any:
        for message in uploads(pictures.png() + bytes(2_000_000)):
            yield message
        half.set()
        await asyncio.sleep(60)

    call = media.images.UploadImage(hesitant())
    waiting = asyncio.ensure_future(call)
    await half.wait()
    call.cancel()
    await asyncio.wait((waiting,))

    for _ in range(200):
        if not media.files:
            break
        await asyncio.sleep(0.02)
    assert media.files == []


async def test_an_upload_names_its_project(media: Media) -> None:
    nothing = await failure(
        media.images.UploadImage(iter([pb.UploadImageRequest(file=HttpBody(data=pictures.png()))]))
    )
    hidden = await failure(media.upload(pictures.png(), parent="projects/hidden"))

    assert nothing.reason in {ErrorReason.FIELD_INVALID, ErrorReason.RESOURCE_NOT_FOUND}
    assert hidden.reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_the_same_request_id_uploads_once(media: Media) -> None:
    first = await media.upload(pictures.png(), request_id="r1")

    again = await media.upload(pictures.png(), request_id="r1")
    both = await asyncio.gather(*(media.upload(pictures.png(seed=7), request_id="r2") for _ in range(4)))
    other = await failure(media.upload(pictures.png(seed=2), request_id="r1"))

    assert again == first
    assert len({image.name for image in both}) == 1
    assert other.reason == ErrorReason.REQUEST_ID_REUSED
    assert len((await library(media)).images) == 2


async def test_the_same_bytes_twice_are_two_images_and_one_blob(media: Media) -> None:
    first = await media.upload(pictures.png())
    second = await media.upload(pictures.png())

    assert first.name != second.name
    assert len(media.files) == 1


async def test_a_full_disk_is_said_and_over_when_there_is_room(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        said = await failure(media.upload(pictures.png()))

    assert said.reason == ErrorReason.STORAGE_FULL
    assert said.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert media.files == []
    assert await media.upload(pictures.png())


async def test_the_library_is_paged_newest_first_without_drafts(media: Media) -> None:
    kept = [await media.upload(pictures.png(seed=seed)) for seed in range(1, 6)]
    draft = await media.draft(pictures.png(seed=9))

    names, token = [], ""
    while True:
        page = await library(media, page_size=2, page_token=token)
        names += [image.name for image in page.images]
        token = page.next_page_token
        if not token:
            break

    assert names == [image.name for image in reversed(kept)]
    assert draft.name not in names


async def test_a_page_token_of_ours_is_needed(media: Media) -> None:
    for token in ("x", "bm90IGpzb24", "W10"):
        assert (await failure(library(media, page_token=token))).reason == ErrorReason.FIELD_INVALID


async def test_a_draft_is_seen_and_not_listed_until_it_is_kept(media: Media) -> None:
    draft = await media.draft(pictures.png())
    listed_before = list((await library(media)).images)

    kept = await media.keep(draft.name)

    assert draft.state == pb.Image.DRAFT
    assert draft.HasField("expire_time")
    assert listed_before == []
    assert kept[0].state == pb.Image.KEPT
    assert not kept[0].HasField("expire_time")
    assert kept[0].etag != draft.etag
    assert list((await library(media)).images) == kept


async def test_keeping_twice_changes_nothing(media: Media) -> None:
    draft = await media.draft(pictures.png())

    first = await media.keep(draft.name)

    assert await media.keep(draft.name) == first


async def test_keeping_is_all_or_nothing_and_in_order(media: Media) -> None:
    one, two = [await media.draft(pictures.png(seed=seed), task=f"t{seed}") for seed in (1, 2)]

    missing = await failure(media.keep(two.name, f"{ATLAS}/images/none", one.name))
    foreign = await failure(media.keep(one.name, "projects/hidden/images/x"))
    listed = list((await library(media)).images)
    kept = await media.keep(two.name, one.name)

    assert missing.metadata["resource"] == f"{ATLAS}/images/none"
    assert foreign.reason == ErrorReason.RESOURCE_NOT_FOUND
    assert listed == []
    assert [image.name for image in kept] == [two.name, one.name]


async def test_a_draft_is_gone_at_its_time(media: Media) -> None:
    draft = await media.draft(pictures.png())
    await media.expire(draft.name)

    get = await failure(media.images.GetImage(pb.GetImageRequest(name=draft.name)))
    keep = await failure(media.keep(draft.name))
    delete = await failure(media.images.DeleteImage(pb.DeleteImageRequest(name=draft.name)))

    assert {get.reason, keep.reason, delete.reason} == {ErrorReason.RESOURCE_NOT_FOUND}


async def test_a_title_changes_and_a_stale_etag_is_refused(media: Media) -> None:
    image = await media.upload(pictures.png(), title="Before")

    async def rename(title: str, etag: str = "") -> pb.Image:
        changed = pb.Image(name=image.name, title=title, etag=etag)
        return await media.images.UpdateImage(pb.UpdateImageRequest(image=changed))

    after = await rename("After", image.etag)
    stale = await failure(rename("Later", image.etag))

    assert (after.title, after.keep_time) == ("After", image.keep_time)
    assert after.etag != image.etag
    assert stale.reason == ErrorReason.ETAG_STALE
    assert (await rename("Whatever")).title == "Whatever"


async def test_only_the_title_can_change(media: Media) -> None:
    image = await media.upload(pictures.png(), title="Fox")

    async def update(changed: pb.Image, *paths: str) -> pb.Image:
        request = pb.UpdateImageRequest(image=changed, update_mask=FieldMask(paths=paths))
        return await media.images.UpdateImage(request)

    refused = await failure(update(pb.Image(name=image.name, creator="users/eve"), "creator"))
    too_long = await failure(update(pb.Image(name=image.name, title="x" * 201), "title"))
    emptied = await update(pb.Image(name=image.name), "title")

    assert "update_mask" in refused.fields
    assert too_long.fields.keys() == {"image.title"}
    assert emptied.title == ""


async def test_a_deleted_image_is_gone(media: Media) -> None:
    image = await media.upload(pictures.png())

    await media.images.DeleteImage(pb.DeleteImageRequest(name=image.name))

    again = await failure(media.images.DeleteImage(pb.DeleteImageRequest(name=image.name)))
    download = await failure(media.download(image.name))
    assert {again.reason, download.reason} == {ErrorReason.RESOURCE_NOT_FOUND}
    assert list((await library(media)).images) == []


async def test_bytes_that_went_with_their_image_are_not_found(media: Media) -> None:
    image = await media.upload(pictures.png())
    select = store_images.select_image
    looks = []

    async def slow(*args: Any) -> pb.Image | None:
        looks.append(await select(*args))
        if len(looks) == 1:
            await store_images.delete_image(media.pool, image.name)
            await media.collector.sweep()
        return looks[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_images, "select_image", slow)
        original = await failure(media.download(image.name))

    assert original.reason == ErrorReason.RESOURCE_NOT_FOUND
    assert len(looks) == 2


async def test_strangers_see_nothing_and_viewers_change_nothing(media: Media) -> None:
    image = await media.upload(pictures.png())

    async with media.calling("users/eve") as eve, media.calling("users/bob") as bob:
        hidden = await failure(eve.GetImage(pb.GetImageRequest(name=image.name)))
        seen = await bob.GetImage(pb.GetImageRequest(name=image.name))
        refused = await failure(bob.DeleteImage(pb.DeleteImageRequest(name=image.name)))
        upload = await failure(bob.UploadImage(uploads(pictures.png())))
        fence = await failure(bob.FenceTask(pb.FenceTaskRequest(task="t", epoch=1)))

    assert hidden.reason == ErrorReason.RESOURCE_NOT_FOUND
    assert seen == image
    assert {refused.reason, upload.reason, fence.reason} == {ErrorReason.CALLER_FORBIDDEN}


async def test_a_range_is_that_part_of_the_bytes(media: Media) -> None:
    data = pictures.png()
    image = await media.upload(data)
    expected = {
        (0, 10): data[:10],
        (5, 0): data[5:],
        (-7, 0): data[-7:],
        (-7, 3): data[-7:-4],
        (-(10**9), 0): data,
    }

    for (offset, limit), part in expected.items():
        info, _, received = await media.download(image.name, offset=offset, limit=limit)
        assert received == part
        assert (info.total_bytes, info.length) == (len(data), len(part))
        assert data[info.offset :].startswith(part)


async def test_an_offset_outside_is_refused(media: Media) -> None:
    data = pictures.png()
    image = await media.upload(data)

    for offset in (len(data), 10**12):
        refused = await failure(media.download(image.name, offset=offset))
        assert refused.reason == ErrorReason.FIELD_INVALID
        assert refused.fields.keys() == {"read_offset"}


async def test_who_has_the_bytes_gets_none(media: Media) -> None:
    image = await media.upload(pictures.png())
    info, _, _ = await media.download(image.name, pb.W256)

    for tags in (info.etag, f'"other", W/{info.etag}', "*"):
        again, content_type, received = await media.download(image.name, pb.W256, if_none_match=tags)
        assert (again.not_modified, again.length, received) == (True, 0, b"")
        assert content_type == "image/webp"
    changed, _, received = await media.download(image.name, if_none_match=info.etag)
    assert not changed.not_modified
    assert received


@given(
    size=st.integers(1, 10**7),
    offset=st.integers(-(2**63), 2**63 - 1),
    limit=st.integers(0, 2**63 - 1),
)
def test_every_range_lies_within_the_bytes_or_is_refused(size: int, offset: int, limit: int) -> None:
    image, copy = pb.Image(name="projects/a/images/b"), downloads.Copy(bytes(32), size, "image/png")
    request = pb.DownloadImageRequest(read_offset=offset, read_limit=limit)

    if offset >= size:
        with pytest.raises(Failure):
            downloads.describe(image, copy, request)
    else:
        info = downloads.describe(image, copy, request)
        assert 0 <= info.offset < info.offset + info.length <= size
        assert not limit or info.length <= limit


async def test_no_name_of_a_caller_becomes_a_path(media: Media) -> None:
    names = ["../../../etc/passwd", "..", "a\0b", "%2e%2e", "CON", "a\\b", "\u202e", "~", "x" * 100]
    before = set(media.folder.parent.rglob("*"))

    for name in names:
        assert (await failure(media.download(f"{ATLAS}/images/{name}"))).code in {
            grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.INVALID_ARGUMENT,
        }
        await media.stage(pictures.png(), task=name.replace("\0", "") or "x")

    new = set(media.folder.parent.rglob("*")) - before
    assert {path.name for path in new if path.is_file()} == {hashlib.sha256(pictures.png()).hexdigest()}


async def test_listing_stays_fast_in_a_large_project(media: Media) -> None:
    image = await media.upload(pictures.png())
    await media.pool.execute(
        """INSERT INTO images (project, id, title, sha256, generation, number, creator, keep_time)
           SELECT $1, 'many' || n, '', $2, '', 0, 'users/ada', now() - n * interval '1 second'
             FROM generate_series(1, 30000) n""",
        ATLAS,
        bytes.fromhex(image.sha256),
    )
    await media.pool.execute("ANALYZE")

    token = pages.encode(datetime.now(UTC) - timedelta(hours=4), "x")
    times = []
    for _ in range(15):
        began = time.perf_counter()
        page = await library(media, page_token=token)
        times.append(time.perf_counter() - began)
        token = page.next_page_token

    assert token
    assert sorted(times)[7] < 0.05
