"""What fal's image endpoints take, answer and cost."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

MEGAPIXEL = 1_048_576
MOST_PIXELS = 20_000_000
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
RATIOS = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16")
WIDE_RATIOS = ("4:1", "1:4", "8:1", "1:8")
TIERS = {"0.5K": 512, "1K": 1024, "2K": 2048, "4K": 4096}
CLASSIC = ("1024x1024", "1536x1024", "1024x1536")
# What one picture of a model that is sold by "units" of a dollar comes to.
DOLLARS = {"low": "0.011", "medium": "0.045", "auto": "0.045", "high": "0.17"}


@dataclass(frozen=True)
class Model:
    id: str
    title: str
    sized_by: Literal["preset", "ratio", "classic"]
    unit: Literal["megapixels", "images", "units"]
    unit_price: Decimal
    most: int = 4  # pictures at once; 1 where the model has no `num_images`
    formats: tuple[str, ...] = ("jpeg", "png")
    pictures: Literal["", "image_url", "image_urls"] = ""
    mask: str = ""  # the name of the field, where there is one
    auto: bool = False  # `auto` is a size
    ratios: tuple[str, ...] = RATIOS
    tiers: tuple[str, ...] = ()
    step: int = 1  # of width and height
    edges: tuple[int, int] = (16, 4096)
    qualities: tuple[str, ...] = ()  # the default first
    seeds: bool = False  # the seed is in the answer
    flags: bool = False  # unsafe pictures come black, with a flag
    describes: bool = False  # there are words in the answer
    counts_inputs: bool = False

    @property
    def app(self) -> str:
        """What is left in the addresses of a job: owner and name, without the rest."""
        return "/".join(self.id.split("/")[:2])

    @property
    def category(self) -> str:
        return "image-to-image" if self.pictures else "text-to-image"

    def units(self, count: int, sizes: list[int], quality: str, tier: str) -> Decimal:
        """What is billed for so many pictures; `sizes` are the pixels of one and of each input."""
        if self.unit == "units":
            return Decimal(DOLLARS[quality or "high"]) * count
        if self.unit == "images":
            return Decimal(count * (2 if tier == "4K" else 1))
        counted = sizes if self.counts_inputs else sizes[:1]
        megapixels = sum(max(1, -(-pixels // MEGAPIXEL)) for pixels in counted)
        if self.counts_inputs:
            # Every megapixel but the first costs half.
            return (1 + Decimal(megapixels - 1) / 2) * count
        return Decimal(megapixels * count)

    def listed(self) -> dict[str, Any]:
        metadata = {
            "display_name": self.title,
            "category": self.category,
            "description": f"{self.title}, drawn by the sandbox.",
            "status": "active",
            "tags": ["sandbox"],
            "updated_at": "2026-11-01T00:00:00Z",
            "is_favorited": None,
            "thumbnail_url": "",
            "model_url": f"https://fal.run/{self.id}",
            "date": "2026-01-15T00:00:00Z",
            "highlighted": False,
            "pinned": False,
        }
        return {"endpoint_id": self.id, "metadata": metadata}


def _banana(name: str, title: str, price: str, tiers: tuple[str, ...], ratios: tuple[str, ...]) -> Model:
    return Model(
        f"fal-ai/{name}",
        title,
        "ratio",
        "images",
        Decimal(price),
        formats=("png", "jpeg", "webp"),
        tiers=tiers,
        ratios=ratios,
        auto=bool(tiers),
        describes=True,
    )


def _gpt(name: str, title: str, **more: Any) -> Model:
    return Model(name, title, "classic", "units", Decimal(1), formats=("png", "jpeg", "webp"), **more)


def _edit(model: Model, mask: str = "") -> Model:
    return replace(model, id=f"{model.id}/edit", pictures="image_urls", mask=mask, auto=True)


_FLUX_PRO = Model(
    "fal-ai/flux-2-pro",
    "FLUX.2 Pro",
    "preset",
    "megapixels",
    Decimal("0.03"),
    most=1,
    seeds=True,
    counts_inputs=True,
)
_SCHNELL = Model(
    "fal-ai/flux/schnell",
    "FLUX.1 Schnell",
    "preset",
    "megapixels",
    Decimal("0.003"),
    seeds=True,
    flags=True,
)
_FLUX_2 = replace(
    _SCHNELL,
    id="fal-ai/flux-2",
    title="FLUX.2 Dev",
    unit_price=Decimal("0.012"),
    formats=("png", "jpeg", "webp"),
    edges=(512, 2048),
)
_BANANA = _banana("nano-banana", "Nano Banana", "0.039", (), RATIOS)
_BANANA_2 = _banana(
    "nano-banana-2", "Nano Banana 2", "0.08", ("1K", "0.5K", "2K", "4K"), RATIOS + WIDE_RATIOS
)
_BANANA_PRO = _banana("nano-banana-pro", "Nano Banana Pro", "0.15", ("1K", "2K", "4K"), RATIOS)
_GPT_MINI = _gpt(
    "fal-ai/gpt-image-1-mini", "GPT Image 1 Mini", auto=True, qualities=("auto", "low", "medium", "high")
)
_GPT_15 = _gpt("fal-ai/gpt-image-1.5", "GPT Image 1.5", qualities=("high", "low", "medium"))
_GPT_2 = replace(
    _gpt("openai/gpt-image-2", "GPT Image 2", auto=True, qualities=("high", "auto", "low", "medium")),
    sized_by="preset",
    step=16,
    edges=(16, 3840),
)
_IMAGE_TO_IMAGE = replace(
    _SCHNELL,
    id="fal-ai/flux/dev/image-to-image",
    title="FLUX.1 Dev",
    unit_price=Decimal("0.03"),
    pictures="image_url",
)
_SD = replace(
    _SCHNELL,
    id="fal-ai/stable-diffusion-v35-large",
    title="Stable Diffusion 3.5 Large",
    unit_price=Decimal("0.065"),
)
_MODELS = (
    *(_FLUX_PRO, _edit(_FLUX_PRO), _SCHNELL, _IMAGE_TO_IMAGE, _FLUX_2, _edit(_FLUX_2)),
    *(_SD, replace(_SD, id="fal-ai/stable-diffusion-v35-medium", title="Stable Diffusion 3.5 Medium")),
    *(_BANANA, _edit(_BANANA), _BANANA_2, _edit(_BANANA_2), _BANANA_PRO, _edit(_BANANA_PRO)),
    *(_GPT_MINI, _edit(_GPT_MINI), _GPT_15, _edit(_GPT_15, "mask_image_url"), _GPT_2),
    _edit(_GPT_2, "mask_url"),
)
MODELS = {model.id: model for model in _MODELS}
APPS = {model.app for model in _MODELS}
