"""Calls to another of our services: whom they are made for, how long they may take, which may be repeated."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Self

import grpc
import structlog
from google.protobuf import descriptor_pool

from runtime import contract, identity
from runtime.identity import Signer
from runtime.settings import ServiceSettings

# What is kept back of the caller's time at each hop, so that the caller still hears the answer.
HOP_SECONDS = 0.02
DEFAULT_SECONDS = 30.0
MAX_MESSAGE_BYTES = (1 << 20) + (64 << 10)  # a chunk of 1 MiB and its envelope
# What services of ours may answer. The configuration comes whole, with its profiles and whom it shuts out.
MAX_ANSWER_BYTES = 32 << 20

# When the call being served must end, by the event loop's clock.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

_SERVICES = (
    "inkweld.access.v1.AccessService",
    "inkweld.access.v1.ProjectService",
    "inkweld.config.v1.ConfigurationService",
    "inkweld.config.v1.ProfileService",
    "inkweld.config.v1.ProviderService",
    "inkweld.config.v1.SettingsService",
    "inkweld.generation.v1.GenerationService",
    "inkweld.generation.v1.ModelService",
    "inkweld.media.v1.ImageService",
)

Identity = Callable[[], str]


def as_caller() -> str:
    """Travel on with the token of the call being served. The last service authorises the person."""
    return identity.caller().jwt


def as_service(signer: Signer, audience: str) -> Identity:
    """Call for ourselves. Such a token opens only the methods that name this service."""
    return lambda: signer.service_token(audience)


@asynccontextmanager
async def connect(
    address: str, settings: ServiceSettings, *, identity: Identity | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel whose calls carry an identity, the request id and what is left of the deadline."""
    options = [
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.enable_http_proxy", 0),
        ("grpc.service_config", _repeats()),
    ]
    credentials = _credentials(settings)
    dialled = (
        grpc.aio.secure_channel(address, credentials, options)
        if credentials
        else grpc.aio.insecure_channel(address, options)
    )
    async with dialled:
        yield _Channel(dialled, identity)


class _Channel(grpc.aio.Channel):
    """A channel that fills in what every call carries, because interceptors double its cost."""

    def __init__(self, dialled: grpc.aio.Channel, identity: Identity | None) -> None:
        self._dialled = dialled
        self._identity = identity

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._dialled.unary_unary(method, *args, **kwargs), DEFAULT_SECONDS)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._dialled.unary_stream(method, *args, **kwargs), None)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._dialled.stream_unary(method, *args, **kwargs), None)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._dialled.stream_stream(method, *args, **kwargs), None)

    def _filled(self, call: Callable[..., Any], default_seconds: float | None) -> Callable[..., Any]:
        def start(request: Any = None, *, timeout: float | None = None, **kwargs: Any) -> Any:
            metadata = [*(kwargs.pop("metadata", None) or ()), *self._metadata()]
            seconds = _seconds(timeout if timeout is not None else default_seconds)
            return call(request, timeout=seconds, metadata=metadata, **kwargs)

        return start

    def _metadata(self) -> list[tuple[str, str]]:
        metadata = []
        if self._identity is not None and (token := self._identity()):
            metadata.append(("authorization", f"Bearer {token}"))
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            metadata.append(("x-request-id", request_id))
        return metadata

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        await self._dialled.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002
        return self._dialled.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._dialled.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._dialled.channel_ready()


def _seconds(asked: float | None) -> float | None:
    """The time a call gets: what was asked, within what the call being served has left."""
    ends = deadline.get()
    if ends is None:
        return asked
    left = max(0.001, ends - asyncio.get_running_loop().time() - HOP_SECONDS)
    return left if asked is None else min(asked, left)


def _credentials(settings: ServiceSettings) -> grpc.ChannelCredentials | None:
    if settings.tls_authority_file is None:
        return None
    certificate = settings.tls_certificate_file
    key = settings.tls_key_file
    return grpc.ssl_channel_credentials(
        settings.tls_authority_file.read_bytes(),
        key.read_bytes() if key else None,
        certificate.read_bytes() if certificate else None,
    )


def _repeats() -> str:
    """A service config that repeats UNAVAILABLE for methods that change nothing, and for no others."""
    names = [
        {"service": service, "method": found.name}
        for service in _SERVICES
        if _known(service)
        for found in contract.service(service).methods
        if contract.reads(found)
    ]
    policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]} if names else {})


def _known(service: str) -> bool:
    try:
        descriptor_pool.Default().FindServiceByName(service)
    except KeyError:
        return False
    return True
