"""Rows of categories, parameters, suppliers and orders, which the database's views and the mirror of exports both give.

As in `agent.sources.rows`: what a driver gave is passed on as it is, and judged by the target, which names table and
column to people. Rows of cards are one per card and store.
"""

from __future__ import annotations

from typing import NamedTuple


class CategoryRow(NamedTuple):
    """One category (``SkKat``)."""

    id: int
    code: str
    """Its path for people, from the top: ``Nábytek / Židle``."""
    name: object = None
    """``IDS``."""
    description: object = None
    """``SText``."""
    parent: int | None = None
    """``RefNodeID``; None at the top (0 in POHODA)."""
    broken: str = ""
    """Not empty when it hangs on nothing: it lies in a cycle, or an ancestor is missing; says which, for people."""
    order: object = None
    """``Poradi``."""
    visible: object = True
    """``Zobraz``."""
    file: str = ""
    """``Obrazek``: a name in the documents folder; empty for none."""
    sha: str = ""
    """Of the file's bytes; empty when it cannot be read, then ``trouble`` and ``hint`` say why."""
    trouble: str = ""
    hint: str = ""


class CardCategoriesRow(NamedTuple):
    """The categories of one card (``SkRefKat``); those that SkKat does not have are left out."""

    id: int
    code: str
    store: str
    internet: bool
    categories: tuple[int, ...] = ()
    """``RefKat`` in the order of their rows (``SkRefKat.ID``)."""
    main: int | None = None
    """The one marked as main, which only XML tells (``idCategory@main``); None: not told."""


class CardParameter(NamedTuple):
    """One parameter of a card: a row of ``SkRefParam`` with its definition, and the list values chosen."""

    name: object
    """``SkParam.IDS``."""
    kind: object
    """``SkParam.RelTyp``: 1 text, 3 boolean, 5 number, 8 list (as an integrator reads it; the others are guesses)."""
    unit: object
    """``SkParam.MJ``."""
    currency: object
    """Code of ``SkParam.RefCM``; empty for the home currency."""
    text: object
    """``ValText``."""
    number: object
    """``ValDouble``."""
    whole: object
    """``ValLong``: integers and booleans."""
    money: object
    """``ValCurrency``."""
    date: object
    """``ValDate``."""
    chosen: tuple[str, ...] = ()
    """Texts of the chosen list values (``SkParamList.IDS``), in their order."""


class CardParametersRow(NamedTuple):
    """The parameters of one card, in their order (``OrderFld``)."""

    id: int
    code: str
    store: str
    internet: bool
    parameters: tuple[CardParameter, ...] = ()


class CardSupplier(NamedTuple):
    """One supplier of a card: a row of ``SKzNC`` with the name from the address book (``AD.Firma``)."""

    name: object
    order_code: object
    """``ObjKod``: the supplier's own code of the goods."""
    default: object
    """``DefDod``."""


class CardSuppliersRow(NamedTuple):
    """Manufacturer and suppliers of one card."""

    id: int
    code: str
    store: str
    internet: bool
    manufacturer: object = None
    """``SKz.Vyrobce``, a plain text."""
    main_supplier: object = None
    """Name of ``SKz.RefAD`` (``AD.Firma``, else ``SKz.Firma``); it may be missing among ``suppliers``."""
    suppliers: tuple[CardSupplier, ...] = ()
    """In their order (``OrderFld``)."""


class OrderLine(NamedTuple):
    """One line of an order (``OBJpol``): the card's code, pieces ordered and pieces transferred (``Dodano``)."""

    code: object
    quantity: object
    delivered: object


class OrderRow(NamedTuple):
    """One received order (``OBJ``, ``RelTpObj = 1``) with a number of the shop."""

    id: int
    code: str
    """The shop's number of the order (``PDoklad``), stripped."""
    number: object = None
    """POHODA's own number (``Cislo``)."""
    date: object = None
    """``Datum``."""
    executed: object = False
    """``Vyrizeno``: Vyřízeno."""
    transferred: object = False
    """``BDodano``: Přeneseno."""
    cancelled: object = None
    """``DatStorn``: not None when cancelled."""
    listed: object = None
    """The text of the customer's own list (``sVPULpol.IDS`` behind ``list_column``)."""
    tracking: object = None
    carrier: object = None
    lines: tuple[OrderLine, ...] = ()
