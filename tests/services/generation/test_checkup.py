"""What a check finds, at the sandbox and at servers that are something else, and what to do about it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from inkweld.config.v1.providers_pb2 import Provider
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb

from deploy.sandbox.app import create_app
from deploy.sandbox.keys import ACCOUNTS, KEY
from deploy.sandbox.server import running
from deploy.sandbox.webui import Flags
from runtime.egress import Egress
from runtime.failure import Failure
from services.generation import checkup
from services.generation.discovery import Asking
from services.generation.providers import discover

KINDS = discover()
PATHS = {
    "openai": "/v1",
    "openrouter": "/api/v1",
    "falai": "/fal/queue",
    "workersai": "/client/v4",
    "stable-diffusion": "",
}
NO_CREDIT = {"openai": "quota", "openrouter": "no_credit", "falai": "no_credit", "workersai": "no_credit"}


class Keys:
    """Opens the key it is given, or fails as it is told."""

    def __init__(self, key: str | None, failure: Failure | None) -> None:
        self.key = key
        self.failure = failure

    async def open(self, provider: Provider, endpoint: str) -> str | None:
        if self.failure:
            raise self.failure
        return self.key if provider.HasField("key") else None


def provider(kind: str, url: str, *, key: bool = True) -> Provider:
    made = Provider(name="providers/x", kind=kind, endpoint=url, account_id=ACCOUNTS[0])
    if key:
        made.key.version = 1
    return made


async def checked(
    provider: Provider,
    key: str | None = KEY,
    *,
    failure: Failure | None = None,
    off: bool = False,
) -> pb.ProviderCheck:
    configuration: Any = SimpleNamespace(off=lambda: "kill_switch" if off else None)
    keys: Any = Keys(key, failure)
    return await checkup.check(Asking(configuration, KINDS, keys, Egress()), provider)


@pytest.fixture
async def sandbox() -> AsyncIterator[str]:
    async with running(create_app(None, scripted=True)) as url:
        yield url


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A server on a free port that answers everything with the same bytes, and with none never."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(1)
        writer.write(answer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def order(url: str, call: str, **act: object) -> None:
    rules = [{"match": {"call": call}, "act": act}]
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/sandbox/script", json=rules)
    assert answer.status_code == 200, answer.text


async def spent(url: str) -> list[object]:
    async with httpx.AsyncClient() as client:
        billed: list[object] = (await client.get(f"{url}/sandbox/log")).json()["billed"]
    return billed


@pytest.mark.parametrize("kind", PATHS)
async def test_a_good_key_is_found_good_and_nothing_is_billed(sandbox: str, kind: str) -> None:
    check = await checked(provider(kind, sandbox + PATHS[kind]))

    assert (check.ok, check.reason, check.advice) == (True, "", ""), check
    assert "model" in check.message
    assert check.HasField("latency")
    assert check.HasField("check_time")
    assert await spent(sandbox) == []


@pytest.mark.parametrize("kind", ["openai", "openrouter", "falai", "workersai"])
async def test_a_wrong_key_is_rejected(sandbox: str, kind: str) -> None:
    check = await checked(provider(kind, sandbox + PATHS[kind]), "wrong")

    assert (check.ok, check.reason) == (False, "KEY_REJECTED"), check
    assert "key" in check.advice


@pytest.mark.parametrize("kind", NO_CREDIT)
async def test_an_account_without_credit_is_told(sandbox: str, kind: str) -> None:
    await order(sandbox, "*", refuse=NO_CREDIT[kind])

    check = await checked(provider(kind, sandbox + PATHS[kind]))

    assert (check.ok, check.reason) == (False, "PROVIDER_UNPAID"), check
    assert "Top it up" in check.advice


async def test_a_limited_key_works_and_is_told(sandbox: str) -> None:
    await order(sandbox, "*/models", refuse="missing_scopes")

    check = await checked(provider("openai", f"{sandbox}/v1"))

    assert (check.ok, check.reason) == (True, "CALL_FORBIDDEN"), check
    assert check.advice


async def test_a_webui_without_its_api_is_told_to_have_it(sandbox: str) -> None:
    check = await checked(provider("stable-diffusion", f"{sandbox}/elsewhere", key=False))

    assert (check.ok, check.reason) == (False, "CALL_REFUSED"), check
    assert "--api" in check.advice


async def test_a_webui_behind_a_password_asks_for_it() -> None:
    async with running(create_app(None, scripted=True, flags=Flags(auth="ada:pass"))) as url:
        closed = await checked(provider("stable-diffusion", url, key=False))
        opened = await checked(provider("stable-diffusion", url), "ada:pass")

    assert (closed.reason, opened.ok) == ("KEY_REJECTED", True)
    assert "user:password" in closed.advice


async def test_a_wrong_path_is_told_with_the_usual_one(sandbox: str) -> None:
    check = await checked(provider("openai", f"{sandbox}/v2"))

    assert (check.ok, check.reason) == (False, "CALL_REFUSED"), check
    assert KINDS["openai"].DEFAULT_ENDPOINT in check.advice


async def test_a_web_page_in_the_place_of_an_api_is_no_good() -> None:
    page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>"
    async with answering(page) as port:
        check = await checked(provider("openai", f"http://127.0.0.1:{port}"))

    assert (check.ok, check.reason) == (False, "CALL_REFUSED"), check


async def test_a_redirect_is_not_followed_and_told() -> None:
    moved = b"HTTP/1.1 301 Moved\r\nlocation: https://elsewhere.test/\r\ncontent-length: 0\r\n\r\n"
    async with answering(moved) as port:
        check = await checked(provider("openai", f"http://127.0.0.1:{port}"))

    assert (check.ok, check.reason) == (False, "CALL_REFUSED"), check
    assert "elsewhere (301)" in check.message
    assert "elsewhere.test" not in str(check)


async def test_where_nothing_listens_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    check = await checked(provider("openai", f"http://127.0.0.1:{port}"))

    assert (check.reason, check.message) == ("PROVIDER_UNAVAILABLE", "Nothing listens there."), check


async def test_a_name_nobody_knows_is_told() -> None:
    check = await checked(provider("openai", "http://nowhere.invalid"))

    assert (check.reason, check.message) == (
        "PROVIDER_UNAVAILABLE",
        "No server of that name is known.",
    ), check


async def test_plain_text_where_tls_was_meant_is_told() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n") as port:
        check = await checked(provider("openai", f"https://127.0.0.1:{port}"))

    assert check.reason == "PROVIDER_UNAVAILABLE", check
    assert "http://" in check.advice


async def test_silence_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "SECONDS", 0.3)
    async with answering(b"") as port:
        check = await checked(provider("openai", f"http://127.0.0.1:{port}"))

    assert (check.reason, check.message) == ("PROVIDER_UNAVAILABLE", "No answer came in time."), check


async def test_a_long_list_of_models_does_not_spoil_a_good_check(
    sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "SECONDS", 0.5)
    await order(sandbox, "*/images/models", delay_seconds=3)

    check = await checked(provider("openrouter", f"{sandbox}/api/v1"))

    assert (check.ok, check.reason) == (True, ""), check


@pytest.mark.parametrize(
    ("change", "reason", "word"),
    [
        (lambda p: p.missing.append("key"), "KEY_MISSING", "key"),
        (lambda p: p.missing.append("account_id"), "PROVIDER_INCOMPLETE", "account id"),
        (lambda p: setattr(p, "kind", "none"), "PROVIDER_INCOMPLETE", "adapter"),
    ],
)
async def test_what_is_missing_is_told_before_anyone_is_called(
    change: Callable[[Provider], None], reason: str, word: str
) -> None:
    configured = provider("workersai", "http://127.0.0.1:9")
    change(configured)

    check = await checked(configured)

    assert (check.ok, check.reason) == (False, reason)
    assert word in check.message
    assert not check.HasField("latency")


async def test_a_key_that_cannot_be_opened_is_to_be_set_again() -> None:
    unreadable = Failure(ErrorReason.KEY_REJECTED, "The stored key cannot be opened.")

    check = await checked(provider("openai", "http://127.0.0.1:9"), failure=unreadable)

    assert (check.reason, check.advice) == ("KEY_REJECTED", "Set the key again.")


async def test_nobody_is_called_while_ai_is_off(sandbox: str) -> None:
    check = await checked(provider("openai", f"{sandbox}/v1"), off=True)

    assert (check.ok, check.reason) == (False, "GENERATION_OFF")
