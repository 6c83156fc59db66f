"""What environment variables say of AI: the switches and the five built-in providers.

All of Inkweld's names are understood. Some values have two: the one Inkweld's code reads, which comes first
and wins, and the one its documentation prints.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from inkweld.config.v1 import settings_pb2

from services.config import endpoints, sizes

log = structlog.get_logger()

KILL_SWITCH = "AI_KILL_SWITCH"
IMAGES_ENABLED = "AI_IMAGE_ENABLED"
CUSTOM_SIZES = "AI_IMAGE_CUSTOM_SIZES"

# Inkweld knows these too, and profiles have taken their place.
UNUSED = (
    "AI_IMAGE_DEFAULT_PROVIDER",
    "AI_IMAGE_DEFAULT_MODEL",
    "AI_IMAGE_OPENAI_MODELS",
    "AI_IMAGE_OPENROUTER_MODELS",
    "AI_IMAGE_FALAI_MODELS",
    "AI_IMAGE_WORKERSAI_MODELS",
)

_KEY = re.compile(r"[!-~]([ -~]*[!-~])?")

Names = tuple[str, ...]


@dataclass(frozen=True)
class BuiltIn:
    """A provider that is always there, and the variables that speak of it."""

    title: str
    requires: Names
    endpoint: str | None
    enabled_names: Names
    key_names: Names
    endpoint_names: Names = ()
    account_id_names: Names = ()


BUILT_IN: Mapping[str, BuiltIn] = {
    "openai": BuiltIn(
        title="OpenAI",
        requires=("key",),
        endpoint="https://api.openai.com/v1",
        enabled_names=("AI_IMAGE_OPENAI_ENABLED",),
        key_names=("OPENAI_API_KEY",),
        endpoint_names=("OPENAI_API_BASE",),
    ),
    "openrouter": BuiltIn(
        title="OpenRouter",
        requires=("key",),
        endpoint="https://openrouter.ai/api/v1",
        enabled_names=("AI_IMAGE_OPENROUTER_ENABLED",),
        key_names=("OPENROUTER_API_KEY", "AI_IMAGE_OPENROUTER_API_KEY"),
    ),
    "falai": BuiltIn(
        title="Fal.ai",
        requires=("key",),
        endpoint="https://queue.fal.run",
        enabled_names=("AI_IMAGE_FALAI_ENABLED", "AI_FALAI_ENABLED"),
        key_names=("FALAI_API_KEY", "AI_FALAI_API_KEY"),
    ),
    "stable-diffusion": BuiltIn(
        title="Stable Diffusion",
        requires=("endpoint",),
        endpoint=None,
        enabled_names=("AI_IMAGE_SD_ENABLED",),
        key_names=("SD_API_KEY", "AI_IMAGE_SD_API_KEY"),
        endpoint_names=("SD_API_ENDPOINT", "AI_IMAGE_SD_ENDPOINT"),
    ),
    "workersai": BuiltIn(
        title="Cloudflare Workers AI",
        requires=("key", "account_id"),
        endpoint="https://api.cloudflare.com/client/v4",
        enabled_names=("AI_IMAGE_WORKERSAI_ENABLED",),
        key_names=("WORKERSAI_API_TOKEN",),
        account_id_names=("WORKERSAI_ACCOUNT_ID",),
    ),
}


@dataclass(frozen=True)
class ProviderValues:
    """What the environment says of a provider; None where it says nothing."""

    enabled: bool | None = None
    endpoint: str | None = None
    account_id: str | None = None


@dataclass(frozen=True)
class Environment:
    """What the environment says, keys excepted; None where it says nothing."""

    kill_switch: bool | None = None
    images_enabled: bool | None = None
    # What holds when neither an administrator nor the environment said it.
    images_default: bool = False
    custom_sizes: settings_pb2.CustomSizes | None = None
    providers: Mapping[str, ProviderValues] = field(default_factory=dict)

    def provider(self, id: str) -> ProviderValues:
        """What is said of a provider; nothing is of added ones."""
        return self.providers.get(id, ProviderValues())


class EnvironmentProblem(Exception):
    """Variables that cannot hold; the text names each with its rule, never a value."""


def read(environ: Mapping[str, str]) -> Environment:
    """All that is said, keys excepted. Raises EnvironmentProblem."""
    providers = {
        id: ProviderValues(
            enabled=_boolean(environ, built_in.enabled_names),
            endpoint=_value(environ, built_in.endpoint_names),
            account_id=_value(environ, built_in.account_id_names),
        )
        for id, built_in in BUILT_IN.items()
    }
    _check_endpoints(providers)
    for name in UNUSED:
        if environ.get(name):
            log.warning("variable.ignored", variable=name)
    return Environment(
        kill_switch=_kill_switch(environ),
        images_enabled=_boolean(environ, (IMAGES_ENABLED,)),
        images_default=_value(environ, BUILT_IN["openai"].key_names) is not None,
        custom_sizes=_custom_sizes(environ),
        providers=providers,
    )


def read_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """The keys by provider id, for the vault to seal. Raises EnvironmentProblem."""
    found = {id: _value(environ, built_in.key_names) for id, built_in in BUILT_IN.items()}
    keys = {id: key for id, key in found.items() if key is not None}
    wrong = [id for id, key in keys.items() if not _KEY.fullmatch(key)]
    if wrong:
        names = (" or ".join(BUILT_IN[id].key_names) for id in wrong)
        raise EnvironmentProblem("\n".join(f"{name}: must be printable ASCII on one line" for name in names))
    return keys


def _value(environ: Mapping[str, str], names: Names) -> str | None:
    """The value under the first name that has one; an empty one is none."""
    said = {name: text for name in names if (text := environ.get(name, "").strip())}
    if len(set(said.values())) > 1:
        log.warning("variables.differ", variables=list(said), taken=next(iter(said)))
    return next(iter(said.values()), None)


def _boolean(environ: Mapping[str, str], names: Names) -> bool | None:
    text = _value(environ, names)
    return None if text is None else text in ("true", "1")


def _kill_switch(environ: Mapping[str, str]) -> bool | None:
    # Whoever sets it at all, even to nothing, holds it; and only this one word turns it off.
    return environ[KILL_SWITCH] != "false" if KILL_SWITCH in environ else None


def _custom_sizes(environ: Mapping[str, str]) -> settings_pb2.CustomSizes | None:
    text = _value(environ, (CUSTOM_SIZES,))
    if text is None:
        return None
    listed = sizes.from_json(text)
    if listed is None:
        log.warning("variable.ignored", variable=CUSTOM_SIZES, expected="a JSON array of sizes")
    return listed


def _check_endpoints(providers: Mapping[str, ProviderValues]) -> None:
    """Stop at a wrong endpoint: falling back to the default would send the key where nobody said."""
    problems = [
        f"{' or '.join(BUILT_IN[id].endpoint_names)}: {endpoints.RULE}"
        for id, values in providers.items()
        if values.endpoint is not None and endpoints.problem(values.endpoint)
    ]
    if problems:
        raise EnvironmentProblem("\n".join(problems))
