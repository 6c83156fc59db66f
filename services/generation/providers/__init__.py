"""What a kind of provider is: a module of this folder that turns a task into events.

A module states KIND, TITLE, REQUIRES, DEFAULT_ENDPOINT, AUTHORIZATION and CONFIG_SCHEMA and has the functions
of `Provider`; with `resume` or `cancel` it promises more. It reads no settings, opens no connection, retries
nothing, computes no price and stores nothing.
"""

import importlib
import pkgutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from runtime.egress import Endpoint, Refusal

Handle: TypeAlias = Mapping[str, str]
"""What a provider gives to find the work again; stored before it is used."""

Usage: TypeAlias = Mapping[str, int | Decimal]
"""What was used, by unit: `images`, or tokens as `text_in`, `image_in`, `text_out`, `image_out`.

Who bills in other ways says `dollars`, or `units` and the `unit_price` in dollars. None is ever a float.
"""

PRICE_SCHEMA: Mapping[str, Any] = {"type": "number", "minimum": 0, "maximum": 1000}
"""Of a kind whose administrator may say what a picture costs, in dollars, under `price_per_image`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to go by, as it is stored."""

    data: bytes
    content_type: str  # `image/png`, `image/jpeg` or `image/webp`
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One call to one provider, in the model's own terms. All is decided; empty means the model's default."""

    model: str
    prompt: str
    count: int
    size: str = ""  # `WxH`, `A:B`, `A:B@NK` or `auto`
    negative_prompt: str = ""
    seed: int | None = None
    quality: str = ""
    output_format: str = ""
    background: str = ""
    references: Sequence[Picture] = ()  # in the order that matters
    mask: Picture | None = None  # of the first reference's size; transparent, or white by the catalogue: anew
    config: Mapping[str, Any] = field(default_factory=dict)  # the profile's, in the provider's terms
    form: Mapping[str, str] = field(default_factory=dict)  # how this model is spoken to; the catalogue's

    @property
    def dimensions(self) -> tuple[int, int]:
        """Width and height. Only for models whose sizes are all `WxH`."""
        width, height = self.size.split("x")
        return int(width), int(height)


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A difference between what was asked and what was done."""

    field: str
    asked: str
    sent: str
    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the task; whoever has the handle can go on without us."""

    handle: Handle


@dataclass(frozen=True, slots=True)
class Progress:
    """Getting on: how much is done (0 to 1), or how many are before us. None where nobody says."""

    fraction: float | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """A picture on its way, as it looks by now."""

    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """A picture, counted from 0 within the task."""

    index: int
    data: bytes
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event. Usage is None where the provider says nothing of it."""

    usage: Usage | None = None
    adaptations: Sequence[Adaptation] = ()
    request_id: str = ""  # the provider's own, for its support


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its provider lists it."""

    model: str
    title: str = ""
    needs_picture: bool = False  # draws from a picture only


Event: TypeAlias = Accepted | Progress | Partial | Image | Finished


class Provider(Protocol):
    """One kind of provider. A module is one."""

    @property
    def KIND(self) -> str: ...  # noqa: N802
    @property
    def TITLE(self) -> str: ...  # noqa: N802
    @property
    def REQUIRES(self) -> Sequence[str]: ...  # noqa: N802  # of "key", "endpoint", "account_id"
    @property
    def DEFAULT_ENDPOINT(self) -> str: ...  # noqa: N802  # "" when one must be given
    @property
    def AUTHORIZATION(self) -> str: ...  # noqa: N802  # such as "Bearer {key}"
    @property
    def CONFIG_SCHEMA(self) -> Mapping[str, Any]: ...  # noqa: N802  # JSON schema of a profile's model config

    async def check(self, api: Endpoint) -> None: ...  # free; raises `Failure` unless the key is good
    def generate(self, task: Task, api: Endpoint) -> AsyncGenerator[Event, None]: ...
    def refusal(self, status: int, body: bytes) -> Refusal | None: ...  # None: the status says enough


@runtime_checkable
class Resumable(Protocol):
    """One that keeps working when we are gone."""

    def resume(self, handle: Handle, api: Endpoint) -> AsyncGenerator[Event, None]: ...


@runtime_checkable
class Cancellable(Protocol):
    """One that can be told to stop. The worker closes the generator first."""

    async def cancel(self, api: Endpoint, handle: Handle | None) -> None: ...  # None: none was given


@runtime_checkable
class Listing(Protocol):
    """One that tells which models it has, in calls that cost nothing."""

    async def models(self, api: Endpoint) -> Sequence[Listed]: ...


@runtime_checkable
class Hinting(Protocol):
    """One that knows more than the status says of what is wrong with its address or key."""

    @property
    def HINTS(self) -> Mapping[int, str]: ...  # noqa: N802  # what to do, by the status of a check's answer


def discover() -> Mapping[str, Provider]:
    """Every kind of provider there is, by its name. A new module of this folder appears by itself."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)
    )
    kinds = {module.KIND: cast("Provider", module) for module in modules if hasattr(module, "KIND")}
    return MappingProxyType(kinds)
