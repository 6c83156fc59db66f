from datetime import date
from typing import Any

import pytest
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1.generations_pb2 import Element, Generation

from runtime.failure import Failure
from services.generation import catalogue
from services.generation.planner import Planner
from services.generation.providers import discover

PLANNER = Planner(catalogue.load(), discover())
SD = "stable-diffusion"


def checkpoint(*sizes: str, default: str = "", **config: Any) -> Profile:
    profile = Profile(name="profiles/sd", title="Foxes", provider="providers/sd", model="foxes", revision=3)
    profile.sizes.extend(sizes)
    profile.default_size = default
    profile.model_config.update(config)
    return profile


def gpt(model: str = "gpt-image-1.5", **config: Any) -> Profile:
    profile = Profile(name="profiles/gpt", title="GPT", provider="providers/openai", model=model)
    profile.model_config.update(config)
    return profile


def asked(**fields: Any) -> Generation:
    return Generation(**{"prompt": "a fox", **fields})


def failure(profile: Profile, kind: str, generation: Generation) -> Failure:
    with pytest.raises(Failure) as caught:
        PLANNER.plan(profile, kind, generation)
    return caught.value


def adapted(profile: Profile, kind: str, generation: Generation) -> dict[str, tuple[str, str]]:
    plan = PLANNER.plan(profile, kind, generation).plan
    return {change.field: (change.asked, change.sent) for change in plan.adaptations}


def test_a_plain_wish_is_sent_as_it_is() -> None:
    plan, tasks = vars(PLANNER.plan(checkpoint(), SD, asked(negative_prompt="rain", seed=7))).values()

    assert (plan.profile_title, plan.profile_revision, plan.provider) == ("Foxes", 3, "providers/sd")
    assert (plan.model, plan.compiled_prompt, plan.negative_prompt) == ("foxes", "a fox", "rain")
    assert (plan.size, list(plan.counts), plan.seed) == ("1024x1024", [1], 7)
    assert list(plan.adaptations) == []
    assert not plan.HasField("quote")
    assert [(task.model, task.prompt, task.size, task.seed) for task in tasks] == [
        ("foxes", "a fox", "1024x1024", 7)
    ]


def test_the_profiles_config_goes_with_every_task() -> None:
    (task,) = PLANNER.plan(checkpoint(steps=30, cfg_scale=6.5, styles=["ink"]), SD, asked()).tasks

    assert task.config == {"steps": 30, "cfg_scale": 6.5, "styles": ["ink"]}
    assert isinstance(task.config["steps"], int)


def test_a_count_is_split_and_the_seed_counts_on() -> None:
    planned = PLANNER.plan(checkpoint(), SD, asked(count=9, seed=4294967295))

    assert list(planned.plan.counts) == [4, 4, 1]
    assert [task.seed for task in planned.tasks] == [4294967295, 3, 7]
    assert adapted(checkpoint(), SD, asked(count=9))["count"] == ("9", "3 calls")


def test_a_size_the_profile_lacks_is_refused_by_name() -> None:
    error = failure(checkpoint("512x512", "768x512"), SD, asked(size="1024x1024"))

    assert error.reason == ErrorReason.FIELD_INVALID
    assert error.fields == {"generation.size": "must be one of 512x512, 768x512"}


@pytest.mark.parametrize(
    ("profile", "size"),
    [
        (checkpoint(), "1024x1024"),
        (checkpoint("512x512", "1024x1024"), "1024x1024"),
        (checkpoint("512x512", "768x512"), "512x512"),
        (checkpoint("512x512", "768x512", default="768x512"), "768x512"),
        (checkpoint(default="16:9"), "1368x768"),
    ],
)
def test_without_a_size_the_default_is_taken(profile: Profile, size: str) -> None:
    assert PLANNER.plan(profile, SD, asked()).plan.size == size
    assert adapted(profile, SD, asked()) == {}


def test_a_size_the_model_cannot_draw_is_snapped_and_told() -> None:
    assert adapted(gpt(), "openai", asked(size="1920x1080")) == {"size": ("1920x1080", "1536x1024")}
    assert adapted(checkpoint(), SD, asked(size="1023x1023")) == {"size": ("1023x1023", "1024x1024")}


def test_a_prompt_too_long_for_the_model_is_refused_with_the_limit() -> None:
    error = failure(gpt(), "openai", asked(prompt="x" * 32_001))

    assert error.fields == {"generation.prompt": "must have at most 32000 characters for this model"}


def test_everything_the_model_does_not_take_is_told() -> None:
    wish = asked(
        negative_prompt="rain",
        seed=0,
        input_images=["projects/a/images/b", "projects/a/images/c"],
        mask="projects/a/images/d",
    )

    assert adapted(gpt(), "openai", wish) == {
        "negative_prompt": ("rain", ""),
        "seed": ("0", ""),
        "input_images": ("2", ""),
        "mask": ("projects/a/images/d", ""),
    }
    wish = asked(quality="high", output_format="webp", background="transparent")
    assert adapted(checkpoint(), SD, wish).keys() == {"quality", "output_format", "background"}


def test_strict_refuses_what_would_be_changed() -> None:
    error = failure(gpt(), "openai", asked(seed=7, size="16:9", strict=True))

    assert error.reason == ErrorReason.ADAPTATION_REFUSED
    assert error.metadata == {"field": "size"}
    assert error.fields.keys() == {"generation.size", "generation.seed"}


def test_strict_lets_through_what_is_not_changed() -> None:
    assert PLANNER.plan(gpt(), "openai", asked(size="1:1", strict=True)).plan.size == "1024x1024"


def test_a_quality_the_model_does_not_know_is_refused_by_name() -> None:
    assert failure(gpt(), "openai", asked(quality="hihg")).fields == {
        "generation.quality": "must be one of auto, low, medium, high"
    }


def test_the_request_wins_over_the_profile() -> None:
    profile = gpt(quality="low", output_format="webp", background="opaque")

    plain = PLANNER.plan(profile, "openai", asked()).plan
    other = PLANNER.plan(
        profile, "openai", asked(quality="high", output_format="png", background="auto")
    ).plan

    assert (plain.quality, plain.output_format, plain.background) == ("low", "webp", "opaque")
    assert (other.quality, other.output_format, other.background) == ("high", "png", "auto")
    negative = checkpoint(negative_prompt="text")
    assert PLANNER.plan(negative, SD, asked()).plan.negative_prompt == "text"
    assert PLANNER.plan(negative, SD, asked(negative_prompt="rain")).plan.negative_prompt == "rain"


def test_a_transparent_picture_is_no_jpeg() -> None:
    wish = asked(background="transparent", output_format="jpeg")

    assert adapted(gpt(), "openai", wish) == {"output_format": ("jpeg", "png")}


def test_elements_that_do_not_fit_are_told() -> None:
    fox = Element(name="Fox", role=Element.SUBJECT, role_description="x" * 2000)

    assert adapted(gpt(), "openai", asked(prompt="w" * 31_000, elements=[fox])) == {
        "elements": ("Fox", "shortened")
    }


def test_a_plan_tells_whose_words_are_sent() -> None:
    fox = Element(name="Fox", role=Element.SUBJECT, description="Red.", role_description="asleep")
    plan = PLANNER.plan(checkpoint(), SD, asked(elements=[fox])).plan

    assert [(part.text, part.element) for part in plan.prompt_parts] == [
        ("a fox", ""),
        (", ", ""),
        ("Fox, asleep, Red", "Fox"),
    ]
    assert "".join(part.text for part in plan.prompt_parts) == plan.compiled_prompt


def test_strict_names_all_that_is_left_out_of_elements() -> None:
    hair = {"hair": "x" * 900}
    elements = [Element(name=name, role=Element.SUBJECT, data=hair) for name in ("Fox", "Owl")]
    elements[1].description = "y " * 600

    error = failure(gpt(), "openai", asked(prompt="w" * 31_800, elements=elements, strict=True))

    assert error.reason == ErrorReason.ADAPTATION_REFUSED
    assert (error.fields or {})["generation.elements"].count("no room") == 2


def test_pictures_of_elements_follow_the_writers_own() -> None:
    fox = Element(name="Fox", role=Element.SUBJECT, image=PICTURES[1])
    owl = Element(name="Owl", role=Element.SUBJECT, image=PICTURES[2], omit_picture=True)
    wish = asked(input_images=PICTURES[:1], elements=[owl, fox])

    assert list(PLANNER.plan(seeing(gpt()), "openai", wish).plan.input_images) == PICTURES[:2]
    assert adapted(seeing(gpt()), "openai", wish) == {}
    assert adapted(seeing(checkpoint()), SD, wish) == {"elements": ("Fox", "words only")}
    assert adapted(gpt(), "openai", wish).keys() == {"input_images", "elements"}


def test_a_plan_quotes_its_price() -> None:
    quote = PLANNER.plan(gpt(), "openai", asked(quality="low", count=2)).plan.quote

    assert quote.lowest.nanos == 272 * 32_000 * 2


def test_a_model_that_is_gone_is_refused() -> None:
    assert failure(gpt("gpt-image-1"), "openai", asked()).reason == ErrorReason.MODEL_UNKNOWN


def test_a_profile_says_what_may_be_asked() -> None:
    narrow = PLANNER.capabilities(checkpoint("512x512", "768x512", price_per_image=0.5), SD)
    wide = PLANNER.capabilities(gpt("gpt-image-2.6-flare"), "openai")

    assert narrow.name == "profiles/sd/capabilities"
    assert (list(narrow.sizes), narrow.default_size, narrow.any_size) == (
        ["512x512", "768x512"],
        "512x512",
        False,
    )
    assert (narrow.negative_prompt, narrow.seed, narrow.max_count, list(narrow.qualities)) == (
        True,
        True,
        16,
        [],
    )
    assert narrow.price.highest.nanos == 500_000_000
    assert wide.any_size
    assert "auto" in wide.sizes
    assert "xhigh" in wide.qualities
    assert not wide.HasField("price")


def test_a_profile_says_when_its_model_ends() -> None:
    def ends(model: str, day: date, kind: str = "openai") -> tuple[str, str, bool] | None:
        found = PLANNER.capabilities(gpt(model), kind, day)
        ending = found.model_notice
        return (ending.end_date, ending.successor, ending.ended) if found.HasField("model_notice") else None

    until = ("2026-12-01", "gpt-image-2.6-sunburst")
    assert ends("gpt-image-1.5", date(2026, 10, 31)) is None
    assert ends("gpt-image-1.5", date(2026, 11, 1)) == (*until, False)
    assert ends("gpt-image-1.5", date(2026, 12, 1)) == (*until, True)
    assert ends("gpt-image-1", date(2026, 10, 1)) == ("2026-10-23", "gpt-image-2.6-sunburst", True)
    assert ends("gpt-image-2", date(2036, 1, 1)) is None


def test_kinds_and_models_are_listed() -> None:
    kinds = {kind.name: kind for kind in PLANNER.kinds()}
    models = PLANNER.models("openai")

    assert {"kinds/openai", "kinds/stable-diffusion"} <= set(kinds)
    assert list(kinds["kinds/stable-diffusion"].requires) == ["endpoint"]
    assert kinds["kinds/openai"].default_endpoint == "https://api.openai.com/v1"
    assert "steps" in kinds["kinds/stable-diffusion"].config_schema.fields["properties"].struct_value
    assert "kinds/openai/models/gpt-image-2" in {model.name for model in models}
    assert "gpt-image-1" not in {model.model for model in models}
    assert {model.end_date for model in models if model.model == "gpt-image-1.5"} == {"2026-12-01"}
    with pytest.raises(Failure):
        PLANNER.models("other")


PICTURES = [f"projects/a/images/{number}" for number in range(3)]


def seeing(profile: Profile) -> Profile:
    profile.image_input = True
    return profile


def test_pictures_are_sent_where_model_and_profile_take_them() -> None:
    plan = PLANNER.plan(seeing(gpt()), "openai", asked(input_images=PICTURES, mask=PICTURES[0])).plan

    assert (list(plan.input_images), plan.mask) == (PICTURES, PICTURES[0])
    assert list(plan.adaptations) == []


def test_of_too_many_pictures_the_first_are_sent_and_it_is_told() -> None:
    wish = asked(input_images=PICTURES)

    assert list(PLANNER.plan(seeing(checkpoint()), SD, wish).plan.input_images) == PICTURES[:1]
    assert adapted(seeing(checkpoint()), SD, wish) == {"input_images": ("3", "1")}
    wish.strict = True
    assert failure(seeing(checkpoint()), SD, wish).reason == ErrorReason.ADAPTATION_REFUSED


def test_a_profile_that_sends_no_pictures_says_so() -> None:
    wish = asked(input_images=PICTURES[:1], mask=PICTURES[1])

    assert list(PLANNER.plan(gpt(), "openai", wish).plan.input_images) == []
    assert adapted(gpt(), "openai", wish) == {"input_images": ("1", ""), "mask": (PICTURES[1], "")}
    assert PLANNER.capabilities(gpt(), "openai").max_input_images == 0
    assert PLANNER.capabilities(seeing(gpt()), "openai").max_input_images == 16
    assert PLANNER.capabilities(seeing(gpt()), "openai").mask


def test_a_mask_needs_its_picture() -> None:
    assert set(failure(seeing(gpt()), "openai", asked(mask=PICTURES[0])).fields) == {"generation.mask"}


def test_what_draws_from_pictures_wants_one() -> None:
    profile = seeing(Profile(name="profiles/e", title="E", model="fal-ai/flux-2-pro/edit"))

    assert set(failure(profile, "falai", asked()).fields) == {"generation.input_images"}
    assert PLANNER.plan(profile, "falai", asked(input_images=PICTURES)).tasks
