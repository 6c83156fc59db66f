"""May a profile be used just now? Asked when a generation is accepted and again before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.config.v1.providers_pb2 import Provider as Configured
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.configuration import Configuration
from runtime.failure import Failure, invalid
from services.generation.providers import Cancellable, Provider, Resumable

OPEN_TASKS = 16


@dataclass(frozen=True)
class Passed:
    """What stands behind a profile that may be used."""

    profile: Profile
    provider: Configured
    kind: Provider

    @property
    def endpoint(self) -> str:
        """Where the provider is."""
        return self.provider.endpoint or self.kind.DEFAULT_ENDPOINT

    @property
    def slots(self) -> int:
        """How many tasks the provider may have open. Whoever can only stop all it is drawing may have one."""
        whole = isinstance(self.kind, Cancellable) and not isinstance(self.kind, Resumable)
        return 1 if whole else OPEN_TASKS


class Gate:
    """Holds a use of a profile against the configuration of this moment."""

    def __init__(self, configuration: Configuration, kinds: Mapping[str, Provider]) -> None:
        self._configuration = configuration
        self._kinds = kinds

    def enter(self, name: str) -> Passed:
        """What is behind the profile. Raises what keeps it from being used."""
        self._switch()
        profile = self._configuration.profile(name)
        if profile is None:
            raise invalid({"generation.profile": "must name an existing profile"})
        if not profile.enabled:
            raise _disabled(profile)
        return Passed(profile, *self._provider(profile.provider))

    def enter_again(self, accepted: Profile) -> Passed:
        """As `enter`, for what was planned by an earlier revision: its provider gets it, and no other."""
        self._switch()
        profile = self._configuration.profile(accepted.name)
        if profile is None or not profile.enabled:
            raise _disabled(accepted)
        return Passed(accepted, *self._provider(accepted.provider))

    def _switch(self) -> None:
        if switch := self._configuration.off():
            raise Failure(ErrorReason.GENERATION_OFF, "AI is switched off.", switch=switch)

    def _provider(self, name: str) -> tuple[Configured, Provider]:
        provider = self._configuration.provider(name)
        if provider is None or provider.state == Configured.DISABLED:
            raise Failure(ErrorReason.PROVIDER_DISABLED, "The profile's provider is disabled.", provider=name)
        kind = self._kinds.get(provider.kind)
        missing = set(provider.missing) | (set() if kind else {"kind"})
        if kind is None or missing - {"key"}:
            raise Failure(
                ErrorReason.PROVIDER_INCOMPLETE,
                "The profile's provider is not fully set up.",
                provider=name,
                missing=",".join(sorted(missing)),
            )
        if missing:
            raise Failure(ErrorReason.KEY_MISSING, "The profile's provider has no key.", provider=name)
        return provider, kind


def _disabled(profile: Profile) -> Failure:
    return Failure(ErrorReason.PROFILE_DISABLED, f"{profile.title} is disabled.", profile=profile.name)
