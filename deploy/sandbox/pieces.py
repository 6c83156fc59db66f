"""JSON with megabytes of base64 in it, kept and sent in pieces so that nothing large is copied."""

from collections.abc import Iterable, Iterator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# A base64 text; joined it is one.
Text = tuple[bytes, ...]
LARGE = 65_536


class Pieces(Response):
    """A JSON document that is the concatenation of its pieces."""

    def __init__(self, pieces: Iterable[bytes], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(headers=headers, media_type="application/json")
        self._pieces = list(_gathered(pieces))
        self.headers["content-length"] = str(sum(len(piece) for piece in self._pieces))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def listed(texts: Iterable[Text], before: bytes, after: bytes) -> Iterator[bytes]:
    """The elements of a JSON list, each between `before` and `after`."""
    for index, text in enumerate(texts):
        yield b"," + before if index else before
        yield from text
        yield after


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same with small neighbours joined, for each piece is a call of the system."""
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < LARGE:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield piece
    yield b"".join(small)
