"""The generation service: accepts generations, works on them, and tells how they are doing.

`python -m services.generation` serves and works; `python -m services.generation worker` only works.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from inkweld.generation.v1 import generations_pb2_grpc, models_pb2_grpc

from runtime import channel, configuration, database, logs, process, sealing, settings
from runtime.configuration import Configuration
from runtime.egress import Egress
from runtime.identity import Signer, Verifier
from runtime.server import new_server, serve
from runtime.settings import ServiceSettings
from services.generation import catalogue, providers, store_tasks
from services.generation.attempt import Parts
from services.generation.contact import Contacts
from services.generation.discovery import Asking
from services.generation.drafts import Drafts
from services.generation.gate import Gate
from services.generation.inputs import Inputs
from services.generation.planner import Planner
from services.generation.ring import Keys
from services.generation.servicer_generations import GenerationService
from services.generation.servicer_models import ModelService
from services.generation.watch import Hub
from services.generation.worker import Worker

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICES = ("inkweld.generation.v1.GenerationService", "inkweld.generation.v1.ModelService")
POOL = 16


class Settings(ServiceSettings):
    """What the generation service is told."""

    database_url: str
    config_address: str
    media_address: str
    # The private ring that opens providers' keys. No other process may read it.
    ring_file: Path
    # How many tasks this process works on at once; 0 leaves the work to others.
    workers: int = 32
    # How long a task stays with a worker that has fallen silent.
    lease_seconds: float = 15.0
    # How long a generation may take before it has failed.
    deadline_seconds: float = 900.0


async def main(options: Settings, *, serves: bool) -> None:
    """Open everything, run until asked to end, drain."""
    logs.configure("generation", options.log_level)
    ring = sealing.load_private(options.ring_file)
    signer = Signer("generation", options.signing_key_file)
    verifier = Verifier("generation", options.trusted_keys_file)
    kinds = providers.discover()
    planner = Planner(catalogue.load(), kinds)
    as_us = channel.as_service
    async with (
        database.connect(options.database_url, MIGRATIONS, size=POOL) as db,
        channel.connect(options.config_address, options, identity=as_us(signer, "config")) as config,
        channel.connect(options.media_address, options, identity=as_us(signer, "media")) as media,
        channel.connect(options.media_address, options, identity=channel.as_caller) as media_as_caller,
        configuration.watch(config) as live,
        asyncio.TaskGroup() as background,
    ):
        await store_tasks.write_transitions(db)
        gate = Gate(live, kinds)
        hub = Hub(db)
        keys, egress = Keys(ring, config), Egress()
        server = new_server(verifier, live, options)
        if serves:
            lives = timedelta(seconds=options.deadline_seconds)
            generations = GenerationService(db, gate, planner, hub, media=media_as_caller, lives=lives)
            generations_pb2_grpc.add_GenerationServiceServicer_to_server(generations, server.grpc)
            models = ModelService(db, live, planner, Asking(live, kinds, keys, egress))
            models_pb2_grpc.add_ModelServiceServicer_to_server(models, server.grpc)
        contacts = Contacts(gate, keys, egress)
        parts = Parts(db, contacts, Drafts(media), Inputs(media), planner)
        worker = Worker(parts, at_once=options.workers, lease=timedelta(seconds=options.lease_seconds))
        listening = background.create_task(hub.run(options.database_url))
        working = background.create_task(_work(worker, live, server.draining, options))
        await serve(server, *(SERVICES if serves else ()))
        await working
        listening.cancel()


async def _work(worker: Worker, live: Configuration, draining: asyncio.Event, options: Settings) -> None:
    """Claim once it is known what is configured; before, every task would be put back."""
    if not options.workers:
        return
    ending = asyncio.create_task(draining.wait())
    arriving = asyncio.create_task(_arrived(live))
    await asyncio.wait((ending, arriving), return_when=asyncio.FIRST_COMPLETED)
    arriving.cancel()
    ending.cancel()
    await worker.run(options.database_url, draining, options.drain_seconds)


async def _arrived(live: Configuration) -> None:
    while not live.arrived:
        await live.changed()


if __name__ == "__main__":
    process.run(main(settings.load(Settings), serves=sys.argv[1:] != ["worker"]), uvloop=True)
