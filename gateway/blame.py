"""Which field of a refused body is wrong, and what it should have been."""

from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from runtime.failure import Failure, invalid

# What json_format raises at values that do not fit: it does not wrap all that the well-known types raise.
MISFITS = (json_format.ParseError, TypeError, ValueError, AttributeError, KeyError)


def blame(descriptor: Any, value: dict[str, Any], path: str) -> Failure:
    """Say which field of a refused body is wrong: each is tried alone, and messages are gone into."""
    for key, each in value.items():
        field = field_of(descriptor, key)
        if field is None:
            return invalid({f"{path}{key}"[:200]: "is not a field"})
        try:
            json_format.ParseDict({key: each}, GetMessageClass(descriptor)())
        except MISFITS:
            return _blame_field(field, each, f"{path}{field.name}")
    return invalid({path.rstrip(".") or "body": "names a field, or one choice of several, twice"})


def _blame_field(field: FieldDescriptor, value: Any, path: str) -> Failure:
    kind = field.message_type
    if kind is not None and not kind.full_name.startswith("google.") and not _is_map(kind):
        for item in value if isinstance(value, list) and field.is_repeated else [value]:
            if isinstance(item, dict) and not _parses(kind, item):
                return blame(kind, item, f"{path}.")
    return invalid({path: f"must be {expected(field)}"})


def _parses(kind: Descriptor, value: dict[str, Any]) -> bool:
    try:
        json_format.ParseDict(value, GetMessageClass(kind)())
    except MISFITS:
        return False
    return True


def _is_map(kind: Descriptor) -> bool:
    return bool(kind.has_options and kind.GetOptions().map_entry)


def expected(field: FieldDescriptor) -> str:
    """What a value should have been, in JSON's terms."""
    if field.message_type is not None:
        one = _EXPECTED_MESSAGES.get(field.message_type.full_name, "an object")
    elif field.enum_type is not None:
        one = "one of " + ", ".join(value.name for value in field.enum_type.values[1:])
    else:
        one = _EXPECTED[field.cpp_type]
    return f"a list; each {one}" if field.is_repeated else one


_EXPECTED_MESSAGES = {
    "google.protobuf.Timestamp": "a time such as 2026-01-31T12:00:00Z",
    "google.protobuf.FieldMask": "field names with commas between them",
    "google.protobuf.Duration": "seconds such as 1.5s",
}
_EXPECTED = {
    FieldDescriptor.CPPTYPE_INT32: "a whole number of 32 bits",
    FieldDescriptor.CPPTYPE_INT64: "a whole number of 64 bits",
    FieldDescriptor.CPPTYPE_UINT32: "a whole number of 32 bits, not negative",
    FieldDescriptor.CPPTYPE_UINT64: "a whole number of 64 bits, not negative",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_STRING: "text",
}


def field_of(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    """The field of that name, in JSON's spelling or the proto's."""
    return descriptor.fields_by_camelcase_name.get(name) or descriptor.fields_by_name.get(name)
