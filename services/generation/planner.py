"""The planner: from what a writer asks to what is sent, and what was changed on the way.

It has no side effects and asks nobody: the profile, the catalogue and the request decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1 import generations_pb2 as pb
from inkweld.generation.v1 import models_pb2

from runtime.failure import Failure, invalid, not_found
from services.generation import capabilities, pricing, profile_check
from services.generation.catalogue import Catalogue, Model
from services.generation.choices import Choices, chosen
from services.generation.providers import Provider, Task

_SEEDS = 1 << 32


@dataclass(frozen=True)
class Planned:
    """What will be done: as it is told, and as it is sent, one task for each call."""

    plan: pb.Plan
    tasks: Sequence[Task]


class Planner:
    """Knows kinds and models."""

    def __init__(self, catalogue: Catalogue, kinds: Mapping[str, Provider]) -> None:
        self._catalogue = catalogue
        self._kinds = kinds

    def plan(self, profile: Profile, kind: str, generation: pb.Generation) -> Planned:
        """Plans a generation. Raises FIELD_INVALID, MODEL_UNKNOWN, or ADAPTATION_REFUSED if it is strict."""
        model = self._catalogue.offered(kind, profile.model)
        config = profile_check.config_of(profile)
        choices = chosen(profile, model, config, generation)
        if generation.strict and choices.adaptations:
            raise _refused(choices.adaptations)
        tasks = _tasks(profile.model, model, choices)
        asked = pricing.Asked(
            choices.prompt, choices.size, choices.quality, choices.count, len(choices.input_images)
        )
        plan = pb.Plan(
            profile_title=profile.title,
            profile_revision=profile.revision,
            provider=profile.provider,
            model=profile.model,
            compiled_prompt=choices.prompt,
            prompt_parts=choices.prompt_parts,
            negative_prompt=choices.negative_prompt,
            size=choices.size,
            counts=[task.count for task in tasks],
            seed=choices.seed,
            quality=choices.quality,
            output_format=choices.output_format,
            background=choices.background,
            input_images=choices.input_images,
            mask=choices.mask,
            adaptations=choices.adaptations,
            quote=pricing.quote(model, asked, config),
        )
        return Planned(plan, tasks)

    def capabilities(self, profile: Profile, kind: str, today: date | None = None) -> models_pb2.Capabilities:
        """What a writer may ask of the profile; of a model that is gone too, with a notice that it is."""
        model = self._catalogue.find(kind, profile.model) or self._catalogue.offered(kind, profile.model)
        day = today or datetime.now(UTC).date()
        return capabilities.of_profile(profile, model, profile_check.config_of(profile), day)

    def check_profile(self, profile: Profile, kind: str) -> None:
        """Raises FIELD_INVALID with all that is wrong, by the profile's fields."""
        if kind not in self._kinds:
            raise invalid({"profile.provider": "is of a kind that cannot draw here"})
        schema = self._kinds[kind].CONFIG_SCHEMA
        if wrong := profile_check.problems(profile, kind, schema, self._catalogue):
            raise invalid(wrong)

    def facts(self, kind: str, model: str) -> Model | None:
        """What the catalogue knows of a model, for its price. None for nothing."""
        return self._catalogue.find(kind, model)

    def kinds(self) -> Sequence[models_pb2.Kind]:
        """All kinds, by name."""
        return [_kind(self._kinds[kind]) for kind in sorted(self._kinds)]

    def models(self, kind: str) -> Sequence[models_pb2.Model]:
        """The models of a kind, by name. Raises RESOURCE_NOT_FOUND for a kind there is not."""
        if kind not in self._kinds:
            raise not_found(f"kinds/{kind}")
        return [_model(kind, model) for model in self._catalogue.models(kind) if not model.retired]


def _tasks(name: str, model: Model, choices: Choices) -> Sequence[Task]:
    """One for each call; seeds count on from call to call, as they do within one."""
    tasks = []
    for first in range(0, choices.count, model.max_count):
        seed = None if choices.seed is None else (choices.seed + first) % _SEEDS
        task = Task(
            model=name,
            prompt=choices.prompt,
            count=min(model.max_count, choices.count - first),
            size=choices.size,
            negative_prompt=choices.negative_prompt,
            seed=seed,
            quality=choices.quality,
            output_format=choices.output_format,
            background=choices.background,
            config=choices.config,
            form=model.form,
        )
        tasks.append(task)
    return tasks


def _refused(adaptations: Sequence[pb.Adaptation]) -> Failure:
    fields: dict[str, str] = {}
    for adaptation in adaptations:  # several may be of one field, as of elements
        path = f"generation.{adaptation.field}"
        fields[path] = f"{fields[path]} {adaptation.why}" if path in fields else adaptation.why
    message = f"Not everything can be sent as asked: {', '.join(sorted({a.field for a in adaptations}))}."
    field = adaptations[0].field
    return Failure(ErrorReason.ADAPTATION_REFUSED, message, fields=fields, field=field)


def _kind(kind: Provider) -> models_pb2.Kind:
    return models_pb2.Kind(
        name=f"kinds/{kind.KIND}",
        title=kind.TITLE,
        requires=kind.REQUIRES,
        default_endpoint=kind.DEFAULT_ENDPOINT,
        config_schema=json_format.ParseDict(dict(kind.CONFIG_SCHEMA), Struct()),
    )


def _model(kind: str, model: Model) -> models_pb2.Model:
    return models_pb2.Model(
        name=f"kinds/{kind}/models/{model.model}",
        model=model.model,
        title=model.title,
        capabilities=capabilities.of_model(model),
        end_date=model.end_date.isoformat() if model.end_date else "",
        successor=model.successor or "",
    )
