"""What pictures cost: quoted before, computed from what the provider counted after.

All sums are whole nano-dollars. None is unknown, and unknown is never zero.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from math import prod
from typing import Any, NamedTuple

from google.type import money_pb2
from inkweld.generation.v1.models_pb2 import Quote

from services.generation.catalogue import Model, Prices
from services.generation.providers import Usage
from services.generation.sizes import parse

_NANOS = 1_000_000_000
_MOST = 1_000_000  # dollars or units of a call
_MOST_TOKENS = 1_000_000_000  # of a call
# A price per million tokens in dollars, times this, is nano-dollars per token.
_PER_TOKEN = 1000
_UNITS = ("text_in", "image_in", "text_out", "image_out")


class Asked(NamedTuple):
    """What decides about a price before the call."""

    prompt: str
    size: str
    quality: str
    pictures: int
    references: int = 0


def quote(model: Model, asked: Asked, config: Mapping[str, Any]) -> Quote | None:
    """The least and the most it can cost; None when that cannot be said."""
    price = _administrators(config)
    if price is not None:
        return _quote(price * asked.pictures, price * asked.pictures)
    prices = model.prices
    if prices is None:
        return None
    if of_one := _per_picture(prices, asked) or _per_megapixel(prices, asked):
        return _quote(of_one[0] * asked.pictures, of_one[1] * asked.pictures)
    tokens = list(_output_tokens(model, asked))
    # How many tokens a reference takes is known only after the call.
    if asked.references or not tokens or prices.image_out is None or prices.text_in is None:
        return None
    per_token = _nanos(prices.image_out)
    # Not one token for the words at least, one for each byte at most, in every call.
    words = _nanos(prices.text_in) * len(asked.prompt.encode()) * -(-asked.pictures // model.max_count)
    return _quote(per_token * min(tokens) * asked.pictures, per_token * max(tokens) * asked.pictures + words)


def cost(model: Model | None, usage: Usage | None, config: Mapping[str, Any]) -> money_pb2.Money | None:
    """What a call cost: by the administrator's price, the provider's word, or its count of what it bills."""
    if usage is None:
        return None
    price = _administrators(config)
    if price is not None:
        return money(int(price * usage["images"])) if "images" in usage else None
    if "dollars" in usage:
        return _stated(usage["dollars"])
    if "units" in usage:
        return _stated(usage["units"], usage.get("unit_price"))
    if model is None or model.prices is None or not any(unit in usage for unit in _UNITS):
        return None
    parts = [_part(model.prices, unit, int(usage.get(unit, 0))) for unit in _UNITS]
    known = [part for part in parts if part is not None]
    return money(sum(known)) if len(known) == len(parts) else None


def money(nanos: int) -> money_pb2.Money:
    """A sum in US dollars."""
    units, rest = divmod(nanos, _NANOS)
    return money_pb2.Money(currency_code="USD", units=units, nanos=rest)


def _part(prices: Prices, unit: str, tokens: int) -> int | None:
    price: Decimal | None = getattr(prices, unit)
    if not 0 <= tokens <= _MOST_TOKENS:
        return None
    if price is None:
        return None if tokens else 0
    return _nanos(price) * tokens


def _stated(*factors: int | Decimal | None) -> money_pb2.Money | None:
    """A sum of the provider's. What cannot be one is unknown, and is not computed with."""
    known = [Decimal(factor) for factor in factors if factor is not None]
    if len(known) < len(factors) or not all(factor.is_finite() and 0 <= factor <= _MOST for factor in known):
        return None
    return money(_whole(prod(known, start=Decimal(1))))


def _whole(dollars: Decimal) -> int:
    """In nano-dollars; what is less than one is rounded."""
    return int((dollars * _NANOS).to_integral_value(ROUND_HALF_UP))


def _per_picture(prices: Prices, asked: Asked) -> tuple[int, int] | None:
    """By resolution or by quality; where no quality was asked for, whatever it may become.

    A price by quality stands for tokens, of which references take more than is known here.
    """
    table = prices.pictures
    by_quality = asked.quality in table or not any(word == "any" or word.endswith("K") for word in table)
    if by_quality and asked.references:
        return None
    words = (asked.quality, asked.size.partition("@")[2] or "1K", "any")
    listed = [table[word] for word in words if word in table][:1]
    if not listed and by_quality and asked.quality in ("", "auto"):
        listed = list(table.values())
    if not listed:
        return None
    return _whole(min(least for least, _ in listed)), _whole(max(most for _, most in listed))


def _per_megapixel(prices: Prices, asked: Asked) -> tuple[int, int] | None:
    """By megapixels begun, which are a million pixels or 1024 times 1024.

    References count too, by sizes unknown here.
    """
    wish = None if asked.references else parse(asked.size or "auto")
    if prices.megapixel is None or prices.first_megapixel is None or wish is None:
        return None
    pixels = round(wish.pixels or 1 << 20)
    least, most = (
        prices.first_megapixel + prices.megapixel * ((pixels - 1) // one) for one in (1 << 20, 10**6)
    )
    return _whole(least), _whole(most)


def _nanos(per_million: Decimal) -> int:
    return int(per_million * _PER_TOKEN)


def _administrators(config: Mapping[str, Any]) -> int | None:
    """The administrator's price of a picture, in nano-dollars."""
    price = config.get("price_per_image")
    return None if price is None else int(Decimal(str(price)) * _NANOS)


def _output_tokens(model: Model, asked: Asked) -> Iterator[int]:
    """What one picture may take. `auto`, or nothing said, may become any of those known."""
    if asked.size == "auto" and model.sizes.range:
        return  # the model may choose a size nobody knows the tokens of
    for quality, by_size in model.output_tokens.items():
        if asked.quality in ("", "auto", quality):
            for size, tokens in by_size.items():
                if asked.size in ("auto", size):
                    yield from tokens


def _quote(lowest: int, highest: int) -> Quote:
    return Quote(lowest=money(lowest), highest=money(highest))
