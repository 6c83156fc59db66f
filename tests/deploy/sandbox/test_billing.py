"""The account a test may rely on: written first, complete, and silent about content."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from deploy.sandbox.billing import Ledger, Outcome
from deploy.sandbox.keys import KEY
from tests.deploy.sandbox.house import inside, order, sandbox

PATH = "/v1/images/generations"
SMALL = {"model": "gpt-image-2", "prompt": "a canary prompt", "size": "1024x640", "output_format": "jpeg"}


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_a_charge_says_who_bought_what(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with sandbox(log, instant=True) as client:
        await client.post(PATH, json=SMALL | {"n": 2}, headers={"x-client-request-id": "attempt-1"})

    (charge,) = lines(log)
    assert charge["dialect"] == "openai"
    assert (charge["model"], charge["count"], charge["attempt"]) == ("gpt-image-2", 2, "attempt-1")
    assert charge["outcome"] == "answered"
    assert float(str(charge["price"])) > 0


async def test_neither_prompt_nor_key_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with sandbox(log, instant=True) as client:
        await client.post(PATH, json=SMALL)
        report = (await client.get("/sandbox/log")).text

    for text in (log.read_text(), report):
        assert "canary" not in text
        assert KEY not in text


async def test_a_charge_is_in_the_file_before_the_answer_starts(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with sandbox(log, instant=True) as client:
        await order(client, cut_after=0)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(PATH, json=SMALL)

        assert [charge["outcome"] for charge in lines(log)] == ["withheld"]


async def test_leaving_is_billed_as_cancelled(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with sandbox(log, seconds=10) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(PATH, json=SMALL, timeout=0.2)
        # Nobody waits for the sandbox to notice; it does in its own time.
        for _ in range(100):
            if billed := (await client.get("/sandbox/log")).json()["billed"]:
                break
            await asyncio.sleep(0.05)

    assert [charge["outcome"] for charge in lines(log)] == ["cancelled"]
    assert len(billed) == 1


async def test_the_log_outlives_its_process(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for _ in range(2):
        async with sandbox(log, instant=True) as client:
            await client.post(PATH, json=SMALL)
            billed = (await client.get("/sandbox/log")).json()["billed"]

    assert len(billed) == len(lines(log)) == 2


async def test_half_a_line_of_a_killed_process_is_dropped(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"model":"whole"}\n{"model":"ha')

    ledger = Ledger(log)
    await ledger.bill(ledger.ask("openai", "POST", "/", attempt="", key=""), "0", Outcome.ANSWERED)
    ledger.close()

    assert [charge["model"] for charge in lines(log)] == ["whole", ""]


async def test_every_call_is_noted_with_its_status() -> None:
    async with inside() as client:
        await client.get("/v1/models", headers={"authorization": "Bearer wrong", "x-client-request-id": "a7"})
        asked = (await client.get("/sandbox/log")).json()["asked"]

    (call,) = asked
    assert (call["path"], call["status"], call["attempt"]) == ("/v1/models", 401, "a7")
