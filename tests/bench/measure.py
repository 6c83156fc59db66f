"""What a run cost: CPU by process, time by request, memory at the peak."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psutil

SAMPLE_SECONDS = 0.05


@dataclass
class Cost:
    """What the processes used between two moments."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)  # seconds of CPU by process
    peak: float = 0.0  # MB resident at the peak, all processes together

    def per(self, units: int) -> dict[str, float]:
        """CPU-milliseconds a unit, by process."""
        return {name: seconds * 1000 / units for name, seconds in self.cpu.items()}


@asynccontextmanager
async def watching(processes: Mapping[str, int]) -> AsyncIterator[Cost]:
    """Measure the processes, by name and id, with all their children, while the block runs."""
    cost = Cost()
    before = {name: _cpu(pid) for name, pid in processes.items()}
    sampling = asyncio.create_task(_sample(list(processes.values()), cost))
    began = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - began
        cost.cpu = {name: _cpu(pid) - before[name] for name, pid in processes.items()}
        sampling.cancel()
        await asyncio.wait((sampling,))


async def _sample(pids: list[int], cost: Cost) -> None:
    while True:
        cost.peak = max(cost.peak, await asyncio.to_thread(_memory, pids) / 2**20)
        await asyncio.sleep(SAMPLE_SECONDS)


async def load(work: Callable[[int], Awaitable[float]], *, count: int, at_once: int) -> list[float]:
    """Do `work` for 0 … count-1, so many at once; gives what it returned, sorted."""
    numbers = iter(range(count))
    results: list[float] = []

    async def one_after_another() -> None:
        results.extend([await work(number) for number in numbers])

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(one_after_another())
    return sorted(results)


def percentile(times: list[float], share: float) -> float:
    """The time, in milliseconds, that this share of sorted times does not exceed."""
    if len(times) < 2:
        return times[0] * 1000
    return statistics.quantiles(times, n=100, method="inclusive")[round(share * 100) - 1] * 1000


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu(pid: int) -> float:
    total = 0.0
    for process in _family(pid):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def _memory(pids: list[int]) -> float:
    return sum(process.memory_info().rss for pid in pids for process in _family(pid))
