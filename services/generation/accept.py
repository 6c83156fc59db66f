"""Accepting a generation: what was asked, the plan for it, and the rows that make it so."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.generation.v1 import generations_pb2 as pb

from runtime.database import Database
from runtime.failure import invalid
from runtime.names import project_of
from services.generation import store, store_events, store_tasks
from services.generation.gate import Gate
from services.generation.planner import Planner
from services.generation.store_tasks import NewTask
from services.generation.trouble import TROUBLE

log = structlog.get_logger()

KEPT = timedelta(days=30)  # a draft that nobody saves
# It is kept, listed and sent around whole; a page of generations holds some of the longest, too.
MOST_BYTES = 256 << 10

_ASKED = (
    "profile",
    "prompt",
    "negative_prompt",
    "size",
    "count",
    "quality",
    "seed",
    "output_format",
    "background",
    "elements",
    "input_images",
    "mask",
    "strict",
)


@dataclass(frozen=True)
class Accepted:
    """What is about to be stored."""

    plan: pb.Plan
    profile: Profile
    tasks: list[NewTask]


def asked_for(parent: str, generation: pb.Generation) -> pb.Generation:
    """The fields a caller may set, without the others. Raises FIELD_INVALID for images of other projects.

    It is also raised for elements that are too much, though each is allowed by itself.
    """
    foreign = {
        f"generation.{field}": "must be an image of the same project"
        for field, images in (
            ("input_images", generation.input_images),
            ("mask", [generation.mask]),
            ("elements", [element.image for element in generation.elements]),
        )
        if any(image and project_of(image) != parent for image in images)
    }
    if foreign:
        raise invalid(foreign)
    asked = pb.Generation()
    asked.CopyFrom(generation)
    for field in asked.DESCRIPTOR.fields:
        if field.name not in _ASKED:
            asked.ClearField(field.name)
    if asked.ByteSize() > MOST_BYTES:
        most = f"must be less: all fields may take {MOST_BYTES >> 10} KiB together"
        raise invalid({"generation.elements": most})
    return asked


def plan(gate: Gate, planner: Planner, asked: pb.Generation) -> Accepted:
    """What will be sent. Raises whatever keeps it from being sent."""
    passed = gate.enter(asked.profile)
    planned = planner.plan(passed.profile, passed.provider.kind, asked)
    tasks, first = [], 0
    for call in planned.tasks:
        tasks.append(NewTask(passed.provider.name, passed.slots, first, call))
        first += call.count
    return Accepted(planned.plan, passed.profile, tasks)


async def write(db: Database, draft: store.Draft, accepted: Accepted, lives: timedelta) -> pb.Generation:
    """All of it, or nothing."""
    position = await store_tasks.count_waiting(db, accepted.tasks[0].provider)
    queued = pb.GenerationEvent(queued=pb.GenerationEvent.Queued(position=position))
    return await store.insert_generation(db, draft, accepted.tasks, queued, lives=lives, kept=KEPT)


async def tell(db: Database, *, queued: bool = False, cancelled: str = "") -> None:
    """Hint to workers and watchers. They look for themselves too, so it may be lost."""
    try:
        await store_tasks.notify_tasks(db, "queued" if queued else cancelled)
        if cancelled:
            await store_events.notify_events(db, cancelled)
    except TROUBLE as error:
        log.warning("database.lost", error=type(error).__name__)
