"""Stores (table sSklad) from ``lst:listStore`` and their structure (SkSt) from ``lst:listStorage``.

Source: store.xsd and list.xsd (itemStorageType). The structure of a listing is in the namespace of lists, that of an
import in storage.xsd; its first level is the store itself, what nests in ``subStorages`` are its branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import Unusable
from agent.pohoda.bad import BadItem
from agent.pohoda.elements import each
from agent.pohoda.fields import attribute, child, flag, long, said, short, texts, whole_number
from agent.pohoda.items import Item
from agent.pohoda.names import LST, STO

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_S, _L = f"{{{STO}}}", f"{{{LST}}}"
_AGAIN = "Export the stores (Sklady) from POHODA again."


@dataclass(frozen=True, slots=True)
class Store:
    """A store. ``name`` is its code (at most 10 characters), the first part of a card's ``storage``."""

    id: int | None
    name: str
    text: str | None
    allow_negative: bool | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """A store or a branch in it. ``path`` is what cards hold in ``storage``: ZBOŽÍ/Nábytek/Židle."""

    id: int | None
    """SkSt.ID; 0 for a store that has no row there."""
    code: str
    name: str | None
    path: str
    store_id: int | None
    parent: str | None
    """The path of the branch above; None for a store."""


def parse_many(items: Sequence[Item]) -> list[Store | BadItem]:
    """Make a store of every item, in their order."""
    return each(items, _store, lambda element: short(texts(element).get(_S + "name")) or "")


def parse_storages(items: Sequence[Item]) -> list[Storage | BadItem]:
    """Make stores and branches of a listing of the structure, flat: what is above comes before what is below."""
    found: list[Storage | BadItem] = []
    for tree in each(items, lambda element: list(_branches(element, None, None)), lambda one: one.get("code") or ""):
        found += [tree] if isinstance(tree, BadItem) else tree
    return found


def _store(element: _Element) -> Store:
    inside = texts(element)
    name = short(inside.get(_S + "name"))
    if name is None:
        raise Unusable("name", "a store has no name", hint=_AGAIN)
    return Store(
        id=said(whole_number, inside, _S + "id"),
        name=name,
        text=short(inside.get(_S + "text")),
        allow_negative=said(flag, inside, _S + "allowNegInvBalance"),
        note=long(inside.get(_S + "note")),
    )


def _branches(element: _Element, parent: str | None, store: int | None) -> Iterator[Storage]:
    code = short(element.get("code"))
    if code is None:
        raise Unusable("code", "a branch of a store has no code", hint=_AGAIN)
    path = f"{parent}/{code}" if parent else code
    said_store = attribute(whole_number, element, "idStore")
    store = store if said_store is None else said_store
    yield Storage(attribute(whole_number, element, "id"), code, short(element.get("name")), path, store, parent)
    below = child(element, _L + "subStorages")
    if below is not None:
        for one in below.iterchildren(_L + "itemStorage"):
            yield from _branches(one, path, store)
