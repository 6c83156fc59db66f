"""Holds a profile against its kind and model, before config stores it."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
from google.protobuf.struct_pb2 import Struct, Value
from inkweld.config.v1.profiles_pb2 import Profile

from runtime.failure import Failure
from services.generation.catalogue import Catalogue, Model
from services.generation.sizes import honours, resolve

_CONFIG = "profile.model_config"


def config_of(profile: Profile) -> dict[str, Any]:
    """The profile's model config as Python objects. Whole numbers are integers; providers mind."""
    return {key: _plain(value) for key, value in profile.model_config.fields.items()}


def problems(profile: Profile, kind: str, schema: Mapping[str, Any], catalogue: Catalogue) -> dict[str, str]:
    """What is wrong, by field path; each says what is allowed."""
    config = config_of(profile)
    try:
        model = catalogue.offered(kind, profile.model)
    except Failure as error:
        return {"profile.model": error.message, **dict(_config_problems(config, schema))}
    return {
        **dict(_word_problems(config, model)),
        **dict(_config_problems(config, schema)),
        **dict(_size_problems(profile, model)),
    }


def _config_problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = schema["properties"]
    for key in config.keys() - known.keys():
        yield f"{_CONFIG}.{key}", f"is not known; allowed are {', '.join(sorted(known))}"
    for error in jsonschema.Draft202012Validator(dict(schema)).iter_errors(config):
        if error.absolute_path:
            path = ".".join(str(step) for step in error.absolute_path)
            yield f"{_CONFIG}.{path}", _rule(error)


def _rule(error: jsonschema.ValidationError) -> str:
    """What is allowed, without repeating what was given."""
    rules = {
        "type": "must be of type {}",
        "minimum": "must be at least {}",
        "maximum": "must be at most {}",
        "minLength": "must have at least {} characters",
        "maxLength": "must have at most {} characters",
        "maxItems": "must have at most {} items",
    }
    allowed = error.validator_value
    if error.validator == "enum" and isinstance(allowed, list):
        return f"must be one of {', '.join(map(str, allowed))}"
    return rules.get(str(error.validator), "must satisfy {}").format(allowed)


def _size_problems(profile: Profile, model: Model) -> Iterator[tuple[str, str]]:
    sizes = [(f"profile.sizes[{place}]", size) for place, size in enumerate(profile.sizes)]
    if profile.default_size and profile.sizes and profile.default_size not in profile.sizes:
        yield "profile.default_size", f"must be one of {', '.join(profile.sizes)}"
    elif profile.default_size:
        sizes.append(("profile.default_size", profile.default_size))
    for path, size in sizes:
        sent = resolve(size, model.sizes)
        if not honours(size, sent):
            yield path, f"is no size of this model; the nearest is {sent}"


def _word_problems(config: Mapping[str, Any], model: Model) -> Iterator[tuple[str, str]]:
    known = {
        "quality": model.qualities,
        "output_format": model.output_formats,
        "background": model.backgrounds,
    }
    for key, words in known.items():
        if key in config and config[key] not in words:
            yield f"{_CONFIG}.{key}", f"must be one of {', '.join(words)}"


def _plain(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "struct_value":
            return _object(value.struct_value)
        case "list_value":
            return [_plain(item) for item in value.list_value.values]
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _object(struct: Struct) -> dict[str, Any]:
    return {key: _plain(value) for key, value in struct.fields.items()}
