from typing import Any

import pytest
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure
from services.generation import catalogue
from services.generation.planner import Planner
from services.generation.providers import discover

PLANNER = Planner(catalogue.load(), discover())


def profile(model: str, *sizes: str, default: str = "", **config: Any) -> Profile:
    made = Profile(title="P", provider="providers/p", model=model, default_size=default)
    made.sizes.extend(sizes)
    made.model_config.update(config)
    return made


def problems(made: Profile, kind: str = "stable-diffusion") -> dict[str, str]:
    with pytest.raises(Failure) as caught:
        PLANNER.check_profile(made, kind)
    assert caught.value.reason == ErrorReason.FIELD_INVALID
    return caught.value.fields


def test_a_sound_profile_passes() -> None:
    PLANNER.check_profile(
        profile(
            "x", "512x512", "1:1@1K", default="512x512", steps=20, cfg_scale=7, override_settings={"a": 1}
        ),
        "stable-diffusion",
    )
    PLANNER.check_profile(profile("gpt-image-2", "auto", "16:9@2K", quality="high"), "openai")


def test_a_kind_nobody_speaks_is_refused() -> None:
    assert problems(profile("x"), "smoke-signals").keys() == {"profile.provider"}


def test_a_model_that_is_gone_is_refused() -> None:
    assert "gpt-image-2.6-sunburst" in problems(profile("gpt-image-1"), "openai")["profile.model"]


@pytest.mark.parametrize(
    ("config", "path", "rule"),
    [
        ({"steps": 0}, "steps", "must be at least 1"),
        ({"steps": 1000}, "steps", "must be at most 150"),
        ({"steps": "many"}, "steps", "must be of type integer"),
        ({"steps": 2.5}, "steps", "must be of type integer"),
        ({"steps": None}, "steps", "must be of type integer"),
        ({"tiling": "yes"}, "tiling", "must be of type boolean"),
        ({"styles": [1]}, "styles.0", "must be of type string"),
        ({"sampler_name": ""}, "sampler_name", "must have at least 1 characters"),
    ],
)
def test_config_is_held_against_its_schema(config: dict[str, Any], path: str, rule: str) -> None:
    assert problems(profile("x", **config)) == {f"profile.model_config.{path}": rule}


def test_an_unknown_setting_names_the_known_ones() -> None:
    (rule,) = problems(profile("x", stepz=3)).values()

    assert rule.startswith("is not known; allowed are alwayson_scripts, cfg_scale")


def test_a_word_must_be_one_of_the_models() -> None:
    assert problems(profile("gpt-image-1.5", quality="max"), "openai") == {
        "profile.model_config.quality": "must be one of auto, low, medium, high"
    }
    assert problems(profile("gpt-image-1.5", moderation="none"), "openai") == {
        "profile.model_config.moderation": "must be one of auto, low"
    }


def test_every_wrong_size_is_named() -> None:
    assert problems(profile("gpt-image-1.5", "1024x1024", "512x512", "16:9"), "openai") == {
        "profile.sizes[1]": "is no size of this model; the nearest is 1024x1024",
        "profile.sizes[2]": "is no size of this model; the nearest is 1536x1024",
    }


def test_the_default_is_one_of_the_sizes() -> None:
    assert problems(profile("x", "512x512", default="768x768")) == {
        "profile.default_size": "must be one of 512x512"
    }
    assert problems(profile("x", default="9999x9999")).keys() == {"profile.default_size"}
