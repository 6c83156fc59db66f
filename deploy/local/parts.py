"""What a local stack consists of: each part's command, environment and address."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.folder import Folder

ROOT = Path(__file__).resolve().parents[2]
# Keys of providers are in variables too; only config reads them.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
# A picture is megabytes and soon freed; the allocator keeps its pages instead of faulting new ones in.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_ARENA_MAX": "2",
}


@dataclass(frozen=True)
class Part:
    """One process of ours. It is ready when its health service, or `/readyz` if it speaks HTTP, says so."""

    name: str
    module: str
    address: str
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    health: str = "grpc"

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, "-m", self.module, *self.arguments)


def sandbox(folder: Folder, options: Sequence[str] = ()) -> Part:
    """The stand-in for providers. `options` are its own, such as `--instant`."""
    port, log = str(folder.ports["sandbox"]), str(folder.path / "sandbox.jsonl")
    arguments = ("--port", port, "--log", log, *options)
    return Part("sandbox", "deploy.sandbox", folder.address("sandbox"), _common(), arguments, "/healthz")


def config(folder: Folder, database_url: str) -> Part:
    return _service(
        folder,
        "config",
        {
            **os.environ,
            "INKWELD_DATABASE_URL": database_url,
            "INKWELD_SEAL_RING_FILE": str(folder.key("ring.public")),
            "INKWELD_ADMIN_TOKEN_FILE": str(folder.admin_token_file),
        },
    )


def generation(folder: Folder, database_url: str, *, name: str = "generation", port: int = 0) -> Part:
    """The generation service; under another name and port, a second process of it."""
    environment = {
        "INKWELD_DATABASE_URL": database_url,
        "INKWELD_RING_FILE": str(folder.key("ring.private")),
    }
    address = f"127.0.0.1:{port}" if port else folder.address("generation")
    return _service(folder, "generation", environment, name=name, address=address)


def media(folder: Folder, database_url: str) -> Part:
    environment = {"INKWELD_DATABASE_URL": database_url, "INKWELD_BLOBS": str(folder.path / "blobs")}
    return _service(folder, "media", environment)


def gateway(folder: Folder, port: int) -> Part:
    own = {
        **_identity(folder, "gateway"),
        "INKWELD_HOST": "127.0.0.1",
        "INKWELD_PORT": str(port),
        "INKWELD_WEB": str(ROOT / "web" / "dist"),
        "INKWELD_SECURE_COOKIES": "false",
    }
    return Part("gateway", "gateway", f"127.0.0.1:{port}", _common() | own, health="/readyz")


def _service(
    folder: Folder, service: str, environment: Mapping[str, str], *, name: str = "", address: str = ""
) -> Part:
    where = address or folder.address(service)
    own = {**_common(), **environment, **_identity(folder, service), "INKWELD_ADDRESS": where}
    return Part(name or service, f"services.{service}", where, own)


def _common() -> dict[str, str]:
    """What every part is told; a setting of ours in the caller's environment reaches all of them."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    settings = {name: value for name, value in os.environ.items() if name.startswith("INKWELD_")}
    return {**passed, **ALLOCATOR, "PYTHONUNBUFFERED": "1", "INKWELD_DRAIN_SECONDS": "20", **settings}


def _identity(folder: Folder, service: str) -> dict[str, str]:
    addresses = {
        f"INKWELD_{name.upper()}_ADDRESS": folder.address(name) for name in ("config", "generation", "media")
    }
    return {
        **addresses,
        "INKWELD_SIGNING_KEY_FILE": str(folder.key(f"{service}.pem")),
        "INKWELD_TRUSTED_KEYS_FILE": str(folder.key("trusted.json")),
    }
