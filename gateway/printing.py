"""Messages to proto3 JSON, by a printer made once for each type.

`json_format` asks the descriptor about every field of every message and takes four times as long: most of
what the gateway does for a page of profiles. Rare types with a JSON form of their own are left to it.
"""

import math
from base64 import b64encode
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

Printer = Callable[[Any], Any]

_SPELT = {math.inf: "Infinity", -math.inf: "-Infinity"}
_LONG = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
_REAL = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)


def to_json(message: Message) -> bytes:
    """Print a message; fields without presence are printed at their defaults too."""
    return orjson.dumps(printer(message.DESCRIPTOR)(message))


@cache
def printer(descriptor: Descriptor) -> Printer:
    """Return what turns messages of this type into values that JSON knows."""
    if own := _OWN.get(descriptor.full_name):
        return own
    if descriptor.file.package in ("google.protobuf", "google.rpc"):
        return _well_known
    fields = [(field.json_name, field.name, *_parts(field)) for field in descriptor.fields]

    def show(message: Message) -> dict[str, Any]:
        shown = {}
        for json_name, name, has_presence, value in fields:
            if has_presence and not message.HasField(name):
                continue
            found = getattr(message, name)
            shown[json_name] = found if value is None else value(found)
        return shown

    return show


def _parts(field: FieldDescriptor) -> tuple[bool, Printer | None]:
    """Whether the field can be absent, and what prints its value; None for one that is JSON already."""
    if (entry := _entry(field)) is not None:
        value = _single(entry.fields_by_name["value"])
        return False, lambda entries: {_key(k): value(v) if value else v for k, v in entries.items()}
    single = _single(field)
    if field.is_repeated:
        return False, list if single is None else lambda values: [single(value) for value in values]
    return field.has_presence, single


def _entry(field: FieldDescriptor) -> Descriptor | None:
    """The type of a map's entries; None for a field that is no map."""
    kind = field.message_type
    return kind if kind is not None and kind.has_options and kind.GetOptions().map_entry else None


def _single(field: FieldDescriptor) -> Printer | None:
    if field.message_type is not None:
        kind = field.message_type
        # Asked when first used, since a type may hold itself.
        return lambda message: printer(kind)(message)  # noqa: PLW0108
    if field.enum_type is not None:
        names = {number: value.name for number, value in field.enum_type.values_by_number.items()}
        return lambda number: names.get(number, number)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda data: b64encode(data).decode()
    if field.cpp_type in _LONG:
        return str
    return _real if field.cpp_type in _REAL else None


def _real(value: float) -> float | str:
    return value if math.isfinite(value) else _SPELT.get(value, "NaN")


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _well_known(message: Message) -> Any:
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def _moment(time: Timestamp) -> str:
    return _spelt(time.seconds, time.nanos)


@lru_cache(maxsize=4096)
def _spelt(seconds: int, nanos: int) -> str:
    # The same moments are printed again and again, and spelling one costs as much as the rest of a message.
    return Timestamp(seconds=seconds, nanos=nanos).ToJsonString()


def _struct(struct: Struct) -> dict[str, Any]:
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else _real(number)
        case "struct_value":
            return _struct(value.struct_value)
        case "list_value":
            return [_value(each) for each in value.list_value.values]
        case "null_value" | None:
            return None
        case kind:
            return getattr(value, kind)


# The two that every list is full of.
_OWN: dict[str, Printer] = {"google.protobuf.Timestamp": _moment, "google.protobuf.Struct": _struct}
