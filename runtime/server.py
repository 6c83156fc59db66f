"""The gRPC server every process runs: its limits, its life from listening to drained."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, TypeAlias

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha import reflection

from runtime import contract
from runtime.channel import MAX_ANSWER_BYTES, MAX_MESSAGE_BYTES
from runtime.door import Door
from runtime.identity import Authority, Verifier
from runtime.settings import ServiceSettings

log = structlog.get_logger()

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

MAX_CONCURRENT_CALLS = 2000  # beyond it RESOURCE_EXHAUSTED; most of them are watchers, who cost little
_NOT_READY_SECONDS = 0.2  # for load balancers to look away before streams end


class Server:
    """A server with the door before its servicers."""

    def __init__(self, verifier: Verifier, authority: Authority, settings: ServiceSettings) -> None:
        self.door = Door(verifier, authority)
        self.settings = settings
        self.grpc = grpc.aio.server(
            interceptors=(self.door,),
            maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS,
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_ANSWER_BYTES),
                ("grpc.max_metadata_size", 16 << 10),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.keepalive_timeout_ms", 20_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
                # Connections move on now and then, so that new replicas get their share.
                ("grpc.max_connection_age_ms", 30 * 60_000),
                ("grpc.max_connection_age_grace_ms", 10 * 60_000),
                ("grpc.so_reuseport", 0),
            ],
        )

    @property
    def draining(self) -> asyncio.Event:
        """Set when the process has been asked to end: begin nothing new."""
        return self.door.draining


def new_server(verifier: Verifier, authority: Authority, settings: ServiceSettings) -> Server:
    """A server to add servicers to, by its `grpc`."""
    return Server(verifier, authority, settings)


@asynccontextmanager
async def listening(server: Server, *services: str) -> AsyncIterator[int]:
    """Serve while the block runs, and give the port. Leaving it drains: not ready, no new calls, none.

    Raises ValueError when a method does not say who may call it, and OSError when the address cannot be had.
    """
    for service in services:
        list(contract.methods(service))
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server.grpc)
    reflection.enable_server_reflection(
        (*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server.grpc
    )
    port = _bind(server)
    await server.grpc.start()
    for name in ("", *services):
        await checks.set(name, HealthCheckResponse.SERVING)
    log.info("server.started", port=port)
    try:
        yield port
    finally:
        await checks.enter_graceful_shutdown()
        await asyncio.sleep(min(_NOT_READY_SECONDS, server.settings.drain_seconds))
        server.draining.set()
        await server.grpc.stop(server.settings.drain_seconds)
        log.info("server.stopped")


async def serve(server: Server, *services: str) -> None:
    """Serve until the process is asked to end, then drain."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, asked.set)
    async with listening(server, *services):
        await asked.wait()


def _bind(server: Server) -> int:
    settings = server.settings
    host = settings.address.rpartition(":")[0]
    if settings.tls_certificate_file and settings.tls_key_file:
        authority = settings.tls_authority_file
        credentials = grpc.ssl_server_credentials(
            [(settings.tls_key_file.read_bytes(), settings.tls_certificate_file.read_bytes())],
            root_certificates=authority.read_bytes() if authority else None,
            require_client_auth=authority is not None,
        )
        port = server.grpc.add_secure_port(settings.address, credentials)
    elif _is_private(host):
        port = server.grpc.add_insecure_port(settings.address)
    else:
        raise OSError(
            f"{settings.address} is not on loopback: set a TLS certificate and key to listen there."
        )
    if not port:
        raise OSError(f"{settings.address} cannot be had: something else listens there.")
    return port


def _is_private(host: str) -> bool:
    """Whether only this machine can reach the address."""
    return (
        host.startswith("unix")
        or host == "localhost"
        or (bool(host) and ip_address(host.strip("[]")).is_loopback)
    )
