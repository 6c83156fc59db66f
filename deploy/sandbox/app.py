"""The application: every dialect at its own paths, and the sandbox's own controls."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from deploy.sandbox import fal, openai, openrouter, webui, workersai
from deploy.sandbox.billing import Ledger
from deploy.sandbox.control import Control
from deploy.sandbox.desk import Desk
from deploy.sandbox.scripts import Rule, Script
from deploy.sandbox.webui import Flags


def create_app(
    log: Path | None,
    scripted: bool,  # noqa: FBT001 - named by every caller
    *,
    seconds: float = 0.0,
    instant: bool = False,
    flags: Flags = Flags(),  # noqa: B008 - frozen
    rules: Iterable[Rule] = (),
) -> Starlette:
    """The sandbox.

    `log` is its billing log, None for none; `scripted` lets callers order faults; `seconds` is how long a
    picture pretends to take; `instant` answers with pictures drawn beforehand; `flags` say how the WebUI
    was started; `rules` are in force from the start.
    """
    script = Script()
    script.extend(rules)
    desk = Desk(Ledger(log), script, seconds, instant)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()

    routes = [
        *Control(desk, scripted=scripted).routes(),
        *openai.mounts(desk),
        *openrouter.mounts(desk),
        *fal.mounts(desk),
        *workersai.mounts(desk),
        *webui.mounts(desk, flags),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
