"""The names of POHODA's XML: which list holds which items. Prefixes are free, so all is matched by URI and local name.

Source: list.xsd, list_stock.xsd, category.xsd, intParam.xsd (elements listX and the types they extend). Stock is
``listStock`` of list_stock.xsd, not of list.xsd as in XML 1.x.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

_BASE = "http://www.stormware.cz/schema/version_2/"
CTG = _BASE + "category.xsd"
DAT = _BASE + "data.xsd"
IPM = _BASE + "intParam.xsd"
LST = _BASE + "list.xsd"
LSTK = _BASE + "list_stock.xsd"
ORD = _BASE + "order.xsd"
RSP = _BASE + "response.xsd"
STK = _BASE + "stock.xsd"
STO = _BASE + "store.xsd"
SUP = _BASE + "supplier.xsd"
TYP = _BASE + "type.xsd"
KNOWN = frozenset({CTG, DAT, IPM, LST, LSTK, ORD, RSP, STK, STO, SUP, TYP})

Kind: TypeAlias = Literal["stock", "categories", "parameters", "suppliers", "stores", "storages", "orders", ""]


class Name(NamedTuple):
    """A name as XML means it: the prefix is resolved."""

    uri: str
    local: str

    @property
    def clark(self) -> str:
        """As lxml writes it."""
        return f"{{{self.uri}}}{self.local}"


class ListShape(NamedTuple):
    """What a list holds: items as children, or as children of a ``wrapper`` that is a child."""

    kind: Kind
    item: Name
    wrapper: Name | None = None


ROOTS = {Name(RSP, "responsePack"): "responsePackItem", Name(DAT, "dataPack"): "dataPackItem"}
SHAPES = {
    Name(LSTK, "listStock"): ListShape("stock", Name(LSTK, "stock")),
    Name(LST, "listCategory"): ListShape("categories", Name(CTG, "category"), Name(LST, "categoryDetail")),
    Name(LST, "listIntParam"): ListShape("parameters", Name(IPM, "intParam"), Name(LST, "intParamDetail")),
    Name(LST, "listSupplier"): ListShape("suppliers", Name(LST, "supplier")),
    Name(LST, "listStore"): ListShape("stores", Name(LST, "store")),
    Name(LST, "listStorage"): ListShape("storages", Name(LST, "itemStorage")),
    Name(LST, "listOrder"): ListShape("orders", Name(LST, "order")),
}
