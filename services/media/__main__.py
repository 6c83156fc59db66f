"""The media process: reads its settings, opens what it needs, serves until it is asked to end."""

import asyncio
from pathlib import Path

from inkweld.media.v1.images_pb2_grpc import add_ImageServiceServicer_to_server

from runtime import channel, configuration, database, logs, process, settings
from runtime.identity import Signer, Verifier
from runtime.server import new_server, serve
from runtime.settings import ServiceSettings
from services.media.blobs_local import open_local
from services.media.collector import Collector
from services.media.decoders import open_decoders
from services.media.renditions import open_renditions
from services.media.servicer import ImageService
from services.media.staging import Staging

MIGRATIONS = Path(__file__).with_name("migrations")


class Settings(ServiceSettings):
    """What the media process is told beyond the others."""

    database_url: str
    config_address: str
    # The directory of the blobs.
    blobs: Path


async def main(options: Settings) -> None:
    """Open, construct, register, serve."""
    logs.configure("media", options.log_level)
    as_service = channel.as_service(Signer("media", options.signing_key_file), "config")
    async with (
        database.connect(options.database_url, MIGRATIONS) as pool,
        open_local(options.blobs) as blobs,
        open_decoders() as decoders,
        open_renditions(pool, blobs, decoders) as renditions,
        channel.connect(options.config_address, options, identity=as_service) as config,
        configuration.watch(config) as authority,
        asyncio.TaskGroup() as background,
    ):
        collecting = background.create_task(Collector(pool, blobs).run())
        server = new_server(Verifier("media", options.trusted_keys_file), authority, options)
        servicer = ImageService(pool, blobs, decoders, renditions, Staging(pool, blobs))
        add_ImageServiceServicer_to_server(servicer, server.grpc)
        await serve(server, "inkweld.media.v1.ImageService")
        collecting.cancel()


if __name__ == "__main__":
    process.run(main(settings.load(Settings)), uvloop=True)
