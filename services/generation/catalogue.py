"""The catalogue: what is known of models, read from `catalogue.yaml` and checked whole."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
import yaml
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.sizes import Sizes, parse, resolve

PATH = Path(__file__).with_name("catalogue.yaml")
ANY = "*"

Positive = Annotated[int, msgspec.Meta(gt=0)]
# The least and the most.
Tokens = tuple[int, int]


class CatalogueError(Exception):
    """The catalogue contradicts itself or its schema; says where."""


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars per million tokens, or per picture or megapixel. None is unknown."""

    text_in: Decimal | None = None
    image_in: Decimal | None = None
    text_out: Decimal | None = None
    image_out: Decimal | None = None
    # A picture's least and most, by quality or by resolution; `any` where neither matters.
    pictures: dict[str, tuple[Decimal, Decimal]] = {}
    # Megapixels begun: of each picture the first, and every further one.
    first_megapixel: Decimal | None = None
    megapixel: Decimal | None = None


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of a model."""

    model: str
    title: str
    family: Literal["prose", "tags"] = "prose"  # how it is spoken to
    max_prompt: Positive
    max_elements: Positive | None = None  # characters for elements; what the prompt leaves when None
    max_count: Positive  # in one call
    sizes: Sizes
    qualities: tuple[str, ...] = ()
    output_formats: tuple[str, ...] = ()  # the default first
    backgrounds: tuple[str, ...] = ()
    negative_prompt: bool = False
    seed: bool = False
    max_references: int = 0  # pictures to go by, in one call
    needs_reference: bool = False
    reference_formats: tuple[str, ...] = ("png", "jpeg", "webp")  # the best first
    mask: bool = False
    white_mask: bool = False  # white, not transparent, means: draw anew
    form: dict[str, str] = {}  # how it is spoken to, in its adapter's words
    prices: Prices | None = None
    output_tokens: dict[str, dict[str, Tokens]] = {}
    end_date: date | None = None
    successor: str | None = None
    retired: bool = False
    note: str = ""  # why it is gone, where there is more to say than when and for what


class _File(msgspec.Struct, forbid_unknown_fields=True):
    kinds: dict[str, list[Model]]
    shapes: Any = None  # what the file repeats, by YAML's anchors


class Catalogue:
    """All models, by kind and the provider's own name."""

    def __init__(self, kinds: Mapping[str, Sequence[Model]]) -> None:
        self._kinds = {kind: {model.model: model for model in models} for kind, models in kinds.items()}

    def models(self, kind: str) -> Sequence[Model]:
        """The models of a kind, by name."""
        return sorted(self._kinds.get(kind, {}).values(), key=lambda model: model.model)

    def find(self, kind: str, model: str) -> Model | None:
        """What is known of a model, or of any model of its kind."""
        known: Mapping[str, Model] = self._kinds.get(kind, MappingProxyType({}))
        return known.get(model) or known.get(ANY)

    def offered(self, kind: str, model: str) -> Model:
        """The model's facts; fails when its provider is known not to have it (any more)."""
        facts = self.find(kind, model)
        if facts is None:
            raise Failure(ErrorReason.MODEL_UNKNOWN, f"{model} is not known.", model=model)
        if facts.retired:
            why = (
                facts.note or f"{model} was shut down on {facts.end_date}; {facts.successor} takes its place."
            )
            raise Failure(ErrorReason.MODEL_UNKNOWN, why, model=model)
        return facts


def load(path: Path = PATH) -> Catalogue:
    """Reads and checks the file. Raises CatalogueError with the place of whatever is wrong."""
    try:
        file = msgspec.convert(yaml.safe_load(path.read_text()), _File)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    if problems := list(chain.from_iterable(_problems(kind, models) for kind, models in file.kinds.items())):
        raise CatalogueError(f"{path.name}: {'; '.join(problems)}")
    return Catalogue(file.kinds)


def _problems(kind: str, models: Sequence[Model]) -> Iterator[str]:
    names = [model.model for model in models]
    for model in models:
        where = f"{kind} {model.model}"
        if names.count(model.model) > 1:
            yield f"{where}: listed twice"
        if model.successor and model.successor not in names:
            yield f"{where}: its successor {model.successor} is not listed"
        if model.retired and not (model.note or (model.end_date and model.successor)):
            yield f"{where}: retired without end date or successor"
        if model.needs_reference and not model.max_references:
            yield f"{where}: needs a reference and takes none"
        yield from (f"{where}: {problem}" for problem in _size_problems(model))


def _size_problems(model: Model) -> Iterator[str]:
    sizes = model.sizes
    try:
        wishes = [parse(size) for size in (*sizes.offer, sizes.default)]
    except (ValueError, ZeroDivisionError):
        yield "a size that is none"
        return
    if sizes.default not in sizes.offer and not (sizes.auto and sizes.default == "auto"):
        yield "the default size is not offered"
    if sizes.range and not all(
        wish is None or wish.exact is None or sizes.range.fits(*wish.exact) for wish in wishes
    ):
        yield "an offered size is out of range"
    for quality, by_size in model.output_tokens.items():
        if quality not in model.qualities:
            yield f"tokens for the unknown quality {quality}"
        if any(resolve(size, sizes) != size for size in by_size):
            yield "tokens for an unknown size"
