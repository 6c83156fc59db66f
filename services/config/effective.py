"""Effective values: what is stored wins over the environment, which wins over the default."""

from typing import Any, TypeVar

from inkweld.config.v1 import providers_pb2, settings_pb2
from inkweld.config.v1.settings_pb2 import Source

from runtime import sealing
from services.config import vault
from services.config.environment import Environment
from services.config.store_providers import Stored
from services.config.vault import Vault

T = TypeVar("T")

_State = providers_pb2.Provider.State


def settings(stored: settings_pb2.Settings, environment: Environment) -> settings_pb2.Settings:
    """The settings as they hold. The kill switch alone has the environment win, which locks it."""
    locked = environment.kill_switch is not None
    effective = settings_pb2.Settings(name=stored.name, kill_switch_locked=locked, etag=stored.etag)
    kill_switch = None if locked or not stored.HasField("kill_switch") else stored.kill_switch
    effective.kill_switch, effective.sources["kill_switch"] = _first(
        kill_switch, environment.kill_switch, default=True
    )
    effective.images_enabled, effective.sources["images_enabled"] = _first(
        stored.images_enabled if stored.HasField("images_enabled") else None,
        environment.images_enabled,
        default=environment.images_default,
    )
    sizes, effective.sources["custom_sizes"] = _first(
        stored.custom_sizes if stored.HasField("custom_sizes") else None,
        environment.custom_sizes,
        default=settings_pb2.CustomSizes(),
    )
    effective.custom_sizes.CopyFrom(sizes)
    return effective


def endpoint(stored: Stored, environment: Environment) -> tuple[str, Source]:
    """Where the provider is, and who said so; empty when nobody did."""
    said = environment.provider(_id(stored)).endpoint
    own = stored.provider.endpoint if stored.provider.HasField("endpoint") else None
    return _first(own, said, default=stored.default_endpoint or "")


def origin(stored: Stored, environment: Environment) -> str:
    """The origin of the provider's endpoint; empty when it has none."""
    where, _ = endpoint(stored, environment)
    return sealing.origin(where) if where else ""


def provider(stored: Stored, environment: Environment, keys: Vault) -> providers_pb2.Provider:
    """The provider as it holds, with what it lacks."""
    own, said = stored.provider, environment.provider(_id(stored))
    effective = providers_pb2.Provider(
        name=own.name,
        kind=own.kind,
        built_in=own.built_in,
        update_time=_set(own, "update_time"),
        etag=own.etag,
    )
    sources = effective.sources
    effective.title, sources["title"] = _first(_set(own, "title"), None, default=stored.default_title)
    effective.endpoint, sources["endpoint"] = endpoint(stored, environment)
    effective.account_id, sources["account_id"] = _first(_set(own, "account_id"), said.account_id, default="")
    _put_key(effective, stored, environment, keys)
    effective.missing.extend(_missing(effective, stored))
    enabled = _set(own, "enabled")
    effective.enabled, sources["enabled"] = _first(enabled, said.enabled, default=not effective.missing)
    effective.state = _state(effective)
    return effective


def off(effective_settings: settings_pb2.Settings) -> str | None:
    """The switch that turns AI off in effective settings; None while it is on."""
    if effective_settings.kill_switch:
        return "kill_switch"
    return None if effective_settings.images_enabled else "images_enabled"


def _put_key(
    effective: providers_pb2.Provider, stored: Stored, environment: Environment, keys: Vault
) -> None:
    """Show the key that would be used.

    A stored one for another origin is none, and still hides the environment's: nothing falls back unseen.
    """
    where = origin(stored, environment)
    if stored.sealed_key is not None:
        if stored.key_origin == where:
            effective.key.CopyFrom(vault.shown(stored.provider.key))
            effective.sources["key"] = Source.DATABASE
    elif key := keys.environment_key(effective.name, where):
        effective.key.CopyFrom(vault.shown_from_environment(key))
        effective.sources["key"] = Source.ENVIRONMENT


def _missing(effective: providers_pb2.Provider, stored: Stored) -> list[str]:
    has = {
        "key": effective.HasField("key"),
        "endpoint": bool(effective.endpoint),
        "account_id": bool(effective.account_id),
    }
    # Every kind needs an address, and whoever stored a key meant it to be used.
    needed = {*stored.requires, "endpoint", *(("key",) if stored.sealed_key is not None else ())}
    return [name for name in has if name in needed and not has[name]]


def _state(effective: providers_pb2.Provider) -> _State:
    if effective.sources["enabled"] != Source.DEFAULT and not effective.enabled:
        return _State.DISABLED
    return _State.INCOMPLETE if effective.missing else _State.READY


def _first(stored: T | None, said: T | None, *, default: T) -> tuple[T, Source]:
    if stored is not None:
        return stored, Source.DATABASE
    if said is not None:
        return said, Source.ENVIRONMENT
    return default, Source.DEFAULT


def _set(provider: providers_pb2.Provider, field: str) -> Any:
    return getattr(provider, field) if provider.HasField(field) else None


def _id(stored: Stored) -> str:
    return stored.provider.name.removeprefix("providers/")
