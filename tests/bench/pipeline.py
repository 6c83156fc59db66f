"""The plain way, to compare with: one process, one function, the libraries everyone takes.

Fetch, parse, decode, hash, write, fsync, insert; nothing is promised about what happens in between.
"""

import asyncio
import base64
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import asyncpg
import httpx

from tests.bench.measure import load, percentile


async def main(*, endpoint: str, key: str, database_url: str, folder: str, count: int, at_once: int) -> None:
    """Make `count` pictures and print the figures as one line of JSON."""
    db = await asyncpg.create_pool(database_url, min_size=1, max_size=8)
    await db.execute(
        "CREATE TABLE IF NOT EXISTS plain (sha256 text, bytes int, made timestamptz DEFAULT now())"
    )
    # Shorter than the sandbox keeps its connections, or else the two race on a slow machine.
    limits = httpx.Limits(max_connections=at_once, keepalive_expiry=2)
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as http:

        async def one(number: int) -> float:
            began = time.perf_counter()
            body = {"model": "gpt-image-2", "prompt": f"picture {number}", "size": "1024x1024"}
            headers = {"authorization": f"Bearer {key}"}
            answer = await http.post(f"{endpoint}/images/generations", json=body, headers=headers)
            picture = base64.b64decode(json.loads(answer.content)["data"][0]["b64_json"])
            name = hashlib.sha256(picture).hexdigest()
            _write(Path(folder, f"{name}-{number}"), picture)
            await db.execute("INSERT INTO plain (sha256, bytes) VALUES ($1, $2)", name, len(picture))
            return time.perf_counter() - began

        await load(one, count=at_once, at_once=at_once)
        cpu, began = time.process_time(), time.perf_counter()
        times = await load(one, count=count, at_once=at_once)
        seconds = time.perf_counter() - began
        figures = {
            "cpu_ms": (time.process_time() - cpu) * 1000 / count,
            "per_second": count / seconds,
            "p50_ms": percentile(times, 0.5),
            "p99_ms": percentile(times, 0.99),
        }
    await db.close()
    print(json.dumps(figures))  # noqa: T201


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    place, secret, database, directory, pictures, together = sys.argv[1:]
    asyncio.run(
        main(
            endpoint=place,
            key=secret,
            database_url=database,
            folder=directory,
            count=int(pictures),
            at_once=int(together),
        )
    )
