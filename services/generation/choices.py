"""What becomes of each thing a writer asks: sent as asked, changed, or refused.

A word that is wrong for this model or profile is refused and the field named; what the model cannot do is
changed or left out, and reported as an adaptation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.generation.v1.generations_pb2 import Adaptation, Generation, PromptPart

from runtime.failure import invalid
from services.generation.capabilities import default_size, most_pictures
from services.generation.catalogue import Model
from services.generation.prompt import compiled
from services.generation.sizes import honours, resolve

_OPAQUE = "jpeg"


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What is sent, and how it differs from what was asked."""

    prompt: str
    prompt_parts: Sequence[PromptPart]
    negative_prompt: str
    size: str
    count: int
    seed: int | None
    quality: str
    output_format: str
    background: str
    input_images: Sequence[str]
    mask: str
    config: Mapping[str, Any]
    adaptations: Sequence[Adaptation]


def chosen(profile: Profile, model: Model, config: Mapping[str, Any], asked: Generation) -> Choices:
    """Decides everything. Raises FIELD_INVALID with all fields that are wrong."""
    if wrong := dict(_problems(profile, model, asked)):
        raise invalid(wrong)
    prompt = compiled(
        asked.prompt,
        asked.elements,
        family=model.family,
        limit=model.max_prompt,
        budget=model.max_elements,
    )
    wished_size = asked.size or default_size(profile, model)
    size = resolve(wished_size, model.sizes)
    background = _known(asked.background or config.get("background", ""), model.backgrounds)
    output_format = _known(asked.output_format or config.get("output_format", ""), model.output_formats)
    if background == "transparent" and output_format == _OPAQUE:
        output_format = model.output_formats[0]
    taken = most_pictures(model) if profile.image_input else 0
    choices = Choices(
        prompt=prompt.text,
        prompt_parts=prompt.parts,
        negative_prompt=_negative_prompt(model, config, asked),
        size=size,
        count=asked.count if asked.HasField("count") else 1,
        seed=asked.seed if asked.HasField("seed") and model.seed else None,
        quality=(asked.quality or config.get("quality", "")) if model.qualities else "",
        output_format=output_format,
        background=background,
        input_images=_pictures(asked)[:taken],
        mask=asked.mask if taken and model.mask else "",
        config=config,
        adaptations=(),
    )
    differences = (
        *_size_difference(wished_size, size),
        *prompt.adaptations,
        *_differences(asked, choices, model),
        *_picture_differences(asked, choices, may=profile.image_input),
    )
    return replace(choices, adaptations=differences)


def _problems(profile: Profile, model: Model, asked: Generation) -> Iterator[tuple[str, str]]:
    if len(asked.prompt) > model.max_prompt:
        yield "generation.prompt", f"must have at most {model.max_prompt} characters for this model"
    if asked.size and profile.sizes and asked.size not in profile.sizes:
        yield "generation.size", f"must be one of {', '.join(profile.sizes)}"
    if asked.quality and model.qualities and asked.quality not in model.qualities:
        yield "generation.quality", f"must be one of {', '.join(model.qualities)}"
    if model.needs_reference and not (_pictures(asked) and profile.image_input):
        yield "generation.input_images", "must have at least one, which this model draws from"
    if asked.mask and not asked.input_images:
        yield "generation.mask", "must come with the image it is a mask of, the first of input_images"


def _pictures(asked: Generation) -> Sequence[str]:
    """The writer's own come first, then those of the elements; each once."""
    of_elements = [element.image for element in asked.elements if element.image and not element.omit_picture]
    return [*dict.fromkeys((*asked.input_images, *of_elements))]


def _negative_prompt(model: Model, config: Mapping[str, Any], asked: Generation) -> str:
    return str(asked.negative_prompt or config.get("negative_prompt", "")) if model.negative_prompt else ""


def _known(word: str, words: Sequence[str]) -> str:
    return word if word in words else ""


def _size_difference(asked: str, sent: str) -> Iterator[Adaptation]:
    if not honours(asked, sent):
        yield Adaptation(field="size", asked=asked, sent=sent, why="The nearest size the model can draw.")


def _differences(asked: Generation, sent: Choices, model: Model) -> Iterator[Adaptation]:
    for field in ("negative_prompt", "quality", "output_format", "background"):
        wish, given = getattr(asked, field), getattr(sent, field)
        if wish and wish != given:
            yield Adaptation(field=field, asked=wish, sent=given, why=_why(field, given))
    if asked.HasField("seed") and sent.seed is None:
        yield Adaptation(field="seed", asked=str(asked.seed), why="The model takes no seed.")
    if sent.count > model.max_count:
        calls = -(-sent.count // model.max_count)
        why = f"The model draws at most {model.max_count} in one call."
        yield Adaptation(field="count", asked=str(sent.count), sent=f"{calls} calls", why=why)


def _picture_differences(asked: Generation, sent: Choices, *, may: bool) -> Iterator[Adaptation]:
    most, many = len(sent.input_images), len(asked.input_images)
    taken = min(most, many)
    none = "The model takes no pictures." if may else "This profile sends no pictures."
    if taken < many:
        why = f"The model takes at most {taken}; the first are sent." if taken else none
        sent_as = str(taken) if taken else ""
        yield Adaptation(field="input_images", asked=str(many), sent=sent_as, why=why)
    for element in asked.elements:
        if element.image and not element.omit_picture and element.image not in sent.input_images:
            why = f"The model takes at most {most} pictures." if most else none
            yield Adaptation(field="elements", asked=element.name, sent="words only", why=why)
    if asked.mask and not sent.mask:
        why = "The model takes no mask." if taken else none
        yield Adaptation(field="mask", asked=asked.mask, why=why)


def _why(field: str, sent: str) -> str:
    if sent:
        return "A picture of that format cannot be transparent."
    return (
        f"The model takes no {field.replace('_', ' ')}."
        if field != "output_format"
        else "The model's own is used."
    )
