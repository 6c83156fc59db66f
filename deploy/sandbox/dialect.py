"""What every dialect is made of: paths behind a door, and a way of its own to say no."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from deploy.sandbox.desk import Desk, Door, Refusal, Refuse

# What is said of a path or method nobody knows, by its status.
Unknown = Callable[[Request, int], Refusal]


def mount(
    desk: Desk, dialect: str, prefix: str, routes: Sequence[BaseRoute], *, refuse: Refuse, unknown: Unknown
) -> Mount:
    async def refused(_: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)  # noqa: S101 - Starlette cannot say it
        return refusal.response()

    async def missed(request: Request, error: Exception) -> Response:
        return unknown(request, getattr(error, "status_code", 404)).response()

    door = Middleware(Door, desk=desk, dialect=dialect, refuse=refuse)
    handlers = {Refusal: refused, HTTPException: missed}
    return Mount(prefix, Starlette(routes=routes, middleware=[door], exception_handlers=handlers))
