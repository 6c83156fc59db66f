"""What the image models of Workers AI are and take. Most of it is not documented, so little is refused."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

# Where the picture is in the answer: it is the body, or under a key, or the whole JSON is its base64.
Answer = Literal["raw", "image", "result", "text"]
MOST_EDGE = 2048
PROMPT_LIMIT = 3000
FORM_SIZES = frozenset(
    (
        *((512, 512), (768, 512), (512, 768), (1024, 512), (512, 1024), (1024, 768), (768, 1024)),
        *((1024, 1024), (1280, 768), (768, 1280), (1280, 1024), (1024, 1280), (1536, 1024), (1024, 1536)),
    )
)


@dataclass(frozen=True)
class Model:
    id: str
    price: Decimal  # of a picture, in US dollars
    answer: Answer = "raw"
    form: str = "png"
    multipart: bool = False
    references: int = 1
    task: str = "Text-to-Image"

    def listed(self, number: int) -> dict[str, Any]:
        return {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "source": 1,
            "name": self.id,
            "description": "Drawn by the sandbox.",
            "task": {"id": "3d6e1f35-341b-4915-a6c8-9a7142a9033a", "name": self.task, "description": ""},
            "created_at": "2026-01-15 10:00:00.000",
            "tags": [],
            "properties": [],
        }


def _flux2(name: str, price: str, references: int) -> Model:
    model = f"@cf/black-forest-labs/flux-2-{name}"
    return Model(model, Decimal(price), "result", "jpeg", multipart=True, references=references)


_MODELS = (
    _flux2("klein-4b", "0.0006", 2),
    _flux2("klein-9b", "0.0015", 4),
    _flux2("dev", "0.0080", 4),
    Model("@cf/black-forest-labs/flux-1-schnell", Decimal("0.0002"), "result", "jpeg", references=0),
    Model("@cf/leonardo/lucid-origin", Decimal("0.0070"), "image", references=0),
    Model("@cf/stabilityai/stable-diffusion-xl-base-1.0", Decimal(0)),
    Model("@cf/bytedance/stable-diffusion-xl-lightning", Decimal(0), form="jpeg"),
    Model("@cf/runwayml/stable-diffusion-v1-5-img2img", Decimal(0)),
)
MODELS = {model.id: model for model in _MODELS}
TEXT = Model("@cf/meta/llama-3.1-8b-instruct", Decimal(0), task="Text Generation")
