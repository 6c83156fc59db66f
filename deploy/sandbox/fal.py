"""fal's hosts, each at a path of its own: queue, run, api, rest, cdn, and files for what comes out."""

from starlette.requests import Request
from starlette.routing import Mount

from deploy.sandbox import dialect, fal_platform
from deploy.sandbox import fal_errors as errors
from deploy.sandbox.desk import Desk, Refusal
from deploy.sandbox.fal_door import NAME
from deploy.sandbox.fal_files import Files
from deploy.sandbox.fal_output import Painter
from deploy.sandbox.fal_queue import Queue


def mounts(desk: Desk) -> list[Mount]:
    files = Files()
    routes = [*Queue(Painter(desk, files)).routes(), *fal_platform.routes(), *files.routes()]
    return [dialect.mount(desk, NAME, "/fal", routes, refuse=errors.refuse, unknown=_unknown)]


def _unknown(request: Request, status: int) -> Refusal:
    return errors.detail(
        status, "Method Not Allowed" if status == 405 else f"Path {request.url.path} not found"
    )
