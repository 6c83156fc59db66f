"""What OpenAI's image models are, take and cost, as of November 2026."""

import re
from dataclasses import dataclass
from decimal import Decimal

CLASSIC_SIZES = ("1024x1024", "1024x1536", "1536x1024")
ENDS = "2026-12-01"


@dataclass(frozen=True)
class Model:
    """Prices are US dollars for a million tokens."""

    id: str
    created: int
    shutdown: str | None = None
    generation: int = 2
    text_in: Decimal = Decimal(5)
    image_out: Decimal = Decimal(30)
    image_in: Decimal = Decimal(8)
    pictures: bool = True

    @property
    def fidelities(self) -> tuple[str, ...]:
        """How closely the model can be told to keep to a picture; none where it always does."""
        if self.generation == 2:
            return ()
        return ("low",) if self.id == "gpt-image-1-mini" else ("low", "high")

    @property
    def qualities(self) -> tuple[str, ...]:
        newer = ("xhigh", "max") if self.id.startswith(("gpt-image-2.5", "gpt-image-2.6")) else ()
        return ("low", "medium", "high", *newer)

    def size_problem(self, size: str) -> str | None:
        """Why this model cannot draw at that size; None when it can."""
        if self.generation == 1:
            supported = ", ".join(f"'{name}'" for name in CLASSIC_SIZES)
            wrong = f"Invalid value: '{size}'. Supported values are: {supported}, and 'auto'."
            return None if size in CLASSIC_SIZES else wrong
        parts = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
        rule = _broken_rule(int(parts[1]), int(parts[2])) if parts else "Expected WIDTHxHEIGHT or 'auto'."
        return rule and f"Invalid size '{size}'. {rule}"

    def image_tokens(self, size: str, quality: str) -> int:
        """Output tokens of one picture."""
        if self.generation == 1:
            return FIRST[quality][CLASSIC_SIZES.index(size)]
        width, height = (int(part) for part in size.split("x"))
        square, wide = SECOND[quality]
        # A wider picture is cheaper for the same number of pixels, as it is at the real one.
        return round((square if width == height else wide) * max(1.0, width * height / 1_572_864))


def _broken_rule(width: int, height: int) -> str | None:
    if width % 16 or height % 16:
        return "Width and height must be multiples of 16."
    if max(width, height) > 3840:
        return "The longest edge may have 3840 pixels at most."
    if max(width, height) > 3 * min(width, height):
        return "The longer edge may be 3 times the shorter at most."
    if not 655_360 <= width * height <= 8_294_400:
        return "The number of pixels must be between 655360 and 8294400."
    return None


# Square, tall, wide.
FIRST = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
# Square, any other shape.
SECOND = {
    "low": (200, 167),
    "medium": (1767, 1367),
    "high": (7024, 5488),
    "xhigh": (9800, 7700),
    "max": (14000, 11000),
}

_MODELS = (
    Model("gpt-image-1-mini", 1_758_845_821, ENDS, 1, Decimal(2), Decimal(8), Decimal("2.5")),
    Model("gpt-image-1.5", 1_765_761_600, ENDS, 1, Decimal(5), Decimal(32)),
    Model("gpt-image-1.5-2025-12-16", 1_765_761_600, ENDS, 1, Decimal(5), Decimal(32)),
    Model("chatgpt-image-latest", 1_765_761_600, ENDS, 1, Decimal(5), Decimal(32)),
    Model("gpt-image-2", 1_776_729_600),
    Model("gpt-image-2-2026-04-21", 1_776_729_600),
    Model("gpt-image-2.5-sunburst", 1_788_825_600),
    Model("gpt-image-2.5-flare", 1_788_825_600),
    Model("gpt-image-2.6-sunburst", 1_794_873_600),
    Model("gpt-image-2.6-flare", 1_794_873_600),
    # Not for pictures, as most of the real list is not.
    Model("gpt-5.1", 1_762_800_000, pictures=False),
    Model("omni-moderation-latest", 1_731_689_265, pictures=False),
)
MODELS = {model.id: model for model in _MODELS}
