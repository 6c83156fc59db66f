"""Our printer says what json_format says."""

import random
from typing import Any

import orjson
import pytest
from google.protobuf import json_format, struct_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from inkweld.config.v1 import settings_pb2
from inkweld.generation.v1 import generations_pb2
from inkweld.media.v1 import images_pb2

from gateway.methods import methods
from gateway.printing import to_json
from runtime.failure import not_found

TYPES = sorted({m.response for m in methods() if not m.downloads}, key=lambda kind: kind.DESCRIPTOR.full_name)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_answers_are_proto3_json(kind: type[Message]) -> None:
    for seed in range(20):
        message = kind()
        _fill(message, random.Random(seed), depth=4)

        assert orjson.loads(to_json(message)) == _expected(message), seed


def test_bytes_maps_structs_and_statuses_are_too() -> None:
    staged = images_pb2.FenceTaskResponse()
    staged.staged.add(sha256=b"\xff\x00")
    settings = settings_pb2.Settings(sources={"kill_switch": settings_pb2.ENVIRONMENT})
    generation = generations_pb2.Generation(error=not_found("x").to_status())
    generation.elements.add().data.update({"a": [1, 2.5, None, {"b": True}], "c": "d"})

    for message in (staged, settings, generation):
        assert orjson.loads(to_json(message)) == _expected(message)


def _expected(message: Message) -> object:
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def _fill(message: Message, dice: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if dice.random() < 0.4:
            continue
        if field.message_type is None:
            values = [_scalar(field, dice) for _ in range(dice.randint(1, 3))]
            if field.is_repeated:
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, values[0])
        elif not field.message_type.GetOptions().map_entry and depth:
            target = getattr(message, field.name)
            _fill_message(target.add() if field.is_repeated else target, dice, depth - 1)


def _fill_message(message: Message, dice: random.Random, depth: int) -> None:
    message.SetInParent()
    if isinstance(message, Timestamp):
        message.seconds = dice.randint(0, 4_000_000_000)
        message.nanos = dice.choice([0, 1_000_000, 1_000, 7, 999_999_999])
    elif isinstance(message, struct_pb2.Struct):
        message.update({"x": dice.random()})
    elif not message.DESCRIPTOR.full_name.startswith("google.protobuf"):
        _fill(message, dice, depth)


def _scalar(field: Any, dice: random.Random) -> object:
    if field.enum_type is not None:
        return dice.choice([value.number for value in field.enum_type.values])
    kinds: dict[int, object] = {
        FieldDescriptor.CPPTYPE_STRING: 'ü\n"\u2028',
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_DOUBLE: dice.choice([0.25, float("inf"), 3.0]),
        FieldDescriptor.CPPTYPE_FLOAT: 0.5,
    }
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"\x00\xff"
    return kinds.get(field.cpp_type, dice.randint(0, 2**31 - 1))
