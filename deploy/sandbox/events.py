"""Server-sent events, for dialects that stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deploy.sandbox.pieces import Text

DONE = b"data: [DONE]\n\n"


class Events(Response):
    """Frames with a pause before each that follows a picture."""

    def __init__(self, frames: Sequence[bytes], pause: float, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers, media_type="text/event-stream")
        del self.headers["content-length"]
        self._frames = frames
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for frame in self._paced():
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _paced(self) -> AsyncIterator[bytes]:
        for index, frame in enumerate(self._frames):
            if index and frame != DONE and not frame.startswith(b":"):
                await asyncio.sleep(self._pause)
            yield frame


def frame(document: Mapping[str, Any], picture: Text, *, named: bool) -> bytes:
    """An event with a picture in it; `named` repeats its type in a line of its own."""
    name = b"event: " + str(document["type"]).encode() + b"\n" if named else b""
    head = orjson.dumps(document)[:-1]
    return b"".join((name, b"data: ", head, b',"b64_json":"', *picture, b'"}\n\n'))
