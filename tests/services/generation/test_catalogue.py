from pathlib import Path

import pytest
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation.catalogue import Catalogue, CatalogueError, load
from services.generation.sizes import resolve

MODEL = """
kinds:
  k:
    - model: m
      title: M
      max_prompt: 10
      max_count: 1
      sizes: {offer: [512x512], default: 512x512}
"""


def loaded(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "catalogue.yaml"
    path.write_text(text)
    return load(path)


def test_our_own_is_sound() -> None:
    catalogue = load()

    assert {model.model for model in catalogue.models("openai")} >= {
        *("gpt-image-2", "gpt-image-2.5-sunburst", "gpt-image-2.5-flare", "gpt-image-2.6-sunburst"),
        *("gpt-image-2.6-flare", "gpt-image-1.5", "gpt-image-1-mini", "gpt-image-1", "*"),
    }


def test_models_that_end_say_when_and_what_follows() -> None:
    mini = load().offered("openai", "gpt-image-1-mini")

    assert str(mini.end_date) == "2026-12-01"
    assert mini.successor == "gpt-image-2.6-flare"


def test_a_model_that_is_gone_is_unknown() -> None:
    with pytest.raises(Failure, match=r"gpt-image-2\.6-sunburst takes its place") as caught:
        load().offered("openai", "gpt-image-1")

    assert caught.value.reason == ErrorReason.MODEL_UNKNOWN
    assert caught.value.metadata == {"model": "gpt-image-1"}


def test_any_checkpoint_is_known() -> None:
    assert load().offered("stable-diffusion", "whatever.safetensors").max_count == 4


def test_a_model_nobody_lists_is_unknown(tmp_path: Path) -> None:
    catalogue = loaded(tmp_path, MODEL)

    with pytest.raises(Failure) as caught:
        catalogue.offered("k", "other")

    assert caught.value.reason == ErrorReason.MODEL_UNKNOWN
    assert catalogue.find("other", "m") is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("max_prompt: 10=>max_prompt: many", "max_prompt"),
        ("max_prompt: 10=>max_prompt: 0", "max_prompt"),
        ("title: M=>titel: M", "titel"),
        ("title: M=>", "title"),
        ("default: 512x512=>default: 640x640", "the default size is not offered"),
        ("512x512=>large", "a size that is none"),
        ("title: M=>title: M\n      successor: n", "its successor n is not listed"),
        ("title: M=>title: M\n      retired: true", "retired without"),
        ("title: M=>title: M\n      output_tokens: {low: {512x512: [1, 2]}}", "unknown quality low"),
        ("kinds:=>kinds: [", "catalogue.yaml"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, wrong: str, said: str) -> None:
    old, new = wrong.split("=>")

    with pytest.raises(CatalogueError, match=said):
        loaded(tmp_path, MODEL.replace(old, new))


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("black-forest-labs/flux-schnell", "flux.2-klein-4b takes its place"),
        ("black-forest-labs/flux-pro", "flux.2-pro takes its place"),
        ("stabilityai/stable-diffusion-3", "fal-ai/stable-diffusion-v35-large"),
        ("openai/gpt-image-1", "openai/gpt-image-2 takes its place"),
    ],
)
def test_names_of_old_are_explained(old: str, said: str) -> None:
    with pytest.raises(Failure, match=said):
        load().offered("openrouter", old)


def test_every_model_can_be_asked_for_every_manner_of_size() -> None:
    catalogue = load()
    for kind in ("openai", "openrouter", "falai", "workersai", "stable-diffusion"):
        for model in catalogue.models(kind):
            for asked in ("auto", "1024x1024", "8000x100", "16:9", "9:19.5", "4:3@4K"):
                sent = resolve(asked, model.sizes)
                assert resolve(sent, model.sizes) == sent


def test_the_edit_form_of_a_model_is_listed_and_needs_a_picture() -> None:
    catalogue = load()
    for model in catalogue.models("falai"):
        edit = model.form.get("edit")
        assert edit is None or catalogue.offered("falai", edit).needs_reference
