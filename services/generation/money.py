"""Sums of money."""

from collections.abc import Iterable

from google.type import money_pb2

_NANOS = 1_000_000_000


def total(amounts: Iterable[money_pb2.Money]) -> money_pb2.Money | None:
    """Their sum; None for no amounts, and for amounts in different currencies."""
    amounts = list(amounts)
    if len({amount.currency_code for amount in amounts}) != 1:
        return None
    nanos = sum(amount.units * _NANOS + amount.nanos for amount in amounts)
    units, rest = divmod(nanos, _NANOS)
    return money_pb2.Money(currency_code=amounts[0].currency_code, units=units, nanos=rest)
