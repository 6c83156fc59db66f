"""A generation service on real servers and a real PostgreSQL, between fakes with a memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
import structlog
from asyncpg import Pool
from inkweld.access.v1 import projects_pb2_grpc
from inkweld.access.v1.projects_pb2 import Role
from inkweld.config.v1 import configuration_pb2_grpc, providers_pb2_grpc
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1 import generations_pb2_grpc, models_pb2_grpc
from inkweld.media.v1 import images_pb2_grpc

from runtime import channel, configuration, database, sealing
from runtime.configuration import Configuration
from runtime.egress import Egress
from services.generation import store_tasks
from services.generation.__main__ import MIGRATIONS
from services.generation.attempt import Parts
from services.generation.catalogue import ANY, Catalogue, Model
from services.generation.contact import Contacts
from services.generation.discovery import Asking
from services.generation.drafts import Drafts
from services.generation.gate import Gate
from services.generation.inputs import Inputs
from services.generation.planner import Planner
from services.generation.ring import Keys as OpenKeys
from services.generation.servicer_generations import GenerationService
from services.generation.servicer_models import ModelService
from services.generation.sizes import Sizes
from services.generation.watch import Hub
from services.generation.worker import Worker
from tests import house
from tests.house import FakeAuthority, Keys
from tests.services.generation.fakes import FakeConfig, FakeImages, FakeKind, FakeQueue, FakeStoppable

PROJECT = "projects/atlas"
LEASE = timedelta(seconds=3)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Workshop:
    """The service's parts, and what stands around it."""

    def __init__(self, url: str, db: Pool, keys: Keys, authority: FakeAuthority) -> None:
        self.url = url
        self.db = db
        self.keys = keys
        self.authority = authority
        self.images = FakeImages()
        self.plain = FakeKind("plain")
        self.stoppable = FakeStoppable("stoppable")
        self.queue = FakeQueue("queue")
        self.kinds = MappingProxyType({kind.KIND: kind for kind in (self.plain, self.stoppable, self.queue)})
        facts = Model(
            model=ANY,
            title="Any",
            max_prompt=1000,
            max_count=2,
            sizes=Sizes(offer=("64x64",), default="64x64"),
            seed=True,
            max_references=2,
            reference_formats=("png",),
            mask=True,
            white_mask=True,
        )
        self.planner = Planner(Catalogue({kind: [facts] for kind in self.kinds}), self.kinds)
        self.config = FakeConfig(sealing.load_public(keys.public_ring), tuple(self.kinds))
        self.hub = Hub(db)
        self.parts: Parts
        self.live: Configuration
        self.stub: Any
        self.models: Any
        self.address = self.config_address = self.media_address = ""
        self.lives = timedelta(minutes=15)

    def worker(self, *, at_once: int = 8, lease: timedelta = LEASE) -> Worker:
        return Worker(self.parts, at_once=at_once, lease=lease)

    @asynccontextmanager
    async def working(self, *workers: Worker, drain_seconds: float = 0.0) -> AsyncIterator[asyncio.Event]:
        """Workers that run while the block does; gives the event that makes them drain."""
        draining = asyncio.Event()
        running = [
            asyncio.create_task(worker.run(self.url, draining, drain_seconds))
            for worker in workers or (self.worker(),)
        ]
        try:
            yield draining
        finally:
            draining.set()
            await asyncio.gather(*running)

    async def create(self, kind: str = "plain", **fields: Any) -> pb.Generation:
        generation = pb.Generation(profile=f"profiles/{kind}", prompt="a fox", **fields)
        request = pb.CreateGenerationRequest(parent=PROJECT, generation=generation)
        created: pb.Generation = await self.stub.CreateGeneration(request)
        return created

    async def watched(self, generation: pb.Generation, after: int = 0) -> list[pb.GenerationEvent]:
        """All events to the end."""
        request = pb.WatchGenerationRequest(name=generation.name, after=after)
        async with asyncio.timeout(20):
            return [event async for event in self.stub.WatchGeneration(request)]

    async def ended(self, generation: pb.Generation) -> pb.Generation:
        """The generation as its last event tells it."""
        return (await self.watched(generation))[-1].finished.generation

    async def reconfigured(self) -> None:
        """Let the change of the configuration arrive."""
        await self.config.change()
        await until(lambda: self.live.current.revision == self.config.now.revision)

    async def put_back(self, generation: pb.Generation, tries: int) -> None:
        """Wait until the task waits again after so many tries."""
        async with asyncio.timeout(10):
            while True:
                task = await self.task(generation)
                if (task["state"], task["tries"]) == ("QUEUED", tries):
                    return
                await asyncio.sleep(0.02)

    async def task(self, generation: pb.Generation) -> Any:
        """The row of its first task."""
        return await self.db.fetchrow(
            "SELECT * FROM tasks WHERE generation = $1 ORDER BY first_index LIMIT 1",
            generation.name.rsplit("/", 1)[-1],
        )


@pytest.fixture
def plain_logs() -> Iterator[None]:
    """The default renderer takes a second for a traceback, which is as long as a lease here."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
async def workshop(
    plain_logs: None,
    database_url: str,
    keys: Keys,
    authority: FakeAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Workshop]:
    # No load balancer is given time to look away.
    monkeypatch.setattr("runtime.server._NOT_READY_SECONDS", 0.0)
    authority.roles[PROJECT, "users/ada"] = Role.EDITOR
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        db = await enter(database.connect(database_url, MIGRATIONS))
        await store_tasks.write_transitions(db)
        workshop = Workshop(database_url, db, keys, authority)
        settings = keys.settings("generation")
        config = workshop.config_address = await enter(
            house.serving(
                "config",
                [
                    (configuration_pb2_grpc.add_ConfigurationServiceServicer_to_server, workshop.config),
                    (providers_pb2_grpc.add_ProviderServiceServicer_to_server, workshop.config),
                    (projects_pb2_grpc.add_ProjectServiceServicer_to_server, workshop.config),
                ],
                authority=authority,
                keys=keys,
            )
        )
        media = workshop.media_address = await enter(
            house.serving(
                "media",
                [(images_pb2_grpc.add_ImageServiceServicer_to_server, workshop.images)],
                authority=authority,
                keys=keys,
            )
        )

        async def dial(address: str, audience: str) -> Any:
            identity = channel.as_service(keys.signer("generation"), audience)
            return await enter(channel.connect(address, settings, identity=identity))

        to_config, to_media = await dial(config, "config"), await dial(media, "media")
        as_caller = await enter(channel.connect(media, settings, identity=channel.as_caller))
        live = workshop.live = await enter(configuration.watch(to_config))
        gate = Gate(live, workshop.kinds)
        ring = sealing.load_private(keys.private_ring)
        keys_of_providers, egress = OpenKeys(ring, to_config), Egress()
        contacts = Contacts(gate, keys_of_providers, egress)
        asking = Asking(live, workshop.kinds, keys_of_providers, egress)
        workshop.parts = Parts(db, contacts, Drafts(to_media), Inputs(to_media), workshop.planner)
        generations = GenerationService(
            db, gate, workshop.planner, workshop.hub, media=as_caller, lives=workshop.lives
        )
        workshop.address = await enter(
            house.serving(
                "generation",
                [
                    (generations_pb2_grpc.add_GenerationServiceServicer_to_server, generations),
                    (
                        models_pb2_grpc.add_ModelServiceServicer_to_server,
                        ModelService(db, live, workshop.planner, asking),
                    ),
                ],
                authority=authority,
                keys=keys,
            )
        )
        workshop.stub = await enter(
            house.stub(generations_pb2_grpc.GenerationServiceStub, workshop.address, keys)
        )
        workshop.models = await enter(house.stub(models_pb2_grpc.ModelServiceStub, workshop.address, keys))
        following = asyncio.create_task(workshop.hub.run(database_url))
        while not live.arrived:
            await live.changed()
        yield workshop
        following.cancel()
        await asyncio.wait((following,))
