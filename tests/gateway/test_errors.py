"""How errors look over HTTP."""

import grpc
import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from gateway import errors
from runtime.failure import CODES, Failure, not_found
from tests.gateway.front import Front, gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_failure_is_a_body_of_aip_193(front: Front) -> None:
    front.memory.answers["GetImage"] = not_found("projects/atlas/images/x")

    reply = await front.http.get("/v1/projects/atlas/images/x", headers=front.bearer())

    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()["error"]
    info, request = error.pop("details")
    assert error == {"code": 404, "status": "NOT_FOUND", "message": "projects/atlas/images/x does not exist."}
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RESOURCE_NOT_FOUND",
        "domain": "inkweld",
        "metadata": {"resource": "projects/atlas/images/x"},
    }
    assert request["requestId"] == reply.headers["x-request-id"]


async def test_a_delay_is_said_in_a_header_too(front: Front) -> None:
    front.memory.answers["SignIn"] = Failure(ErrorReason.TOO_MANY_TRIES, "Wait.", retry_after=1.2)

    reply = await front.http.post("/v1/session", json={"code": "c"})

    assert (reply.status_code, reply.headers["retry-after"]) == (429, "2")


async def test_a_bug_tells_nothing(front: Front) -> None:
    front.memory.answers["GetImage"] = RuntimeError("/srv/secret is missing")

    reply = await front.http.get("/v1/projects/atlas/images/x", headers=front.bearer())

    assert reply.status_code == 500
    assert reply.json()["error"]["message"] == "Internal error."
    assert "secret" not in reply.text
    assert reply.headers["x-request-id"] in reply.text


@pytest.mark.parametrize("reason", CODES, ids=ErrorReason.Name)
async def test_every_reason_has_a_status(reason: ErrorReason) -> None:
    response = errors.answer(Failure(reason, "It went wrong."), "id")

    assert response is not None
    assert response.status_code in {400, 401, 403, 404, 409, 429, 500, 503, 504}


@pytest.mark.parametrize("code", [c for c in grpc.StatusCode if c is not grpc.StatusCode.OK])
async def test_every_grpc_code_has_a_status(code: grpc.StatusCode) -> None:
    assert errors.HTTP_CODES[code.value[0]] >= 400


async def test_a_service_out_of_reach_is_503(front: Front) -> None:
    addresses = front.addresses | {"media": "127.0.0.1:9"}

    async with gateway(addresses, front.keys) as (http, _, _):
        reply = await http.delete("/v1/projects/atlas/images/x", headers=front.bearer())

    assert reply.status_code == 503
    assert reply.json()["error"]["details"][0]["reason"] == "SERVICE_UNAVAILABLE"
