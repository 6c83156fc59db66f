"""Speaks for the configuration: every change, to every process of ours."""

from collections.abc import AsyncIterator

from inkweld.config.v1 import configuration_pb2 as pb
from inkweld.config.v1.configuration_pb2_grpc import ConfigurationServiceServicer

from runtime.server import Context
from services.config.live import Live


class ConfigurationService(ConfigurationServiceServicer):
    def __init__(self, live: Live) -> None:
        self._live = live

    async def WatchConfiguration(
        self, request: pb.WatchConfigurationRequest, context: Context
    ) -> AsyncIterator[pb.Configuration]:
        configuration = self._live.current
        while True:
            yield configuration
            # A reader that is slow misses what was overtaken meanwhile, never the latest.
            configuration = await self._live.after(configuration.revision)
