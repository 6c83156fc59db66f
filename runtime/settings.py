"""Settings from the environment: read once, frozen, and every mistake named together."""

import sys
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound=BaseSettings)


class ServiceSettings(BaseSettings):
    """What every process is told."""

    model_config = SettingsConfigDict(env_prefix="INKWELD_", frozen=True)

    # Where to listen, host:port. Off loopback it needs a certificate.
    address: str = "127.0.0.1:0"
    # PEM of this service's Ed25519 key, and the public keys of all.
    signing_key_file: Path
    trusted_keys_file: Path
    log_level: str = "info"
    # TLS for the listener and for channels to the other services. With the authority's certificate, clients
    # must prove themselves too.
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_authority_file: Path | None = None
    # How long running calls and work may take after SIGTERM.
    drain_seconds: float = 180.0


def load(cls: type[S]) -> S:
    """The settings, or exit code 2 after naming all variables that are missing or wrong, never a value."""
    try:
        return cls()
    except ValidationError as error:
        prefix = cls.model_config.get("env_prefix", "")
        for problem in error.errors(include_input=False, include_context=False, include_url=False):
            variable = f"{prefix}{'_'.join(str(part) for part in problem['loc'])}".upper()
            sys.stderr.write(f"{variable}: {problem['msg']}\n")
        raise SystemExit(2) from None
