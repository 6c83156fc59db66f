import asyncio
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.media.v1 import images_pb2 as pb

from runtime.failure import Failure
from services.media import formats
from tests.house import failure_of
from tests.services.media import pictures
from tests.services.media.conftest import ATLAS, Media, stages

GENERATION = f"{ATLAS}/generations/g1"
FILE = "a" * 32


async def failure(call: Any) -> Failure:
    """The failure a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return failure_of(caught.value)


async def fence(media: Media, epoch: int, task: str = "t1") -> pb.FenceTaskResponse:
    return await media.worker.FenceTask(pb.FenceTaskRequest(task=task, epoch=epoch))


async def images(media: Media) -> int:
    count = await media.pool.fetchval("SELECT count(*) FROM images")
    return int(count)


async def test_staged_and_committed_pictures_are_drafts_of_their_generation(media: Media) -> None:
    data = [pictures.png(seed=1) + os.urandom(1_500_000), pictures.jpeg(), pictures.webp()]

    staged = [await media.stage(each, index=at) for at, each in enumerate(data)]
    nothing_yet = await images(media)
    drafts = await media.commit(*(stage.sha256 for stage in staged))

    assert nothing_yet == 0
    assert [(s.index, s.content_type, s.width, s.height) for s in staged] == [
        (0, "image/png", 64, 48),
        (1, "image/jpeg", 64, 48),
        (2, "image/webp", 64, 48),
    ]
    for at, draft in enumerate(drafts):
        assert (draft.generation, draft.index, draft.creator) == (GENERATION, at + 10, "users/ada")
        assert draft.state == pb.Image.DRAFT
        assert (await media.download(draft.name))[2] == data[at]


async def test_staging_and_committing_again_changes_nothing(media: Media) -> None:
    first = await media.stage(pictures.png())
    again = await media.stage(pictures.png())
    drafts = await media.commit(first.sha256)

    assert again == first
    assert await media.commit(first.sha256) == drafts
    assert await media.stage(pictures.png()) == first
    assert await media.commit(first.sha256, epoch=2) == drafts
    assert await images(media) == 1


async def test_commits_at_the_same_time_make_one_draft(media: Media) -> None:
    staged = await media.stage(pictures.png())

    drafts = await asyncio.gather(*(media.commit(staged.sha256) for _ in range(6)))

    assert len({draft.name for (draft,) in drafts}) == 1
    assert await images(media) == 1


async def test_a_commit_repeated_after_a_draft_was_deleted_brings_nothing_back(media: Media) -> None:
    draft = await media.draft(pictures.png())
    await media.images.DeleteImage(pb.DeleteImageRequest(name=draft.name))

    (again,) = await media.commit(bytes.fromhex(draft.sha256))
    fenced = await fence(media, 2)

    assert (again.name, again.sha256) == (draft.name, draft.sha256)
    assert [image.name for image in fenced.committed] == [draft.name]
    assert await images(media) == 0


async def test_a_higher_epoch_shuts_the_lower_out(media: Media) -> None:
    staged = await media.stage(pictures.png(), epoch=3)

    fenced = await fence(media, 4)
    late = [
        await failure(media.stage(pictures.png(seed=2), epoch=3, index=1)),
        await failure(media.commit(staged.sha256, epoch=3)),
        await failure(fence(media, 3)),
    ]

    assert list(fenced.staged) == [staged]
    assert {each.reason for each in late} == {ErrorReason.LEASE_TAKEN}
    assert {each.metadata["task"] for each in late} == {"t1"}
    assert await images(media) == 0
    assert await media.commit(staged.sha256, epoch=4)


async def test_the_same_epoch_goes_on(media: Media) -> None:
    await fence(media, 5)
    await fence(media, 5)

    assert await media.stage(pictures.png(), epoch=5)


async def test_whoever_takes_over_learns_what_is_there(media: Media) -> None:
    one, two = [await media.stage(pictures.png(seed=at + 1), index=at) for at in range(2)]
    drafts = await media.commit(one.sha256)

    fenced = await fence(media, 2)

    assert list(fenced.staged) == [two]
    assert list(fenced.committed) == drafts


async def test_a_frozen_worker_that_wakes_up_while_it_stages_is_refused(media: Media) -> None:
    data = pictures.png() + os.urandom(3_000_000)
    header = pb.StageImageRequest.Header(
        parent=ATLAS,
        task="t1",
        epoch=1,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).digest(),
    )

    async def frozen() -> Any:
        yield pb.StageImageRequest(header=header)
        yield pb.StageImageRequest(data=data[: 1 << 20])
        await fence(media, 2)
        for at in range(1 << 20, len(data), 1 << 20):
            yield pb.StageImageRequest(data=data[at : at + (1 << 20)])

    refused = await failure(media.worker.StageImage(frozen()))

    assert refused.reason == ErrorReason.LEASE_TAKEN
    assert list((await fence(media, 2)).staged) == []


async def test_what_was_declared_must_come(media: Media) -> None:
    data = pictures.png()
    cases = {
        "header.size_bytes": [media.stage(data, size=len(data) + 1), media.stage(data, size=len(data) - 1)],
        "header.sha256": [media.stage(data, sha256=bytes(32)), media.stage(data, sha256=b"short")],
    }

    for field, calls in cases.items():
        for call in calls:
            refused = await failure(call)
            assert refused.reason == ErrorReason.FIELD_INVALID
            assert refused.fields.keys() == {field}

    assert media.files == []


async def test_the_header_comes_first(media: Media) -> None:
    refused = await failure(media.worker.StageImage(iter([pb.StageImageRequest(data=b"x")])))

    assert refused.fields.keys() == {"header"}


async def test_what_a_provider_sent_is_held_to_the_same_rules(media: Media) -> None:
    for name, make in pictures.REFUSED.items():
        if data := make():
            refused = await failure(media.stage(data))
            assert refused.reason == ErrorReason.IMAGE_REFUSED, name
            assert refused.fields == {"data": f"must be {formats.ALLOWED}"}
    too_many = await failure(media.stage(pictures.png(), size=formats.MAX_BYTES + 1))

    assert too_many.reason == ErrorReason.IMAGE_REFUSED
    assert media.files == []
    assert media.decoders.pids == []


async def test_a_picture_whose_pixels_are_damaged_is_kept_and_has_no_copy(media: Media) -> None:
    draft = await media.draft(pictures.pixels_damaged())

    refused = await failure(media.download(draft.name, pb.W256))

    assert refused.reason == ErrorReason.IMAGE_REFUSED
    assert refused.fields.keys() == {"rendition"}
    assert (await media.download(draft.name))[2] == pictures.pixels_damaged()


async def test_only_what_was_staged_for_the_project_can_be_committed(media: Media) -> None:
    staged = await media.stage(pictures.png())

    refused = [
        await failure(media.commit(bytes(32))),
        await failure(media.commit(staged.sha256, task="other")),
        await failure(media.commit(staged.sha256, generation="projects/hidden/generations/g")),
        await failure(media.commit(staged.sha256, bytes(32))),
    ]

    assert {each.reason for each in refused} == {ErrorReason.FIELD_INVALID}
    assert refused[3].fields.keys() == {"pictures[1]"}
    assert await images(media) == 0


async def test_a_committed_index_takes_no_other_picture(media: Media) -> None:
    draft = await media.draft(pictures.png())

    refused = await failure(media.stage(pictures.png(seed=2)))

    assert refused.reason == ErrorReason.FIELD_INVALID
    assert (await media.commit(bytes.fromhex(draft.sha256)))[0].name == draft.name


async def test_another_picture_for_an_index_replaces_what_is_pending(media: Media) -> None:
    await media.stage(pictures.png())
    second = await media.stage(pictures.png(seed=2), epoch=2)

    assert list((await fence(media, 2)).staged) == [second]
    await media.collector.sweep()
    assert len(media.files) == 1


async def test_people_cannot_stage(media: Media) -> None:
    header = pb.StageImageRequest.Header(parent=ATLAS, task="t", epoch=1, size_bytes=1, sha256=bytes(32))
    refused = await failure(media.images.StageImage(iter([pb.StageImageRequest(header=header)])))

    assert refused.reason == ErrorReason.CALLER_FORBIDDEN


async def test_many_at_once_are_all_stored(media: Media) -> None:
    data = [pictures.png(seed=at + 1) + os.urandom(1_000_000) for at in range(24)]

    staged = await asyncio.gather(*(media.stage(each, task=f"t{at}") for at, each in enumerate(data)))

    assert [stage.sha256 for stage in staged] == [hashlib.sha256(each).digest() for each in data]
    assert len(media.files) == 24


async def test_a_draft_goes_at_the_time_it_was_given(media: Media) -> None:
    draft = await media.draft(pictures.png(), expires=timedelta(seconds=0.3))

    await asyncio.sleep(0.4)
    gone = await failure(media.images.GetImage(pb.GetImageRequest(name=draft.name)))

    assert gone.reason == ErrorReason.RESOURCE_NOT_FOUND


async def place(media: Media) -> tuple[str, Path]:
    answer = await media.worker.OpenPlace(pb.OpenPlaceRequest())
    assert Path(answer.directory, "proof").read_bytes() == answer.proof
    return answer.place, Path(answer.directory)


async def stage_left(
    media: Media, name: str, size: int, sha256: bytes = b"", epoch: int = 1
) -> pb.StagedImage:
    header = pb.StageImageRequest.Header(
        parent=ATLAS, task="t1", epoch=epoch, index=0, size_bytes=size, sha256=sha256, place=name
    )
    return await media.worker.StageImage(stages(header, b""))


async def test_a_picture_left_in_a_place_is_staged_and_taken_away(media: Media) -> None:
    data = pictures.png() + os.urandom(100_000)
    id_, directory = await place(media)
    (directory / FILE).write_bytes(data)

    staged = await stage_left(media, f"{id_}/{FILE}", len(data))
    (draft,) = await media.commit(staged.sha256)

    assert staged.sha256 == hashlib.sha256(data).digest()
    assert (await media.download(draft.name))[2] == data
    assert [path.name for path in directory.iterdir()] == ["proof"]
    assert len(media.files) == 2


async def test_a_place_gives_nothing_but_plain_files_left_in_it(media: Media) -> None:
    data = pictures.png()
    id_, directory = await place(media)
    blob = media.folder / "a-blob"
    blob.write_bytes(data)
    (directory / FILE).symlink_to(blob)
    (directory / FILE.replace("a", "b")).hardlink_to(blob)
    (directory / FILE.replace("a", "c")).mkdir()
    os.mkfifo(directory / FILE.replace("a", "d"))
    (directory / FILE.replace("a", "e")).write_bytes(data + b"more")
    names = [f"{id_}/{FILE.replace('a', letter)}" for letter in "abcdef"]

    for name in [*names, f"{FILE}/{FILE}", f"{id_}/../{id_}/{FILE}", f"../{FILE}"]:
        refused = await failure(stage_left(media, name, len(data)))
        assert refused.reason == ErrorReason.FIELD_INVALID
        assert list(refused.fields or ()) == ["header.place"] or ".." in name

    assert blob.read_bytes() == data
    assert await media.pool.fetchval("SELECT count(*) FROM blobs") == 0


async def test_what_is_left_is_held_to_its_declared_hash_and_epoch(media: Media) -> None:
    data = pictures.png()
    id_, directory = await place(media)
    (directory / FILE).write_bytes(data)
    wrong = await failure(stage_left(media, f"{id_}/{FILE}", len(data), sha256=bytes(32)))
    await fence(media, 2)
    (directory / FILE).write_bytes(data)

    late = await failure(stage_left(media, f"{id_}/{FILE}", len(data)))

    assert list(wrong.fields or ()) == ["header.sha256"]
    assert late.reason == ErrorReason.LEASE_TAKEN
    assert await media.pool.fetchval("SELECT count(*) FROM stages") == 0
