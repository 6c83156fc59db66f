"""A real gateway before real gRPC servers, whose servicers answer what a test says and remember calls."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import uvicorn
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from inkweld.access.v1 import access_pb2, access_pb2_grpc, projects_pb2, projects_pb2_grpc
from inkweld.config.v1 import (
    configuration_pb2,
    configuration_pb2_grpc,
    profiles_pb2_grpc,
    providers_pb2_grpc,
    settings_pb2_grpc,
)
from inkweld.generation.v1 import generations_pb2_grpc, models_pb2_grpc
from inkweld.media.v1 import images_pb2_grpc

from gateway import app
from gateway.__main__ import Server
from gateway.leaving import Watchers
from gateway.methods import UPSTREAMS
from gateway.session import Sessions
from runtime import channel, configuration, identity
from runtime.identity import Verifier
from tests.house import FakeAuthority, Keys, serving

MODULES = (
    access_pb2_grpc,
    projects_pb2_grpc,
    profiles_pb2_grpc,
    providers_pb2_grpc,
    settings_pb2_grpc,
    generations_pb2_grpc,
    models_pb2_grpc,
    images_pb2_grpc,
)


@dataclass
class Memory:
    """What all servicers answer, by method name, and what they have seen."""

    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, Any]] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)

    def note(self, name: str, request: Any, context: Any) -> Any:
        """Remember a call and give its answer, or raise it."""
        self.seen.append((name, request))
        self.callers.append(identity.caller().name)
        self.request_ids.append(dict(context.invocation_metadata()).get("x-request-id", ""))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    @property
    def last(self) -> Any:
        """The last request."""
        return self.seen[-1][1]


class FakeConfiguration(configuration_pb2_grpc.ConfigurationServiceServicer):
    """Sends the configuration at once and after each `shut_out`."""

    def __init__(self) -> None:
        self.current = configuration_pb2.Configuration(revision=1)
        self.changed = asyncio.Event()

    def shut_out(self, subject: str) -> None:
        """Revoke a user or a proof from now on."""
        revocation = self.current.revocations.add(subject=subject)
        revocation.not_before.GetCurrentTime()
        self.current.revision += 1
        self.changed.set()
        self.changed = asyncio.Event()

    async def WatchConfiguration(self, request: Message, context: Any) -> AsyncIterator[Any]:
        while True:
            changed = self.changed
            yield self.current
            await changed.wait()


@dataclass
class Front:
    """The gateway with all around it."""

    http: httpx.AsyncClient
    memory: Memory
    authority: FakeAuthority
    keys: Keys
    config: FakeConfiguration
    configuration: configuration.Configuration
    secrets: dict[str, str]
    watchers: Watchers
    addresses: dict[str, str]
    web: Path

    def reset(self) -> None:
        """Forget what the test before did."""
        self.memory.answers.clear()
        self.memory.answers["ExchangeSecret"] = self._exchange
        for remembered in (
            self.memory.seen,
            self.memory.callers,
            self.memory.cancelled,
            self.memory.request_ids,
        ):
            remembered.clear()
        self.secrets.clear()
        self.authority.shut_out.clear()
        self.authority.switch = None
        self.http.cookies.clear()

    def bearer(self, user: str = "users/ada", *, admin: bool = False) -> dict[str, str]:
        """Headers with a user's JWT."""
        return {"authorization": f"Bearer {self.keys.user_token(user, admin=admin)}"}

    def sign_in(self, secret: str, user: str = "users/ada", proof: str = "users/ada/sessions/s") -> None:
        """Make a secret valid."""
        self.secrets[secret] = self.keys.user_token(user, proof=proof)

    def _exchange(self, request: Any) -> Any:
        if request.secret not in self.secrets:
            raise identity.unknown()
        token = access_pb2.AccessToken(jwt=self.secrets[request.secret])
        token.expire_time.GetCurrentTime()
        token.expire_time.seconds += 300
        return token


def servicer(description: ServiceDescriptor, memory: Memory) -> tuple[Callable[..., None], object]:
    """A servicer of the generated base class that does what the memory says."""
    module = next(m for m in MODULES if hasattr(m, f"{description.name}Servicer"))
    methods = {method.name: _method(method, memory) for method in description.methods}
    base = getattr(module, f"{description.name}Servicer")
    add = getattr(module, f"add_{description.name}Servicer_to_server")
    return add, type(f"Fake{description.name}", (base,), methods)()


def _method(method: Any, memory: Memory) -> Callable[..., Any]:
    empty = GetMessageClass(method.output_type)

    async def unary(self: object, request: Any, context: Any) -> Any:
        if method.client_streaming:
            request = [piece async for piece in request]
        answer = memory.note(method.name, request, context)
        if isinstance(answer, float):
            await _pause(answer, method.name, memory)
            answer = None
        return empty() if answer is None else answer

    async def stream(self: object, request: Any, context: Any) -> AsyncIterator[Any]:
        for item in memory.note(method.name, request, context) or ():
            if isinstance(item, Exception):
                raise item
            if isinstance(item, float):
                await _pause(item, method.name, memory)
            else:
                yield item

    return stream if method.server_streaming else unary


async def _pause(seconds: float, name: str, memory: Memory) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        memory.cancelled.append(name)
        raise


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Front]:
    """Everything, on free loopback ports."""
    (folder / "keys").mkdir()
    keys, authority, memory, config = Keys(folder / "keys"), FakeAuthority(), Memory(), FakeConfiguration()
    authority.roles["projects/atlas", "users/ada"] = projects_pb2.OWNER
    web = _client(folder / "web")
    async with AsyncExitStack() as stack:
        addresses = {}
        for upstream, files in UPSTREAMS.items():
            services = [service for file in files for service in file.services_by_name.values()]
            servicers = [servicer(service, memory) for service in services]
            if upstream == "config":
                add: Any = configuration_pb2_grpc.add_ConfigurationServiceServicer_to_server
                servicers.append((add, config))
            server = serving(upstream, servicers, authority=authority, keys=keys)
            addresses[upstream] = await stack.enter_async_context(server)
        http, configured, watchers = await stack.enter_async_context(gateway(addresses, keys, web))
        front = Front(http, memory, authority, keys, config, configured, {}, watchers, addresses, web)
        front.reset()
        yield front


@asynccontextmanager
async def gateway(
    addresses: dict[str, str], keys: Keys, web: Path | None = None, *, secure: bool = False
) -> AsyncIterator[tuple[httpx.AsyncClient, configuration.Configuration, Watchers]]:
    """A gateway before the services at these addresses, and a client of it."""
    settings = keys.settings("gateway")
    own = channel.as_service(keys.signer("gateway"), "config")
    async with AsyncExitStack() as stack:
        channels: dict[str, grpc.aio.Channel] = {}
        for upstream, address in addresses.items():
            channels[upstream] = await stack.enter_async_context(channel.connect(address, settings))
        watching = await stack.enter_async_context(
            channel.connect(addresses["config"], settings, identity=own)
        )
        configured = await stack.enter_async_context(configuration.watch(watching))
        watchers = Watchers()
        sessions = Sessions(configured, Verifier("gateway", keys.trusted), secure=secure, port=8333)
        application = app.build(
            channels, configured, sessions, watchers, web=web, hosts=["pictures.example"], secure=secure
        )
        port = await stack.enter_async_context(_served(application, watchers))
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10)
        yield await stack.enter_async_context(http), configured, watchers


@asynccontextmanager
async def _served(application: Any, watchers: Watchers) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        options: dict[str, Any] = {"loop": "none", "lifespan": "off", "ws": "none", "log_config": None}
        server = Server(uvicorn.Config(application, http="httptools", access_log=False, **options))
        task = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        watchers.end()
        await task


def _client(folder: Path) -> Path:
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Inkweld</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "main-0a1b2c3d.js").write_text("export {};")
    return folder
