"""The one interceptor: identity, policy and deadline of every call, within `guard` and before `rules`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, TypeAlias, cast

import grpc
from google.protobuf.message import Message
from inkweld.access.v1.access_pb2 import Scope
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.policy.v1 import policy_pb2 as policy

from runtime import channel, contract, identity, rules
from runtime.contract import Method
from runtime.failure import Failure, invalid, not_found
from runtime.guard import guarded
from runtime.identity import NOBODY, Authority, Caller, Verifier
from runtime.names import project_of

SHORTEST_SECONDS = 0.1
# How often an open stream looks whether its caller has been shut out, or the process is to end.
LOOK_SECONDS = 0.5
# How long, and how much, a refused caller is heard out.
_HEAR_SECONDS = 10.0
_HEAR_MESSAGES = 512

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Serve: TypeAlias = Callable[[Any, _Context], Any]


class Door(grpc.aio.ServerInterceptor):
    """Lets calls in: proof before the message is read, permission and form before the servicer sees it."""

    def __init__(self, verifier: Verifier, authority: Authority) -> None:
        self._verifier = verifier
        self._authority = authority
        self.draining = asyncio.Event()

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Wrap the handler of a call. Who may not knock gets an answer before the message is read."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        method = contract.method(handler_call_details.method)
        metadata = dict(handler_call_details.invocation_metadata or ())
        try:
            who = await self._identify(str(metadata.get("authorization", "")))
            _admit(method, who)
        except Failure as failure:
            return _refusal(failure, method, metadata, streams=handler.request_streaming)
        return self._wrapped(handler, method, who, metadata)

    async def _identify(self, authorization: str) -> Caller:
        if not authorization:
            return NOBODY
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise identity.unknown()
        secret = "" if token.count(".") == 2 else token  # what is no JWT is of a session or a token
        who = self._verifier.verify(await self._authority.exchange(secret) if secret else token)
        if secret and self._authority.revoked(who):
            # Perhaps only what was said of the user has changed, and the secret still holds.
            self._authority.forget(secret)
            who = self._verifier.verify(await self._authority.exchange(secret))
        if self._authority.revoked(who):
            raise identity.unknown()
        return who

    def _wrapped(self, handler: _Handler, method: Method, who: Caller, metadata: dict[str, Any]) -> _Handler:
        inner = cast(
            "_Serve",
            handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream,
        )

        async def answer(request: Any, context: _Context) -> Any:
            async with guarded(method, who, metadata, context):
                async with asyncio.timeout(_seconds(context)), _heard_out(request, handler.request_streaming):
                    request = await self._opened(method, who, request, streams=handler.request_streaming)
                    return await inner(request, context)

        async def stream(request: Any, context: _Context) -> AsyncIterator[Any]:
            async with guarded(method, who, metadata, context):
                request = await self._opened(method, who, request, streams=handler.request_streaming)
                asked = None if handler.request_streaming else request
                watched = self._watched(inner(request, context), method, who, asked)
                async with aclosing(watched) as messages:
                    async for message in messages:
                        yield message

        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        serve = stream if handler.response_streaming else answer
        return make(serve, handler.request_deserializer, handler.response_serializer)

    async def _opened(self, method: Method, who: Caller, request: Any, *, streams: bool) -> Any:
        """Check a request before the servicer sees it; of a stream the first message, which says what."""
        if not streams:
            await self._check(method, who, request)
            return request
        first = await anext(aiter(request), None)
        if first is None:
            raise invalid({"": "the stream of the request is empty"})
        if method.path.startswith("/inkweld."):
            await self._check(method, who, first)
        return _chained(first, request)

    async def _check(self, method: Method, who: Caller, request: Message) -> None:
        if not method.path.startswith("/inkweld."):
            return
        await self._permit(method, who, request)
        rules.check(request)
        if method.allow.needs_ai and (switch := self._authority.off()):
            raise Failure(
                ErrorReason.GENERATION_OFF,
                "An administrator has switched image generation off.",
                switch=switch,
            )

    async def _permit(self, method: Method, who: Caller, request: Message) -> None:
        """Hold a call against the resource in its request."""
        allow = method.allow
        if who.is_service or not (allow.project or allow.who == policy.SELF):
            return
        name = contract.resource_name(request, method.place)
        if not name:
            raise invalid({".".join(method.place): "is required"})
        if allow.who == policy.SELF:
            if project_of(name) != who.name and not (who.admin and who.scope >= Scope.ADMIN):
                raise _forbidden(method)
            return
        project = project_of(name)
        role = await self._authority.role(project, who.name)
        if not role:
            raise not_found(project)
        if role < allow.project:
            raise _forbidden(method)

    async def _watched(
        self, messages: AsyncGenerator[Any], method: Method, who: Caller, asked: Message | None
    ) -> AsyncGenerator[Any]:
        """The messages, for as long as the caller is trusted, may have them, and the process stays up."""
        async with aclosing(messages):
            coming: asyncio.Future[Any] | None = None
            try:
                while True:
                    coming = coming or asyncio.ensure_future(anext(messages))
                    done, _ = await asyncio.wait((coming,), timeout=LOOK_SECONDS)
                    if who.name and self._authority.revoked(who):
                        raise identity.unknown()
                    if asked is not None:
                        await self._permit(method, who, asked)
                    if done:
                        yield coming.result()
                        coming = None
                    elif self.draining.is_set():
                        raise Failure(ErrorReason.SERVICE_UNAVAILABLE, "This process is ending. Call again.")
            except StopAsyncIteration:
                return
            finally:
                if coming is not None:
                    coming.cancel()
                    await asyncio.wait((coming,))
                    # Looked at, or else asyncio reports the end of a stream that was left at that moment.
                    _ = coming.cancelled() or coming.exception()


def _admit(method: Method, who: Caller) -> None:
    """Hold a call against what is known before its message is read."""
    allow = method.allow
    if allow.who == policy.PUBLIC:
        return
    if not who.name:
        raise identity.unknown()
    if who.is_service:
        if who.name.removeprefix("services/") not in allow.services:
            raise _forbidden(method)
        return
    if not (allow.who or allow.project):
        raise _forbidden(method)
    needed = Scope.ADMIN if allow.who == policy.ADMIN else Scope.READ if method.reads else Scope.WRITE
    if who.scope < needed or (allow.who == policy.ADMIN and not who.admin):
        raise _forbidden(method)


def _forbidden(method: Method) -> Failure:
    return Failure(
        ErrorReason.CALLER_FORBIDDEN, "You may not do this.", method=method.path.rsplit("/", 1)[-1]
    )


def _seconds(context: _Context) -> float:
    """What is left of the caller's time. Raises DEADLINE_TOO_SHORT when nothing can be done in it."""
    left = context.time_remaining()
    if left is None:
        left = channel.DEFAULT_SECONDS
    if left < SHORTEST_SECONDS:
        raise Failure(ErrorReason.DEADLINE_TOO_SHORT, "The call's deadline leaves no time to do it.")
    channel.deadline.set(asyncio.get_running_loop().time() + left)
    return left


@asynccontextmanager
async def _heard_out(requests: Any, streams: bool) -> AsyncIterator[None]:  # noqa: FBT001
    """Read what a refused caller still sends, within bounds, before the refusal goes out.

    When a write fails because the call has ended, grpc's Python clients put an INTERNAL of their own in the
    place of the reason (grpc/grpc#36066).
    """
    try:
        yield
    except Failure:
        if streams:
            with suppress(TimeoutError):
                async with asyncio.timeout(_HEAR_SECONDS):
                    await _discard(requests)
        raise


async def _discard(requests: AsyncIterator[Any]) -> None:
    seen = 0
    async for _ in requests:
        seen += 1
        if seen == _HEAR_MESSAGES:
            return


def _refusal(failure: Failure, method: Method, metadata: dict[str, Any], *, streams: bool) -> _Handler:
    """A handler that refuses without reading the message."""

    async def refuse(requests: Any, context: _Context) -> AsyncIterator[Any]:
        async with guarded(method, NOBODY, metadata, context), _heard_out(requests, streams):
            raise failure
        yield  # makes it a stream, whose messages nobody waits for

    return grpc.stream_stream_rpc_method_handler(refuse)


async def _chained(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for message in rest:
        yield message
