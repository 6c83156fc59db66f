"""The providers' APIs, played as far as a test needs, with a memory."""

import asyncio
import base64
import email
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from email.message import Message
from typing import Any, Protocol

import httpx

from runtime.egress import Egress, Endpoint
from services.generation.providers import Event, Provider, Task

PNG = b"\x89PNG\r\n\x1a\n picture "
KEY = "k3y-of-the-test"
ACCOUNT = "acc0unt"


class Fake(Protocol):
    """An API that remembers what it was asked."""

    bodies: list[dict[str, Any]]

    async def __call__(self, request: httpx.Request) -> httpx.Response: ...


def picture(number: int) -> bytes:
    return PNG + str(number).encode()


def encoded(number: int) -> str:
    return base64.b64encode(picture(number)).decode()


class FakeWebUI:
    """A1111: txt2img answers when `finish` is set; progress counts up with each look."""

    def __init__(self, **info: Any) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.names: list[str] = []
        self.keys: set[str | None] = set()
        self.finish = asyncio.Event()
        self.finish.set()
        self.sheet = False
        self.said = info
        self.broken_progress = False
        self.previews: list[bytes] = []
        self.answer: httpx.Response | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        self.keys.add(request.headers.get("authorization"))
        match request.url.path.removeprefix("/sdapi/v1/"):
            case "txt2img" | "img2img":
                self.bodies.append(json.loads(request.content))
                self.names.append(self.bodies[-1].pop("force_task_id"))
                await self.finish.wait()
                return self.answer or self._drawn(self.bodies[-1])
            case "progress":
                looks = self.calls.count(request.url.path)
                return httpx.Response(500 if self.broken_progress else 200, json={"progress": looks / 10})
            case "/internal/progress" if self.previews:
                return self._by_name(json.loads(request.content))
            case "sd-models":
                return self.answer or httpx.Response(200, json=[])
            case "interrupt":
                return httpx.Response(204)
            case _:
                return httpx.Response(404, json={"detail": "Not Found"})

    def _by_name(self, asked: dict[str, Any]) -> httpx.Response:
        assert asked["id_task"] == self.names[-1]
        number = min(asked["id_live_preview"] + 1, len(self.previews) - 1)
        preview = "data:image/png;base64," + base64.b64encode(self.previews[number]).decode()
        fraction = (number + 1) / 10
        return httpx.Response(
            200, json={"progress": fraction, "live_preview": preview, "id_live_preview": number}
        )

    def _drawn(self, body: dict[str, Any]) -> httpx.Response:
        count = body["batch_size"]
        first = body["seed"] if body["seed"] >= 0 else 77
        images = [encoded(number) for number in range(count)]
        info = {"all_seeds": [first + number for number in range(count)], **self.said}
        if self.sheet:
            images.insert(0, encoded(99))
            info["index_of_first_image"] = 1
        return httpx.Response(200, json={"images": images, "parameters": {}, "info": json.dumps(info)})


class FakeOpenAI:
    """The Images API; `more` goes into the answer, `answer` replaces it."""

    def __init__(self, **more: Any) -> None:
        self.paths: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.more = more
        self.answer: httpx.Response | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization"))
        if request.url.path == "/v1/models":
            return self.answer or httpx.Response(200, json={"data": []})
        if request.url.path not in ("/v1/images/generations", "/v1/images/edits"):
            return httpx.Response(404)
        self.paths.append(request.url.path)
        self.bodies.append(_fields(request))
        data = [{"b64_json": encoded(number)} for number in range(int(self.bodies[-1]["n"]))]
        answer = {"created": 1, "data": data, **self.more}
        return self.answer or httpx.Response(200, json=answer, headers={"x-request-id": "req_1"})


class FakeOpenRouter:
    """The Image API and the chat; `usage` is JSON, so that sums stay as they are written."""

    def __init__(self, usage: str = "null") -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: set[str | None] = set()
        self.usage = usage
        self.answer: httpx.Response | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization"))
        if request.url.path == "/api/v1/key":
            return self.answer or httpx.Response(200, json={"data": {}})
        self.paths.append(request.url.path)
        self.bodies.append(json.loads(request.content))
        if request.url.path == "/api/v1/chat/completions":
            shown = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(0)}"}}
            answer: dict[str, Any] = {"choices": [{"message": {"content": "", "images": [shown]}}]}
        elif request.url.path == "/api/v1/images":
            answer = {"data": [{"b64_json": encoded(number)} for number in range(self.bodies[-1]["n"])]}
        else:
            return httpx.Response(404)
        content = json.dumps({"id": "gen-1", **answer})[:-1] + f', "usage": {self.usage}}}'
        return self.answer or httpx.Response(200, content=content)


class FakeWorkersAI:
    """Cloudflare's models; `form` is how the picture comes."""

    def __init__(self, form: str = "result") -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: set[str | None] = set()
        self.form = form
        self.answer: httpx.Response | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization"))
        account, _, call = request.url.path.removeprefix("/client/v4/accounts/").partition("/ai/")
        if account != ACCOUNT:
            return httpx.Response(404, json={"errors": [{"code": 7003}]})
        if call == "models/search":
            return self.answer or httpx.Response(200, json={"result": []})
        self.bodies.append({"model": call.removeprefix("run/"), **_fields(request)})
        return self.answer or self._drawn()

    def _drawn(self) -> httpx.Response:
        match self.form:
            case "bytes":
                return httpx.Response(200, content=picture(0), headers={"content-type": "image/png"})
            case "text":
                return httpx.Response(200, json=encoded(0))
            case "image":
                return httpx.Response(200, json={"image": encoded(0)})
            case _:
                return httpx.Response(200, json={"result": {"image": encoded(0)}, "success": True})


class FakeFal:
    """fal's queue, prices, storage and files: each look at the work gets the next of `statuses`."""

    def __init__(self, *statuses: int | None) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.submitted: list[httpx.Headers] = []
        self.keys: set[str | None] = set()
        self.foreign_keys: set[str | None] = set()
        self.stored: dict[str, bytes] = {}
        self.statuses = list(statuses)
        self.units: str | None = None
        self.price = '{"unit_price": 0.04, "unit": "images", "currency": "USD"}'
        self.result: dict[str, Any] = {}
        self.count: int | None = None
        self.answer: httpx.Response | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        host, path, key = request.url.host, request.url.path, request.headers.get("authorization")
        self.calls.append(f"{request.method} {host}{path}")
        if host.endswith(".fal.media"):
            self.foreign_keys.add(key)
            return self._file(request)
        self.keys.add(key)
        match host:
            case "api.fal.ai":
                return self.answer or httpx.Response(200, content=f'{{"prices": [{self.price}]}}')
            case "rest.fal.ai":
                name = json.loads(request.content)["file_name"]
                urls = {
                    "upload_url": f"https://up.fal.media/{name}",
                    "file_url": f"https://v3.fal.media/{name}",
                }
                return httpx.Response(200, json=urls)
            case "queue.fal.run":
                return self._queue(request, path)
            case _:
                return httpx.Response(500)

    def _file(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            self.stored[str(request.url)] = request.content
            return httpx.Response(200)
        return httpx.Response(200, content=picture(int(request.url.path.strip("/"))))

    def _queue(self, request: httpx.Request, path: str) -> httpx.Response:
        work = "https://queue.fal.run/app/requests/r1"
        if request.method == "POST":
            self.submitted.append(request.headers)
            self.bodies.append({"model": path.strip("/"), **json.loads(request.content)})
            urls = {"status_url": f"{work}/status", "response_url": work, "cancel_url": f"{work}/cancel"}
            return httpx.Response(200, json={"request_id": "r1", "status": "IN_QUEUE", **urls})
        if path.endswith("/cancel"):
            return httpx.Response(202, json={"status": "CANCELLATION_REQUESTED"})
        if path.endswith("/status"):
            return self._status()
        return self.answer or self._drawn()

    def _status(self) -> httpx.Response:
        if not self.statuses:
            return httpx.Response(200, json={"status": "COMPLETED", "logs": None})
        position = self.statuses.pop(0)
        if position is None:
            return httpx.Response(202, json={"status": "IN_PROGRESS", "logs": []})
        return httpx.Response(202, json={"status": "IN_QUEUE", "queue_position": position})

    def _drawn(self) -> httpx.Response:
        count = self.count or (self.bodies[-1].get("num_images", 1) if self.bodies else 1)
        images = [{"url": f"https://v3.fal.media/{number}"} for number in range(count)]
        headers = {} if self.units is None else {"x-fal-billable-units": self.units}
        return httpx.Response(200, json={"images": images, **self.result}, headers=headers)


def _fields(request: httpx.Request) -> dict[str, Any]:
    """What was sent, as JSON or as a form; files as their type and bytes."""
    kind = request.headers["content-type"]
    if not kind.startswith("multipart/"):
        return dict(json.loads(request.content))
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.content)
    fields: dict[str, Any] = {}
    for part in message.get_payload():
        assert isinstance(part, Message)
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        value = (part.get_content_type(), data) if part.get_filename() else data.decode()
        # A name with brackets comes once for each of several.
        fields[name] = [*fields.get(name, ()), value] if name.endswith("[]") else value
    return fields


def api(kind: Provider, fake: Fake, *, key: str | None = KEY) -> Endpoint:
    egress = Egress(transport=httpx.MockTransport(fake))
    base = kind.DEFAULT_ENDPOINT or "http://127.0.0.1:7860"
    return egress.endpoint(
        base,
        key,
        kind,
        provider="providers/test",
        attempt_id="a",
        seconds=5,
        max_bytes=10**7,
        account=ACCOUNT,
    )


async def events(kind: Provider, task: Task, endpoint: Endpoint) -> list[Event]:
    return [event async for event in _all(kind, task, endpoint)]


async def _all(kind: Provider, task: Task, endpoint: Endpoint) -> AsyncIterator[Event]:
    async with aclosing(kind.generate(task, endpoint)) as generated:
        async for event in generated:
            yield event
