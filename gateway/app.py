"""The application: what is at which address, behind the border that all of it shares."""

from collections.abc import Collection, Mapping
from pathlib import Path

import grpc
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from gateway.border import Border
from gateway.leaving import Watchers
from gateway.probes import Liveness, Readiness
from gateway.session import Sessions
from gateway.transcode import Api
from gateway.web import Web
from runtime.configuration import Configuration

PROBES = ("/healthz", "/readyz")


def build(
    channels: Mapping[str, grpc.aio.Channel],
    configuration: Configuration,
    sessions: Sessions,
    watchers: Watchers,
    *,
    web: Path | None,
    hosts: Collection[str],
    secure: bool,
) -> Starlette:
    """Put the application together; `channels` are by the names of the services."""
    # Endpoints that are objects are ASGI applications: they take every method, and refuse in our own words.
    routes = [
        Route("/healthz", Liveness()),
        Route("/readyz", Readiness(channels, configuration)),
        Route("/v1/{path:path}", Api(channels, sessions, watchers)),
    ]
    border = Middleware(Border, hosts=hosts, secure=secure, probes=PROBES)
    application = Starlette(routes=routes, middleware=[border])
    application.router.default = Web(web)
    application.router.redirect_slashes = False
    return application
