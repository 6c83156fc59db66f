"""What the stand-in WebUI has installed, and the shape of what it is asked."""

import secrets
from typing import Any

import msgspec

CHECKPOINTS = (("sandbox-landscape", "5a7db0c1e2"), ("sandbox-portrait", "c3f1e94d70"))
SAMPLERS = ("DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "Euler a", "Euler", "LMS", "Heun", "DDIM", "UniPC")
SCHEDULERS = (
    "automatic",
    "uniform",
    "karras",
    "exponential",
    "polyexponential",
    "sgm_uniform",
    "simple",
    "normal",
)
UPSCALERS = ("None", "Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+")
FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}
# What fits into the memory of the graphics card this one does not have.
MOST_PIXELS = 6_000_000
HIGHEST_SEED = 2**32 - 1


def title(checkpoint: tuple[str, str]) -> str:
    return f"{checkpoint[0]}.safetensors [{checkpoint[1]}]"


def find(name: object) -> tuple[str, str] | None:
    """The checkpoint by any of the names a WebUI takes."""
    for checkpoint in CHECKPOINTS:
        if name in (title(checkpoint), checkpoint[0], f"{checkpoint[0]}.safetensors", checkpoint[1]):
            return checkpoint
    return None


def options() -> dict[str, Any]:
    return {
        "samples_format": "png",
        "sd_model_checkpoint": title(CHECKPOINTS[0]),
        "sd_checkpoint_hash": CHECKPOINTS[0][1],
        "sd_vae": "Automatic",
        "CLIP_stop_at_last_layers": 1,
        "live_previews_enable": True,
        "show_progress_every_n_steps": 1,
        "jpeg_quality": 80,
        "outdir_samples": "",
        "grid_save": False,
        "return_grid": True,
    }


class Txt2Img(msgspec.Struct):
    """The fields this stand-in acts on; a WebUI takes many more and ignores what it does not know."""

    prompt: str = ""
    negative_prompt: str = ""
    seed: int = -1
    width: int = 512
    height: int = 512
    steps: int = 50
    cfg_scale: float = 7.0
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    send_images: bool = True
    save_images: bool = False
    script_name: str | None = None
    force_task_id: str | None = None

    @property
    def pictures(self) -> int:
        return self.batch_size * self.n_iter

    def first_seed(self) -> int:
        return secrets.randbelow(HIGHEST_SEED) if self.seed == -1 else self.seed


class Img2Img(Txt2Img):
    """The same, after pictures."""

    init_images: list[str] | None = None
    denoising_strength: float | None = 0.75
    resize_mode: int = 0  # 0 stretches to the size, the others keep the shape
    mask: str | None = None  # white is painted anew
    inpainting_mask_invert: int = 0
    include_init_images: bool = False
