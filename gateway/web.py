"""The built web client: read once at the start, so that no caller's text ever becomes a path on disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import Refusal, no_such_path
from gateway.session import SAFE

_FOREVER = "public, max-age=31536000, immutable"
_FRESH = "no-cache"
_INDEX = "/index.html"
# The machine's own table differs from place to place, and scripts of an odd type do not run.
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_ASSETS = "/assets/"
_API = "/v1/"


@dataclass(frozen=True)
class File:
    """A file of the client as it is sent."""

    data: bytes
    headers: dict[str, str]


class Web:
    """Serves the files, and the page itself at every address that is the client's to know."""

    def __init__(self, directory: Path | None) -> None:
        found = sorted(directory.rglob("*")) if directory else []
        self._files = {
            f"/{path.relative_to(directory).as_posix()}": _read(
                path, f"/{path.relative_to(directory).as_posix()}"
            )
            for path in found
            if directory and path.is_file()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._find(scope["path"])
        if file is None:
            raise no_such_path()
        if scope["method"] not in SAFE:
            raise Refusal(405, "method", "This address is for reading.", {"allow": ", ".join(SAFE)})
        await _answer(file, Headers(scope=scope))(scope, receive, send)

    def _find(self, path: str) -> File | None:
        file = self._files.get(path)
        # A missing asset must not come back as a page.
        if file is None and "." not in path.rpartition("/")[2] and not f"{path}/".startswith((_ASSETS, _API)):
            file = self._files.get(_INDEX)
        return file


def _answer(file: File, headers: Headers) -> Response:
    known = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    if file.headers["etag"] in known or "*" in known:
        kept = {name: file.headers[name] for name in ("etag", "cache-control")}
        return Response(status_code=304, headers=kept)
    return Response(file.data, headers=file.headers)


def _read(path: Path, address: str) -> File:
    data = path.read_bytes()
    headers = {
        "content-type": _KINDS.get(path.suffix, "application/octet-stream"),
        "etag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        # The build puts a hash into the names of assets, and of nothing else.
        "cache-control": _FOREVER if address.startswith(_ASSETS) else _FRESH,
    }
    return File(data, headers)
