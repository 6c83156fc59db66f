"""What a writer does in these stories, by the generated stubs."""

from typing import TYPE_CHECKING, Any

import grpc
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1.generations_pb2_grpc import GenerationServiceStub

from runtime.names import leaf
from tests.stack import Stack

if TYPE_CHECKING:  # only the types know an asynchronous stub
    from inkweld.generation.v1.generations_pb2_grpc import GenerationServiceAsyncStub

PROJECT = "projects/lantern-coast"
SKETCH = "profiles/sandbox-sketch"
PICTURE = "profiles/sandbox-picture"


def generations(channel: grpc.aio.Channel) -> "GenerationServiceAsyncStub":
    return GenerationServiceStub(channel)


def wanted(prompt: str, **asked: Any) -> pb.Generation:
    """A picture by the demo's first profile, a small one, unless something else is asked."""
    small = {} if "profile" in asked else {"size": "512x512"}
    return pb.Generation(**{"profile": SKETCH, "prompt": prompt} | small | asked)


async def preview(channel: grpc.aio.Channel, prompt: str, **asked: Any) -> pb.Plan:
    """Ask what would be sent."""
    request = pb.PreviewGenerationRequest(parent=PROJECT, generation=wanted(prompt, **asked))
    return await generations(channel).PreviewGeneration(request)


async def begin(channel: grpc.aio.Channel, prompt: str, **asked: Any) -> pb.Generation:
    """Ask for a picture."""
    request = pb.CreateGenerationRequest(parent=PROJECT, generation=wanted(prompt, **asked))
    return await generations(channel).CreateGeneration(request)


async def watch(channel: grpc.aio.Channel, name: str, after: int = 0) -> list[pb.GenerationEvent]:
    """All that happens to a generation, to its end."""
    request = pb.WatchGenerationRequest(name=name, after=after)
    return [event async for event in generations(channel).WatchGeneration(request, timeout=60)]


async def end(channel: grpc.aio.Channel, name: str) -> pb.Generation:
    """The generation as it ended."""
    return (await watch(channel, name))[-1].finished.generation


async def draw(channel: grpc.aio.Channel, prompt: str, **asked: Any) -> pb.Generation:
    """Ask for a picture and wait for it."""
    return await end(channel, (await begin(channel, prompt, **asked)).name)


def task_states(stack: Stack, generation: str) -> list[str]:
    """Where the tasks of a generation are in their lives, as the database has it."""
    statement = f"SELECT state FROM tasks WHERE generation = '{leaf(generation)}'"  # noqa: S608 -- an id of ours
    return (stack.postgres.psql(statement, "generation") or "").split()
