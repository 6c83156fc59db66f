import asyncio
import io
from collections.abc import AsyncIterable, Awaitable
from typing import Any

import grpc
import httpx
import orjson
import pytest
from google.api.httpbody_pb2 import HttpBody
from inkweld.access.v1 import projects_pb2
from inkweld.access.v1.projects_pb2_grpc import ProjectServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.media.v1 import images_pb2
from inkweld.media.v1.images_pb2_grpc import ImageServiceStub
from PIL import Image

from runtime.failure import Failure
from tests.end_to_end import writing
from tests.stack import Stack

pytestmark = pytest.mark.stack


async def joined(parts: AsyncIterable[HttpBody]) -> bytes:
    return b"".join([part.data async for part in parts])


async def test_the_first_image_by_grpc(stack: Stack) -> None:
    async with (
        stack.channel("config") as config,
        stack.channel("generation") as generation,
        stack.channel("media") as media,
    ):
        project = await ProjectServiceStub(config).CreateProject(
            projects_pb2.CreateProjectRequest(project=projects_pb2.Project(title="Atlas of Foxes"))
        )
        wanted = pb.Generation(
            profile=writing.SKETCH, prompt="A fox reading by lamplight", size="768x1024", seed=7
        )
        begun = await writing.generations(generation).CreateGeneration(
            pb.CreateGenerationRequest(parent=project.name, generation=wanted)
        )
        events = await writing.watch(generation, begun.name)
        saved = await writing.generations(generation).SaveGeneration(
            pb.SaveGenerationRequest(name=begun.name)
        )
        images = ImageServiceStub(media)
        library = await images.ListImages(images_pb2.ListImagesRequest(parent=project.name))
        parts = images.DownloadImage(images_pb2.DownloadImageRequest(name=library.images[0].name))
        picture = Image.open(io.BytesIO(await joined(parts)))

    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert events[-1].finished.generation.state == pb.Generation.SUCCEEDED
    assert [image.saved for image in saved.images] == [True]
    assert [image.name for image in library.images] == [saved.images[0].image]
    assert library.images[0].generation == begun.name
    picture.load()
    assert picture.size == (768, 1024)


async def test_the_first_image_by_http(stack: Stack) -> None:
    async with stack.http() as client:
        project = (await _said(client.post("/v1/projects", json={"title": "Foxes, by post"})))["name"]
        asked = {"profile": writing.SKETCH, "prompt": "A fox posting a letter", "size": "512x512", "count": 2}
        begun = await _said(client.post(f"/v1/{project}/generations", json=asked))
        events = await _events(client, f"/v1/{begun['name']}:watch")
        await _said(client.post(f"/v1/{begun['name']}:save", json={"indexes": [1]}))
        library = (await _said(client.get(f"/v1/{project}/images")))["images"]
        whole = await client.get(f"/v1/{library[0]['name']}:download")
        small = await client.get(f"/v1/{library[0]['name']}:download", params={"rendition": "W256"})
        again = await client.get(
            f"/v1/{library[0]['name']}:download", headers={"if-none-match": whole.headers["etag"]}
        )

    assert events[-1]["finished"]["generation"]["state"] == "SUCCEEDED"
    assert [image["index"] for image in library] == [1]
    assert (whole.status_code, small.status_code) == (200, 200), small.text[:500]
    assert Image.open(io.BytesIO(whole.content)).size == (512, 512)
    assert Image.open(io.BytesIO(small.content)).format == "WEBP"
    assert again.status_code == 304


async def test_watching_resumes_where_it_broke_off(stack: Stack) -> None:
    async with stack.channel("generation") as channel, stack.http() as client:
        begun = await writing.draw(channel, "A fox that comes back")
        whole = await _events(client, f"/v1/{begun.name}:watch")
        rest = await _events(client, f"/v1/{begun.name}:watch", after=whole[0]["number"])

    # Of pictures on their way only the events are left.
    for event in whole:
        event.get("partial", {}).pop("data", None)
    assert rest == whole[1:]


async def test_the_openai_protocol_brings_an_image_too(stack: Stack) -> None:
    async with stack.channel("generation") as channel:
        ended = await writing.draw(channel, "A fox in oils", profile=writing.PICTURE, size="1024x1024")

    assert ended.state == pb.Generation.SUCCEEDED
    assert (ended.images[0].width, ended.images[0].height) == (1024, 1024)


async def test_another_users_project_does_not_exist(stack: Stack) -> None:
    async with stack.channel("generation", await stack.new_user("stranger")) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await writing.begin(channel, "A fox in someone else's den")

    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


async def _said(call: Awaitable[httpx.Response]) -> Any:
    answer = await call
    assert answer.status_code == 200, answer.text
    return orjson.loads(answer.content)


async def _events(client: httpx.AsyncClient, path: str, after: str = "") -> list[Any]:
    headers = {"last-event-id": after} if after else {}
    async with client.stream("GET", path, headers=headers) as stream:
        lines = [line async for line in stream.aiter_lines()]
    return [orjson.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]


async def test_a_provider_that_asks_to_slow_down_is_said_with_when_to_come_back(stack: Stack) -> None:
    prompt = "A fox in a hurry"
    await stack.script({"match": {"prompt": prompt}, "act": {"refuse": "rate_limit", "retry_after": 7}})
    async with stack.channel("generation") as generation:
        ended = await writing.draw(generation, prompt, profile=writing.PICTURE)

    failure = Failure.from_status(ended.error)
    assert (ended.state, ended.may_have_been_billed) == (pb.Generation.FAILED, False)
    assert failure is not None
    assert (failure.reason, failure.retry_after) == (ErrorReason.PROVIDER_RATE_LIMITED, 7)
    assert stack.charges(prompt) == []


async def test_watching_ends_when_the_project_is_deleted(stack: Stack) -> None:
    prompt = "A fox that nobody waits for"
    await stack.script({"match": {"prompt": prompt}, "act": {"seconds": 6}})
    async with stack.http() as client:
        await client.post("/v1/projects?projectId=doomed", json={"title": "Doomed"})
        wish = {"profile": writing.SKETCH, "prompt": prompt, "size": "512x512"}
        begun = (await client.post("/v1/projects/doomed/generations", json=wish)).json()["name"]
        async with client.stream("GET", f"/v1/{begun}:watch") as watched, asyncio.timeout(4):
            lines = watched.aiter_lines()
            await anext(lines)
            await client.delete("/v1/projects/doomed")
            rest = [line async for line in lines]
        again = await client.get(f"/v1/{begun}:watch")

    assert not [line for line in rest if "finished" in line]
    assert again.status_code == 404
