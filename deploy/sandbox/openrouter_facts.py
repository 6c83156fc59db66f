"""What the image models of OpenRouter are, take and cost, as they were listed in autumn 2026."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

RATIOS = (
    *("1:1", "1:2", "1:4", "1:8", "2:1", "2:3", "3:2", "3:4", "4:1", "4:3", "4:5", "5:4", "8:1"),
    *("9:16", "16:9", "9:19.5", "19.5:9", "9:20", "20:9", "9:21", "21:9", "2.35:1", "5:2", "5:7", "7:5"),
)
TIERS = {"512": 512, "768": 768, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}
QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")
BACKGROUNDS = ("auto", "transparent", "opaque")
FORMATS = ("png", "jpeg", "webp")
MEGAPIXEL = 1_000_000
# What a picture counts in tokens where tokens are what is paid.
PICTURE_TOKENS = 1290
QUALITY_TOKENS = {"low": 200, "medium": 1767, "high": 7024, "xhigh": 9800, "max": 14000}


@dataclass(frozen=True)
class Model:
    """`cost` is in US dollars for a `unit`; `further` is that of every megapixel but the first."""

    id: str
    name: str
    unit: Literal["image", "megapixel", "token"]
    cost: Decimal
    further: Decimal | None = None
    tiers: tuple[str, ...] = ("1K", "2K")
    most: int = 1
    references: int = 8
    seeds: bool = False
    qualities: bool = False
    chats: bool = False
    least_pixels: int = 0
    form: str = "png"
    created: int = 1_772_000_000

    @property
    def author(self) -> str:
        return self.id.partition("/")[0]

    @property
    def streams(self) -> bool:
        return self.author == "openai"

    def tokens(self, quality: str) -> int:
        """Of one picture."""
        return QUALITY_TOKENS.get(quality, QUALITY_TOKENS["medium"]) if self.qualities else PICTURE_TOKENS

    def price(self, pixels: int, quality: str) -> Decimal:
        """Of one picture, in dollars."""
        if self.unit == "token":
            return self.cost * self.tokens(quality)
        if self.unit == "image":
            return self.cost
        megapixels = max(1, -(-pixels // MEGAPIXEL))
        further = self.cost if self.further is None else self.further
        return self.cost + further * (megapixels - 1)

    def parameters(self) -> dict[str, Any]:
        """What the listing says the model takes."""
        taken: dict[str, Any] = {
            "aspect_ratio": {"type": "enum", "values": list(RATIOS)},
            "resolution": {"type": "enum", "values": list(self.tiers)},
            "output_format": {"type": "enum", "values": list(FORMATS)},
            "n": {"type": "range", "min": 1, "max": self.most},
        }
        if self.references:
            taken["input_references"] = {"type": "range", "min": 0, "max": self.references}
        if self.seeds:
            taken["seed"] = {"type": "boolean"}
        if self.qualities:
            taken["quality"] = {"type": "enum", "values": ["auto", *QUALITY_TOKENS]}
            taken["background"] = {"type": "enum", "values": list(BACKGROUNDS)}
        return taken

    def pricing(self) -> list[dict[str, Any]]:
        line = {"billable": "output_image", "unit": self.unit, "cost_usd": float(self.cost)}
        if self.further is None:
            return [line]
        more = {**line, "cost_usd": float(self.further), "variant": "additional_megapixel"}
        return [line | {"variant": "first_megapixel"}, more]


def pixels(ratio: str, tier: str) -> tuple[int, int]:
    """Width and height of a shape at a tier: the tier says how many pixels, not how long an edge is."""
    across, along = (Fraction(part) for part in ratio.split(":"))
    edge = TIERS[tier]
    wide = edge * float(across / along) ** 0.5
    return _rounded(wide), _rounded(edge * edge / wide)


def _rounded(edge: float) -> int:
    return max(16, round(edge / 16) * 16)


def _flux(name: str, title: str, cost: str, further: str | None = None) -> Model:
    more = Decimal(further) if further else None
    model = f"black-forest-labs/flux.2-{name}"
    return Model(model, f"FLUX.2 {title}", "megapixel", Decimal(cost), more, seeds=True, form="jpeg")


def _openai(name: str, title: str, *, chats: bool = False) -> Model:
    cost = Decimal("0.00003")
    return Model(f"openai/{name}", title, "token", cost, most=10, references=16, qualities=True, chats=chats)


def _google(name: str, title: str, cost: str, tiers: tuple[str, ...]) -> Model:
    return Model(f"google/{name}", title, "token", Decimal(cost), tiers=tiers, chats=True)


_MODELS = (
    _flux("klein-4b", "Klein 4B", "0.014", "0.001"),
    _flux("pro", "Pro", "0.03"),
    _flux("flex", "Flex", "0.06"),
    _flux("max", "Max", "0.07"),
    _openai("gpt-image-2", "GPT Image 2"),
    _openai("gpt-image-2.5-sunburst", "GPT Image 2.5 Sunburst"),
    _openai("gpt-5-image", "GPT-5 Image", chats=True),
    _google("gemini-2.5-flash-image", "Nano Banana", "0.00003", ("1K",)),
    _google("gemini-3-pro-image", "Nano Banana Pro", "0.0001", ("1K", "2K", "4K")),
    Model(
        "bytedance-seed/seedream-4.5",
        "Seedream 4.5",
        "image",
        Decimal("0.04"),
        tiers=("2K", "4K"),
        least_pixels=3_686_400,
    ),
    Model("recraft/recraft-v3", "Recraft V3", "image", Decimal("0.04"), most=6, references=0, form="webp"),
)
MODELS = {model.id: model for model in _MODELS}
# The general list shows these unless it is asked for pictures.
TEXT_MODELS = {"openai/gpt-5.1": "GPT-5.1", "mistralai/mistral-large": "Mistral Large"}
