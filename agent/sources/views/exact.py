"""Fingerprints that are equal for equal values, whichever driver brought them and in whichever process.

Money is a Decimal from SQL Server, a double from Access and SQLite, and may be a text: each is written as the shortest
decimal that means it, so 12.34 is 12.3400 is "12.34". NULL is nothing: an empty text, 0, an empty tick; of prices it is
not 0, for "no price" is another thing than "free". Texts are hashed whole. What is none of what was expected makes a
fingerprint of its own, and the target will say what is wrong with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import orjson

from agent.sources.queries import as_datetime
from agent.sources.reader import Raw
from agent.sources.views.cards import code_of


def text(value: object) -> object:
    """A text, NULL being empty."""
    return value or ""


def tick(value: object) -> object:
    """A bit, NULL being 0; some drivers bring one as a byte."""
    return any(value) if isinstance(value, bytes) else bool(value)


def number(value: object) -> object:
    """A number, NULL being 0."""
    return "0" if value is None else _decimal(value)


def money(value: object) -> object:
    """A price, NULL being no price."""
    return None if value is None else _decimal(value)


@lru_cache(maxsize=100_000)
def moment(value: object) -> object:
    """A date, NULL being none: a datetime from SQL Server, a text from Access and SQLite."""
    if value is None:
        return None
    try:
        return as_datetime(value).isoformat()
    except ValueError:
        return f"?{value!r}"


Kind = Callable[[object], object]
"""One of the five."""


@lru_cache(maxsize=100_000, typed=True)  # typed: True is no 1 here
def _decimal(value: object) -> object:
    """The shortest decimal, without zeros at its end."""
    try:
        found = Decimal(repr(value) if isinstance(value, float) else str(value)).normalize()
    except InvalidOperation:
        return f"?{value!r}"
    if not found:
        return "0"
    return format(found, "f") if -30 < found.adjusted() < 30 else str(found)


def digests(
    rows: Sequence[Raw], *, kinds: Sequence[Kind], more: Callable[[Raw], object] | None = None
) -> dict[int, bytes]:
    """Fingerprint rows of (id, code, store, tick, …): 8 bytes each; rows without a code are left out.

    ``kinds`` says how each column from the fifth on is read; ``more`` adds what is not in the row (a file's time).
    """
    found = {}
    end = 4 + len(kinds)
    for raw in rows:
        if code := code_of(raw):
            values = [kind(value) for kind, value in zip(kinds, raw[4:end], strict=True)]
            whole = [code, raw[2] or 0, bool(raw[3]), *values, more(raw) if more else None]
            found[raw[0]] = hashlib.blake2b(_bytes(whole), digest_size=8).digest()
    return found


def _bytes(whole: list[object]) -> bytes:
    try:
        return orjson.dumps(whole)
    except TypeError:  # half a character, bytes instead of a text, an integer beyond 64 bits
        return b"?" + repr(whole).encode("utf-8", "backslashreplace")


def values_at(raw: Raw, places: Mapping[str, int]) -> Mapping[str, Any]:
    """Column → value of a raw row."""
    return {column: raw[place] for column, place in places.items()}
