"""The only way out: every HTTP call to a provider goes through here.

No proxies from the environment, no cookies, no unchecked redirects, no repeated calls. An adapter gets an
`Endpoint`; what a failed call did is decided by the bytes that left, never by an exception's class.
"""

import ssl
from collections.abc import Mapping, Sequence

import certifi
import httpx
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.egress.addresses import Address, is_public
from runtime.egress.endpoint import Discreet, Endpoint, Kind, Reply, authorization
from runtime.egress.exchange import Direct
from runtime.egress.network import Policy
from runtime.egress.refusals import Refusal
from runtime.failure import Failure

__all__ = ["Egress", "Endpoint", "Kind", "Refusal", "Reply"]


class Egress:
    """Makes endpoints. One for a process; it holds the certificates to trust, and nothing of any call."""

    def __init__(
        self, *, transport: httpx.AsyncBaseTransport | None = None, public: Policy | None = None
    ) -> None:
        self._transport = transport or Direct(_tls())
        self._public = public or _all_public

    def endpoint(
        self,
        url: str,
        key: str | None,
        kind: Kind,
        *,
        provider: str,
        attempt_id: str,
        seconds: float,
        max_bytes: int,
        account: str = "",
    ) -> Endpoint:
        """One attempt's way to the provider at `url`.

        Every call may take `seconds` and answer `max_bytes`. The attempt's id goes along, so that support can
        find the call; providers ignore it otherwise.
        """
        headers = {"x-client-request-id": attempt_id}
        if key:
            headers["authorization"] = authorization(kind, key, provider)
        base = _base(url, provider)
        return Endpoint(
            self._transport,
            base,
            Discreet(kind, key) if key else kind,
            hosts=_hosts(kind, base),
            headers=headers,
            public=self._public,
            provider=provider,
            account=account,
            seconds=seconds,
            max_bytes=max_bytes,
        )


def _base(url: str, provider: str) -> httpx.URL:
    try:
        base = httpx.URL(url)
        host = base.host  # a bad international name fails only here
    except (httpx.InvalidURL, ValueError):
        base, host = httpx.URL(""), ""
    if base.scheme not in ("http", "https") or not host or base.userinfo or base.query or base.fragment:
        message = "The provider's endpoint is no address."
        raise Failure(ErrorReason.PROVIDER_INCOMPLETE, message, provider=provider, missing="endpoint")
    return base


def _hosts(kind: Kind, base: httpx.URL) -> Mapping[str, httpx.URL]:
    """The provider's other hosts, by the kind's names for them. Whoever stands in for it plays them all."""
    home = httpx.URL(getattr(kind, "DEFAULT_ENDPOINT", ""))
    at_home = (base.scheme, base.host, base.port) == (home.scheme, home.host, home.port)
    declared: Mapping[str, str] = getattr(kind, "HOSTS", {})
    hosts = {name: httpx.URL(url) for name, url in declared.items()}
    return hosts if at_home else {name: _beside(base, home, host) for name, host in hosts.items()}


def _beside(base: httpx.URL, home: httpx.URL, host: httpx.URL) -> httpx.URL:
    """Where a stand-in plays a host: who has `queue.x` at `/y/queue` has `api.x` at `/y/api`."""
    above, _, name = base.path.rstrip("/").rpartition("/")
    return base.copy_with(path=f"{above}/{_first(host)}") if name == _first(home) else base


def _first(url: httpx.URL) -> str:
    return url.host.partition(".")[0]


def _all_public(host: str, port: int, addresses: Sequence[Address]) -> bool:
    """A provider's result: the default port, and not one address that is somebody's inside."""
    del host
    return port == 443 and all(is_public(address) for address in addresses)


def _tls() -> ssl.SSLContext:
    """The system's certificates and Mozilla's, for a fresh machine may have none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
