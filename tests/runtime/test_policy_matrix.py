"""Every method of the contract, for every kind of caller, on their own, another's and a missing resource.

The expectation is worked out here from the policy option alone, by other means than the door's.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from inkweld.access.v1 import access_pb2, access_pb2_grpc, projects_pb2, projects_pb2_grpc
from inkweld.access.v1.access_pb2 import Scope
from inkweld.config.v1 import (
    configuration_pb2,
    configuration_pb2_grpc,
    profiles_pb2,
    profiles_pb2_grpc,
    providers_pb2,
    providers_pb2_grpc,
    settings_pb2,
    settings_pb2_grpc,
)
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2, generations_pb2_grpc, models_pb2, models_pb2_grpc
from inkweld.media.v1 import images_pb2, images_pb2_grpc
from inkweld.policy.v1 import policy_pb2 as policy

from runtime.failure import from_rpc_error
from tests import house
from tests.house import FakeAuthority, Keys

MODULES = (
    (access_pb2, access_pb2_grpc),
    (projects_pb2, projects_pb2_grpc),
    (settings_pb2, settings_pb2_grpc),
    (providers_pb2, providers_pb2_grpc),
    (profiles_pb2, profiles_pb2_grpc),
    (configuration_pb2, configuration_pb2_grpc),
    (generations_pb2, generations_pb2_grpc),
    (models_pb2, models_pb2_grpc),
    (images_pb2, images_pb2_grpc),
)
SERVICES = [service for pb, _ in MODULES for service in pb.DESCRIPTOR.services_by_name.values()]
METHODS: list[MethodDescriptor] = [method for service in SERVICES for method in service.methods]

RESOURCES = ("User", "Project", "Member", "Image")

LET_IN = "let in"
UNKNOWN = ErrorReason.CALLER_UNKNOWN
FORBIDDEN = ErrorReason.CALLER_FORBIDDEN
NOT_FOUND = ErrorReason.RESOURCE_NOT_FOUND


@dataclass(frozen=True)
class Subject:
    """A kind of caller."""

    title: str
    user: str = ""
    service: str = ""
    role: int = 0
    admin: bool = False
    scope: int = Scope.ADMIN


SUBJECTS = [
    Subject("nobody"),
    Subject("a user of no project", user="users/ada"),
    Subject("another user", user="users/eve"),
    Subject("a viewer", user="users/ada", role=projects_pb2.VIEWER),
    Subject("an editor", user="users/ada", role=projects_pb2.EDITOR),
    Subject("an owner", user="users/ada", role=projects_pb2.OWNER),
    Subject("an owner with a reading token", user="users/ada", role=projects_pb2.OWNER, scope=Scope.READ),
    Subject("an administrator", user="users/root", admin=True),
    Subject("an administrator with a writing token", user="users/root", admin=True, scope=Scope.WRITE),
    *(Subject(f"the service {name}", service=name) for name in house.SERVICES),
]


def expected(method: MethodDescriptor, subject: Subject, project: str) -> object:  # noqa: PLR0911
    """What the policy option says of a call on `project`, or on user ada's own things."""
    allow: policy.Allow = method.GetOptions().Extensions[policy.allow]  # type: ignore[index]
    if allow.who == policy.PUBLIC:
        return LET_IN
    if subject.title == "nobody":
        return UNKNOWN
    if subject.service:
        return LET_IN if subject.service in allow.services else FORBIDDEN
    reads = method.GetOptions().idempotency_level == 1
    if subject.scope == Scope.READ and not reads:
        return FORBIDDEN
    match allow.who:
        case policy.SIGNED_IN:
            return LET_IN
        case policy.SELF:
            is_self = subject.user == "users/ada"
            return LET_IN if is_self or (subject.admin and subject.scope == Scope.ADMIN) else FORBIDDEN
        case policy.ADMIN:
            return LET_IN if subject.admin and subject.scope == Scope.ADMIN else FORBIDDEN
    if allow.project:
        if project != "projects/own" or not subject.role:
            return NOT_FOUND
        return LET_IN if subject.role >= allow.project else FORBIDDEN
    return FORBIDDEN


def _servicer(base: type, service: Any) -> object:
    def serve(method: MethodDescriptor) -> Callable[..., Any]:
        answer = message_factory.GetMessageClass(method.output_type)

        async def one(self: object, request: Any, context: Any) -> Any:
            if method.client_streaming:
                async for _ in request:
                    pass
            return answer()

        async def many(self: object, request: Any, context: Any) -> AsyncIterator[Any]:
            yield answer()

        return many if method.server_streaming else one

    return type("Servicer", (base,), {method.name: serve(method) for method in service.methods})()


def servicers() -> Iterator[tuple[Callable[..., None], object]]:
    for pb, pb_grpc in MODULES:
        for name, service in pb.DESCRIPTOR.services_by_name.items():
            yield (
                getattr(pb_grpc, f"add_{name}Servicer_to_server"),
                _servicer(getattr(pb_grpc, f"{name}Servicer"), service),
            )


def filled(method: MethodDescriptor, project: str) -> Message:
    """A request that names the project, or user ada, where the method's rule looks."""
    request = message_factory.GetMessageClass(method.input_type)()
    _fill(request, method.input_type, project, depth=0)
    return request


def _fill(message: Any, descriptor: Descriptor, project: str, depth: int) -> None:
    for field in descriptor.fields:
        if field.name in ("name", "parent") and field.type == FieldDescriptor.TYPE_STRING:
            owner = "users/ada" if "User" in descriptor.name or "users" in _pattern(field) else project
            setattr(message, field.name, owner)
        elif depth == 0 and field.message_type is not None and field.message_type.name in RESOURCES:
            _fill(getattr(message, field.name), field.message_type, project, depth + 1)


def _pattern(field: FieldDescriptor) -> str:
    from buf.validate import validate_pb2

    return str(field.GetOptions().Extensions[validate_pb2.field].string.pattern)  # type: ignore[index]


@asynccontextmanager
async def channel_of(subject: Subject, address: str, keys: Keys) -> AsyncIterator[grpc.aio.Channel]:
    token: str | None = None
    if subject.service:
        token = keys.signer(subject.service).service_token("media")
    elif subject.user:
        token = keys.user_token(subject.user, admin=subject.admin, scope=subject.scope)
    async with house.dialled(address, keys, token) as channel:
        yield channel


async def outcome(channel: grpc.aio.Channel, method: MethodDescriptor, request: Message) -> object:
    """What the door said; whatever a servicer or a rule said behind it counts as let in."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer = message_factory.GetMessageClass(method.output_type)
    coding = {
        "request_serializer": type(request).SerializeToString,
        "response_deserializer": answer.FromString,
    }

    async def requests() -> AsyncIterator[Message]:
        yield request

    kind = ("stream_" if method.client_streaming else "unary_") + (
        "stream" if method.server_streaming else "unary"
    )
    call = getattr(channel, kind)(path, **coding)(requests() if method.client_streaming else request)
    try:
        if method.server_streaming:
            async for _ in call:
                break
        else:
            await call
    except grpc.aio.AioRpcError as error:
        failure = from_rpc_error(error)
        reason = failure.reason if failure else f"{path}: {error.details()}"
        return LET_IN if reason == ErrorReason.FIELD_INVALID else reason
    finally:
        call.cancel()
    return LET_IN


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.title)
async def test_every_method_lets_in_whom_its_policy_says(
    subject: Subject, authority: FakeAuthority, keys: Keys
) -> None:
    if subject.role:
        authority.roles["projects/own", subject.user] = subject.role
    wrong = []
    async with house.serving("media", list(servicers()), authority=authority, keys=keys) as address:
        async with channel_of(subject, address, keys) as channel:
            for method in METHODS:
                for project in ("projects/own", "projects/others", "projects/missing"):
                    got = await outcome(channel, method, filled(method, project))
                    if got != (want := expected(method, subject, project)):
                        wrong.append((method.full_name, project, got, want))

    assert not wrong


def test_every_method_says_who_may_call() -> None:
    silent = [m.full_name for m in METHODS if not m.GetOptions().HasExtension(policy.allow)]  # type: ignore[arg-type]

    assert not silent
    assert len(METHODS) > 50
