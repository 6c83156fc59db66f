"""What providers are asked outside of any work, in calls that cost nothing: which models they have."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inkweld.config.v1.providers_pb2 import Provider as Configured
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import models_pb2 as pb

from runtime.configuration import Configuration
from runtime.egress import Egress, Endpoint
from runtime.failure import Failure
from runtime.names import leaf
from services.generation.catalogue import ANY
from services.generation.planner import Planner
from services.generation.providers import Listed, Listing, Provider
from services.generation.ring import Keys

# Of all that is asked at once.
SECONDS = 10.0
LISTING_SECONDS = 600.0
# So that someone who types in a search box does not ask a broken provider at every key.
FAILURE_SECONDS = 15.0
MAX_BYTES = 16 << 20
MAX_LISTED = 5000
MAX_NAME = 300


class Asking:
    """The way to providers outside of any work. It holds no key for longer than a call."""

    def __init__(
        self, configuration: Configuration, kinds: Mapping[str, Provider], keys: Keys, egress: Egress
    ) -> None:
        self._configuration = configuration
        self._kinds = kinds
        self._keys = keys
        self._egress = egress

    async def open(self, provider: Configured) -> tuple[Provider, Endpoint]:
        """The provider's kind and its API, enabled or not. Raises whatever is in the way."""
        if switch := self._configuration.off():
            raise Failure(ErrorReason.GENERATION_OFF, "AI is switched off.", switch=switch)
        kind = self._kind(provider)
        url = provider.endpoint or kind.DEFAULT_ENDPOINT
        api = self._egress.endpoint(
            url,
            await self._keys.open(provider, url),
            kind,
            provider=provider.name,
            attempt_id="check",
            seconds=SECONDS,
            max_bytes=MAX_BYTES,
            account=provider.account_id,
        )
        return kind, api

    def kind(self, provider: Configured) -> Provider | None:
        """What speaks the provider's protocol."""
        return self._kinds.get(provider.kind)

    def _kind(self, provider: Configured) -> Provider:
        kind = self._kinds.get(provider.kind)
        missing = set(provider.missing) | (set() if kind else {"kind"})
        if kind is None or missing - {"key"}:
            raise Failure(
                ErrorReason.PROVIDER_INCOMPLETE,
                "The provider is not fully set up.",
                provider=provider.name,
                missing=",".join(sorted(missing)),
            )
        if missing:
            raise Failure(ErrorReason.KEY_MISSING, "The provider has no key.", provider=provider.name)
        return kind


@dataclass(frozen=True)
class _Kept:
    until: float
    of: tuple[object, ...]
    listed: Sequence[Listed]
    failure: Failure | None


@dataclass(frozen=True)
class Offer:
    """The models of a provider: all there are, what holds for any other, and why its listing is missing."""

    models: Sequence[pb.Model]
    any: pb.Model | None
    failure: Failure | None


class Discovery:
    """Puts together what the catalogue knows and what providers list, and keeps listings for a while."""

    def __init__(self, asking: Asking, planner: Planner) -> None:
        self._asking = asking
        self._planner = planner
        self._kept: dict[str, _Kept] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def offer(self, provider: Configured) -> Offer:
        """The provider's models, by name."""
        kept = await self._listing(provider)
        catalogue = self._planner.models(provider.kind) if self._asking.kind(provider) else ()
        any_model = next((model for model in catalogue if model.model == ANY), None)
        named = {model.model: self._known(provider, model) for model in catalogue if model.model != ANY}
        for listed in kept.listed:
            if listed.model in named:
                named[listed.model].offered = True
            elif any_model and not self._is_retired(provider.kind, listed.model):
                named[listed.model] = _unknown(provider, listed, any_model)
        return Offer([named[name] for name in sorted(named)], any_model, kept.failure)

    def forget(self, provider: str) -> None:
        """Ask the provider anew next time."""
        self._kept.pop(provider, None)

    async def _listing(self, provider: Configured) -> _Kept:
        """What the provider lists. Who comes meanwhile waits for the same answer."""
        of = (
            provider.kind,
            provider.endpoint,
            provider.account_id,
            provider.key.version,
            provider.key.last_four,
        )
        async with self._turns.setdefault(provider.name, asyncio.Lock()):
            kept = self._kept.get(provider.name)
            if kept is None or kept.of != of or time.monotonic() > kept.until:
                kept = await self._ask(provider, of)
                self._kept[provider.name] = kept
            return kept

    async def _ask(self, provider: Configured, of: tuple[object, ...]) -> _Kept:
        try:
            async with asyncio.timeout(SECONDS):
                kind, api = await self._asking.open(provider)
                found = await kind.models(api) if isinstance(kind, Listing) else ()
        except TimeoutError:
            message = "The provider's list of models did not come in time."
            failure = Failure(ErrorReason.PROVIDER_UNAVAILABLE, message, provider=provider.name)
            return _Kept(time.monotonic() + FAILURE_SECONDS, of, (), failure)
        except Failure as failure:
            off = failure.reason == ErrorReason.GENERATION_OFF
            return _Kept(time.monotonic() + (0 if off else FAILURE_SECONDS), of, (), failure)
        listed = [one for one in found if one.model.isprintable() and 0 < len(one.model) <= MAX_NAME]
        return _Kept(time.monotonic() + LISTING_SECONDS, of, listed[:MAX_LISTED], None)

    def _known(self, provider: Configured, model: pb.Model) -> pb.Model:
        known = pb.Model()
        known.CopyFrom(model)
        known.name = _name(provider, model.model)
        known.known = True
        facts = self._planner.facts(provider.kind, model.model)
        needs_picture = facts is not None and facts.needs_reference
        known.category = pb.Model.IMAGE_TO_IMAGE if needs_picture else pb.Model.TEXT_TO_IMAGE
        return known

    def _is_retired(self, kind: str, model: str) -> bool:
        facts = self._planner.facts(kind, model)
        return facts is not None and facts.model == model and facts.retired


def _unknown(provider: Configured, listed: Listed, any_model: pb.Model) -> pb.Model:
    """A model only the provider knows: what holds for any of its kind."""
    title = "".join(filter(str.isprintable, listed.title))[:MAX_NAME]
    return pb.Model(
        name=_name(provider, listed.model),
        model=listed.model,
        title=title or listed.model,
        capabilities=any_model.capabilities,
        offered=True,
        category=pb.Model.IMAGE_TO_IMAGE if listed.needs_picture else pb.Model.TEXT_TO_IMAGE,
    )


def _name(provider: Configured, model: str) -> str:
    return f"providers/{leaf(provider.name)}/models/{model}"
