"""Every cell of `docs/models.md` is held against the planner."""

from pathlib import Path
from typing import Any

import pytest
from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.errors.v1.error_reason_pb2 import ErrorReason
from inkweld.generation.v1.generations_pb2 import Generation

from runtime.failure import Failure
from services.generation import catalogue, table
from services.generation.capabilities import MAX_COUNT, most_pictures
from services.generation.catalogue import Model
from services.generation.planner import Planned, Planner
from services.generation.providers import discover

KINDS = discover()
CATALOGUE = catalogue.load()
PLANNER = Planner(CATALOGUE, KINDS)
PAGE = Path(__file__).parents[3] / "docs" / "models.md"
ALL = [(kind, model) for kind in sorted(KINDS) for model in CATALOGUE.models(kind)]
ALIVE = [pytest.param(kind, model, id=f"{kind}-{model.model}") for kind, model in ALL if not model.retired]
GONE = [pytest.param(kind, model, id=f"{kind}-{model.model}") for kind, model in ALL if model.retired]


def images(count: int) -> list[str]:
    return [f"projects/a/images/{number}" for number in range(count)]


def planned(kind: str, model: Model, wish: dict[str, Any], *, strict: bool = False) -> Planned:
    profile = Profile(
        name="profiles/a", title="A", provider="providers/a", model=model.model, image_input=True
    )
    if model.needs_reference:
        wish = {"input_images": images(1), **wish}
    return PLANNER.plan(profile, kind, Generation(**{"prompt": "a fox", "strict": strict, **wish}))


def size_of(model: Model, case: str) -> str:
    allowed = model.sizes.range
    if case == "others":
        return "99999x11"
    if not case.startswith("any of") or allowed is None:
        return case
    return "{}x{}".format(*next(allowed.near(allowed.max_ratio / 1.3)))


def wish(model: Model, claim: table.Claim) -> dict[str, Any]:
    """What a writer would ask, for a case of a parameter."""
    _, case, outcome = claim
    field = claim.parameter.replace(" ", "_")
    value = {"any": "high", "others": "unheard-of"}.get(case, case)
    pictures = 0 if case == "none" else most_pictures(model) + (outcome == table.ADAPTED)
    special: dict[str, dict[str, Any]] = {
        "prompt": {"prompt": "x" * (model.max_prompt + (case == "longer"))},
        "size": {"size": size_of(model, case) if field == "size" else ""},
        "count": {"count": model.max_count if outcome == table.HONOURED else MAX_COUNT},
        "seed": {"seed": 7},
        "input_images": {"input_images": images(pictures)},
        "mask": {"mask": "projects/a/images/0", "input_images": images(1)},
    }
    return special.get(field, {field: value})


def sent(done: Planned, parameter: str) -> Any:
    """What reaches the calls, or what is loaded for them."""
    match parameter:
        case "count":
            return done.tasks[0].count
        case "input images":
            return list(done.plan.input_images)
        case "mask":
            return done.plan.mask
        case _:
            return getattr(done.tasks[0], parameter.replace(" ", "_"))


def adapted(done: Planned) -> set[str]:
    return {change.field for change in done.plan.adaptations}


def refusal(kind: str, model: Model, asked: dict[str, Any], *, strict: bool = False) -> Failure:
    with pytest.raises(Failure) as caught:
        planned(kind, model, asked, strict=strict)
    return caught.value


def check(kind: str, model: Model, claim: table.Claim) -> None:
    asked = wish(model, claim)
    field = claim.parameter.replace(" ", "_")
    if claim.outcome == table.REFUSED:
        failure = refusal(kind, model, asked)
        assert failure.reason == ErrorReason.FIELD_INVALID
        assert f"generation.{field}" in (failure.fields or {})
        return
    done = planned(kind, model, asked)
    if claim.outcome == table.HONOURED:
        assert sent(done, claim.parameter) == asked[field]
        assert field not in adapted(done)
        return
    assert field in adapted(done)
    failure = refusal(kind, model, asked, strict=True)
    assert failure.reason == ErrorReason.ADAPTATION_REFUSED
    assert f"generation.{field}" in (failure.fields or {})


@pytest.mark.parametrize(("kind", "model"), ALIVE)
def test_every_cell_is_true(kind: str, model: Model) -> None:
    for claim in table.claims(model):
        try:
            check(kind, model, claim)
        except AssertionError as error:
            raise AssertionError(f"{kind} {model.model}: {claim}") from error


@pytest.mark.parametrize(("kind", "model"), GONE)
def test_models_that_are_gone_are_refused_with_their_successor(kind: str, model: Model) -> None:
    failure = refusal(kind, model, {})

    assert failure.reason == ErrorReason.MODEL_UNKNOWN
    assert (model.successor or "") in failure.message


def test_the_page_is_made_from_the_catalogue() -> None:
    stale = "stale; make it anew: .venv/bin/python -m services.generation.table > docs/models.md"

    assert PAGE.read_text() == table.page(CATALOGUE, KINDS), stale


def test_a_false_claim_is_found() -> None:
    model = CATALOGUE.offered("stable-diffusion", "x")

    with pytest.raises(AssertionError):
        check("stable-diffusion", model, table.Claim("quality", "any", table.HONOURED))
    with pytest.raises(AssertionError):
        check("stable-diffusion", model, table.Claim("seed", "any", table.ADAPTED))
