"""`make bench`: what a picture costs on the running stack, and what it costs the plain way, in one run.

The provider is the sandbox, told to answer at once with a picture it has drawn before, so that what is left
is ours. Every picture counted is fsynced and recorded, and watched from the request over HTTP to the last
event. It is read back and looked at afterwards; what that costs is told by itself, since the plain way does
not do it.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from deploy.local import demo
from tests.bench.measure import Cost, load, percentile, watching
from tests.stack import Stack

OURS = ("gateway", "config", "generation", "media")
COUNT, AT_ONCE, MANY_AT_ONCE = 320, 16, 64
PROJECT = "projects/bench"
PROFILE = "profiles/bench"
INSTANT = [{"act": {"instant": True, "seconds": 0}}]


class Bench:
    """Pictures made through the gateway, the way a browser makes them."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._made: list[str] = []

    async def prepare(self) -> None:
        """A project, and a profile on the sandbox's OpenAI face."""
        await self._post("/v1/projects?projectId=bench", {"title": "Bench"})
        profile = {
            "title": "Bench",
            "provider": demo.OPENAI,
            "model": "gpt-image-2",
            "defaultSize": "1024x1024",
        }
        await self._post("/v1/profiles?profileId=bench", profile)

    async def picture(self, number: int) -> float:
        """Seconds from the request to the event that says that the picture is there."""
        began = time.perf_counter()
        wish = {"profile": PROFILE, "prompt": f"picture {number}", "size": "1024x1024"}
        generation = await self._post(f"/v1/{PROJECT}/generations", wish)
        ended = await self._end(generation["name"])
        assert ended["state"] == "SUCCEEDED", ended["state"]
        seconds = time.perf_counter() - began
        self._made.append(ended["images"][0]["image"])
        return seconds

    async def look_back(self) -> None:
        """Read every picture made since the last look, and hold its bytes against what is known of it."""
        made, self._made = self._made, []
        await load(lambda number: self._look_at(made[number]), count=len(made), at_once=AT_ONCE)

    async def _look_at(self, image: str) -> float:
        facts = (await self._http.get(f"/v1/{image}")).json()
        answer = await self._http.get(f"/v1/{image}:download")
        assert len(answer.content) > 500_000, answer.status_code
        assert hashlib.sha256(answer.content).hexdigest() == facts["sha256"], image
        return 0.0

    async def bytes_of(self, image: str) -> float:
        """Seconds to read an image's original."""
        began = time.perf_counter()
        async with self._http.stream("GET", f"/v1/{image}:download") as answer:
            async for _ in answer.aiter_raw():
                pass
        return time.perf_counter() - began

    async def an_image(self) -> tuple[str, int]:
        """Some image and its size in bytes."""
        page = (await self._http.get(f"/v1/{PROJECT}/generations?pageSize=1")).json()
        name = page["generations"][0]["images"][0]["image"]
        return name, int((await self._http.get(f"/v1/{name}")).json()["sizeBytes"])

    async def _end(self, name: str) -> dict[str, Any]:
        async with self._http.stream("GET", f"/v1/{name}:watch") as events:
            async for line in events.aiter_lines():
                if line.startswith("data:") and '"finished"' in line:
                    ended: dict[str, Any] = json.loads(line[5:])["finished"]["generation"]
                    return ended
        raise AssertionError(f"{name} did not end.")

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self._http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def main() -> None:
    """Start a stack, measure, print."""
    with tempfile.TemporaryDirectory(prefix="inkweld-bench-") as folder, Stack(Path(folder)) as stack:
        stack.begin()
        await measure(stack, Path(folder))


async def measure(stack: Stack, folder: Path) -> None:
    """All figures, printed as they come."""
    pids = {name: stack.processes[name].pid for name in (*OURS, "postgres", "sandbox")}
    headers = {"authorization": f"Bearer {stack.admin_token}"}
    limits = httpx.Limits(max_connections=2 * MANY_AT_ONCE)
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, limits=limits, timeout=60) as http:
        await http.post(f"{stack.sandbox_url}/sandbox/script", json=INSTANT)
        bench = Bench(http)
        await bench.prepare()
        await load(
            bench.picture, count=2 * AT_ONCE, at_once=AT_ONCE
        )  # warm: pools, caches, prepared statements
        alone = await load(bench.picture, count=40, at_once=1)
        async with watching(pids) as cost:
            together = await load(bench.picture, count=COUNT, at_once=AT_ONCE)
        await bench.look_back()
        async with watching({name: pids[name] for name in OURS}) as crowd:
            await load(bench.picture, count=2 * MANY_AT_ONCE, at_once=MANY_AT_ONCE)
        await bench.look_back()
        ours = report(cost, alone, together, crowd)
        await downloads(bench, pids)
    plain = await the_plain_way(stack, folder)
    say(
        f"plain pipeline, one process, {AT_ONCE} at once, fsync: {plain['cpu_ms']:.1f} CPU-ms an image, "
        f"{plain['per_second']:.0f} images/s, p50 {plain['p50_ms']:.0f} ms, p99 {plain['p99_ms']:.0f} ms"
    )
    say(f"ours / plain: {ours / plain['cpu_ms']:.2f} in CPU an image")


def report(cost: Cost, alone: list[float], together: list[float], crowd: Cost) -> float:
    """Print what a picture cost; gives CPU-milliseconds over our processes."""
    per = cost.per(COUNT)
    ours = sum(per[name] for name in OURS)
    say(f"{COUNT} PNG of 1024x1024, {AT_ONCE} at once, fsynced, recorded, watched over HTTP:")
    say(
        f"  {ours:.1f} CPU-ms an image over our processes: "
        + ", ".join(f"{name} {per[name]:.1f}" for name in OURS)
        + f"; beside them postgres {per['postgres']:.1f}, sandbox {per['sandbox']:.1f}"
    )
    say(
        f"  {COUNT / cost.seconds:.0f} images/s; p50 {percentile(together, 0.5):.0f} ms, "
        f"p99 {percentile(together, 0.99):.0f} ms at {AT_ONCE} at once; "
        f"p50 {percentile(alone, 0.5):.1f} ms, p99 {percentile(alone, 0.99):.1f} ms alone"
    )
    say(f"  {crowd.peak:.0f} MB resident at the peak, all together, at {MANY_AT_ONCE} at once")
    return ours


async def downloads(bench: Bench, pids: dict[str, int]) -> None:
    """Bytes served over HTTP."""
    image, size = await bench.an_image()
    async with watching({name: pids[name] for name in OURS}) as cost:
        times = await load(lambda _: bench.bytes_of(image), count=400, at_once=8)
    cpu = sum(cost.per(len(times)).values())
    say(
        f"originals of {size / 1e6:.1f} MB over HTTP, 8 at once: {len(times) / cost.seconds:.0f}/s, "
        f"{len(times) * size / cost.seconds / 1e6:.0f} MB/s, {cpu:.1f} CPU-ms each"
    )


async def the_plain_way(stack: Stack, folder: Path) -> dict[str, float]:
    """The comparison, in a process of its own against the same sandbox and PostgreSQL."""
    target = folder / "plain"
    target.mkdir()
    arguments = (f"{stack.sandbox_url}/v1", demo.SANDBOX_KEY, stack.postgres.url("media"), str(target))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.pipeline",
        *arguments,
        str(COUNT),
        str(AT_ONCE),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    figures: dict[str, float] = json.loads(output)
    return figures


def say(line: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
