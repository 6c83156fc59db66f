"""One HTTP request on its way to a method: its caller, its body, and the message they make."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from starlette.requests import Request

from gateway import parsing
from gateway.errors import Refusal
from gateway.methods import Method

JSON_BYTES = 1 << 20
_BODY_SECONDS = 30.0
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 256 << 20


@dataclass(frozen=True)
class Call:
    """A request that found its method, with the caller's JWT."""

    http: Request
    method: Method
    variables: dict[str, str]
    jwt: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Who calls, for gRPC."""
        return (("authorization", f"Bearer {self.jwt}"),) if self.jwt else ()

    async def message(self) -> Message:
        """The whole request of a method with a JSON body, or none."""
        message = self.method.request()
        data = await self._json() if self.method.body else b""
        if self.method.body:
            parsing.read_body(data, message, self.method.body)
        self.fill(message)
        if self.method.verb == "PATCH" and _is_empty(message, "update_mask"):
            parsing.deduce_mask(data, message, self.method.body)
        return message

    def fill(self, message: Message, *, query: str | None = None, own: tuple[str, ...] = ()) -> None:
        """Fill in what query, path and Idempotency-Key say; HTTP's headers speak for the fields `own`."""
        bound = (*self.variables, *own, self.method.body)
        parsing.read_query(self.http.url.query if query is None else query, message, bound)
        parsing.read_path(self.variables, message)
        key = self.http.headers.get("idempotency-key")
        if key and _is_empty(message, "request_id"):
            parsing.read_path({"request_id": key}, message)

    async def pieces(self, most: int) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises 413 at the first sign of more than `most` bytes."""
        seen = int(self.http.headers.get("content-length", 0))
        if seen > most:
            await self._linger()
            raise _too_large(most)
        seen = 0
        async for piece in self.http.stream():
            seen += len(piece)
            if seen > most:
                await self._linger()
                raise _too_large(most)
            yield piece

    async def _json(self) -> bytes:
        """The body. It must say that it is JSON, which a foreign page's form cannot."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                data = b"".join([piece async for piece in self.pieces(JSON_BYTES)])
        except TimeoutError:
            raise Refusal(408, "body", "The body did not arrive.", {"connection": "close"}) from None
        kind = self.http.headers.get("content-type", "").partition(";")[0].strip().lower()
        if data and kind != "application/json":
            raise Refusal(415, "body", "The body must be application/json.")
        return data

    async def _linger(self) -> None:
        """Read on for a while: a client that is cut off while it sends never sees why."""
        if "expect" in self.http.headers:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                seen, more = 0, True
                while more and seen <= _LINGER_BYTES:
                    event = await self.http.receive()
                    seen += len(event.get("body", b""))
                    more = event.get("more_body", False)


def _is_empty(message: Any, field: str) -> bool:
    """Whether the request has such a field and nothing in it."""
    if field not in message.DESCRIPTOR.fields_by_name:
        return False
    value = getattr(message, field)
    return not (value.paths if field == "update_mask" else value)


def _too_large(most: int) -> Refusal:
    text = f"The body may have {most >> 20} MiB at most."
    return Refusal(413, "body", text, {"connection": "close"})
