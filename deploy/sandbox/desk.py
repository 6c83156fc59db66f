"""Where every dialect hands in its orders: script, work, charge, and only then the answer's first byte."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import msgspec
import orjson
import pybase64
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.sandbox.billing import Call, Ledger, Outcome, hashed
from deploy.sandbox.drawer import Drawer
from deploy.sandbox.drawing import guide, picture
from deploy.sandbox.drawing.picture import Form, Subject
from deploy.sandbox.faults import Faulty
from deploy.sandbox.pieces import Text
from deploy.sandbox.scripts import Act, Script

T = TypeVar("T")


class Refusal(Exception):
    """A call that is turned down: no work, no charge."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, "text/plain")
        return Response(orjson.dumps(self.body), self.status, self.headers, "application/json")


@dataclass(frozen=True)
class Order:
    """Work someone would pay for, in the words of no dialect."""

    model: str
    prompt: str
    count: int
    price: str  # in US dollars; "0" where nothing is charged


@dataclass(frozen=True)
class Done:
    """An answer, and whether it is one to an order that was stopped half-way."""

    response: Response
    stopped: bool = False


# Turns the name of a refusal, or a bare status, into what the real provider says.
Refuse = Callable[[str, int], Refusal]


@dataclass
class Desk:
    """What all dialects share."""

    ledger: Ledger
    script: Script
    seconds: float = 0.0
    instant: bool = False
    drawer: Drawer = field(default_factory=Drawer)
    _hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "drawing"))
    _kept: set[asyncio.Task[None]] = field(default_factory=set)

    async def take(
        self, request: Request, order: Order, refuse: Refuse, work: Callable[[Act], Awaitable[Done]]
    ) -> Response:
        """The answer to an order. A client that leaves before the answer starts is charged all the same."""
        call, act = await self.accept(request, order)
        if act.refuses:
            said = refusal(act, refuse)
            said.status = 200 if act.late else said.status
            raise said
        if act.hang or act.close or act.reset:
            await self.ledger.bill(call, order.price, Outcome.WITHHELD)
            return Faulty(Response(), act)
        done = await _unless_left(request, work(act))
        stopped = done is None or done.stopped
        withheld = Outcome.WITHHELD if act.withholds else Outcome.ANSWERED
        await self.ledger.bill(call, order.price, Outcome.CANCELLED if stopped else withheld)
        return Faulty(done.response if done else Response(), act)

    async def accept(self, request: Request, order: Order) -> tuple[Call, Act]:
        """Notes an order, and says what a rule wants done with it."""
        call: Call = request.state.call
        call.model, call.count, call.prompt = order.model, order.count, hashed(order.prompt)
        act = self.script.at_work(call.dialect, order.model, order.prompt, call.attempt) or Act()
        if act != Act():
            call.act = msgspec.to_builtins(act)
        await asyncio.sleep(act.delay_seconds)
        return call, act

    def pause(self, act: Act) -> float:
        """How long a picture pretends to take."""
        return self.seconds if act.seconds is None else act.seconds

    async def drawn(self, subject: Subject, form: Form, act: Act) -> bytes:
        """A picture as it is, for dialects that do not wrap it in base64."""
        half = act if act.truncate != "base64" else msgspec.structs.replace(act, truncate="picture")
        return pybase64.b64decode(b"".join(await self.draw(subject, form, half)))

    async def opened(self, data: bytes) -> Image.Image:
        """A client's picture; `UnreadableError` when it is none."""
        return await self.aside(guide.open_picture, data)

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that goes on when its call has been answered."""
        task = asyncio.create_task(work)
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    async def draw(self, subject: Subject, form: Form, act: Act) -> Text:
        """A picture in base64."""
        if act.black:
            return in_base64(await self.aside(picture.black, subject, form), act)
        if self.at_once(act):
            if not self.drawer.has(subject.width, subject.height, form):
                await self.aside(self.drawer.fill, subject.width, subject.height, form)
            return self.drawer.take(subject.width, subject.height, form)
        return await self.write(await self.paint(subject, form), subject, form, act)

    def at_once(self, act: Act) -> bool:
        return self.instant or act.instant

    async def paint(self, subject: Subject, form: Form) -> Image.Image:
        """A picture not yet written down; drawing happens aside from the event loop."""
        return await self.aside(partial(picture.paint, subject, transparent=form.transparent))

    async def write(self, painting: Image.Image, subject: Subject, form: Form, act: Act) -> Text:
        """A painting in base64."""
        return in_base64(await self.aside(picture.encode, painting, subject, form), act)

    async def sketch(self, painting: Image.Image, subject: Subject, form: Form, fraction: float) -> Text:
        """A painting while only `fraction` of it is done, in base64."""
        early = await self.aside(picture.unfinished, painting, subject.seed, fraction)
        return await self.write(early, subject, form, Act())

    async def preview(self, painting: Image.Image, subject: Subject, fraction: float) -> bytes:
        """The same, small."""
        return pybase64.b64encode(await self.aside(picture.preview, painting, subject, fraction))

    async def aside(self, work: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hands, partial(work, *values))

    def close(self) -> None:
        for task in self._kept:
            task.cancel()
        self._hands.shutdown(wait=False, cancel_futures=True)
        self.ledger.close()


def in_base64(data: bytes, act: Act) -> Text:
    if act.truncate == "picture":
        data = data[: len(data) // 2]
    text = pybase64.b64encode(data)
    # Three characters of the last four: no decoder may take that.
    return (text[: len(text) // 8 * 4 + 3] if act.truncate == "base64" else text,)


def refusal(act: Act, refuse: Refuse) -> Refusal:
    """What a rule makes the provider say."""
    said = refuse(act.refuse, act.status)
    if act.body is not None:
        said.body = act.body
    said.status = act.status or said.status
    if act.retry_after is not None:
        said.headers["retry-after"] = f"{act.retry_after:g}"
    said.headers |= act.headers
    return said


async def _unless_left(request: Request, work: Awaitable[Done]) -> Done | None:
    """The work's outcome; None when the client left first, which ends the work."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Door:
    """Notes every call to a dialect, and lets a rule for its path act before anybody reads it."""

    def __init__(self, app: ASGIApp, desk: Desk, dialect: str, refuse: Refuse) -> None:
        self._app = app
        self._desk = desk
        self._dialect = dialect
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Request(scope).headers
        attempt = headers.get("x-client-request-id", "")
        key = headers.get("authorization", "").partition(" ")[2]
        call = self._desk.ledger.ask(self._dialect, scope["method"], scope["path"], attempt=attempt, key=key)
        scope.setdefault("state", {})["call"] = call

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
            await send(message)

        answer = self._app
        if act := self._desk.script.at_the_door(self._dialect, scope["path"], attempt):
            call.act = msgspec.to_builtins(act)
            await asyncio.sleep(act.delay_seconds)
            answer = Faulty(refusal(act, self._refuse).response() if act.refuses else answer, act)
        await answer(scope, receive, note)
