"""Holds requests against the rules their protos state (`buf.validate`)."""

from typing import Any

import protovalidate
from google.protobuf.message import Message

from runtime import masks
from runtime.failure import invalid

_ANY_ID = "[^/]{1,100}"


def check(request: Message) -> None:
    """Raise FIELD_INVALID with all that breaks a rule; of an update, only what it names is looked at."""
    violations = {}
    for violation in protovalidate.collect_violations(request):
        elements = violation.proto.field.elements if violation.proto.field else ()
        if not _unnamed(request, ".".join(element.field_name for element in elements)):
            violations[".".join(map(_spelled, elements))] = _allowed(violation, request)
    if violations:
        raise invalid(violations)


def _allowed(violation: Any, request: Message) -> str:
    """What is allowed, in words: the library's own, but for regular expressions and numbers of enums."""
    rule, message = violation.proto.rule_id, str(violation.proto.message)
    if rule == "string.pattern" and _ANY_ID in violation.rule_value:
        return f"must look like {violation.rule_value.strip('^$').replace(_ANY_ID, '…')}"
    if rule.startswith("enum."):
        return f"must be one of {', '.join(_choices(request, violation.proto.field.elements))}"
    return message


def _choices(request: Message, elements: Any) -> list[str]:
    """The values of the enum at the end of a path that mean something."""
    at: Any = request.DESCRIPTOR
    for element in elements:
        field = at.fields_by_name[element.field_name]
        at = field.message_type or field.enum_type
    return [value.name for value in at.values if value.number]


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
