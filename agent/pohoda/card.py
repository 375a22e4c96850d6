"""A stock card as POHODA's XML tells it: values only, see `stock` for the reading.

Field names are the words of stock.xsd turned into English where they are unclear; each says its element. None means
that the document says nothing: the element is missing, or empty. Prices and quantities are exact `Decimal`.

Price levels, pictures, categories and parameters are told apart: None is an element that is missing (an export may be
made without them: restrictionData of list_stock.xsd), an empty tuple is one that is there and holds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """A price of one price level (``stockPriceItem/stockPrice``; table SKzCn)."""

    id: int | None
    ids: str | None
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture (``pictures/picture``; table SkRefObraz). ``file`` is a name only, in the folder Obrázky."""

    id: int | None
    file: str | None
    description: str | None
    order: int | None
    default: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """A related file or link: ``target`` is a file name (``relatedFiles``) or a URL (``relatedLinks``)."""

    target: str | None
    description: str | None
    order: int | None


@dataclass(frozen=True, slots=True)
class RelatedCard:
    """A related or alternative card (``relatedStocks``, ``alternativeStocks``)."""

    id: int | None
    code: str | None
    order: int | None


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """One value of an internet parameter; ``id`` is that of the list item, for parameters of type listValue."""

    id: int | None
    value: str | None
    order: int | None


@dataclass(frozen=True, slots=True)
class CardParameter:
    """An internet parameter of a card (``intParameters/intParameter``; tables SkRefParam, SKRefParamList)."""

    id: int | None
    name: str | None
    order: int | None
    kind: str | None
    """textValue, numberValue, booleanValue, listValue, … as POHODA says it; values are texts of that kind."""
    values: tuple[ParameterValue, ...]


@dataclass(frozen=True, slots=True)
class UserParameter:
    """A column that the customer added to the card (``parameters/parameter``; SKz.VPr…, RefVPr…)."""

    name: str
    kind: str
    """textValue, memoValue, currencyValue, booleanValue, numberValue, datetimeValue, integerValue, listValueRef."""
    value: str | None
    """The text as written; of a list the ``ids`` that was chosen."""
    id: int | None = None
    """The id that was chosen from ``list``."""
    list: str | None = None


@dataclass(frozen=True)
class StockItem:
    """One card in one store; the same code may be in several stores. The comments name the elements.

    Without slots: `stock` fills a million of them by their dict, which takes 1 instead of 5 µs.
    """

    code: str
    id: int | None = None
    ean: str | None = None
    plu: int | None = None
    kind: str | None = None
    """``stockType``: card, text, service, package, set, product."""
    internet: bool | None = None
    """``isInternet``: the tick that offers the card in the e-shop."""
    sales: bool | None = None
    """``isSales``: offered when issuing (Odbyt)."""
    name: str | None = None
    name_complement: str | None = None
    unit: str | None = None
    unit2: str | None = None
    unit3: str | None = None
    coefficient2: Decimal | None = None
    """How many ``unit`` are one ``unit2``."""
    coefficient3: Decimal | None = None
    storage_id: int | None = None
    storage: str | None = None
    """``storage/ids``: store and branches, as ZBOŽÍ/Nábytek/Židle."""
    store: str | None = None
    """The first part of ``storage``: the code of the store (sSklad.IDS)."""
    count: Decimal | None = None
    """Stav zásoby; may be negative or a fraction."""
    count_issue: Decimal | None = None
    """Stav k výdeji."""
    reservation: Decimal | None = None
    received_orders: Decimal | None = None
    """``countReceivedOrders`` (Objednávky)."""
    issued_orders: Decimal | None = None
    """``countIssuedOrders`` (Objednáno)."""
    vat: str | None = None
    """``sellingRateVAT``: none, high, low, third, history…"""
    vat_percent: Decimal | None = None
    """Its attribute ``value``."""
    purchasing_price: Decimal | None = None
    selling_price: Decimal | None = None
    selling_price_with_vat: bool = False
    """The attribute ``payVAT`` of sellingPrice; without it the price is without VAT (stock.xsd)."""
    price_levels: tuple[PriceLevel, ...] | None = None
    mass: Decimal | None = None
    """Kilograms."""
    volume: Decimal | None = None
    short_name: str | None = None
    guarantee_type: str | None = None
    """none, hour, day, month, year, life."""
    guarantee: int | None = None
    """In units of ``guarantee_type``."""
    producer: str | None = None
    """The manufacturer, a plain text in POHODA."""
    supplier_id: int | None = None
    """AD.ID of the main supplier."""
    news: bool | None = None
    clearance_sale: bool | None = None
    sale: bool | None = None
    recommended: bool | None = None
    discount: bool | None = None
    prepare: bool | None = None
    availability: str | None = None
    handling_information: str | None = None
    description: str | None = None
    """Short description, text or HTML, as written."""
    description2: str | None = None
    """Long description."""
    note: str | None = None
    pictures: tuple[Picture, ...] | None = None
    categories: tuple[int, ...] | None = None
    """SkKat.ID in the order of the document."""
    main_category: int | None = None
    """The one with the attribute ``main``."""
    related_files: tuple[Attachment, ...] = ()
    related_links: tuple[Attachment, ...] = ()
    related_stocks: tuple[RelatedCard, ...] = ()
    alternative_stocks: tuple[RelatedCard, ...] = ()
    parameters: tuple[CardParameter, ...] | None = None
    """Internet parameters."""
    user_parameters: tuple[UserParameter, ...] = ()
