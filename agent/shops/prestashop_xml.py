"""PrestaShop's own wire formats: what is written (XML, filters, links) and what is read (XML, JSON lists).

Decisions, from recorded exchanges with 9.1.4 unless another source is named:

* XML is the only format that the webservice takes; several nodes in one body are one call. Its answers are parsed
  without entities, without network and without a document type, whatever the shop sends.
* Of JSON only the list form is read: the form of a single record leaves zeros out. An empty list is ``[]``.
* ``filter[reference]=[A|B]`` carries a list of codes. PrestaShop splits it at ``|`` and reads ``[n,m]`` as an interval,
  ``%`` as a wildcard, so codes with such characters are asked for one by one, without brackets: a value without a pair
  of brackets is compared as it is (``SQLUtils::getSQLRetrieveFilter``; read there, not recorded). A code that holds a
  pair of brackets itself would be taken as *no filter at all*; it is asked for by its beginning or end (recorded).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

import orjson
from lxml import etree

MAX_TEXT = 300
"""Characters of the shop's own words in a message."""
CODES_PER_CALL = 100
"""Codes in one filter. 200 were measured to work; the URL is limited as well."""
_MAX_FILTER = 4000
"""Percent-encoded characters of one filter. Apache and nginx refuse a request line of more than about 8,000."""
_AWKWARD = frozenset("|,[]%\r\n")
_LINK = re.compile(r"([0-9]{1,20}):([0-9]{1,20}):([0-9]{1,20})")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'


class Link(NamedTuple):
    """A stock row, and what it must belong to. ``combination`` is 0 for a product without combinations."""

    row: int
    product: int
    combination: int

    def __str__(self) -> str:
        return f"{self.row}:{self.product}:{self.combination}"


class StockRow(NamedTuple):
    """One row of ``stock_availables``; ``shop`` is 0 where a group of shops shares its stock."""

    row: int
    product: int
    combination: int
    shop: int
    quantity: int


def link_of(text: str | None) -> Link | None:
    """Read a link back, "row:product:combination"; None when it is not one of ours."""
    parts = _LINK.fullmatch(text or "")
    if parts is None:
        return None
    link = Link(*map(int, parts.groups()))
    return link if link.row and link.product else None


def whole(value: object) -> int | None:
    """Read an integer out of JSON or XML, where the shop gives some as numbers and some as text."""
    if isinstance(value, str):
        digits = value.isdigit() or (value[:1] == "-" and value[1:].isdigit())
        return int(value) if digits and len(value) <= 20 and value.isascii() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def patch_body(nodes: Iterable[tuple[int, int]]) -> bytes:
    """Write the body of one PATCH from (row, quantity); the id in the body is the one that counts."""
    rows = "".join(
        f"<stock_available><id>{row}</id><quantity>{quantity}</quantity></stock_available>" for row, quantity in nodes
    )
    return document(rows)


def document(inner: str) -> bytes:
    """Wrap elements that are XML already into the body of a request."""
    return f"{_HEAD}{inner}\n</prestashop>\n".encode()


def parse(body: bytes) -> etree._Element | None:
    """Parse an answer of the webservice; None for anything else (a maintenance page, half a document, a DTD)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root.tag == "prestashop" and root.getroottree().docinfo.internalDTD is None else None


def stock_rows(root: etree._Element) -> list[StockRow]:
    """All complete stock rows of an XML answer, in its order."""
    found = []
    for node in root.iter("stock_available"):
        row = stock_row({child.tag: child.text for child in node})
        if row is not None:
            found.append(row)
    return found


def stock_row(fields: dict[str, object]) -> StockRow | None:
    """Make a row of its fields; None when one is missing or not a number."""
    field = fields.get
    row, product, combination = whole(field("id")), whole(field("id_product")), whole(field("id_product_attribute"))
    quantity = whole(field("quantity"))
    if row is None or product is None or combination is None or quantity is None:
        return None
    return StockRow(row, product, combination, whole(field("id_shop")) or 0, quantity)


def errors(root: etree._Element) -> list[tuple[int | None, str]]:
    """Code and message of each error in an XML answer."""
    return [
        (whole((node.findtext("code") or "").strip()), " ".join((node.findtext("message") or "").split()))
        for node in root.iter("error")
    ]


def rights(root: etree._Element) -> dict[str, frozenset[str]] | None:
    """Read what the key may do from ``/api/``: resource → methods, in lower case; None when it is not that list."""
    api = root.find("api")
    if api is None:
        return None
    methods = ("get", "put", "post", "patch", "delete")
    return {str(node.tag): frozenset(name for name in methods if node.get(name) == "true") for node in api}


def json_list(body: bytes, resource: str) -> list[dict[str, object]] | None:
    """Read a list answer of this resource; None when it is anything else."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if document == []:
        return []
    rows = document.get(resource) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return rows


def code_filters(codes: Sequence[str]) -> Iterator[str]:
    """Pack codes into as few values of ``filter[reference]`` as the syntax and the length of a URL allow.

    A filter may match more than was asked for (the shop folds accents, a prefix is only a prefix): the caller picks.
    """
    plain = [code for code in codes if code and not _AWKWARD.intersection(code)]
    start = 0
    while start < len(plain):
        end, length = start, 0
        while end < len(plain) and end - start < CODES_PER_CALL:
            length += len(quote(plain[end], safe="")) + 3
            if length > _MAX_FILTER and end > start:
                break
            end += 1
        yield f"[{'|'.join(plain[start:end])}]"
        start = end
    for code in codes:
        if _AWKWARD.intersection(code) and (alone := _alone(code)):
            yield alone


def findable(code: str) -> bool:
    """Tell whether any filter can carry this code; ``[`` at the start with ``]`` at the end cannot be asked for."""
    return bool(code) and (not _AWKWARD.intersection(code) or _alone(code) != "")


def _alone(code: str) -> str:
    opening, closing = code.find("["), code.rfind("]")
    if opening < 0 or closing < opening:
        return code
    before, after = code[:opening], code[closing + 1 :]
    if not before and not after:
        return ""
    return f"[{before}]%" if len(before) >= len(after) else f"%[{after}]"


def id_filter(ids: Iterable[int]) -> str:
    """Write ``[1|2|3]``."""
    return f"[{'|'.join(map(str, ids))}]"


def short(text: str, secret: str) -> str:
    """Cut the shop's own words to `MAX_TEXT`, in one line, without the key should the shop echo it."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[:2000]).split())
    return (line.replace(secret, "***") if secret else line)[:MAX_TEXT]
