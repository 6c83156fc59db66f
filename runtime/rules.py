"""Holds requests against the rules their protos state (`buf.validate`)."""

from typing import Any

import protovalidate
from google.protobuf.message import Message

from runtime import masks
from runtime.failure import invalid


def check(request: Message) -> None:
    """Raise FIELD_INVALID with all that breaks a rule; of an update, only what it names is looked at."""
    violations = {}
    for violation in protovalidate.collect_violations(request):
        elements = violation.proto.field.elements if violation.proto.field else ()
        if not _unnamed(request, ".".join(element.field_name for element in elements)):
            violations[".".join(map(_spelled, elements))] = violation.proto.message
    if violations:
        raise invalid(violations)


def _spelled(element: Any) -> str:
    """A part of a field's path, with the index where it is one of several."""
    at = element.subscript
    return f"{element.field_name}[{at.value}]" if at and at.field == "index" else str(element.field_name)


def _unnamed(request: Message, path: str) -> bool:
    """Whether `path` lies in the resource of an Update, in a field that it does not change."""
    carried, _, field = path.partition(".")
    if "update_mask" not in request.DESCRIPTOR.fields_by_name or not field:
        return False
    return field.partition(".")[0] not in {*masks.paths(request, getattr(request, carried)), "name"}
