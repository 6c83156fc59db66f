"""The methods that HTTP reaches: those with a `google.api.http` annotation, read from the descriptors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from google.api import annotations_pb2, httpbody_pb2
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from inkweld.access.v1 import access_pb2, projects_pb2
from inkweld.config.v1 import profiles_pb2, providers_pb2, settings_pb2
from inkweld.generation.v1 import generations_pb2, models_pb2
from inkweld.media.v1 import images_pb2
from inkweld.policy.v1 import policy_pb2

from runtime import contract

# Which service serves which files.
UPSTREAMS: Mapping[str, Sequence[FileDescriptor]] = {
    "config": (
        access_pb2.DESCRIPTOR,
        projects_pb2.DESCRIPTOR,
        profiles_pb2.DESCRIPTOR,
        providers_pb2.DESCRIPTOR,
        settings_pb2.DESCRIPTOR,
    ),
    "generation": (generations_pb2.DESCRIPTOR, models_pb2.DESCRIPTOR),
    "media": (images_pb2.DESCRIPTOR,),
}

_BYTES = httpbody_pb2.HttpBody.DESCRIPTOR


@dataclass(frozen=True)
class Method:
    """One method as HTTP sees it."""

    upstream: str
    descriptor: MethodDescriptor
    verb: str  # GET, POST, PATCH, PUT, DELETE
    template: str
    body: str  # the field that the body is, `*` for the whole request, or empty

    @property
    def path(self) -> str:
        """Its path on gRPC."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @cached_property
    def request(self) -> type[Message]:
        """The class of what it takes."""
        return GetMessageClass(self.descriptor.input_type)

    @cached_property
    def response(self) -> type[Message]:
        """The class of what it answers."""
        return GetMessageClass(self.descriptor.output_type)

    @cached_property
    def public(self) -> bool:
        """Whether it needs no caller, so that an ended session is no reason to refuse it."""
        return contract.method(self.path).allow.who == policy_pb2.PUBLIC

    @property
    def uploads(self) -> bool:
        """Whether the body is bytes that are handed on in pieces."""
        return bool(self.descriptor.client_streaming)

    @property
    def downloads(self) -> bool:
        """Whether the answer is bytes."""
        return self.streams and self.descriptor.output_type is _BYTES

    @property
    def streams(self) -> bool:
        """Whether it answers more than once."""
        return bool(self.descriptor.server_streaming)


def methods() -> Iterator[Method]:
    """All annotated methods of all services."""
    for upstream, files in UPSTREAMS.items():
        for file in files:
            for service in file.services_by_name.values():
                for descriptor in service.methods:
                    yield from _annotated(upstream, descriptor)


def _annotated(upstream: str, descriptor: MethodDescriptor) -> Iterator[Method]:
    options = descriptor.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return
    rule = options.Extensions[annotations_pb2.http]
    for binding in (rule, *rule.additional_bindings):
        verb = binding.WhichOneof("pattern")
        yield Method(upstream, descriptor, verb.upper(), getattr(binding, verb), binding.body)
