"""What the benchmarks of the outbox put into it: keys in no order, values and words as of a real shop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

_SPREAD = 2_654_435_761
"""Odd, so that multiplying by it modulo 2**32 gives every number once, in no visible order."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Thing:
    """One value that is owed, and what would be said about it."""

    key: str
    code: str
    value: str
    version: str
    request: str
    answer: str


def things(first: int, count: int) -> list[Thing]:
    """Make ``count`` things whose keys nobody has met; the same numbers give the same things."""
    return [_thing(number) for number in range(first, first + count)]


def key_of_number(number: int) -> str:
    """The key with this number."""
    return f"sku-{number * _SPREAD % 2**32:010d}"


def _thing(number: int) -> Thing:
    key, value = key_of_number(number), str(number % 500)
    request = f"PATCH stock_availables {number}: quantity {value}"
    return Thing(key, key.upper(), value, f"{number:016x}", request, f"quantity {value}")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut into batches."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
