"""Texts of elements as values, tolerantly: an empty element, or one of blanks, is None, like one that is not there.

Money and quantities are `Decimal`, exact as written (POHODA writes up to 15 decimals); never float. What is there but
cannot be the value it should be is `Unusable`, with the element named: a guess would end in a shop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from agent.errors import Unusable

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

T = TypeVar("T")
_HINT = "Correct the field in POHODA and export again."
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LONGEST_NUMBER = 40
_LARGEST_EXPONENT = 30


def short(text: str | None) -> str | None:
    """One line of text, without the blanks around it."""
    return (text.strip() or None) if text else None


def long(text: str | None) -> str | None:
    """A text as it was written, with its blanks and line ends."""
    return None if text is None or not text or text.isspace() else text


def _few(text: str | None) -> str | None:
    """A short text that may become a number; what raises is not cached, so no long text stays in memory."""
    if text is not None and len(text) > _LONGEST_NUMBER:
        raise ValueError(f"{text[:_LONGEST_NUMBER]!r}... is too long for a number")
    return short(text)


@lru_cache(maxsize=4096)
def number(text: str | None) -> Decimal | None:
    """A number (xsd:float, xsd:double, typ:currencyType), exact; no infinity, no digits beyond all measure."""
    text = _few(text)
    if text is None:
        return None
    try:
        found = Decimal("nan") if "_" in text else Decimal(text)
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite() or abs(found.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"{text!r} is not a number")
    return found


@lru_cache(maxsize=4096)
def whole_number(text: str | None) -> int | None:
    """A whole number (typ:idType, xsd:integer) of at most 18 digits."""
    text = _few(text)
    if text is None:
        return None
    digits = text.lstrip("+-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18 or len(text) - len(digits) > 1:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def flag(text: str | None) -> bool | None:
    """True or false (typ:boolean; xsd:boolean allows 1 and 0 too)."""
    found = _FLAGS.get(text or "")
    if found is not None or text is None or not (written := text.strip().lower()):
        return found
    found = _FLAGS.get(written)
    if found is None:
        raise ValueError(f"{text[:20]!r} is neither true nor false")
    return found


def day(text: str | None) -> date | None:
    """A day (xsd:date); a time or a zone behind it is left out."""
    text = short(text)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"{text[:30]!r} is not a date") from None


def texts(element: _Element) -> dict[str, str | None]:
    """The texts of an element's children, by their full names; of several with one name the last."""
    return {child.tag: child.text for child in element}


def child(element: _Element, tag: str) -> _Element | None:
    """The first child of this name."""
    return next(element.iterchildren(tag), None)


def reference(element: _Element | None, tag: str) -> dict[str, str | None]:
    """The `texts` of a child that refers to something, by id and ids; none if it is not there."""
    found = None if element is None else child(element, tag)
    return {} if found is None else texts(found)


def said(read: Callable[[str | None], T], said_texts: Mapping[str, str | None], tag: str) -> T:
    """One of `texts` as a value, read by one of the functions above. Raises `Unusable` with the element named."""
    try:
        return read(said_texts.get(tag))
    except ValueError as error:
        raise unusable(tag, error) from None


def own(read: Callable[[str | None], T], element: _Element) -> T:
    """An element's own text as a value. Raises `Unusable` with the element named."""
    try:
        return read(element.text)
    except ValueError as error:
        raise unusable(str(element.tag), error) from None


def attribute(read: Callable[[str | None], T], element: _Element, name: str) -> T:
    """The value of an attribute. Raises `Unusable` with element and attribute named."""
    try:
        return read(element.get(name))
    except ValueError as error:
        raise unusable(f"{element.tag}/@{name}", error) from None


def unusable(tag: str, error: ValueError) -> Unusable:
    """Name the element whose text is no value."""
    return Unusable(tag.rpartition("}")[2], str(error), hint=_HINT)
