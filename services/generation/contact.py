"""A held task's way to its provider: whether it may be used just now, its key, its address."""

from dataclasses import dataclass, field

from runtime.egress import Egress, Endpoint
from services.generation.gate import Gate
from services.generation.providers import Provider
from services.generation.ring import Keys
from services.generation.store_claims import Held

MAX_ANSWER_BYTES = 256 << 20
LEAST_SECONDS = 20.0


@dataclass(frozen=True)
class Contact:
    """A provider that may be called. It holds an open key and lives no longer than the work on a task."""

    kind: Provider
    provider: str
    url: str
    account: str
    seconds: float
    egress: Egress
    key: str | None = field(repr=False)

    def endpoint(self, attempt: str) -> Endpoint:
        """The way for one attempt."""
        return self.egress.endpoint(
            self.url,
            self.key,
            self.kind,
            provider=self.provider,
            attempt_id=attempt,
            seconds=self.seconds,
            max_bytes=MAX_ANSWER_BYTES,
            account=self.account,
        )


class Contacts:
    """Makes contacts."""

    def __init__(self, gate: Gate, keys: Keys, egress: Egress) -> None:
        self._gate = gate
        self._keys = keys
        self._egress = egress

    async def open(self, held: Held) -> Contact:
        """Whatever is wrong with provider or key is raised here, before anything is sent."""
        passed = self._gate.enter_again(held.profile)
        return Contact(
            kind=passed.kind,
            provider=passed.provider.name,
            url=passed.endpoint,
            account=passed.provider.account_id,
            seconds=max(held.seconds_left, LEAST_SECONDS),
            egress=self._egress,
            key=await self._keys.open(passed.provider, passed.endpoint),
        )
