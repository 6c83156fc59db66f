"""`python -m deploy.sandbox`: the sandbox as a process."""

import argparse
import asyncio
from pathlib import Path
from typing import get_args

import msgspec
import structlog
import uvicorn

from deploy.sandbox import scripts, server
from deploy.sandbox.app import create_app
from deploy.sandbox.webui import Flags
from deploy.sandbox.webui_errors import Build
from runtime import logs

SECONDS = 3.0

log = structlog.get_logger()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox", description="A stand-in for image providers, on loopback."
    )
    parser.add_argument("--port", type=int, default=7861, help="0 takes a free one (%(default)s)")
    parser.add_argument("--log", type=Path, help="billing log, JSON lines; none without it")
    parser.add_argument("--scripted", action="store_true", help="let callers order faults (tests only)")
    parser.add_argument("--script", type=Path, help="faults from the start, as YAML; means --scripted")
    parser.add_argument(
        "--seconds", type=float, help=f"how long a picture takes ({SECONDS:g}; 0 with --instant)"
    )
    parser.add_argument(
        "--instant", action="store_true", help="answer with pictures drawn beforehand (benchmarks)"
    )
    parser.add_argument(
        "--webui-auth", metavar="USER:PASSWORD", help="what the WebUI's API asks for (nothing)"
    )
    parser.add_argument(
        "--webui-build", choices=get_args(Build), default="a1111", help="whose manners it has (%(default)s)"
    )
    parser.add_argument("--webui-no-api", action="store_true", help="a WebUI started without its API")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    usual = 0.0 if given.instant else SECONDS
    seconds = usual if given.seconds is None else given.seconds
    flags = Flags(given.webui_auth, given.webui_build, api=not given.webui_no_api)
    scripted = given.scripted or given.script is not None
    try:
        rules = scripts.read_file(given.script) if given.script else []
    except (OSError, msgspec.MsgspecError) as error:
        raise SystemExit(f"The sandbox cannot follow {given.script}: {error}.") from None
    app = create_app(given.log, scripted, seconds=seconds, instant=given.instant, flags=flags, rules=rules)
    logs.configure("sandbox", "INFO")
    try:
        taken = server.listen(given.port)
    except OSError as error:
        raise SystemExit(f"The sandbox cannot have port {given.port}: {error.strerror}.") from None
    log.info("sandbox.started", url=server.url(taken), scripted=scripted)
    asyncio.run(uvicorn.Server(server.new_config(app)).serve([taken]))


if __name__ == "__main__":
    main()
