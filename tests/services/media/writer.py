"""A program that stores blobs until it is killed and prints the hash of each that it was told is safe.

It forks for each round, so that a round costs no imports.
"""

import asyncio
import os
import sys
from pathlib import Path

from services.media.blobs_local import LocalBlobs, open_local

SIZE = 300_000


async def store(blobs: LocalBlobs) -> None:
    data = os.urandom(SIZE)
    async with blobs.receive() as incoming:
        for at in range(0, SIZE, 100_000):
            await incoming.write(data[at : at + 100_000])
        sha256, _ = await incoming.store(lambda _, stored: len(stored))
        os.write(1, f"{sha256.hex()}\n".encode())


async def store_for_ever(root: Path) -> None:
    async with open_local(root) as blobs:
        while True:
            await asyncio.gather(*(store(blobs) for _ in range(4)))


def main() -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(store_for_ever(Path(sys.argv[1])))
        os.write(1, f"pid {child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


if __name__ == "__main__":
    main()
