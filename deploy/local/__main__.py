"""`make run`: the whole system on this machine, until Ctrl-C."""

import signal
import sys
import threading
from pathlib import Path

import grpc
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local import demo
from deploy.local.folder import FolderTaken, is_free
from deploy.local.stack import Stack
from deploy.local.supervisor import PartEnded
from runtime.settings import load

LOOK_SECONDS = 0.2
# Asked to end by another process, or left by its terminal.
ENDINGS = (signal.SIGTERM, signal.SIGHUP)


class Settings(BaseSettings):
    """Where the stack lives."""

    model_config = SettingsConfigDict(frozen=True)

    port: int = 8080
    data_dir: Path = Path("data")


def main(settings: Settings) -> int:
    """Run until asked to stop. The exit code is 0 then, and 1 when a part is broken."""
    if not is_free(settings.port):
        return _give_up(
            f"Port {settings.port} is in use. Choose another, such as: PORT={settings.port + 1} make run"
        )
    try:
        with Stack(settings.data_dir, settings.port) as stack:
            _say("Starting …")
            stack.start()
            demo.seed(stack.folder)
            _say(_welcome(settings, stack))
            _watch(stack)
            _say("Stopping …")
    except KeyboardInterrupt:
        return 0
    except grpc.RpcError as error:
        return _give_up(f"The demo could not be made: {error}")
    except (FolderTaken, PartEnded, OSError, RuntimeError) as error:
        return _give_up(str(error))
    return 0


def _watch(stack: Stack) -> None:
    """Return when asked to stop. Raises PartEnded when a part ends by itself."""
    asked = threading.Event()
    for number in (signal.SIGINT, *ENDINGS):
        signal.signal(number, lambda *_: asked.set())
    while not asked.wait(LOOK_SECONDS):
        stack.check()
    # From here on, asking again means at once.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _welcome(settings: Settings, stack: Stack) -> str:
    return f"""
  Open    {stack.url}/welcome#{demo.sign_in_code(stack.folder)}
          It signs you in as administrator, once.

  Administrator's API token: {settings.data_dir}/admin-token (docs/admin-with-grpcurl.md)
  Logs: {settings.data_dir}/logs
  Ctrl-C stops everything; the data stay.
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _give_up(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    sys.exit(main(load(Settings)))
