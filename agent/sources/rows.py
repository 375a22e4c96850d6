"""Rows of stock cards that several sources can give: the database's views and the XML export fill the same ones.

Names are free of any shop's and any source's notions. What is left at None is not known to the source; what a driver
gave is passed on as it is, whatever it is, and judged by the target, which names table and column to people.

They are named tuples: a frozen dataclass of so many fields takes three times as long to make (2.9 against 0.8 µs).
"""

from __future__ import annotations

from typing import NamedTuple

FIELDS = (
    *("name", "description", "short_description", "ean", "unit", "weight", "vat"),
    *("availability", "marks", "visible"),
)
"""What can be kept in sync of a product: the words of ``[targets.products] fields``."""
MARKS = ("new", "clearance", "action", "recommended", "discount", "preparing")
"""The six ticks of a card: Novinka, Doprodej, Akce, Doporučujeme, Sleva, Připravujeme."""
VAT_KINDS = ("none", "low", "high", "third")
"""POHODA's kinds of VAT rates, in the words of its XML schema (``vatRateEnum``)."""


class ProductRow(NamedTuple):
    """One card in one store: what a shop shows of it, and what it costs."""

    id: int
    code: str
    """Stripped."""
    store: str
    """Code of the store (``sSklad.IDS``), stripped; empty where the source does not say."""
    internet: bool
    """The tick "Internet": is this card on offer."""
    name: object = None
    """``SKz.Nazev``."""
    description: object = None
    """The long text: ``SKz.Popis2``, in XML ``description2`` (POHODA calls it Podrobný popis)."""
    description_formatted: object = False
    """``SKz.FmtPopis2``: the text is HTML already. Of XML, where it is not said, the source decides."""
    short_description: object = None
    """``SKz.Popis``, in XML ``description`` (Stručný popis)."""
    short_formatted: object = False
    """``SKz.FmtPopis``."""
    ean: object = None
    unit: object = None
    """``SKz.MJ``."""
    weight: object = None
    """``SKz.Hmotnost``, kg."""
    vat: str = ""
    """Kind of the VAT rate, one of `VAT_KINDS`; empty: not known. Another text is a kind that nobody knows."""
    vat_rate: object = None
    """The rate itself in percent, where the source says it (XML: ``sellingRateVAT/@value``); wins over ``vat``."""
    availability: object = None
    """``SKz.Dodani``: a text."""
    marks: tuple[str, ...] = ()
    """Those of `MARKS` that are ticked."""
    net: object = None
    """The price without VAT; None: the source does not give it."""
    gross: object = None
    """The price with VAT; None: the source does not give it."""
    price_from: str = "SKz.ProdejKc"
    """Where the price was read, for people."""
    lacking: frozenset[str] = frozenset()
    """Those of `FIELDS` that the source cannot give (a column is missing): the shop's are left alone."""


class PictureRow(NamedTuple):
    """One picture of one card in one store. What is wrong with its file stands in ``trouble``; then ``sha`` is empty.

    Of a card without the tick "Internet" the file is not looked at: both are empty.
    """

    id: int
    code: str
    store: str
    internet: bool
    file: str
    """``SkRefObraz.Soubor``: the name as it stands in POHODA, stripped."""
    alt: object = None
    """``SkRefObraz.Popis``."""
    default: bool = False
    """``SkRefObraz.Vychozi``."""
    order: object = None
    """``SkRefObraz.OrderFld``."""
    sha: str = ""
    """SHA-256 of the file's bytes, hex."""
    trouble: str = ""
    hint: str = ""
