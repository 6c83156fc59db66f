"""Values nobody means are refused, never an accident of the sandbox's own."""

from typing import Any

import pytest

from deploy.sandbox.keys import ACCOUNTS, KEYS
from tests.deploy.sandbox.house import inside
from tests.deploy.sandbox.pictures import RED, in_url, plain

ODD: list[Any] = [None, 5, -1, 0.5, "", "odd", [], [1], ["odd"], {}, {"odd": 1}, [{"odd": 1}], True]
IMAGE = in_url(plain(RED, (16, 16)))
CHAT = [{"role": "user", "content": [{"type": "text", "text": "a fox"}]}]
CALLS: dict[str, dict[str, Any]] = {
    "/v1/images/generations": {
        "model": "gpt-image-2",
        "prompt": "a fox",
        "n": 1,
        "size": "1024x640",
        "quality": "low",
        "background": "opaque",
        "output_format": "jpeg",
        "output_compression": 50,
        "moderation": "low",
        "stream": False,
        "partial_images": 0,
    },
    "/v1/images/edits": {
        "model": "gpt-image-1.5",
        "prompt": "a fox",
        "size": "1024x1024",
        "images": [{"image_url": IMAGE}],
        "mask": None,
        "input_fidelity": "low",
    },
    "/api/v1/images": {
        "model": "openai/gpt-image-2",
        "prompt": "a fox",
        "n": 1,
        "size": "512x512",
        "resolution": None,
        "aspect_ratio": "1:1",
        "quality": "low",
        "output_format": "png",
        "output_compression": 50,
        "seed": 1,
        "stream": False,
        "input_references": [{"type": "image_url", "image_url": {"url": IMAGE}}],
    },
    "/api/v1/chat/completions": {
        "model": "google/gemini-2.5-flash-image",
        "messages": CHAT,
        "modalities": ["image"],
        "image_config": {"aspect_ratio": "1:1"},
        "stream": False,
    },
    "/fal/run/fal-ai/flux-2/edit": {
        "prompt": "a fox",
        "image_size": {"width": 512, "height": 512},
        "num_images": 1,
        "seed": 1,
        "output_format": "png",
        "image_urls": [IMAGE],
        "sync_mode": False,
    },
    "/fal/run/fal-ai/gpt-image-1.5/edit": {"prompt": "a fox", "image_urls": [IMAGE], "mask_image_url": IMAGE},
    "/fal/run/fal-ai/flux/dev/image-to-image": {"prompt": "a fox", "image_url": IMAGE, "strength": 0.5},
    "/fal/run/fal-ai/nano-banana-pro": {"prompt": "a fox", "aspect_ratio": "1:1", "resolution": "1K"},
    "/fal/api/v1/models/pricing/estimate": {
        "estimate_type": "unit_price",
        "endpoints": {"fal-ai/flux-2": {"unit_quantity": 1}},
    },
    "/fal/rest/storage/upload/initiate": {"file_name": "a.png", "content_type": "image/png"},
    f"/client/v4/accounts/{ACCOUNTS[0]}/ai/run/@cf/stabilityai/stable-diffusion-xl-base-1.0": {
        "prompt": "a fox",
        "width": 512,
        "height": 512,
        "seed": 1,
        "strength": 0.5,
        "image": IMAGE.partition(",")[2],
        "images": [],
    },
    "/sdapi/v1/img2img": {
        "prompt": "a fox",
        "width": 512,
        "height": 512,
        "steps": 20,
        "seed": 1,
        "init_images": [IMAGE],
        "mask": None,
        "denoising_strength": 0.5,
        "resize_mode": 1,
        "override_settings": None,
        "script_name": None,
    },
}


@pytest.mark.parametrize("path", CALLS)
async def test_an_odd_value_is_no_accident(path: str) -> None:
    good = CALLS[path]
    odd: list[Any] = [good | {name: value} for name in good for value in ODD]
    async with inside(instant=True) as client:
        if path.startswith("/fal"):
            client.headers["authorization"] = f"Key {KEYS['fal']}"
        answer = await client.post(path, json=good)
        assert answer.status_code == 200, answer.text
        for body in [*odd, [], "odd", 5, None]:
            answer = await client.post(path, json=body)
            # The WebUI itself takes a bad picture for an accident of its own.
            assert answer.status_code < 500 or "Invalid encoded image" in answer.text, (body, answer.text)
        broken = await client.post(path, content=b"{")

    assert 400 <= broken.status_code < 500


@pytest.mark.parametrize(
    "path", ["/api/v1/models?offset=x&limit=-1", "/fal/api/v1/models?limit=0", "/api/v1/generation"]
)
async def test_an_odd_query_is_no_accident(path: str) -> None:
    async with inside() as client:
        client.headers["authorization"] = (
            f"Key {KEYS['fal']}" if "/fal" in path else f"Bearer {KEYS['openrouter']}"
        )
        answer = await client.get(path)

    assert 400 <= answer.status_code < 500
