"""All parts of the system on one machine, from nothing to ready and back."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from deploy.local import health, parts
from deploy.local.folder import Folder
from deploy.local.parts import Part
from deploy.local.postgres import Postgres
from deploy.local.supervisor import Process, wait_until

DATABASES = ("config", "generation", "media")
READY_SECONDS = 60.0
# Longer than the services' own drain, so that they are not killed in the middle of it.
STOP_SECONDS = 25.0


class Stack:
    """The whole system in one data folder. Leaving it stops every process it started."""

    def __init__(
        self, path: Path, port: int, *, sandbox: Sequence[str] = (), **settings: Mapping[str, str]
    ) -> None:
        """`sandbox` are options of the sandbox, `settings` variables of single parts by the part's name."""
        self.folder = Folder(path)
        self.postgres = Postgres(self.folder.path / "postgres")
        self.url = f"http://127.0.0.1:{port}"
        url = self.postgres.url
        wanted = (
            parts.sandbox(self.folder, sandbox),
            parts.config(self.folder, url("config")),
            parts.media(self.folder, url("media")),
            parts.generation(self.folder, url("generation")),
            parts.gateway(self.folder, port),
        )
        self.parts = {part.name: _with(part, settings.get(part.name, {})) for part in wanted}
        self.processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and wait until all of it is ready."""
        self.launch("sandbox")
        self.start_postgres()
        for name in self.parts:
            if name not in self.processes:
                self.launch(name)
        for name in self.parts:
            self.wait(name)
        self.folder.write_addresses(self.url)

    def start_postgres(self) -> None:
        self.postgres.prepare()
        log, postgres = self.folder.log("postgres"), self.postgres
        self.processes["postgres"] = Process(
            "postgres", postgres.command, log, stop=signal.SIGINT, **postgres.process
        )
        process = self.processes["postgres"]
        wait_until(lambda: postgres.psql("SELECT 1") is not None, process, READY_SECONDS)
        postgres.create(DATABASES)

    def launch(self, name: str) -> None:
        """Start a part without waiting for it."""
        part = self.parts[name]
        self.processes[name] = Process(
            name,
            part.command,
            self.folder.log(name),
            stop=signal.SIGTERM,
            env=part.environment,
            cwd=parts.ROOT,
        )

    def wait(self, name: str) -> None:
        """Wait until a part is ready."""
        part = self.parts[name]
        wait_until(lambda: health.ready(part), self.processes[name], READY_SECONDS)

    def check(self) -> None:
        """Raise PartEnded if any has ended."""
        for process in self.processes.values():
            process.check()

    def stop(self) -> None:
        """Stop all, each before what it needs; whatever is left when that is interrupted is killed."""
        try:
            for process in reversed(self.processes.values()):
                process.stop(STOP_SECONDS)
        finally:
            for process in self.processes.values():
                process.kill()
            self.processes.clear()
            self.folder.close()


def _with(part: Part, settings: Mapping[str, str]) -> Part:
    return replace(part, environment={**part.environment, **settings})
