"""Categories of the e-shop (agenda Kategorie, table SkKat) from ``lst:listCategory``, flattened.

Source: category.xsd. Categories nest in ``subCategories``; a parent comes before its children here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.errors import Unusable
from agent.pohoda.bad import BadItem
from agent.pohoda.elements import each
from agent.pohoda.fields import child, flag, long, said, short, texts, whole_number
from agent.pohoda.items import Item
from agent.pohoda.names import CTG, TYP

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_C = f"{{{CTG}}}"


@dataclass(frozen=True, slots=True)
class Category:
    """One category. ``parent_id`` is None at the top; ``position`` counts from 0 among its siblings, as listed."""

    id: int
    name: str | None
    parent_id: int | None
    position: int
    sequence: int | None
    """The order that the user gave (SkKat.Poradi)."""
    displayed: bool | None
    description: str | None
    picture: str | None
    note: str | None
    parameter_ids: tuple[int, ...]
    """Internet parameters of the category: ``idInternetParams`` "1,2" of version 2.0, ``intParameter`` of 2.1."""


def parse_many(items: Sequence[Item]) -> list[Category | BadItem]:
    """Make the categories of a whole list, flat; give all items at once, or positions at the top begin anew."""
    found: list[Category | BadItem] = []
    for position, tree in enumerate(each(items, lambda element: list(_tree(element, None, 0)), _name)):
        if isinstance(tree, BadItem):
            found.append(tree)
        else:
            found += [replace(tree[0], position=position), *tree[1:]]
    return found


def _tree(element: _Element, parent: int | None, position: int) -> Iterator[Category]:
    """A category and all below it; no deeper than the parser lets elements nest."""
    inside = texts(element)
    ident = said(whole_number, inside, _C + "id")
    if ident is None:
        raise Unusable("id", "a category has no id", hint="Export the categories from POHODA again.")
    yield Category(
        id=ident,
        name=short(inside.get(_C + "name")),
        parent_id=parent or said(whole_number, inside, _C + "parentId") or None,
        position=position,
        sequence=said(whole_number, inside, _C + "sequence"),
        displayed=said(flag, inside, _C + "displayed"),
        description=long(inside.get(_C + "description")),
        picture=short(inside.get(_C + "picture")),
        note=long(inside.get(_C + "note")),
        parameter_ids=tuple(_parameters(child(element, _C + "internetParams"))),
    )
    below = child(element, _C + "subCategories")
    if below is not None:
        for number, one in enumerate(below.iterchildren(_C + "category")):
            yield from _tree(one, ident, number)


def _parameters(element: _Element | None) -> Iterator[int]:
    if element is None:
        return
    for one in element:
        if one.tag == _C + "idInternetParams":
            written = [{one.tag: part} for part in (one.text or "").split(",")]
            found = [said(whole_number, part, one.tag) for part in written]
        else:
            found = [said(whole_number, texts(one), f"{{{TYP}}}id")]
        yield from (ident for ident in found if ident is not None)


def _name(element: _Element) -> str:
    return short(texts(element).get(_C + "name")) or ""
