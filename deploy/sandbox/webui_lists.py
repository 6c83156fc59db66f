"""What a WebUI lists of itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deploy.sandbox import webui_facts as facts
from deploy.sandbox.webui_errors import Build

LORAS = ("lantern-light", "ink-wash")
VAES = ("sandbox-vae.safetensors",)

LATENT_MODES = ("Latent", "Latent (antialiased)", "Latent (bicubic)", "Latent (nearest)")


def every(build: Build) -> Mapping[str, Any]:
    """Each list by its path. Where the others speak of VAEs, Forge speaks of modules."""
    vaes = [{"model_name": name, "filename": f"/models/VAE/{name}"} for name in VAES]
    return MappingProxyType(
        {
            "sd-models": models(),
            "samplers": samplers(),
            "schedulers": schedulers(),
            "upscalers": upscalers(),
            "latent-upscale-modes": [{"name": name} for name in LATENT_MODES],
            "sd-modules" if build == "forge" else "sd-vae": vaes,
            "loras": loras(),
            "hypernetworks": [],
            "face-restorers": [],
            "realesrgan-models": [],
            "prompt-styles": [],
            "embeddings": {"loaded": {}, "skipped": {}},
            "scripts": {"txt2img": [], "img2img": []},
            "cmd-flags": {"api": True, "listen": False},
            "memory": {"ram": {}, "cuda": {}},
        }
    )


def models() -> list[dict[str, Any]]:
    return [
        {
            "title": facts.title(checkpoint),
            "model_name": checkpoint[0],
            "hash": checkpoint[1],
            "sha256": None,
            "filename": f"/models/Stable-diffusion/{checkpoint[0]}.safetensors",
            "config": None,
        }
        for checkpoint in facts.CHECKPOINTS
    ]


def samplers() -> list[dict[str, Any]]:
    return [
        {"name": name, "aliases": ["k_" + name.lower().replace(" ", "_")], "options": {}}
        for name in facts.SAMPLERS
    ]


def schedulers() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": name.replace("_", " ").title(),
            "aliases": None,
            "default_rho": -1.0,
            "need_inner_model": False,
        }
        for name in facts.SCHEDULERS
    ]


def upscalers() -> list[dict[str, Any]]:
    return [
        {"name": name, "model_name": None, "model_path": None, "model_url": None, "scale": 4.0}
        for name in facts.UPSCALERS
    ]


def loras() -> list[dict[str, Any]]:
    return [
        {"name": name, "alias": name, "path": f"/models/Lora/{name}.safetensors", "metadata": {}}
        for name in LORAS
    ]
