"""The config process: people, projects, settings, providers, profiles, and how a change reaches everyone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import grpc
from inkweld.access.v1.access_pb2_grpc import add_AccessServiceServicer_to_server
from inkweld.access.v1.projects_pb2_grpc import add_ProjectServiceServicer_to_server
from inkweld.config.v1.configuration_pb2_grpc import add_ConfigurationServiceServicer_to_server
from inkweld.config.v1.profiles_pb2_grpc import add_ProfileServiceServicer_to_server
from inkweld.config.v1.providers_pb2_grpc import add_ProviderServiceServicer_to_server
from inkweld.config.v1.settings_pb2_grpc import add_SettingsServiceServicer_to_server
from inkweld.generation.v1.models_pb2_grpc import ModelServiceStub

from runtime import channel, database, logs, process, sealing, server, settings
from runtime.identity import Signer, Verifier
from services.config import administrator, environment
from services.config.authority import DatabaseAuthority
from services.config.environment import Environment, EnvironmentProblem
from services.config.live import Live
from services.config.proofs import Passwords
from services.config.servicer_access import AccessService
from services.config.servicer_configuration import ConfigurationService
from services.config.servicer_profiles import ProfileService
from services.config.servicer_projects import ProjectService
from services.config.servicer_providers import ProviderService
from services.config.servicer_settings import SettingsService
from services.config.vault import Vault

if TYPE_CHECKING:
    from inkweld.generation.v1.models_pb2_grpc import ModelServiceAsyncStub

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICES = (
    "inkweld.access.v1.AccessService",
    "inkweld.access.v1.ProjectService",
    "inkweld.config.v1.ConfigurationService",
    "inkweld.config.v1.ProfileService",
    "inkweld.config.v1.ProviderService",
    "inkweld.config.v1.SettingsService",
)


class Settings(settings.ServiceSettings):
    database_url: str
    generation_address: str
    # The public ring that keys are sealed with; generation holds the private one.
    seal_ring_file: Path
    # A token that an operator may always administer with.
    admin_token_file: Path | None = None


async def main(settings: Settings) -> None:
    logs.configure("config", settings.log_level)
    said = environment.read(os.environ)
    keys = Vault(sealing.load_public(settings.seal_ring_file), said, environment.read_keys(os.environ))
    signer = Signer("config", settings.signing_key_file)
    as_config = channel.as_service(signer, "generation")
    async with (
        database.connect(settings.database_url, MIGRATIONS) as db,
        channel.connect(settings.generation_address, settings, identity=as_config) as generation,
    ):
        if settings.admin_token_file is not None:
            await administrator.ensure(db, settings.admin_token_file)
        live = Live(db, said, keys)
        await live.load()
        authority = DatabaseAuthority(db, signer, live)
        models = ModelServiceStub(generation)
        house = server.new_server(Verifier("config", settings.trusted_keys_file), authority, settings)
        for add, servicer in servicers(
            db, live=live, authority=authority, said=said, keys=keys, models=models
        ):
            add(servicer, house.grpc)
        async with live.following(settings.database_url):
            await server.serve(house, *SERVICES)


def servicers(
    db: asyncpg.Pool,
    *,
    live: Live,
    authority: DatabaseAuthority,
    said: Environment,
    keys: Vault,
    models: "ModelServiceAsyncStub",
) -> list[tuple[Callable[[Any, grpc.aio.Server], None], object]]:
    """All that config speaks for, each with the function that adds it to a server."""
    return [
        (add_AccessServiceServicer_to_server, AccessService(db, live, authority, Passwords())),
        (add_ProjectServiceServicer_to_server, ProjectService(db, live)),
        (add_ConfigurationServiceServicer_to_server, ConfigurationService(live)),
        (add_ProfileServiceServicer_to_server, ProfileService(db, live, models)),
        (add_ProviderServiceServicer_to_server, ProviderService(db, live, said, keys, models)),
        (add_SettingsServiceServicer_to_server, SettingsService(db, live, said)),
    ]


if __name__ == "__main__":
    try:
        process.run(main(settings.load(Settings)), uvloop=True)
    except (EnvironmentProblem, OSError, ValueError) as problem:
        raise SystemExit(str(problem)) from None
