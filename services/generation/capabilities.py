"""What may be asked of a model or a profile, as it is told to clients."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.generation.v1 import models_pb2 as pb

from services.generation import pricing
from services.generation.catalogue import Model

_NOTICE = timedelta(days=30)  # before a model's end
MAX_COUNT = 16  # of a generation; the planner splits it into calls


def of_model(model: Model) -> pb.Capabilities:
    """Everything the model can do."""
    capabilities = _capabilities(
        model, {}, sizes=_offered(model), default_size=model.sizes.default, any_size=True
    )
    capabilities.max_input_images = most_pictures(model)
    capabilities.mask = model.mask
    return capabilities


def of_profile(profile: Profile, model: Model, config: Mapping[str, Any], today: date) -> pb.Capabilities:
    """What is left of it by the profile."""
    capabilities = _capabilities(
        model,
        config,
        sizes=tuple(profile.sizes) or _offered(model),
        default_size=default_size(profile, model),
        any_size=not profile.sizes,
    )
    if profile.image_input:
        capabilities.max_input_images = most_pictures(model)
        capabilities.mask = model.mask
    capabilities.name = f"{profile.name}/capabilities"
    if ending := notice(model, today):
        capabilities.model_notice.CopyFrom(ending)
    return capabilities


def notice(model: Model, today: date) -> pb.ModelNotice | None:
    """That the model has ended or will soon; None if it will not."""
    if not (model.retired or (model.end_date and model.end_date - today <= _NOTICE)):
        return None
    return pb.ModelNotice(
        end_date=model.end_date.isoformat() if model.end_date else "",
        successor=model.successor or "",
        ended=model.retired or bool(model.end_date and model.end_date <= today),
        note=model.note,
    )


def most_pictures(model: Model) -> int:
    """How many pictures to go by a call can have."""
    return min(model.max_references, MAX_COUNT)


def default_size(profile: Profile, model: Model) -> str:
    """The size when none is asked for."""
    if profile.default_size:
        return profile.default_size
    if not profile.sizes or model.sizes.default in profile.sizes:
        return model.sizes.default
    return profile.sizes[0]


def _offered(model: Model) -> tuple[str, ...]:
    return (*model.sizes.offer, "auto") if model.sizes.auto else model.sizes.offer


def _capabilities(
    model: Model, config: Mapping[str, Any], *, sizes: tuple[str, ...], default_size: str, any_size: bool
) -> pb.Capabilities:
    one = pricing.Asked(prompt="", size=default_size, quality=config.get("quality", ""), pictures=1)
    return pb.Capabilities(
        sizes=sizes,
        default_size=default_size,
        any_size=any_size,
        max_count=MAX_COUNT,
        negative_prompt=model.negative_prompt,
        seed=model.seed,
        qualities=model.qualities,
        output_formats=model.output_formats,
        backgrounds=model.backgrounds,
        max_prompt_length=model.max_prompt,
        price=pricing.quote(model, one, config),
    )
