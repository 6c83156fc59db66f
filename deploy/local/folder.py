"""The data folder: everything a local stack keeps, readable by its owner alone."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

from runtime import identity, sealing

SERVICES = ("config", "generation", "media", "gateway")
PORTS = ("sandbox", "config", "generation", "media")


class FolderTaken(Exception):
    """Another stack runs on this folder."""


class Folder:
    """Paths and secrets of a stack, made when they are not there and kept from then on."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self._lock = self._take()
        for name in ("keys", "logs", "blobs"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)
        self._make_keys()
        self.ports = self._choose_ports()

    def key(self, name: str) -> Path:
        return self.path / "keys" / name

    def log(self, part: str) -> Path:
        return self.path / "logs" / f"{part}.log"

    @property
    def admin_token_file(self) -> Path:
        return self.path / "admin-token"

    @property
    def admin_token(self) -> str:
        return self.admin_token_file.read_text().strip()

    def address(self, part: str) -> str:
        """Where a part listens."""
        return f"127.0.0.1:{self.ports[part]}"

    def write_addresses(self, url: str) -> None:
        """Say in `stack.env`, for shells, where everything is."""
        lines = [f"{name.upper()}_ADDRESS={self.address(name)}\n" for name in PORTS]
        (self.path / "stack.env").write_text("".join([*lines, f"GATEWAY_URL={url}\n"]))

    def close(self) -> None:
        """Let another stack have it."""
        os.close(self._lock)

    def _take(self) -> int:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise FolderTaken(f"Another stack is running on {self.path}.") from error
        return lock

    def _make_keys(self) -> None:
        if not self.key("trusted.json").exists():
            identity.generate_keys(self.path / "keys", SERVICES)
        if not self.key("ring.public").exists():
            sealing.generate(self.key("ring.private"), self.key("ring.public"))
        if not self.admin_token_file.exists():
            self.admin_token_file.touch(mode=0o600)
            self.admin_token_file.write_text(f"ikw_{secrets.token_urlsafe(32)}\n")

    def _choose_ports(self) -> dict[str, int]:
        """The ports of last time where they are free, so that what was noted of them still holds."""
        file = self.path / "ports.json"
        last: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        free = iter(free_ports(len(PORTS)))
        ports = {name: last[name] if is_free(last.get(name, 0)) else next(free) for name in PORTS}
        file.write_text(json.dumps(ports))
        return ports


def is_free(port: int) -> bool:
    """Whether something could listen there; nothing listens at port 0."""
    if port == 0:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> Sequence[int]:
    """Ports that nothing listens on now, all different."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
