"""Canonical texts and numbers: equal things are equal JSON, and what a shop cleaned is still the text that was sent.

POHODA's plain texts are escaped and their lines joined by ``<br>``; formatted ones are HTML already and taken as they
are. Shops do not store HTML as it came: PrestaShop's and WordPress's cleaners rewrite entities, quotes, the order of
attributes, unclosed tags and the spaces between tags. `canonical` makes two such spellings equal; it is for comparing
only, never for sending.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from html import escape

from lxml import etree

from agent.errors import Unusable

LONGEST = 1_000_000
"""Characters of one text: more is no description but a picture pasted into one."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_HALF = re.compile("[\ud800-\udfff]")
_ODD = re.compile(f"{_CONTROL.pattern}|{_HALF.pattern}")
_SPACES = re.compile(r"[\s\xa0]+")
_BEYOND = Decimal(10) ** 15
_DIGITS = 9
"""Decimals that are kept of a number: POHODA's doubles carry noise from the 15th digit on."""
_HINT = "Correct the card in POHODA."


def line_of(column: str, value: object) -> str:
    """Make one line of a text: spaces collapsed, stripped; NULL is empty. Raises `Unusable`, which names the column."""
    return " ".join(_text(column, value).split())


def html_of(column: str, value: object, *, formatted: bool) -> str:
    """Make HTML of a text of several lines; NULL is empty. Raises `Unusable`, which names the column."""
    text = _text(column, value).strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if formatted else escape(text, quote=False).replace("\n", "<br>")


def decimal_of(column: str, value: object) -> Decimal:
    """Make an exact number of what a source gave; NULL is 0. Raises `Unusable`, which names the column."""
    if value is None:
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unusable(column, f"not a number but {type(value).__name__}", hint=_HINT)
    number = None if isinstance(value, Decimal) and value.is_snan() else _number(value)  # that one has no hash
    if number is None:
        raise Unusable(column, "not a number that anybody could mean", hint=_HINT)
    return number


@lru_cache(maxsize=10_000)  # prices, weights and rates come again and again
def _number(value: float | Decimal | str) -> Decimal | None:
    """The exact number; None where it is none, or beyond all measure."""
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _BEYOND else None


@lru_cache(maxsize=10_000)
def canonical_decimal(number: Decimal) -> str:
    """Write a number without exponent and without zeros at its end: "4.2", "0"."""
    kept = round(number, _DIGITS)
    return format(kept.normalize(), "f") if kept else "0"


def canonical(html: str) -> str:
    """Write HTML in one way of the many that mean the same, for comparing.

    Texts are decoded and their spaces collapsed, spaces beside tags dropped, tags closed, attributes in order.
    """
    clean = _CONTROL.sub("", html)
    if "<" not in clean and "&" not in clean:
        return _SPACES.sub(" ", clean).strip()
    parser = etree.HTMLParser(
        no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, recover=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(f"<html><body>{clean}</body></html>".encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return _SPACES.sub(" ", clean).strip()
    body = root.find("body") if root is not None else None
    return "" if body is None else "".join(_written(body)).strip()


def _written(element: etree._Element) -> Iterator[str]:
    """The inside of an element. Not recursive, for HTML may be nested as deep as somebody likes."""
    yield _collapsed(element.text)
    for event, one in etree.iterwalk(element, events=("start", "end")):
        if one is element:
            continue
        if event == "start":
            attributes = "".join(f' {name}="{_attribute(name, value)}"' for name, value in sorted(one.attrib.items()))
            yield f"<{one.tag}{attributes}>{_collapsed(one.text)}"
        else:
            yield f"</{one.tag}>{_collapsed(one.tail)}"


def _collapsed(text: str | None) -> str:
    return _SPACES.sub(" ", text or "").strip()


def _attribute(name: str, value: str) -> str:
    """The value of an attribute; of a style and a class, spaces mean nothing."""
    parts = (" ".join(part.split()) for part in value.split(";")) if name == "style" else (" ".join(value.split()),)
    return ";".join(part.replace(": ", ":").replace(" :", ":") if name == "style" else part for part in parts if part)


def _text(column: str, value: object) -> str:
    if value is None:
        return ""
    if type(value) is str and len(value) <= LONGEST and value.isprintable():  # nearly every line
        return value
    if isinstance(value, bytes):
        raise Unusable(
            column,
            "the text is longer than the Access driver (mdbtools) can read: it came cut",
            hint="Shorten it below 16 KB, or let the agent run on Windows with Microsoft's driver.",
        )
    if not isinstance(value, str):
        raise Unusable(column, f"not a text but {type(value).__name__}", hint=_HINT)
    if len(value) > LONGEST:
        text = f"{len(value)} characters, and at most {LONGEST} are sent"
        raise Unusable(column, text, hint="Is a picture pasted into the text? Add it on the card's pictures instead.")
    if not _ODD.search(value):
        return value
    if _HALF.search(value):
        raise Unusable(column, "the text holds half a character", hint=_HINT)
    return _CONTROL.sub("", value)
