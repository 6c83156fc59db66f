"""Leaves each story a whole system, whatever the one before did to it."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    """Mend after each test what it broke."""
    yield
    stack.mend()
