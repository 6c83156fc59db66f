"""What our adapters send, against the providers' published descriptions.

They are not part of this repository: INKWELD_CONTRACTS names the folder they are in, if there is one. They
are older than the services; what they cannot know yet is left out of what is checked, and says so here.
"""

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.generation import catalogue
from services.generation.catalogue import Model
from services.generation.providers import Picture, Task, discover
from tests.deploy.sandbox import test_contracts
from tests.deploy.sandbox.test_contracts import against, schema
from tests.services.generation.providers.fakes import PNG, FakeFal, FakeOpenAI, FakeOpenRouter, api, events

FOLDER = test_contracts.FOLDER
pytestmark = pytest.mark.skipif(
    not (FOLDER and Path(FOLDER).is_dir()), reason="INKWELD_CONTRACTS names no folder"
)

KINDS = discover()
CATALOGUE = catalogue.load()
PICTURE = Picture(PNG, "image/png", 64, 64)

# Younger than the descriptions.
YOUNG_QUALITIES = ("xhigh", "max")
YOUNG_RATIOS = ("2.35:1", "5:2", "5:7", "7:5")
YOUNG_RESOLUTIONS = ("768", "1.5K")
OPENAI_SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")


def models(kind: str) -> Sequence[Model]:
    named = [model for model in CATALOGUE.models(kind) if model.model != catalogue.ANY]
    return [model for model in named if not model.retired]


def named(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", models(kind), ids=lambda model: model.model)


def wishes(model: Model, *, references: int = 0) -> Iterator[Task]:
    """Everything the catalogue says may be asked of a model, one thing after the other."""
    given = tuple([PICTURE] * references)
    plain = Task(
        model=model.model,
        prompt="a fox",
        count=model.max_count,
        size=model.sizes.default,
        form=model.form,
        references=given,
    )
    yield plain
    yield replace(
        plain, seed=7 if model.seed else None, negative_prompt="dogs" if model.negative_prompt else ""
    )
    for size in (*model.sizes.offer, *(("auto",) if model.sizes.auto else ())):
        yield replace(plain, size=size)
    for quality in model.qualities:
        yield replace(plain, quality=quality)
    for output_format in model.output_formats:
        yield replace(plain, output_format=output_format)
    for background in model.backgrounds:
        yield replace(plain, background=background)
    if given and model.mask:
        yield replace(plain, mask=PICTURE)


def drawing(model: Model) -> Iterator[Task]:
    if not model.needs_reference:
        yield from wishes(model)
    if model.max_references:
        yield from wishes(model, references=1)
        yield from wishes(model, references=model.max_references)


def older(body: dict[str, Any]) -> dict[str, Any]:
    """The request without what its description is too old for."""
    young = {"quality": YOUNG_QUALITIES, "aspect_ratio": YOUNG_RATIOS, "resolution": YOUNG_RESOLUTIONS}
    return {name: value for name, value in body.items() if value not in young.get(name, ())}


async def test_a_request_that_is_wrong_is_refused() -> None:
    check = against("openai-images.openapi.yaml")

    with pytest.raises(jsonschema.ValidationError):
        check(schema("CreateImageRequest"), {"prompt": "a fox", "n": "1"})


@named("openai")
async def test_openais_generations_fit(model: Model) -> None:
    check, fake = against("openai-images.openapi.yaml"), FakeOpenAI()
    config = {"moderation": "low", "output_compression": 50, "user": "someone"}
    for wish in wishes(model):
        await events(KINDS["openai"], replace(wish, config=config), api(KINDS["openai"], fake))

    assert set(fake.paths) == {"/v1/images/generations"}
    for body in fake.bodies:
        check(schema("CreateImageRequest"), older(body))


@named("openai")
async def test_openais_edits_in_json_fit(model: Model) -> None:
    check, fake = against("openai-images.openapi.yaml"), FakeOpenAI()
    config = {"moderation": "low", "input_fidelity": "low"}
    for wish in (wish for count in {1, model.max_references} for wish in wishes(model, references=count)):
        await events(KINDS["openai"], replace(wish, config=config), api(KINDS["openai"], fake))

    assert set(fake.paths) == {"/v1/images/edits"}
    for body in fake.bodies:
        # The description knows three sizes; the newer models take more.
        known = {name: value for name, value in body.items() if name != "size" or value in OPENAI_SIZES}
        check(schema("EditImageBodyJsonParam"), older(known))


@named("openai")
async def test_openais_edits_as_a_form_have_the_described_parts(model: Model) -> None:
    described = properties("openai-images.openapi.yaml", "CreateImageEditRequest")
    fake = FakeOpenAI()
    for wish in wishes(model, references=model.max_references):
        await events(KINDS["openai"], wish, api(KINDS["openai"], fake))

    assert {name.removesuffix("[]") for body in fake.bodies for name in body} <= described


@named("openrouter")
async def test_openrouters_requests_fit(model: Model) -> None:
    check, fake = against("openrouter-images.openapi.yaml"), FakeOpenRouter()
    described = properties("openrouter-images.openapi.yaml", "ImageGenerationRequest")
    config = {"api": "images", "provider": {"only": ["a"], "order": ["b"], "ignore": ["c"]}}
    for wish in drawing(model):
        await events(KINDS["openrouter"], replace(wish, config=config), api(KINDS["openrouter"], fake))

    assert fake.bodies
    for body in fake.bodies:
        check(schema("ImageGenerationRequest"), older(body))
        assert body.keys() <= described


@named("falai")
async def test_fals_inputs_fit(model: Model) -> None:
    check, fake = against("fal-models.schema.json"), FakeFal()
    for wish in drawing(model):
        await events(KINDS["falai"], wish, api(KINDS["falai"], fake))

    known = [body for body in fake.bodies if body["model"] in fal_models()]
    if not known:
        pytest.skip("the description has neither this model nor its edits")
    for body in known:
        name = body.pop("model")
        check(f"/models/{name.replace('/', '~1')}/input", body)
        unknown = body.keys() - fal_models()[name]["input"]["properties"].keys()
        assert not unknown, f"{name} is not said to take {unknown}"


@functools.cache
def properties(file: str, name: str) -> frozenset[str]:
    """The names of all fields of a schema."""
    described = yaml.safe_load((Path(FOLDER) / file).read_text())["components"]["schemas"][name]
    return frozenset(described["properties"])


@functools.cache
def fal_models() -> dict[str, Any]:
    described: dict[str, Any] = json.loads((Path(FOLDER) / "fal-models.schema.json").read_text())["models"]
    return described
