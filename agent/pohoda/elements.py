"""From items to parsed elements: many at once in one made-up root, and one by one only where that fails.

One parse of a hundred cards of 4.5 kB costs 35 µs a card, one parse each 61 µs. The made-up root declares the prefixes
that were in force around the items in their document. Each item has to become exactly one element of the right name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from agent.errors import Unusable
from agent.pohoda.bad import BadDocument, BadItem
from agent.pohoda.items import Item
from agent.pohoda.pack import Part, Scope
from agent.pohoda.parser import parse

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_BATCH = 100
_BATCH_BYTES = 2**20
T = TypeVar("T")


def each(
    items: Sequence[Item], read: Callable[[_Element], T], code: Callable[[_Element], str], *, unread: Sequence[str] = ()
) -> list[T | BadItem]:
    """Make a value of every item, in their order; what cannot be one is a `BadItem`.

    ``read`` may raise `Unusable` for a field; ``code`` names the thing then. ``unread`` are full names of elements
    that nobody reads at any depth: dropped here by lxml, a dozen cost 3 µs a card less than to be looked at in Python.
    """
    found: list[T | BadItem] = []
    for item, element in _parsed(items, unread):
        if isinstance(element, BadItem):
            found.append(element)
            continue
        try:
            found.append(read(element))
        except Unusable as error:
            problem = BadDocument("field", str(error), hint=error.hint)
            found.append(BadItem(item.offset, problem, code(element)))
    return found


def _parsed(items: Sequence[Item], unread: Sequence[str]) -> Iterator[tuple[Item, _Element | BadItem]]:
    """Parse all, in batches that share a list and are limited in number and bytes."""
    for part, group in groupby(items, key=lambda item: item.part):
        batch: list[Item] = []
        size = 0
        for item in group:
            if batch and (len(batch) == _BATCH or size + len(item.raw) > _BATCH_BYTES):
                yield from zip(batch, _batch(batch, part, unread), strict=True)
                batch, size = [], 0
            batch.append(item)
            size += len(item.raw)
        yield from zip(batch, _batch(batch, part, unread), strict=True)


def _batch(batch: Sequence[Item], part: Part, unread: Sequence[str]) -> Sequence[_Element | BadItem]:
    """Parse some items of one list together; if one of them is broken, each for itself."""
    try:
        return _together(batch, part, unread)
    except BadDocument as problem:
        if len(batch) == 1:
            offset = batch[0].offset
            return [BadItem(offset, problem)]
    return [one for item in batch for one in _batch([item], part, unread)]


def _together(batch: Sequence[Item], part: Part, unread: Sequence[str]) -> Sequence[_Element]:
    """Parse items as children of one root. Raises `BadDocument` unless each is one whole element of the right name."""
    head, tail = _wrapping(part.scope)
    root = parse(head + part.scope.encoding.as_utf8(b"".join([item.raw for item in batch])) + tail)
    children = list(root)
    tag = part.item_tag.clark if part.item_tag else ""
    if len(children) != len(batch) or any(child.tag != tag for child in children):
        raise BadDocument("malformed", "the item is not one whole element of its list")
    if unread:
        etree.strip_elements(root, *unread, with_tail=False)
    return children


def _wrapping(scope: Scope) -> tuple[bytes, bytes]:
    """A root that declares what was declared around the items."""
    spaces = "".join(
        f' xmlns{":" if prefix else ""}{prefix}="{escape(uri, quote=True)}"' for prefix, uri in scope.namespaces
    )
    return f"<items{spaces}>".encode(), b"</items>"
