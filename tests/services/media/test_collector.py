import asyncio
import hashlib
import itertools
import os
import random
from contextlib import suppress
from datetime import timedelta

import pytest
from inkweld.media.v1 import images_pb2 as pb

from services.media import collector as module
from services.media import store_blobs
from tests.services.media import pictures
from tests.services.media.conftest import Media


async def blobs(media: Media) -> int:
    count = await media.pool.fetchval("SELECT count(*) FROM blobs")
    assert count == len(media.files)
    return int(count)


async def delete(media: Media, name: str) -> None:
    await media.images.DeleteImage(pb.DeleteImageRequest(name=name))


async def test_bytes_go_with_the_last_image_that_has_them(media: Media) -> None:
    first, second = [await media.upload(pictures.png()) for _ in range(2)]

    await delete(media, first.name)
    await media.collector.sweep()
    after_one = await blobs(media)
    await delete(media, second.name)
    await media.collector.sweep()

    assert after_one == 1
    assert await blobs(media) == 0


async def test_copies_go_with_their_source(media: Media) -> None:
    image = await media.upload(pictures.png(600, 600))
    for rendition in (pb.W256, pb.W1024):
        await media.download(image.name, rendition)
    await media.collector.sweep()
    before = await blobs(media)

    await delete(media, image.name)
    await media.collector.sweep()

    assert before == 3
    assert await blobs(media) == 0


async def test_expired_drafts_and_pending_stages_go(media: Media) -> None:
    draft = await media.draft(pictures.png())
    await media.stage(pictures.png(seed=2), task="t2")
    kept = await media.draft(pictures.png(seed=3), task="t3")
    await media.keep(kept.name)
    await media.expire(draft.name)
    await media.pool.execute("UPDATE stages SET expire_time = now()")

    await media.collector.sweep()

    assert await blobs(media) == 1
    assert await media.pool.fetchval("SELECT count(*) FROM stages") == 0
    assert (await media.download(kept.name))[2] == pictures.png(seed=3)


async def test_what_is_pending_or_a_draft_stays(media: Media) -> None:
    await media.draft(pictures.png())
    await media.stage(pictures.png(seed=2), task="t2")

    await media.collector.sweep()

    assert await blobs(media) == 2


async def test_a_deleted_draft_leaves_no_bytes_though_its_commit_is_remembered(media: Media) -> None:
    draft = await media.draft(pictures.png())
    await delete(media, draft.name)

    await media.collector.sweep()

    assert await blobs(media) == 0
    assert await media.commit(bytes.fromhex(draft.sha256))


async def test_files_without_a_row_go_when_they_are_old(media: Media) -> None:
    image = await media.upload(pictures.png())
    async with media.blobs.receive() as incoming:
        await incoming.write(b"linked, and killed before the commit")
        await incoming.store(lambda _, data: len(data))

    await media.collector.search(module.STRAY_SECONDS)
    await media.collector.sweep()
    while_new = len(media.files)
    await media.collector.search(-1)
    await media.collector.sweep()

    assert while_new == 2
    assert await blobs(media) == 1
    assert await media.download(image.name)


async def test_old_fences_go(media: Media) -> None:
    for task in ("old", "new"):
        await media.worker.FenceTask(pb.FenceTaskRequest(task=task, epoch=1))
    await media.pool.execute("UPDATE fences SET update_time = now() - interval '61 days' WHERE task = 'old'")

    await media.collector.sweep()

    assert [row["task"] for row in await media.pool.fetch("SELECT task FROM fences")] == ["new"]


async def test_bytes_removed_while_they_are_stored_again_are_there_in_the_end(media: Media) -> None:
    """The collector holds the row and removes the bytes after the writer has published them."""
    data = pictures.png()
    image = await media.upload(data)
    sha256 = bytes.fromhex(image.sha256)
    await delete(media, image.name)

    async with media.pool.acquire() as db, db.transaction():
        assert await store_blobs.lock_unused(db, sha256)
        again = asyncio.create_task(media.upload(data))
        await asyncio.sleep(0.3)
        waiting = not again.done()
        await media.blobs.remove(sha256)
        await store_blobs.delete_blob(db, sha256)
    image = await again

    assert waiting
    assert (await media.download(image.name))[2] == data


async def test_a_reference_made_while_the_collector_waits_saves_the_bytes(media: Media) -> None:
    data = pictures.png()
    image = await media.upload(data)
    sha256 = bytes.fromhex(image.sha256)
    await delete(media, image.name)

    async with media.pool.acquire() as db, db.transaction():
        await db.execute("UPDATE blobs SET size_bytes = size_bytes WHERE sha256 = $1", sha256)
        sweeping = asyncio.create_task(media.collector.sweep())
        await asyncio.sleep(0.2)
        await db.execute(
            """INSERT INTO images (project, id, title, sha256, generation, number, creator, keep_time)
               VALUES ('projects/atlas', 'x', '', $1, '', 0, 'users/ada', now())""",
            sha256,
        )
    await sweeping

    assert (await media.download("projects/atlas/images/x"))[2] == data


async def test_an_expiring_draft_is_kept_or_gone_and_never_half(media: Media) -> None:
    drafts = [
        await media.draft(pictures.png(seed=at + 1), task=f"t{at}", expires=timedelta(seconds=0.6))
        for at in range(6)
    ]
    await asyncio.sleep(0.45)
    sweeps = [asyncio.create_task(sweep_for_a_while(media)) for _ in range(2)]

    kept = await asyncio.gather(*(keep_late(media, draft, at * 0.04) for at, draft in enumerate(drafts)))
    await asyncio.gather(*sweeps)

    for draft, was_kept in zip(drafts, kept, strict=True):
        there = await media.pool.fetchval(
            "SELECT true FROM images WHERE id = $1", draft.name.rsplit("/", 1)[-1]
        )
        assert bool(there) == was_kept
        if was_kept:
            assert (await media.download(draft.name))[0].total_bytes == draft.size_bytes
    await media.collector.sweep()
    assert await blobs(media) == sum(kept)


async def keep_late(media: Media, draft: pb.Image, seconds: float) -> bool:
    await asyncio.sleep(seconds)
    try:
        await media.keep(draft.name)
    except Exception:  # noqa: BLE001
        return False
    return True


async def sweep_for_a_while(media: Media) -> None:
    for _ in range(10):
        await media.collector.sweep()
        await asyncio.sleep(0.03)


async def test_a_storm_of_the_same_bytes_loses_none(media: Media) -> None:
    """Few pictures stored, kept, deleted and collected by many at once: what has a row has its bytes."""
    data = [pictures.png(seed=seed) for seed in (1, 2)]

    async def live(number: int) -> None:
        for turn in range(4):
            draft = await media.draft(data[(number + turn) % 2], task=f"t{number}-{turn}")
            if turn == 3 and number % 3 == 0:
                await media.keep(draft.name)
            else:
                await delete(media, draft.name)

    sweeping = asyncio.create_task(sweep_for_a_while(media))
    await asyncio.gather(*(live(number) for number in range(8)))
    await sweeping

    images = (await media.images.ListImages(pb.ListImagesRequest(parent="projects/atlas"))).images
    assert len(images) == 3
    for image in images:
        assert (await media.download(image.name))[2] in data
    await media.collector.sweep()
    assert await blobs(media) == len({image.sha256 for image in images})
    assert list((media.folder / "tmp").iterdir()) == []


async def test_a_blob_found_unused_is_looked_at_again_before_it_goes(media: Media) -> None:
    data, sha256 = await unused_then_staged(media)

    removed = await media.collector._remove(sha256)

    assert not removed
    assert (await media.download((await media.commit(sha256))[0].name))[2] == data


async def test_without_the_second_look_what_is_pending_would_be_lost(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The damage that the test above would not notice if it looked at the wrong thing."""

    async def blind(*_: object) -> bool:
        return True

    monkeypatch.setattr(store_blobs, "lock_unused", blind)
    _, sha256 = await unused_then_staged(media)

    await media.collector._remove(sha256)

    assert not await media.blobs.holds(sha256)


async def unused_then_staged(media: Media) -> tuple[bytes, bytes]:
    """Bytes that a sweep has found unused, and that were then stored again for a task."""
    data = pictures.png()
    image = await media.upload(data)
    await delete(media, image.name)
    (sha256,) = await store_blobs.select_unused(media.pool, 10)
    await media.stage(data)
    return data, sha256


class Life:
    """What should be there, whatever happens in which order."""

    def __init__(self, media: Media, seed: int) -> None:
        self.media = media
        self.random = random.Random(seed)
        self.data = [pictures.png(seed=number + 1) for number in range(3)]
        self.pending: dict[str, bytes] = {}
        self.drafts: dict[str, bytes] = {}
        self.kept: dict[str, bytes] = {}
        self.tasks = itertools.count()

    async def upload(self) -> None:
        data = self.random.choice(self.data)
        self.kept[(await self.media.upload(data)).name] = data

    async def stage(self) -> None:
        data, task = self.random.choice(self.data), f"task-{next(self.tasks)}"
        await self.media.stage(data, task=task)
        self.pending[task] = data

    async def commit(self) -> None:
        if self.pending:
            task, data = self.pending.popitem()
            (image,) = await self.media.commit(hashlib.sha256(data).digest(), task=task)
            self.drafts[image.name] = data

    async def keep(self) -> None:
        if self.drafts:
            name, data = self.drafts.popitem()
            await self.media.keep(name)
            self.kept[name] = data

    async def expire(self) -> None:
        if self.drafts:
            await self.media.expire(self.drafts.popitem()[0])

    async def delete(self) -> None:
        if self.kept:
            await delete(self.media, self.kept.popitem()[0])

    async def show(self) -> None:
        if len(self.kept) > 3:  # so that the first is not being deleted
            await self.media.download(next(iter(self.kept)), pb.W256)

    async def sweep(self) -> None:
        await self.media.collector.sweep()

    async def search(self) -> None:
        for path in self.media.folder.glob("??/??/*"):
            with suppress(FileNotFoundError):
                os.utime(path, (1, 1))
        await self.media.collector.search(3600)

    async def go_on(self, steps: int) -> None:
        """Do things at random, three at a time."""
        deeds = [self.upload, self.stage, self.commit, self.keep, self.expire, self.delete, self.show]
        for _ in range(steps):
            at_once = self.random.choices([*deeds, self.sweep, self.sweep, self.search], k=3)
            await asyncio.gather(*(deed() for deed in at_once))

    async def check(self) -> None:
        for name, data in (self.drafts | self.kept).items():
            assert (await self.media.download(name))[2] == data, name
        for data in self.pending.values():
            assert await self.media.blobs.holds(hashlib.sha256(data).digest())


async def test_in_any_order_garbage_goes_and_nothing_else(media: Media) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    life = Life(media, seed)

    for _ in range(5):
        await life.go_on(8)
        await life.check()
    for name in life.kept:
        await delete(media, name)
    await media.pool.execute("UPDATE images SET expire_time = now() WHERE keep_time IS NULL")
    await media.pool.execute("UPDATE stages SET expire_time = now()")
    await media.collector.sweep()

    assert await blobs(media) == 0
