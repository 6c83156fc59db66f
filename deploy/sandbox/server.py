"""Serves the sandbox, on loopback only: as a process, or inside another program such as a test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette

from deploy.sandbox.faults import Protocol

HOST = "127.0.0.1"
DRAIN_SECONDS = 2


def new_config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes a free one."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind((HOST, port))
    taken.listen(1024)
    return taken


def url(taken: socket.socket) -> str:
    return f"http://{HOST}:{taken.getsockname()[1]}"


@contextlib.asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[str]:
    """Serves `app` on a free port in the running event loop, and gives its address."""
    taken = listen(0)
    server = _Guest(new_config(app))
    serving = asyncio.create_task(server.serve([taken]))
    try:
        await server.up.wait()
        yield url(taken)
    finally:
        server.leave.set()
        await serving
        taken.close()


class _Guest(uvicorn.Server):
    """A server in another program, whose signals it leaves alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.leave = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it should stop; whoever starts us says so at once.
        await self.on_tick(0)
        await self.leave.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
