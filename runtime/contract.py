"""What the protos say about methods: who may call them, where the project is, whether they only read."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from inkweld.policy.v1 import policy_pb2 as policy


@dataclass(frozen=True)
class Method:
    """A method of our contract, as far as a server must know it."""

    path: str  # "/inkweld.media.v1.ImageService/GetImage"
    allow: policy.Allow
    reads: bool
    streams: bool  # whether the answer is a stream
    place: tuple[str, ...]  # the fields that lead to the resource name in a request


# What is not ours comes without options: health tells nothing, reflection tells the whole contract.
_FOREIGN = {
    "grpc.health.v1.Health": policy.Allow(who=policy.PUBLIC),
    "grpc.reflection.v1alpha.ServerReflection": policy.Allow(who=policy.ADMIN),
}


@cache
def service(full_name: str) -> ServiceDescriptor:
    """The description of a service whose module has been imported."""
    return descriptor_pool.Default().FindServiceByName(full_name)


@cache
def method(path: str) -> Method:
    """What the contract says of a method. Raises ValueError when it does not say who may call."""
    service_name, _, name = path.removeprefix("/").partition("/")
    if service_name in _FOREIGN:
        return Method(path, _FOREIGN[service_name], reads=True, streams=False, place=())
    found = service(service_name).methods_by_name[name]
    allow: policy.Allow = found.GetOptions().Extensions[policy.allow]  # type: ignore[index]
    if not (allow.who or allow.project or allow.services):
        raise ValueError(f"{path} has no inkweld.policy.v1.allow: nobody has said who may call it.")
    place = _place(found.input_type)
    if (allow.project or allow.who == policy.SELF) and not place:
        raise ValueError(f"{path} is allowed by resource, but its request names none.")
    return Method(path, allow, reads=reads(found), streams=found.server_streaming, place=place)


def methods(full_name: str) -> Iterator[Method]:
    """All methods of a service. Raises ValueError as `method` does."""
    if full_name in _FOREIGN:
        return
    for found in service(full_name).methods:
        yield method(f"/{full_name}/{found.name}")


def reads(found: MethodDescriptor) -> bool:
    """Whether a method changes nothing."""
    return bool(found.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS)


def resource_name(request: Message, place: tuple[str, ...]) -> str:
    """The resource name that a request holds at `place`."""
    value = request
    for field in place:
        value = getattr(value, field)
    return str(value)


def _place(request: Descriptor) -> tuple[str, ...]:
    """Where a request names its resource: `name`, `parent`, or the `name` of the resource it carries."""
    fields = request.fields_by_name
    for field in ("name", "parent"):
        if field in fields:
            return (field,)
    for carried in request.fields:
        if carried.message_type is not None and "name" in carried.message_type.fields_by_name:
            return (carried.name, "name")
    return ()
