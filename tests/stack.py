"""The whole system as processes in a temporary folder, for tests that kill, freeze and restart its parts."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
from inkweld.access.v1 import access_pb2
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub

from deploy.local import demo, parts, stack
from deploy.local.folder import free_ports
from deploy.sandbox import billing
from runtime import channel
from runtime.settings import ServiceSettings

HURRIED = ("--scripted", "--seconds", "0.1")


class Stack(stack.Stack):
    """A local stack on free ports, with a sandbox that hurries and follows scripts.

    Parts are to be started from the main thread: a part ends with the thread that started it.
    """

    def __init__(self, path: Path, sandbox: Sequence[str] = HURRIED, **settings: Mapping[str, str]) -> None:
        super().__init__(path, free_ports(1)[0], sandbox=sandbox, **settings)

    @property
    def admin_token(self) -> str:
        return self.folder.admin_token

    @property
    def sandbox_url(self) -> str:
        return f"http://{self.folder.address('sandbox')}"

    def begin(self) -> None:
        """Start it and bring the demo's providers, profiles and project."""
        self.start()
        demo.seed(self.folder)

    def kill(self, name: str) -> None:
        """End a part the way a crash does."""
        self.processes[name].kill()

    def freeze(self, name: str) -> None:
        """Stop a part in its tracks; it keeps its connections and knows nothing of it."""
        self.processes[name].send(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.processes[name].send(signal.SIGCONT)

    def restart(self, name: str) -> None:
        """Start a part that is not running, and wait until it is ready."""
        self.launch(name)
        self.wait(name)

    def mend(self) -> None:
        """Start again whatever has ended, and forget the sandbox's script."""
        for name in self.parts:
            if self.processes[name].ended:
                self.restart(name)
        httpx.delete(f"{self.sandbox_url}/sandbox/script", trust_env=False).raise_for_status()

    def add_generation(self, name: str = "generation-2") -> None:
        """Start another process of the generation service on the same database."""
        first = self.parts["generation"]
        address = f"127.0.0.1:{free_ports(1)[0]}"
        environment = {**first.environment, "INKWELD_ADDRESS": address}
        self.parts[name] = parts.Part(name, first.module, address, environment)
        self.restart(name)

    def add_sandbox(self, name: str, *options: str) -> None:
        """Start another sandbox, with options of its own."""
        first, port = self.parts["sandbox"], free_ports(1)[0]
        address = f"127.0.0.1:{port}"
        arguments = ("--port", str(port), *HURRIED, *options)
        self.parts[name] = replace(first, name=name, address=address, arguments=arguments)
        self.restart(name)

    def remove(self, name: str) -> None:
        """Stop a part that was added."""
        self.processes.pop(name).stop(stack.STOP_SECONDS)
        del self.parts[name]

    @asynccontextmanager
    async def channel(self, part: str, token: str = "") -> AsyncIterator[grpc.aio.Channel]:
        """A channel to a part; calls go as the owner of `token`, the administrator's unless given."""
        settings = ServiceSettings(
            signing_key_file=self.folder.key("gateway.pem"),
            trusted_keys_file=self.folder.key("trusted.json"),
        )
        proof = token or self.admin_token
        async with channel.connect(self.parts[part].address, settings, identity=lambda: proof) as dialled:
            # gRPC remembers, for the whole of this process, that a part was away and when to try again.
            await asyncio.wait_for(dialled.channel_ready(), 10)
            yield dialled

    async def new_user(self, user: str) -> str:
        """A user without rights, and a token that does all they may."""
        async with self.channel("config") as config:
            access = AccessServiceStub(config)
            await access.CreateUser(
                access_pb2.CreateUserRequest(user=access_pb2.User(title=user.title()), user_id=user)
            )
            token = access_pb2.Token(title="tests", scope=access_pb2.WRITE)
            request = access_pb2.CreateTokenRequest(parent=f"users/{user}", token=token)
            return (await access.CreateToken(request)).secret

    @asynccontextmanager
    async def http(self, token: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client of the gateway, with a token as `channel` has it."""
        headers = {"authorization": f"Bearer {token or self.admin_token}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=30, trust_env=False
        ) as client:
            yield client

    async def script(self, *rules: Mapping[str, Any]) -> None:
        """Give the sandbox rules to follow from now on (deploy/sandbox/scripts.py)."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.sandbox_url}/sandbox/script", json=rules)
        assert answer.status_code == 200, answer.text

    def asked(self, prompt: str) -> int:
        """How many calls for a prompt the sandbox has had."""
        report = httpx.get(f"{self.sandbox_url}/sandbox/log", trust_env=False).json()
        return sum(call["prompt"] == billing.hashed(prompt) for call in report["asked"])

    def charges(self, prompt: str) -> list[str]:
        """How the sandbox's charges for a prompt ended, oldest first."""
        lines = (self.folder.path / "sandbox.jsonl").read_text().splitlines()
        rows = (json.loads(line) for line in lines)
        return [row["outcome"] for row in rows if row["prompt"] == billing.hashed(prompt)]

    def logs(self) -> str:
        """All that the parts have written, PostgreSQL too."""
        return "\n".join(path.read_text(errors="replace") for path in self.folder.path.glob("logs/*.log"))


def eventually(what: str, holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `holds()` is true; an assertion error that names `what` when it never is."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)
