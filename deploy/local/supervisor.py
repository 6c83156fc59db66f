"""Processes that live and die together: started with a log each, ended by id, never outliving their owner."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 15


class PartEnded(Exception):
    """A part ended that should have kept running, or never became ready."""


class Process:
    """One process and its log, in a session of its own: a terminal's Ctrl-C reaches only the owner."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, *, stop: signal.Signals, **how: Any
    ) -> None:
        self.name = name
        self.log = log
        self._stop = stop
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_ends_with_owner(stop),  # noqa: PLW1509 -- it makes one system call
                **how,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def ended(self) -> bool:
        return self._popen.poll() is not None

    def check(self) -> None:
        """Raise PartEnded, with the end of its log, if it has ended."""
        if (code := self._popen.poll()) is not None:
            how = f"code {code}" if code >= 0 else f"signal {-code}"
            raise PartEnded(f"{self.name} ended with {how}. The end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if not self.ended:
            self._popen.send_signal(number)

    def stop(self, seconds: float) -> None:
        """Ask it to end, and end it when it has not after that time."""
        self.send(self._stop)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would."""
        self.send(signal.SIGKILL)
        self._popen.wait()


def wait_until(ready: Callable[[], bool], process: Process, seconds: float) -> None:
    """Wait for a process to be ready. Raises PartEnded if it ends first, or takes longer."""
    end = time.monotonic() + seconds
    while not ready():
        process.check()
        if time.monotonic() > end:
            late = f"{process.name} is not ready after {seconds:.0f} s"
            raise PartEnded(f"{late}. The end of {process.log}:\n{process.tail()}")
        time.sleep(0.05)


def _ends_with_owner(number: signal.Signals) -> Callable[[], None] | None:
    """Have the kernel pass on the owner's death, even by SIGKILL. Only Linux can.

    To Linux the owner is the thread that starts the process, so that has to be one which stays.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(number))
