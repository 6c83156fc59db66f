"""fal's files: what was uploaded, in either way, and what was drawn."""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from deploy.sandbox import fal_errors as errors
from deploy.sandbox.fal_door import authorize, origin, read_object

TOKEN = "sandbox-cdn-token"  # noqa: S105 - everybody may know it
PATH = "/fal/files/"
MOST_BYTES = 400 * 1024 * 1024


@dataclass
class File:
    data: bytes = b""
    kind: str = "application/octet-stream"
    redirect: str = ""
    until: float | None = None
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        return self.until is not None and time.monotonic() > self.until


class Files:
    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()

    def routes(self) -> list[Mount]:
        """The host for files, the one for uploads, and the one that says where to upload."""
        cdn = [
            Route("/files/upload", self.upload, methods=["POST"]),
            Route("/files/upload/multipart", self.begin, methods=["POST"]),
        ]
        rest = [
            Route("/storage/auth/token", self.token, methods=["POST"]),
            Route("/storage/upload/initiate", self.initiate, methods=["POST"]),
        ]
        files = [
            Route("/{id}/{name}", self.read),
            Route("/{id}/{name}", self.put, methods=["PUT"]),
            Route("/{id}/{name}/multipart/{upload}/complete", self.complete, methods=["POST"]),
            Route("/{id}/{name}/multipart/{upload}/{number:int}", self.part, methods=["PUT"]),
        ]
        return [Mount("/cdn", routes=cdn), Mount("/rest", routes=rest), Mount("/files", routes=files)]

    def add(self, file: File, name: str) -> str:
        """The path of a new file. The oldest make room when there is too much."""
        key = secrets.token_hex(10)
        self._files[key] = file
        while len(self._files) > 1 and sum(len(kept.data) for kept in self._files.values()) > MOST_BYTES:
            self._files.popitem(last=False)
        return f"{PATH}{key}/{name}"

    def find(self, url: str, own: str) -> bytes | None:
        """What is at an address; None when it is not one of ours."""
        if not url.startswith(own + PATH):
            return None
        file = self._files.get(url.removeprefix(own + PATH).partition("/")[0])
        return None if file is None or file.gone else file.data

    def _file(self, request: Request) -> File:
        file = self._files.get(request.path_params["id"])
        if file is None or file.gone:
            raise errors.detail(404, "File not found")
        return file

    async def read(self, request: Request) -> Response:
        file = self._file(request)
        if file.redirect:
            return RedirectResponse(file.redirect, 302)
        return Response(file.data, media_type=file.kind)

    async def token(self, request: Request) -> Response:
        authorize(request, needed=True)
        until = datetime.now(UTC) + timedelta(hours=1)
        return _json(
            {
                "token": TOKEN,
                "token_type": "Bearer",
                "base_url": f"{origin(request)}/fal/cdn",
                "expires_at": until.isoformat(),
            }
        )

    async def upload(self, request: Request) -> Response:
        authorize(request, needed=True, also=TOKEN)
        file = File(await request.body(), _kind(request))
        path = self.add(file, request.headers.get("x-fal-file-name", "upload.bin"))
        return _json({"access_url": origin(request) + path})

    async def initiate(self, request: Request) -> Response:
        authorize(request, needed=True)
        wanted = await read_object(request)
        file = File(kind=str(wanted.get("content_type", "application/octet-stream")))
        url = origin(request) + self.add(file, str(wanted.get("file_name", "upload.bin")))
        return _json({"upload_url": f"{url}?signature=sandbox", "file_url": url})

    async def put(self, request: Request) -> Response:
        file = self._file(request)
        if file.data or request.query_params.get("signature") != "sandbox":
            raise errors.detail(403, "The signature does not fit")
        file.data = await request.body()
        return Response()

    async def begin(self, request: Request) -> Response:
        authorize(request, needed=True, also=TOKEN)
        path = self.add(File(kind=_kind(request)), request.headers.get("x-fal-file-name", "upload.bin"))
        return _json({"access_url": origin(request) + path, "uploadId": secrets.token_hex(8)})

    async def part(self, request: Request) -> Response:
        authorize(request, needed=True, also=TOKEN)
        number = request.path_params["number"]
        self._file(request).parts[number] = await request.body()
        return Response(headers={"etag": f'"{number}"'})

    async def complete(self, request: Request) -> Response:
        authorize(request, needed=True, also=TOKEN)
        file = self._file(request)
        file.data = b"".join(file.parts[number] for number in sorted(file.parts))
        file.parts.clear()
        return _json({"access_url": str(request.url).partition("/multipart/")[0]})


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "application/octet-stream")


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
