"""Whether a part is ready, asked the way an orchestrator would."""

import http.client
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from deploy.local.parts import Part

ANSWER_SECONDS = 1.0


def ready(part: Part) -> bool:
    return _serving(part.address) if part.health == "grpc" else _answers(part.address, part.health)


def _serving(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        try:
            check: Any = HealthStub(channel).Check  # type: ignore[attr-defined]  # its stubs leave it out
            answer = check(HealthCheckRequest(), timeout=ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)


def _answers(address: str, path: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
