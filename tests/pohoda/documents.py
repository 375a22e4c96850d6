"""Documents for the tests, made here: nothing in them was written by POHODA."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lxml import etree

BASE = "http://www.stormware.cz/schema/version_2/"
SPACES = {
    "rsp": "response",
    "dat": "data",
    "typ": "type",
    "lst": "list",
    "lStk": "list_stock",
    "stk": "stock",
    "ctg": "category",
    "ipm": "intParam",
    "sto": "store",
    "sup": "supplier",
    "ord": "order",
}
DECLARED = "".join(f' xmlns:{prefix}="{BASE}{name}.xsd"' for prefix, name in SPACES.items())
CLARK = {prefix: f"{{{BASE}{name}.xsd}}" for prefix, name in SPACES.items()}
STOCK_TAG = CLARK["lStk"] + "stock"


def card(code: str, inside: str = "", *, attributes: str = ' version="2.0"', after: str = "") -> str:
    """One ``lStk:stock`` with this code, and more elements in its header or behind it."""
    header = f"<stk:stockHeader><stk:id>1</stk:id><stk:code>{code}</stk:code>{inside}</stk:stockHeader>"
    return f"<lStk:stock{attributes}>{header}{after}</lStk:stock>"


def stock_list(cards: Iterable[str], *, attributes: str = ' version="2.0" state="ok"') -> str:
    return f"<lStk:listStock{attributes}>{''.join(cards)}</lStk:listStock>"


def pack_item(inside: str, *, attributes: str = ' version="2.0" id="1" state="ok"') -> str:
    return f"<rsp:responsePackItem{attributes}>{inside}</rsp:responsePackItem>"


def pack(inside: str, *, declares: str = DECLARED, attributes: str = "", declaration: str = "Windows-1250") -> str:
    first = f'<?xml version="1.0" encoding="{declaration}"?>\n' if declaration else ""
    said = attributes or ' version="2.0" id="001" state="ok" programVersion="14107.3 SQL" ico="12345678" note="Zásoby"'
    return f"{first}<rsp:responsePack{said}{declares}>{inside}</rsp:responsePack>"


def stock_pack(*cards: str) -> str:
    """A document with one list of cards."""
    return pack(pack_item(stock_list(cards)))


def write(folder: Path, text: str, *, encoding: str = "cp1250") -> Path:
    return write_bytes(folder, text.encode(encoding))


def write_bytes(folder: Path, raw: bytes) -> Path:
    file = folder / "document.xml"
    file.write_bytes(raw)
    return file


def by_the_parser(raw: bytes, tag: str = STOCK_TAG) -> list[bytes]:
    """What lxml takes for the items of a document, in canonical form."""
    root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    return [canonical(element) for element in root.iter(tag)]


def canonical(element: etree._Element) -> bytes:
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", exclusive=True, with_comments=True)
