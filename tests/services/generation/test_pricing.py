from decimal import Decimal
from typing import Any

import pytest
from google.type.money_pb2 import Money
from inkweld.generation.v1.models_pb2 import Quote

from services.generation import catalogue
from services.generation.pricing import Asked, cost, money, quote
from services.generation.sizes import Sizes

MODELS = catalogue.load()


def model(name: str, kind: str = "openai") -> catalogue.Model:
    return MODELS.offered(kind, name)


def asked(size: str = "1024x1024", quality: str = "low", pictures: int = 1, prompt: str = "") -> Asked:
    return Asked(prompt, size, quality, pictures)


def dollars(text: str) -> Money:
    units, _, nanos = text.partition(".")
    return Money(currency_code="USD", units=int(units), nanos=int(nanos.ljust(9, "0")))


def test_ten_words_in_and_a_small_picture_out() -> None:
    usage = {"text_in": 10, "image_out": 272, "images": 1}

    assert cost(model("gpt-image-1.5"), usage, {}) == dollars("0.008754")


def test_every_kind_of_token_has_its_price() -> None:
    usage = {"text_in": 1, "image_in": 1, "text_out": 1, "image_out": 1}

    assert cost(model("gpt-image-1.5"), usage, {}) == dollars("0.000055")


def test_a_sum_above_a_dollar_has_units() -> None:
    assert cost(model("gpt-image-1-mini"), {"image_out": 312_500}, {}) == dollars("2.5")


def test_unknown_prices_stay_unknown() -> None:
    tokens = {"text_in": 10, "image_out": 272}

    assert cost(model("gpt-image-2.6-flare"), tokens, {}) is None
    assert cost(model("any", "stable-diffusion"), {"images": 4}, {}) is None
    assert cost(model("gpt-image-2"), {"images": 1}, {}) is None
    assert cost(model("gpt-image-2"), None, {}) is None
    assert cost(None, tokens, {}) is None
    assert quote(model("gpt-image-2.6-flare"), asked(), {}) is None
    assert quote(model("gpt-image-2.5-flare"), asked(), {}) is None
    assert quote(model("any", "stable-diffusion"), asked(), {}) is None


def test_a_token_without_a_price_makes_the_sum_unknown() -> None:
    mini = model("gpt-image-1-mini")

    assert cost(mini, {"image_out": 100, "text_out": 0}, {}) == dollars("0.0008")
    assert cost(mini, {"image_out": 100, "text_out": 1}, {}) is None


def test_the_administrators_price_holds() -> None:
    config = {"price_per_image": 0.002}
    any_checkpoint = model("any", "stable-diffusion")

    assert cost(any_checkpoint, {"images": 4}, config) == dollars("0.008")
    made = quote(any_checkpoint, asked(pictures=6), config)
    assert made is not None
    assert (made.lowest, made.highest) == (dollars("0.012"), dollars("0.012"))


def test_a_price_of_nothing_is_a_price() -> None:
    assert cost(model("any", "stable-diffusion"), {"images": 4}, {"price_per_image": 0}) == dollars("0.0")


def test_a_quote_is_exact_where_the_tokens_are() -> None:
    made = quote(model("gpt-image-1.5"), asked(pictures=2), {})

    assert made is not None
    assert (made.lowest, made.highest) == (dollars("0.017408"), dollars("0.017408"))


def test_words_may_cost_at_most_a_token_each_byte_in_each_call() -> None:
    made = quote(model("gpt-image-1.5"), asked(prompt="fuchs", pictures=11), {})

    assert made is not None
    assert made.highest == money(272 * 32_000 * 11 + 5 * 5_000 * 2)


def test_what_the_model_chooses_is_quoted_from_least_to_most() -> None:
    made = quote(model("gpt-image-1.5"), asked("auto", "auto"), {})

    assert made is not None
    assert (made.lowest, made.highest) == (dollars("0.008704"), dollars("0.19968"))
    assert quote(model("gpt-image-2"), asked("auto", "low"), {}) is None


def priced(**prices: Any) -> catalogue.Model:
    sizes = Sizes(offer=("1:1", "1:1@4K"), default="1:1")
    known = catalogue.Prices(**prices)
    return catalogue.Model(model="m", title="M", max_prompt=9, max_count=1, sizes=sizes, prices=known)


def test_what_the_provider_says_it_cost_is_what_it_cost() -> None:
    assert cost(None, {"images": 1, "dollars": Decimal("0.0391234567")}, {}) == dollars("0.039123457")
    assert cost(None, {"images": 1, "dollars": Decimal(0)}, {}) == dollars("0.0")


def test_units_times_their_price() -> None:
    usage: dict[str, int | Decimal] = {"images": 1, "units": Decimal("2.5")}
    usage["unit_price"] = Decimal("0.0345678")

    assert cost(None, usage, {}) == dollars("0.0864195")
    assert cost(None, {"images": 1, "units": Decimal("2.5")}, {}) is None


def test_a_picture_has_its_price_by_resolution_or_quality() -> None:
    pictures = {"1K": (Decimal("0.15"), Decimal("0.15")), "4K": (Decimal("0.30"), Decimal("0.30"))}
    pro = priced(pictures=pictures)

    assert quote(pro, asked("1:1", "", 2), {}) == Quote(lowest=dollars("0.3"), highest=dollars("0.3"))
    assert quote(pro, asked("1:1@4K", ""), {}) == Quote(lowest=dollars("0.3"), highest=dollars("0.3"))


def test_a_quality_nobody_chose_may_be_any() -> None:
    model = priced(
        pictures={"low": (Decimal("0.009"), Decimal("0.013")), "high": (Decimal("0.1"), Decimal("0.2"))}
    )

    assert quote(model, asked("1:1", ""), {}) == Quote(lowest=dollars("0.009"), highest=dollars("0.2"))
    assert quote(model, asked("1:1", "low"), {}) == Quote(lowest=dollars("0.009"), highest=dollars("0.013"))


def test_megapixels_count_when_they_begin() -> None:
    model = priced(first_megapixel=Decimal("0.03"), megapixel=Decimal("0.015"))

    assert quote(model, asked("1024x1024"), {}) == Quote(lowest=dollars("0.03"), highest=dollars("0.045"))
    assert quote(model, asked("512x512"), {}) == Quote(lowest=dollars("0.03"), highest=dollars("0.03"))
    assert quote(model, asked("1024x1024")._replace(references=1), {}) is None


def test_references_make_a_price_by_quality_unknown_and_no_other() -> None:
    by_quality = priced(pictures={"low": (Decimal("0.009"), Decimal("0.013"))})
    flat = priced(pictures={"any": (Decimal("0.039"), Decimal("0.039"))})
    with_reference = asked("1:1")._replace(references=1)

    assert quote(by_quality, with_reference, {}) is None
    assert quote(flat, with_reference, {}) == Quote(lowest=dollars("0.039"), highest=dollars("0.039"))


def test_a_resolution_without_a_price_is_unknown() -> None:
    model = priced(pictures={"1K": (Decimal("0.08"), Decimal("0.08"))})

    assert quote(model, asked("1:1@4K", ""), {}) is None


def test_what_references_take_in_tokens_is_known_only_after_the_call() -> None:
    with_reference = asked()._replace(references=1)

    assert quote(model("gpt-image-1.5"), asked(), {}) is not None
    assert quote(model("gpt-image-1.5"), with_reference, {}) is None


@pytest.mark.parametrize("tokens", [-1, 10**10, 10**30])
def test_a_count_nobody_could_have_used_makes_the_cost_unknown(tokens: int) -> None:
    assert cost(model("gpt-image-1.5"), {"text_in": 1, "image_out": tokens}, {}) is None
