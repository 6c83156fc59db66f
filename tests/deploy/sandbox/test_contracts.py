"""The sandbox's answers against the providers' published descriptions.

They are not part of this repository: INKWELD_CONTRACTS names the folder they are in, if there is one. The
sizes are those every description allows; the providers themselves have gone further.
"""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from deploy.sandbox.fal_facts import MODELS as FAL_MODELS
from deploy.sandbox.keys import KEYS
from tests.deploy.sandbox.house import inside, order
from tests.deploy.sandbox.pictures import RED, half_clear, in_url, plain

FOLDER = os.environ.get("INKWELD_CONTRACTS", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="INKWELD_CONTRACTS names no folder")

Check = Callable[[str, Any], None]
OPENAI = {"model": "gpt-image-2", "prompt": "a fox", "size": "1024x1024", "quality": "low"}
KLEIN = {"model": "black-forest-labs/flux.2-klein-4b", "prompt": "a fox", "size": "512x512"}


@functools.cache
def against(file: str) -> Check:
    """Checks a document against a part of a description."""
    text = (Path(FOLDER) / file).read_text()
    document = json.loads(text) if file.endswith(".json") else yaml.safe_load(text)
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:contract", resource)

    def check(pointer: str, answer: Any) -> None:
        schema = {"$ref": f"urn:contract#{pointer}"}
        jsonschema.Draft202012Validator(schema, registry=registry).validate(answer)

    return check


def schema(name: str) -> str:
    return f"/components/schemas/{name}"


def good_answer(path: str, status: int = 200, method: str = "get") -> str:
    escaped = path.replace("/", "~1")
    return f"/paths/{escaped}/{method}/responses/{status}/content/application~1json/schema"


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    found = [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: {")]
    assert found, answer.text
    return found


async def test_a_description_refuses_what_it_should() -> None:
    with pytest.raises(jsonschema.ValidationError):
        against("openai-images.openapi.yaml")(schema("ImagesResponse"), {"created": "today"})


async def test_openais_answers_fit() -> None:
    check = against("openai-images.openapi.yaml")
    async with inside(instant=True) as client:
        check(schema("ListModelsResponse"), (await client.get("/v1/models")).json())
        check(schema("Model"), (await client.get("/v1/models/gpt-image-2")).json())
        drawn = await client.post("/v1/images/generations", json=OPENAI | {"n": 2})
        check(schema("ImagesResponse"), drawn.json())
        images = {"images": [{"image_url": in_url(plain(RED))}], "mask": {"image_url": in_url(half_clear())}}
        edited = await client.post("/v1/images/edits", json=OPENAI | images)
        check(schema("ImagesResponse"), edited.json())
        refused = await client.post("/v1/images/generations", json=OPENAI | {"n": 11})
        check(schema("ErrorResponse"), refused.json())


async def test_openais_streams_fit() -> None:
    check = against("openai-images.openapi.yaml")
    wanted = OPENAI | {"stream": True, "partial_images": 1}
    async with inside(instant=True) as client:
        for event in events(await client.post("/v1/images/generations", json=wanted)):
            check(schema("ImageGenStreamEvent"), event)
        images = {"images": [{"image_url": in_url(plain(RED))}]}
        for event in events(await client.post("/v1/images/edits", json=wanted | images)):
            check(schema("ImageEditStreamEvent"), event)


async def test_openrouters_answers_fit() -> None:
    check, base = against("openrouter-images.openapi.yaml"), "/api/v1"
    async with inside(instant=True) as client:
        drawn = await client.post(f"{base}/images", json=KLEIN)
        check(schema("ImageGenerationResponse"), drawn.json())
        for path in ("/key", "/credits"):
            check(good_answer(path), (await client.get(base + path)).json())
        number = drawn.headers["x-generation-id"]
        check(schema("GenerationResponse"), (await client.get(f"{base}/generation?id={number}")).json())
        models = await client.get(f"{base}/models", params={"output_modalities": "all"})
        check(schema("ModelsListResponse"), models.json())


async def test_openrouters_listings_fit() -> None:
    check, base = against("openrouter-images.openapi.yaml"), "/api/v1/images/models"
    async with inside() as client:
        models = (await client.get(base)).json()
        check(schema("ImageModelsListResponse"), models)
        for model in models["data"]:
            check(schema("ImageModelEndpointsResponse"), (await client.get(model["endpoints"])).json())


async def test_openrouters_streams_fit() -> None:
    check = against("openrouter-images.openapi.yaml")
    wanted = KLEIN | {"model": "openai/gpt-image-2", "stream": True}
    async with inside(instant=True) as client:
        seen = events(await client.post("/api/v1/images", json=wanted))
        await order(client, stream_error=True)
        seen += events(await client.post("/api/v1/images", json=wanted))

    for event in seen:
        check(schema("ImageStreamingResponse"), {"data": event})


@pytest.mark.parametrize(
    ("refusal", "name"),
    [
        ("bad_value", "BadRequest"),
        ("wrong_key", "Unauthorized"),
        ("no_credit", "PaymentRequired"),
        ("moderation", "Forbidden"),
        ("model_gone", "NotFound"),
        ("too_large", "PayloadTooLarge"),
        ("rate_limit", "TooManyRequests"),
        ("internal", "InternalServer"),
        ("server_error", "BadGateway"),
        ("edge_timeout", "EdgeNetworkTimeout"),
        ("provider_overloaded", "ProviderOverloaded"),
    ],
)
async def test_openrouters_refusals_fit(refusal: str, name: str) -> None:
    check = against("openrouter-images.openapi.yaml")
    async with inside() as client:
        await order(client, refuse=refusal)
        check(schema(f"{name}Response"), (await client.post("/api/v1/images", json=KLEIN)).json())


async def test_fals_outputs_fit() -> None:
    check = against("fal-models.schema.json")
    described = json.loads((Path(FOLDER) / "fal-models.schema.json").read_text())["models"]
    given = {"prompt": "a fox", "image_urls": [in_url(plain(RED))], "image_url": in_url(plain(RED))}
    async with inside(instant=True) as client:
        client.headers["authorization"] = f"Key {KEYS['fal']}"
        for name in sorted(described.keys() & FAL_MODELS.keys()):
            answer = await client.post(f"/fal/run/{name}", json=given)
            assert answer.status_code == 200, answer.text
            check(f"/models/{name.replace('/', '~1')}/output", answer.json())
