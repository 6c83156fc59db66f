"""What an adapter is given: its provider's API, with the key, the deadline and the budget already decided."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin

import httpcore
import httpx
import msgspec
import pybase64
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress.exchange import Answer, Direct, Unreadable, exchange, streamed
from runtime.egress.network import Blocked, Policy, TooLarge, Wire
from runtime.egress.refusals import Refusal, failure, refused
from runtime.failure import Failure

AGENT = "inkweld-images"
MAX_HOPS = 3
MAX_VALUES = 300_000  # in an answer, whose one long value is a picture
MAX_ERROR_BYTES = 1 << 16
THREAD_BYTES = 8 << 20  # about a millisecond
_REDIRECTS = (301, 302, 303, 307, 308)
_BROKEN = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpx.TransportError,
    OSError,  # TLS and deadlines too
)

_NO_HEADERS: Mapping[str, str] = {}

T = TypeVar("T")


class Kind(Protocol):
    """What egress must know of a kind of provider. An adapter's module is one."""

    @property
    def AUTHORIZATION(self) -> str: ...  # noqa: N802  # "Bearer {key}"; `{basic}` is the key in base64
    def refusal(self, status: int, body: bytes) -> Refusal | None: ...  # None: the status says enough


class Reply:
    """A successful answer. What in it cannot be used may still have been paid for: ANSWER_UNUSABLE."""

    def __init__(self, answer: Answer, kind: Kind, provider: str) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.content: bytes = answer.content
        self._kind = kind
        self._provider = provider

    def read(self, shape: type[T]) -> T:
        """The JSON body, of which only the fields `shape` names are looked at."""
        if _has_many_values(self.content):
            raise self.unusable()
        try:
            return msgspec.json.decode(self.content, type=shape)
        except (ValueError, RecursionError) as error:  # what is no text at all is a bare ValueError
            raise self.unusable() from error

    def text(self, quoted: msgspec.Raw) -> str:
        """A JSON string that was left as it came."""
        try:
            return msgspec.json.decode(quoted, type=str)
        except ValueError as error:
            raise self.unusable() from error

    async def decode(self, text: msgspec.Raw) -> bytes:
        """The bytes of a JSON string in base64, which becomes no `str`; long ones are decoded in a thread."""
        try:
            if len(memoryview(text)) > THREAD_BYTES:
                return await asyncio.to_thread(_decode, text)
            return _decode(text)
        except ValueError as error:
            raise self.unusable() from error

    def unusable(self) -> Failure:
        """What to raise when the answer holds no picture."""
        return self.failure(ErrorReason.ANSWER_UNUSABLE)

    def failure(self, reason: ErrorReason) -> Failure:
        """What to raise when the answer tells why there is no picture."""
        return failure(reason, self._provider)

    def refused(self, status: int) -> Failure:
        """What to raise when a good status hides an error, which says that its own were `status`."""
        return _refused(status, self.headers, self.content, self._kind, self._provider, paid=True)


class Endpoint:
    """One attempt's way to its provider.

    `post`, `put` and `get` reach the configured host and port, or another the kind declares as `HOSTS`, and
    nothing else, with the key; `fetch` and `store` reach anything public over https, without it. Each call
    has a total deadline and a byte budget, outside `polling` a connection of its own, and fails with our
    reasons.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        base: httpx.URL,
        kind: Kind,
        *,
        hosts: Mapping[str, httpx.URL],
        headers: Mapping[str, str],
        public: Policy,
        provider: str,
        account: str,
        seconds: float,
        max_bytes: int,
    ) -> None:
        self.account = account  # at the provider, for kinds that have it in their addresses
        self._transport = transport
        self._base = base
        self._kind = kind
        self._hosts = {"": base, **hosts}
        self._headers = headers
        self._public = public
        self._provider = provider
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._may_cost = False
        self._kept: httpx.AsyncBaseTransport | None = None

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Inside, one `get` after the other shares a connection. What may cost money never does."""
        if not isinstance(self._transport, Direct):
            yield
            return
        self._kept = self._transport.kept()
        try:
            yield
        finally:
            await self._kept.aclose()
            self._kept = None

    async def post(
        self,
        path: str,
        body: object,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] = _NO_HEADERS,
        host: str = "",
        free: bool = False,
    ) -> Reply:
        """Sends a body: bytes as they are, anything else as JSON. Unless `free`, the call may cost money."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        more = {**headers, "content-type": content_type}
        return await self._call("POST", self._own(path, host), content, more, free=free)

    async def stream(
        self, path: str, body: object, *, content_type: str = "application/json", host: str = ""
    ) -> AsyncGenerator[Reply, None]:
        """Sends a body, as `post`, and gives each server-sent event of the answer as soon as it is whole.

        Who does not stream nevertheless has its one answer given. The deadline holds for all of it.
        """
        url = self._own(path, host)
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        accepted = "application/json, text/event-stream"
        headers = {"accept": accepted, "content-type": content_type, **self._headers}
        wire = Wire(self._max_bytes)
        until = asyncio.get_running_loop().time() + self._seconds
        request = self._request("POST", url, headers, content)
        came = False
        async with aclosing(streamed(self._transport, request, wire, _only(url), self._max_bytes)) as answers:
            while answer := await self._next(answers, wire, until):
                if not 200 <= answer.status < 300:
                    said = answer.status, answer.headers, answer.content
                    raise _refused(*said, self._kind, self._provider, paid=True)
                came = True
                yield Reply(answer, self._kind, self._provider)
        if not came:
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider)

    def lost(self) -> Failure:
        """What to raise when a stream ends before its answer."""
        return failure(ErrorReason.ANSWER_LOST, self._provider)

    async def _next(self, answers: AsyncGenerator[Answer, None], wire: Wire, until: float) -> Answer | None:
        with self._translated(wire, free=False):
            async with asyncio.timeout_at(until):
                return await anext(answers, None)

    async def put(
        self, path_or_url: str, body: object = None, *, content_type: str = "application/json"
    ) -> Reply:
        """Sends a body, as `post`, or none."""
        url = self._own(path_or_url, "")
        if body is None:
            return await self._call("PUT", url, None, {}, free=False)
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self._call("PUT", url, content, {"content-type": content_type}, free=False)

    async def get(self, path_or_url: str, *, host: str = "") -> Reply:
        """Gets a path, or a URL out of an answer if it is of the configured origin."""
        return await self._call("GET", self._own(path_or_url, host), None, {}, free=True)

    async def fetch(self, url: str) -> bytes:
        """Gets a file a provider points to, without the key: from the public internet, or from itself."""
        self._may_cost = True  # there is a result, so there was work
        policy: Policy | None = None
        for _ in range(MAX_HOPS + 1):
            parsed, policy = self._foreign(url, first=policy is None)
            answer = await self._exchange(self._request("GET", parsed, {"accept": "*/*"}), policy, free=True)
            if answer.status not in _REDIRECTS:
                return self._file(answer)
            url = self._joined(url, answer.headers.get("location", "http:"))
        raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider)

    async def store(self, url: str, data: bytes, content_type: str) -> None:
        """Puts a file where a provider said, without the key; that costs nothing."""
        parsed, policy = self._foreign(url, first=True)
        request = self._request("PUT", parsed, {"content-type": content_type}, data)
        answer = await self._exchange(request, policy, free=True)
        if not 200 <= answer.status < 300:
            raise failure(ErrorReason.PROVIDER_UNAVAILABLE, self._provider, status=str(answer.status))

    async def _call(
        self, method: str, url: httpx.URL, content: bytes | None, more: Mapping[str, str], *, free: bool
    ) -> Reply:
        headers = {"accept": "application/json", **more, **self._headers}
        paid = self._may_cost or not free
        line = self._kept if method == "GET" else None
        request = self._request(method, url, headers, content)
        answer = await self._exchange(request, _only(url), free=free, line=line)
        if 200 <= answer.status < 300:
            return Reply(answer, self._kind, self._provider)
        raise _refused(answer.status, answer.headers, answer.content, self._kind, self._provider, paid=paid)

    async def _exchange(
        self,
        request: httpx.Request,
        policy: Policy,
        *,
        free: bool,
        line: httpx.AsyncBaseTransport | None = None,
    ) -> Answer:
        wire = Wire(self._max_bytes)
        with self._translated(wire, free=free):
            async with asyncio.timeout(self._seconds):
                return await exchange(line or self._transport, request, wire, policy, self._max_bytes)

    @contextmanager
    def _translated(self, wire: Wire, *, free: bool) -> Iterator[None]:
        """What goes wrong inside comes out in our reasons."""
        try:
            yield
        except _BROKEN as error:
            # The exception cannot tell whether the call went out; the count of bytes can.
            raise self._no_answer(lost=not free and wire.bytes_sent > 0) from error
        except (TooLarge, Unreadable) as error:
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider) from error
        except Blocked as error:
            raise failure(self._blocked(), self._provider) from error
        finally:
            self._may_cost = self._may_cost or (not free and wire.bytes_sent > 0)

    def _no_answer(self, *, lost: bool) -> Failure:
        """Looking costs nothing, so that only what was sent to be done can be lost."""
        reason = ErrorReason.ANSWER_LOST if lost or self._may_cost else ErrorReason.PROVIDER_UNAVAILABLE
        return failure(reason, self._provider)

    def _blocked(self) -> ErrorReason:
        return ErrorReason.ANSWER_UNUSABLE if self._may_cost else ErrorReason.PROVIDER_UNAVAILABLE

    def _request(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None = None
    ) -> httpx.Request:
        plain = {"user-agent": AGENT, "accept-encoding": "identity", "connection": "close"}
        return httpx.Request(method, url, headers={**plain, **headers}, content=content)

    def _own(self, path: str, host: str) -> httpx.URL:
        """An address that may see the key: built on one of the kind's, or of an answer and at home."""
        if path.startswith("/"):
            return httpx.URL(str(self._hosts[host]).rstrip("/") + path)
        url = self._parsed(path)
        if _origin(url) != _origin(self._base):
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider)
        return url

    def _foreign(self, url: str, *, first: bool) -> tuple[httpx.URL, Policy]:
        """Where a provider points, and what may be dialled there.

        It may point at itself, wherever an administrator said it is; a redirect may not.
        """
        parsed = self._parsed(url)
        if parsed.userinfo:
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider)
        if first and _origin(parsed) == _origin(self._base):
            return parsed, _only(parsed)
        if parsed.scheme != "https":
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider)
        return parsed, self._public

    def _parsed(self, url: str) -> httpx.URL:
        try:
            parsed = httpx.URL(url)
            # Looked at, for a bad international name fails only here, with a bare ValueError.
            return parsed if parsed.host else httpx.URL("")
        except (httpx.InvalidURL, ValueError) as error:
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider) from error

    def _joined(self, url: str, location: str) -> str:
        try:
            return urljoin(url, location)
        except ValueError as error:
            raise failure(ErrorReason.ANSWER_UNUSABLE, self._provider) from error

    def _file(self, answer: Answer) -> bytes:
        if answer.status == 200 and answer.headers.get("content-encoding", "identity") == "identity":
            return answer.content
        lost = answer.status >= 500 or answer.status == 429
        raise failure(ErrorReason.ANSWER_LOST if lost else ErrorReason.ANSWER_UNUSABLE, self._provider)


class Discreet:
    """A kind whose refusals do not repeat the key, as some providers do with what they were sent."""

    def __init__(self, kind: Kind, key: str) -> None:
        self.AUTHORIZATION = kind.AUTHORIZATION
        self._kind = kind
        self._secrets = (key, key.rpartition(":")[2])

    def refusal(self, status: int, body: bytes) -> Refusal | None:
        refusal = self._kind.refusal(status, body)
        if refusal is None:
            return None
        details = {
            name: said
            for name, said in refusal.details.items()
            if not any(secret in said for secret in self._secrets)
        }
        return Refusal(refusal.reason, details)


def authorization(kind: Kind, key: str, provider: str) -> str:
    """The header that carries the key. What is no header text is refused here, where nothing quotes it."""
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        raise failure(ErrorReason.KEY_REJECTED, provider)
    pair = ":" in key and hasattr(kind, "PAIR_AUTHORIZATION")
    template: Any = getattr(kind, "PAIR_AUTHORIZATION") if pair else kind.AUTHORIZATION  # noqa: B009
    return str(template).format(key=key, basic=base64.b64encode(key.encode()).decode())


def _has_many_values(content: bytes) -> bool:
    """Goes from comma to comma, of which a picture has none: ten times as fast as counting them."""
    place = -1
    for _ in range(MAX_VALUES):
        place = content.find(b",", place + 1)
        if place < 0:
            return False
    return True


def _decode(text: msgspec.Raw) -> bytes:
    quoted = memoryview(text)
    if len(quoted) < 6 or quoted[0] != ord('"'):
        raise ValueError("no base64")
    try:
        return pybase64.b64decode(quoted[1:-1], validate=True)
    except ValueError:  # escaped slashes, line ends or a data URI, which few send
        plain = msgspec.json.decode(text, type=str)
        return pybase64.b64decode("".join(plain.rpartition(",")[2].splitlines()), validate=True)


def _refused(
    status: int, headers: Mapping[str, str], body: bytes, kind: Kind, provider: str, *, paid: bool
) -> Failure:
    # Adapters read text; what is none must not confuse them.
    text = body[:MAX_ERROR_BYTES].decode(errors="replace").encode()
    refusal = kind.refusal(status, text)
    return refused(status, headers, refusal, provider=provider, paid=paid)


def _only(url: httpx.URL) -> Policy:
    """The very host and port, wherever it is: an administrator named it, or the kind's own code."""

    def allowed(host: str, port: int, addresses: object) -> bool:
        del addresses
        return (host, port) == (url.raw_host.decode(), _port(url))

    return allowed


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, _port(url)


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
