import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from deploy.local.supervisor import PartEnded, Process, wait_until
from tests.stack import eventually

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(60)
"""


def start(tmp_path: Path, *command: str) -> Process:
    return Process("part", command, tmp_path / "part.log", stop=signal.SIGTERM)


def test_a_part_that_ends_is_named_with_its_last_words(tmp_path: Path) -> None:
    process = start(tmp_path, sys.executable, "-c", "print('no such port'); raise SystemExit(3)")

    with pytest.raises(PartEnded, match=r"(?s)part ended with code 3.*no such port"):
        wait_until(lambda: False, process, 10)


def test_a_part_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    process = start(tmp_path, *SLEEPER)

    with pytest.raises(PartEnded, match="not ready after 0 s"):
        wait_until(lambda: False, process, 0.1)

    process.kill()


def test_a_part_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, sys.executable, "-c", DEAF)
    eventually("it listens to nobody", lambda: "deaf" in process.tail())

    process.stop(0.2)

    assert process.ended


def test_a_log_is_added_to_and_not_begun_anew(tmp_path: Path) -> None:
    for word in ("first", "second"):
        process = start(tmp_path, sys.executable, "-c", f"print('{word}')")
        eventually("it ended", partial(getattr, process, "ended"))

    assert process.tail().split() == ["first", "second"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux passes on the owner's death")
def test_a_part_does_not_outlive_a_killed_owner(tmp_path: Path) -> None:
    program = f"""
import signal, time
from pathlib import Path
from deploy.local.supervisor import Process

part = Process('part', {SLEEPER!r}, Path({str(tmp_path / "log")!r}), stop=signal.SIGTERM)
print(part.pid, flush=True)
time.sleep(60)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.Popen(
        (sys.executable, "-c", program), stdout=subprocess.PIPE, text=True, env=environment
    )
    assert owner.stdout is not None
    with owner.stdout:
        part = int(owner.stdout.readline())

    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()

    eventually("the part is gone", lambda: not psutil.pid_exists(part) or _is_zombie(part))


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_stopping_is_prompt_when_the_part_listens(tmp_path: Path) -> None:
    process = start(tmp_path, *SLEEPER)
    began = time.monotonic()

    process.stop(10)

    assert time.monotonic() - began < 2
