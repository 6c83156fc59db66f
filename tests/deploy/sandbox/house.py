"""A real sandbox on a free port, and a client of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.sandbox.app import create_app
from deploy.sandbox.keys import KEY
from deploy.sandbox.server import running

HEADERS = {"authorization": f"Bearer {KEY}"}


@asynccontextmanager
async def sandbox(
    log: Path | None = None, *, scripted: bool = True, **more: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that has the sandbox's key."""
    async with (
        running(create_app(log, scripted, **more)) as url,
        httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=20, verify=False) as client,  # noqa: S501 - loopback
    ):
        yield client


def inside(**more: Any) -> httpx.AsyncClient:
    """A client of a sandbox without a server, where no connection can be cut."""
    transport = httpx.ASGITransport(create_app(None, scripted=True, **more))
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=HEADERS)


async def order(client: httpx.AsyncClient, **act: Any) -> None:
    """One fault for the next paid call."""
    await rules(client, {"act": act, "times": 1})


async def rules(client: httpx.AsyncClient, *given: dict[str, Any]) -> None:
    answer = await client.post("/sandbox/script", json=list(given))
    assert answer.status_code == 200, answer.text


async def billed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await client.get("/sandbox/log")).json()["billed"]
    return rows
