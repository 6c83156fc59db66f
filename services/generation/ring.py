"""Providers' keys: only here are they ever open, and only for the length of a call."""

import time

import grpc
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from inkweld.config.v1 import providers_pb2, providers_pb2_grpc

from runtime import sealing
from runtime.failure import from_rpc_error
from runtime.sealing import Ring

# So long a sealed key may serve the calls that follow; a new key has a new version and is asked for at once.
SEALED_SECONDS = 1.0


class Keys:
    """Gets sealed keys from config and opens them with the private ring. It keeps no open one."""

    def __init__(self, ring: Ring[X25519PrivateKey], config: grpc.aio.Channel) -> None:
        self._ring = ring
        self._providers = providers_pb2_grpc.ProviderServiceStub(config)
        self._sealed: dict[str, tuple[float, providers_pb2.SealedKey]] = {}

    async def open(self, provider: providers_pb2.Provider, endpoint: str) -> str | None:
        """The provider's key; None when it has none. Raises KEY_REJECTED when it is sealed to anything else.

        The name and the origin it must be sealed to are those of the call about to be made, not what config
        says they were.
        """
        if not provider.HasField("key"):
            return None
        sealed = await self._fetch(provider)
        return sealing.open_sealed(
            self._ring,
            sealed.sealed_key,
            provider=provider.name,
            origin=sealing.origin(endpoint),
            version=sealed.version,
        )

    async def _fetch(self, provider: providers_pb2.Provider) -> providers_pb2.SealedKey:
        until, sealed = self._sealed.get(provider.name, (0.0, providers_pb2.SealedKey()))
        if time.monotonic() < until and sealed.version == provider.key.version:
            return sealed
        request = providers_pb2.GetSealedKeyRequest(name=provider.name)
        try:
            sealed = await self._providers.GetSealedKey(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) or error from error
        self._sealed[provider.name] = (time.monotonic() + SEALED_SECONDS, sealed)
        return sealed
