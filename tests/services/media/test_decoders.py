import asyncio
import os
import signal
import struct
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import psutil
import pytest
import uvloop
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from PIL import Image, ImageCms

from runtime.failure import Failure
from services.media import decoders as module
from services.media import formats
from services.media.decoders import Decoders, open_decoders
from tests.services.media import pictures


@pytest.fixture
async def decoders() -> AsyncIterator[Decoders]:
    async with open_decoders(1) as pool:
        yield pool


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(data)
    return path


async def test_every_accepted_picture_decodes_and_shrinks(decoders: Decoders, tmp_path: Path) -> None:
    for name, make in pictures.ACCEPTED.items():
        source = saved(tmp_path, make())
        size = await decoders.check(source)
        copy = formats.inspect(memoryview(await decoders.shrink(source, 32)))
        assert size in {(64, 48), (300, 300), (65_535, 1)}, name
        assert copy.content_type == "image/webp", name
        assert max(copy.width, copy.height) == 32, name


async def test_what_does_not_decode_is_refused_and_the_decoder_lives(
    decoders: Decoders, tmp_path: Path
) -> None:
    await decoders.check(saved(tmp_path, pictures.png()))
    before = decoders.pids

    for make in (*pictures.UNDECODABLE.values(), pictures.REFUSED["gif"], pictures.REFUSED["bomb"]):
        with pytest.raises(Failure) as caught:
            await decoders.check(saved(tmp_path, make()))
        assert caught.value.reason == ErrorReason.IMAGE_REFUSED

    assert decoders.pids == before


async def test_a_picture_at_the_cap_fits_into_the_limits(decoders: Decoders, tmp_path: Path) -> None:
    largest = [
        pictures.bomb(8192, 8192),
        pictures.encoded(Image.new("RGBA", (8192, 4096)), "WEBP", method=0, lossless=True, quality=0),
    ]

    for data in largest:
        source = saved(tmp_path, data)
        facts = formats.inspect(memoryview(data))
        assert await decoders.check(source) == (facts.width, facts.height)
        assert await decoders.shrink(source, 256)


async def test_a_copy_is_never_larger_than_its_source(decoders: Decoders, tmp_path: Path) -> None:
    copy = await decoders.shrink(saved(tmp_path, pictures.png(20, 10)), 256)

    assert formats.inspect(memoryview(copy)) == formats.Facts("image/webp", 20, 10)


async def test_a_turned_photo_is_shown_upright(decoders: Decoders, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = saved(tmp_path, pictures.jpeg(64, 48, exif=exif))

    assert await decoders.check(source) == (48, 64)
    copy = formats.inspect(memoryview(await decoders.shrink(source, 32)))
    assert (copy.width, copy.height) == (24, 32)


async def test_a_copy_carries_pixels_and_nothing_else(decoders: Decoders, tmp_path: Path) -> None:
    canary = b"canary-in-the-metadata"
    exif = Image.Exif()
    exif[0x010E] = canary.decode()
    sources = [
        pictures.jpeg(exif=exif, comment=canary, icc_profile=canary * 9, xmp=canary),
        pictures.webp(exif=exif, icc_profile=canary * 9, xmp=canary),
        pictures.with_chunk(b"tEXt", b"Comment\0" + canary),
        pictures.with_chunk(b"eXIf", exif.tobytes()),
        pictures.png() + canary,
    ]

    for source in sources:
        assert canary in source
        copy = await decoders.shrink(saved(tmp_path, source), 32)
        assert canary not in copy
        assert set(Image.open(BytesIO(copy)).info) <= {"background", "loop", "timestamp", "duration"}


async def test_sixteen_bits_are_scaled_not_cut_off(decoders: Decoders, tmp_path: Path) -> None:
    source = saved(tmp_path, pictures.encoded(Image.new("I;16", (64, 48), 0x4000)))

    copy = Image.open(BytesIO(await decoders.shrink(source, 32)))

    assert abs(copy.convert("L").getpixel((5, 5)) - 0x40) < 4  # type: ignore[operator]


async def test_colours_are_those_that_the_profile_means(decoders: Decoders, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"keep").replace(b"gXYZ", b"rXYZ").replace(b"keep", b"gXYZ")
    source = pictures.encoded(Image.new("RGB", (64, 48), (255, 0, 0)), icc_profile=swapped)

    copy = Image.open(BytesIO(await decoders.shrink(saved(tmp_path, source), 32))).convert("RGB")

    red, green, blue = copy.getpixel((5, 5))  # type: ignore[misc]
    assert green > 200
    assert max(red, blue) < 60


async def test_a_dead_decoder_is_replaced(decoders: Decoders, tmp_path: Path) -> None:
    source = saved(tmp_path, pictures.png())
    await decoders.check(source)
    dead = decoders.pids

    os.kill(dead[0], signal.SIGKILL)
    with pytest.raises(Failure) as caught:
        await decoders.check(source)

    assert caught.value.reason == ErrorReason.SERVICE_UNAVAILABLE
    assert await decoders.check(source) == (64, 48)
    assert decoders.pids != dead


def test_a_decoder_that_died_between_pictures_is_nobodys_fault(tmp_path: Path) -> None:
    async def outlive() -> None:
        async with open_decoders(1) as pool:
            source = saved(tmp_path, pictures.png())
            await pool.check(source)
            os.kill(pool.pids[0], signal.SIGKILL)
            await asyncio.sleep(0.2)
            assert await pool.check(source) == (64, 48)

    # The loop that media runs on: it refuses writes to the dead as bugs.
    uvloop.run(outlive())


async def test_a_decoder_is_replaced_after_so_many_pictures(
    decoders: Decoders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PICTURES_PER_PROCESS", 2)
    source = saved(tmp_path, pictures.png())

    await decoders.check(source)
    first = decoders.pids
    await decoders.check(source)
    await decoders.check(source)

    assert decoders.pids
    assert decoders.pids != first


async def test_a_decoder_that_hangs_is_ended(
    decoders: Decoders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = saved(tmp_path, pictures.png())
    await decoders.check(source)
    monkeypatch.setattr(module, "PICTURE_SECONDS", 0.2)

    os.kill(decoders.pids[0], signal.SIGSTOP)
    with pytest.raises(Failure) as caught:
        await decoders.check(source)

    assert caught.value.reason == ErrorReason.IMAGE_REFUSED
    assert decoders.pids == []


async def test_whoever_leaves_does_not_leave_an_answer_behind(decoders: Decoders, tmp_path: Path) -> None:
    slow, quick = tmp_path / "slow", tmp_path / "quick"
    slow.write_bytes(pictures.bomb(6000, 6000))
    quick.write_bytes(pictures.png())
    await decoders.check(quick)

    leaving = asyncio.create_task(decoders.check(slow))
    await asyncio.sleep(0.02)
    leaving.cancel()
    await asyncio.wait((leaving,))

    assert await decoders.check(quick) == (64, 48)


async def test_processes_end_with_the_pool(tmp_path: Path) -> None:
    async with open_decoders(2) as pool:
        source = saved(tmp_path, pictures.png())
        await asyncio.gather(pool.check(source), pool.check(source))
        pids = pool.pids

    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_a_decoder_ends_when_its_parent_is_killed(decoders: Decoders, tmp_path: Path) -> None:
    await decoders.check(saved(tmp_path, pictures.png()))
    process = psutil.Process(decoders.pids[0])

    # What the kernel does for a killed parent: the pipe it wrote to is closed.
    running = decoders._all[0].process
    assert running
    assert running.stdin
    running.stdin.close()

    ends = time.monotonic() + 10
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)


def test_the_decoders_own_cap_is_the_services() -> None:
    from services.media import decoder

    assert decoder.MAX_PIXELS == formats.MAX_PIXELS
    assert struct.calcsize("P") == 8, "limits of address space assume 64 bits"
