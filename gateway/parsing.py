"""Requests out of HTTP: path variables, query parameters and a JSON body become one message."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson
from google.api import field_behavior_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway.blame import MISFITS, blame, expected, field_of
from runtime.failure import invalid

_MOST_PARAMETERS = 200
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}
_NOT_CHANGED = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IDENTIFIER}


def read_body(data: bytes, message: Message, field: str) -> None:
    """Fill the request from JSON: its field, or all of it when `field` is `*`. An empty body is `{}`."""
    try:
        value = orjson.loads(data) if data else {}
    except orjson.JSONDecodeError:
        raise invalid({"body": "must be JSON"}) from None
    target, path = (message, "") if field == "*" else (getattr(message, field), f"{field}.")
    if not isinstance(value, dict):
        raise invalid({path.rstrip(".") or "body": "must be a JSON object"})
    target.SetInParent()
    try:
        json_format.ParseDict(value, target)
    except MISFITS:
        raise blame(target.DESCRIPTOR, value, path) from None


def deduce_mask(data: bytes, message: Message, field: str) -> None:
    """Say in `update_mask` which fields the body names, so that one named at its default is cleared.

    What a client sends back because it was given it (name, output, etag) is no wish for change.
    """
    fields = getattr(message, field).DESCRIPTOR
    for key in orjson.loads(data) if data else ():
        named = field_of(fields, key)
        if named is not None and named.name != "etag" and not _given(named):
            message.update_mask.paths.append(named.name)  # type: ignore[attr-defined]


def read_query(query: str, message: Message, bound: Sequence[str]) -> None:
    """Fill the request from query parameters, which may name any field that path and body do not hold."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise invalid({"query": f"must be UTF-8, {_MOST_PARAMETERS} parameters at most"}) from None
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    for key, texts in values.items():
        _set(message, key, texts, bound)


def read_path(variables: Mapping[str, str], message: Message) -> None:
    """Fill the request from the path, which wins over the body."""
    for path, text in variables.items():
        *parents, name = path.split(".")
        target: Any = message
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, name, text)


def _set(message: Message, key: str, texts: list[str], bound: Sequence[str]) -> None:
    fields = _resolve(message.DESCRIPTOR, key)
    path = ".".join(field.name for field in fields)
    if not fields or any(path == each or path.startswith(f"{each}.") for each in bound):
        raise invalid({key: "is not a parameter of this method"})
    target: Any = message
    for parent in fields[:-1]:
        target = getattr(target, parent.name)
        target.SetInParent()
    field = fields[-1]
    if len(texts) > 1 and not field.is_repeated:
        raise invalid({path: "must be given once"})
    try:
        _assign(target, field, texts)
    except MISFITS:
        raise invalid({path: f"must be {expected(field)}"}) from None


def _assign(target: Any, field: FieldDescriptor, texts: list[str]) -> None:
    if field.message_type is not None:
        json_format.ParseDict({field.name: _camel(field, texts[0])}, target)
    elif field.is_repeated:
        getattr(target, field.name).extend([_scalar(field, text) for text in texts])
    else:
        setattr(target, field.name, _scalar(field, texts[0]))


def _scalar(field: FieldDescriptor, text: str) -> str | int | float | bool | bytes:
    if field.enum_type is not None:
        named = field.enum_type.values_by_name.get(text)
        return int(text) if named is None else named.number
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"true": True, "false": False}[text]
    if field.cpp_type in _INTEGERS:
        if not _INTEGER.fullmatch(text):
            raise ValueError
        return int(text)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes(text)
    return text if field.type == FieldDescriptor.TYPE_STRING else float(text)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except binascii.Error as error:
        raise ValueError from error


def _camel(field: FieldDescriptor, text: str) -> str:
    """A field mask, in either spelling, in the camelCase that JSON has it in; other text as it is."""
    if field.message_type is None or field.message_type.full_name != "google.protobuf.FieldMask":
        return text
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), text)


def _resolve(descriptor: Any, key: str) -> list[FieldDescriptor]:
    """The fields along a dotted key; none when there is no such parameter."""
    fields: list[FieldDescriptor] = []
    for name in key.split("."):
        field = field_of(descriptor, name)
        if field is None or (fields and fields[-1].is_repeated):
            return []
        fields.append(field)
        descriptor = field.message_type
        if descriptor is None:
            break
    return fields if key.count(".") == len(fields) - 1 else []


def _given(field: FieldDescriptor) -> bool:
    behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return bool(_NOT_CHANGED.intersection(behaviors))
