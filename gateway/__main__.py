"""The gateway's process."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from pydantic import AliasChoices, Field, model_validator
from starlette.applications import Starlette

from gateway import app
from gateway.leaving import Watchers
from gateway.session import Sessions
from runtime import channel, configuration, logs, process
from runtime.identity import Signer, Verifier
from runtime.settings import ServiceSettings, load

SERVICE = "gateway"


class Settings(ServiceSettings):
    """What the gateway is told."""

    host: str = "127.0.0.1"
    port: int = Field(8333, validation_alias=AliasChoices("INKWELD_PORT", "PORT"))
    config_address: str
    generation_address: str
    media_address: str
    # Directory of the built web client. Without it there is only the API.
    web: Path | None = None
    # False only for plain HTTP on loopback: then the cookie may travel without TLS.
    secure_cookies: bool = True
    # Host names that browsers may ask for, with commas between them, beside those of loopback.
    hosts: str = ""
    # Certificate and key of the HTTP listener. Off loopback it needs them, unless a proxy that speaks TLS
    # stands before it.
    http_certificate_file: Path | None = None
    http_key_file: Path | None = None
    behind_tls_proxy: bool = False

    @property
    def host_names(self) -> list[str]:
        """The host names beside loopback's."""
        return [name.strip() for name in self.hosts.split(",") if name.strip()]

    @model_validator(mode="after")
    def _needs_tls(self) -> "Settings":
        if not (self.http_certificate_file or self.behind_tls_proxy or _is_loopback(self.host)):
            raise ValueError(
                "INKWELD_HOST is not loopback: set INKWELD_HTTP_CERTIFICATE_FILE or INKWELD_BEHIND_TLS_PROXY"
            )
        return self


class Server(uvicorn.Server):
    """uvicorn, whose end is ours to begin: its own handlers kill the process before all is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def main(settings: Settings) -> None:
    """Serve until asked to end."""
    logs.configure(SERVICE, settings.log_level)
    signer = Signer(SERVICE, settings.signing_key_file)
    verifier = Verifier(SERVICE, settings.trusted_keys_file)
    async with (
        # Callers' requests travel with their own token; only the configuration is asked for by the gateway.
        channel.connect(
            settings.config_address, settings, identity=channel.as_service(signer, "config")
        ) as own,
        channel.connect(settings.config_address, settings) as config,
        channel.connect(settings.generation_address, settings) as generation,
        channel.connect(settings.media_address, settings) as media,
        configuration.watch(own) as configured,
    ):
        watchers = Watchers()
        application = app.build(
            {"config": config, "generation": generation, "media": media},
            configured,
            Sessions(configured, verifier, secure=settings.secure_cookies, port=settings.port),
            watchers,
            web=settings.web,
            hosts=settings.host_names,
            secure=settings.secure_cookies,
        )
        await serve(application, settings, watchers)


async def serve(application: Starlette, settings: Settings, watchers: Watchers) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those that have begun."""
    server = Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.port,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # Longer than proxies keep theirs, so that none sends into a connection that is being closed.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.drain_seconds),
            ssl_certfile=settings.http_certificate_file,
            ssl_keyfile=settings.http_key_file,
        )
    )

    def end() -> None:
        server.should_exit = True
        watchers.end()

    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, end)
    await server.serve()


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback


if __name__ == "__main__":
    process.run(main(load(Settings)), uvloop=True)
