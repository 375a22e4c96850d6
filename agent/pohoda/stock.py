"""Stock cards from ``lStk:stock``: the children of the header in any order, unknown ones passed over.

Source of the elements: stock.xsd (stockHeaderType is xsd:all) and type.xsd. Each child is looked at once and found in a
dictionary by its full name; XPath or ``find`` per field would cost several times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from agent.errors import Unusable
from agent.pohoda.bad import BadItem
from agent.pohoda.card import (
    Attachment,
    CardParameter,
    ParameterValue,
    Picture,
    PriceLevel,
    RelatedCard,
    StockItem,
    UserParameter,
)
from agent.pohoda.elements import each
from agent.pohoda.fields import attribute, child, flag, long, number, own, said, short, texts, unusable, whole_number
from agent.pohoda.items import Item
from agent.pohoda.names import STK, TYP

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_S, _T = f"{{{STK}}}", f"{{{TYP}}}"
_ID, _IDS, _NAME = _T + "id", _T + "ids", _T + "name"
_DESCRIPTION, _ORDER = _S + "description", _S + "order"
_HEADER, _PRICES, _PRICE = _S + "stockHeader", _S + "stockPriceItem", _S + "stockPrice"
_PICTURE, _PICTURE_ID, _FILE, _CATEGORY = _S + "picture", _S + "id", _S + "filepath", _S + "idCategory"
_LIST = _T + "list"

_Read: TypeAlias = Callable[[str | None], Decimal | int | str | bool | None]
_Part: TypeAlias = "Callable[[_Element, dict[str, Any]], None]"
"""Reads an element that holds more than a text into the fields that it is for."""
_FIELDS: dict[_Read, str] = {
    short: "code EAN:ean stockType:kind name nameComplement:name_complement unit unit2 unit3 shortName:short_name"
    " guaranteeType:guarantee_type producer availability handlingInformation:handling_information",
    long: "description description2 note",
    whole_number: "id PLU:plu guarantee",
    number: "coefficient2 coefficient3 count countIssue:count_issue reservation countReceivedOrders:received_orders"
    " countIssuedOrders:issued_orders purchasingPrice:purchasing_price mass volume",
    flag: "isInternet:internet isSales:sales news clearanceSale:clearance_sale sale recommended discount prepare",
}
_TEXTS: dict[str, tuple[str, _Read]] = {
    _S + pair.partition(":")[0]: (pair.rpartition(":")[2], read)
    for read, pairs in _FIELDS.items()
    for pair in pairs.split()
}
"""Element → field of `StockItem` and how its text is read."""


_UNREAD = [
    _S + name
    for name in (
        *("isSerialNumber", "isBatch", "purchasingRateVAT", "typePrice", "weightedPurchasePrice", "fixation"),
        *("limitMin", "limitMax", "orderName", "orderQuantity", "reclamation", "service", "markRecord"),
    )
]
"""Elements of every card that `StockItem` has no field for."""
_DEFAULTS = {field.name: field.default for field in fields(StockItem)}
"""Of all fields (a code is checked to be there)."""


def parse_many(items: Sequence[Item]) -> list[StockItem | BadItem]:
    """Make a card of every item, in their order; what cannot be read is a `BadItem`. Best with hundreds at once."""
    return each(items, stock_item, _code, unread=_UNREAD)


def stock_item(element: _Element) -> StockItem:
    """Read one ``lStk:stock``. Raises `Unusable` for a field that is no value, and for a card without a code."""
    values: dict[str, Any] = {}
    for part in element:
        tag = part.tag
        if tag == _HEADER:
            _header(part, values)
        elif tag == _PRICES:
            _price_levels(part, values)
    if not values.get("code"):
        raise Unusable("code", f"the card with id {values.get('id')} has no code", hint="Give it a code in POHODA.")
    return _made(values)


def _made(values: dict[str, Any]) -> StockItem:
    """What ``StockItem(**values)`` makes, in 1 instead of 14-18 µs: a frozen class sets its many fields by name."""
    made = object.__new__(StockItem)
    held = made.__dict__
    held.update(_DEFAULTS)
    held.update(values)
    return made


def _header(header: _Element, values: dict[str, Any]) -> None:
    look_up = _CHILDREN.get
    for element in header:
        tag = element.tag
        field, read, part = look_up(tag, _PASSED_OVER)
        if read is not None:
            try:
                values[field] = read(element.text)
            except ValueError as error:
                raise unusable(tag, error) from None
        elif part is not None:
            part(element, values)


def _storage(element: _Element, values: dict[str, Any]) -> None:
    found = texts(element)
    path = short(found.get(_IDS))
    values["storage_id"] = said(whole_number, found, _ID)
    values["storage"] = path
    values["store"] = short(path.partition("/")[0]) if path else None


def _vat(element: _Element, values: dict[str, Any]) -> None:
    values["vat"] = short(element.text)
    values["vat_percent"] = attribute(number, element, "value")


def _selling_price(element: _Element, values: dict[str, Any]) -> None:
    values["selling_price"] = own(number, element)
    values["selling_price_with_vat"] = bool(attribute(flag, element, "payVAT"))


def _supplier(element: _Element, values: dict[str, Any]) -> None:
    values["supplier_id"] = said(whole_number, texts(element), _ID)


def _categories(element: _Element, values: dict[str, Any]) -> None:
    found = []
    for one in element.iterchildren(_CATEGORY):
        ident = own(whole_number, one)
        if ident is not None:
            found.append(ident)
            if attribute(flag, one, "main"):
                values["main_category"] = ident
    values["categories"] = tuple(found)


def _pictures(element: _Element, values: dict[str, Any]) -> None:
    found = []
    for one in element.iterchildren(_PICTURE):
        inside = texts(one)
        ident, order = said(whole_number, inside, _PICTURE_ID), said(whole_number, inside, _ORDER)
        file, description = short(inside.get(_FILE)), short(inside.get(_DESCRIPTION))
        found.append(Picture(ident, file, description, order, bool(attribute(flag, one, "default"))))
    values["pictures"] = tuple(found)


def _attachments(field: str, tag: str, target: str) -> _Part:
    def read(element: _Element, values: dict[str, Any]) -> None:
        found = []
        for inside in map(texts, element.iterchildren(tag)):
            order = said(whole_number, inside, _ORDER)
            found.append(Attachment(short(inside.get(target)), short(inside.get(_DESCRIPTION)), order))
        values[field] = tuple(found)

    return read


def _related(field: str) -> _Part:
    def read(element: _Element, values: dict[str, Any]) -> None:
        found = []
        for one in element.iterchildren(_S + "idStocks"):
            order = said(whole_number, texts(one), _T + "stockOrder")
            for inside in map(texts, one.iterchildren(_T + "stockItem")):
                found.append(RelatedCard(said(whole_number, inside, _ID), short(inside.get(_IDS)), order))
        values[field] = tuple(found)

    return read


def _parameters(element: _Element, values: dict[str, Any]) -> None:
    found = []
    for one in element.iterchildren(_S + "intParameter"):
        inside = texts(one)
        held = child(one, _S + "intParameterValues")
        found.append(
            CardParameter(
                id=said(whole_number, inside, _S + "intParameterID"),
                name=short(inside.get(_S + "intParameterName")),
                order=said(whole_number, inside, _S + "intParameterOrder"),
                kind=short(inside.get(_S + "intParameterType")),
                values=() if held is None else tuple(_parameter_value(texts(value)) for value in held),
            )
        )
    values["parameters"] = tuple(found)


def _parameter_value(inside: dict[str, str | None]) -> ParameterValue:
    ident, order = (said(whole_number, inside, _S + tag) for tag in ("parameterValueID", "parameterOrder"))
    return ParameterValue(ident, short(inside.get(_S + "parameterValue")), order)


def _user_parameters(element: _Element, values: dict[str, Any]) -> None:
    found = []
    for one in element.iterchildren(_T + "parameter"):
        name = short(texts(one).get(_NAME))
        value = next((inner for inner in one if inner.tag not in {_NAME, _LIST}), None)
        if name is None or value is None:
            continue
        kind = str(value.tag).rpartition("}")[2]
        if kind == "listValueRef":
            chosen, of = texts(value), child(one, _LIST)
            ident, where = said(whole_number, chosen, _ID), None if of is None else short(texts(of).get(_IDS))
            found.append(UserParameter(name, kind, short(chosen.get(_IDS)), ident, where))
        else:
            found.append(UserParameter(name, kind, long(value.text)))
    values["user_parameters"] = tuple(found)


def _price_levels(element: _Element, values: dict[str, Any]) -> None:
    found = []
    for inside in map(texts, element.iterchildren(_PRICE)):
        price = said(number, inside, _T + "price")
        found.append(PriceLevel(said(whole_number, inside, _ID), short(inside.get(_IDS)), price))
    values["price_levels"] = tuple(found)


def _code(element: _Element) -> str:
    header = child(element, _S + "stockHeader")
    return "" if header is None else short(texts(header).get(_S + "code")) or ""


_PARTS: dict[str, _Part] = {
    _S + "storage": _storage,
    _S + "sellingRateVAT": _vat,
    _S + "sellingPrice": _selling_price,
    _S + "supplier": _supplier,
    _S + "pictures": _pictures,
    _S + "categories": _categories,
    _S + "relatedFiles": _attachments("related_files", _S + "relatedFile", _S + "filepath"),
    _S + "relatedLinks": _attachments("related_links", _S + "relatedLink", _S + "addressURL"),
    _S + "relatedStocks": _related("related_stocks"),
    _S + "alternativeStocks": _related("alternative_stocks"),
    _S + "intParameters": _parameters,
    _S + "parameters": _user_parameters,
}
_CHILDREN: dict[str, tuple[str, _Read | None, _Part | None]] = {
    **{tag: (field, read, None) for tag, (field, read) in _TEXTS.items()},
    **{tag: ("", None, part) for tag, part in _PARTS.items()},
}
_PASSED_OVER: tuple[str, _Read | None, _Part | None] = ("", None, None)
"""Of an element that is not read."""
