"""Keys, which come in here and do not come out: sealed to the generation service as soon as they are seen.

Config holds the public ring only. It stores sealed keys and cannot open one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from inkweld.config.v1 import providers_pb2 as pb

from runtime import sealing
from runtime.sealing import Ring
from services.config.environment import BUILT_IN, Environment

MASK = "********"
_SHORTEST_SHOWN = 12
# Stored keys count from one.
_ENVIRONMENT_VERSION = 0


@dataclass(frozen=True)
class EnvironmentKey:
    """A key out of the environment, sealed when the process began."""

    origin: str
    last_four: str
    sealed_key: bytes


class Vault:
    """Seals keys, and keeps those of the environment."""

    def __init__(
        self, ring: Ring[X25519PublicKey], environment: Environment, keys: Mapping[str, str]
    ) -> None:
        self._ring = ring
        self._keys: dict[str, EnvironmentKey] = {}
        # Keys whose endpoint only an administrator can name; there is nothing to seal them to before.
        self._unbound: dict[str, str] = {}
        for id, key in keys.items():
            endpoint = environment.provider(id).endpoint or BUILT_IN[id].endpoint
            if endpoint is None:
                self._unbound[id] = key
            else:
                self._keys[id] = self._from_environment(id, key, sealing.origin(endpoint))

    def seal(self, key: str, *, provider: str, origin: str, version: int) -> bytes:
        """Seal a key to the generation service, for this provider at this origin only."""
        return sealing.seal(self._ring, key, provider=provider, origin=origin, version=version)

    def environment_key(self, provider: str, origin: str) -> EnvironmentKey | None:
        """The environment's key for a provider at this origin.

        An operator's key goes only where the operator sends it: an endpoint that an administrator puts in its
        place has no key until one is set.
        """
        id = provider.removeprefix("providers/")
        if id in self._unbound and origin:
            return self._from_environment(id, self._unbound[id], origin)
        key = self._keys.get(id)
        return key if key and key.origin == origin else None

    def _from_environment(self, id: str, key: str, origin: str) -> EnvironmentKey:
        sealed = self.seal(key, provider=f"providers/{id}", origin=origin, version=_ENVIRONMENT_VERSION)
        return EnvironmentKey(origin, last_four(key), sealed)


def last_four(key: str) -> str:
    """What may be seen of a key: nothing of one so short that four characters would help to guess it."""
    return key[-4:] if len(key) >= _SHORTEST_SHOWN else ""


def shown(stored: pb.Key) -> pb.Key:
    """A stored key as administrators see it."""
    return pb.Key(
        mask=MASK,
        last_four=stored.last_four,
        set_time=stored.set_time,
        setter=stored.setter,
        version=stored.version,
    )


def shown_from_environment(key: EnvironmentKey) -> pb.Key:
    """A key of the environment as administrators see it."""
    return pb.Key(mask=MASK, last_four=key.last_four, version=_ENVIRONMENT_VERSION)
