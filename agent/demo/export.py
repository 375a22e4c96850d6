"""What POHODA writes when it exports stock cards: the embedded POHODA's tables as one ``lStk:listStock``.

The element forms are those of POHODA's own documents: Windows-1250 in one line, the namespaces on the root, counts and
weights as floats ("37.0"), money without needless zeros ("990"), a carriage return as ``&#13;``, no element for an
empty field, but an empty one for pictures and for prices of levels: only so a document says that there are none. What
Windows-1250 does not have is a character reference; what XML forbids is left out. The base price is told as the card
keeps it (``payVAT="false"``), the rate of VAT beside its kind. Like POHODA's, a document says nothing of ``FmtPopis``
and ``FmtPopis2``: whether a text is HTML is for the reader to see.

The tables are read in one transaction and walked side by side in the order of the cards, so memory stays flat.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from agent.pohoda.names import LST, LSTK, RSP, STK, TYP

KINDS = ("card", "text", "service", "package", "set", "product")
"""``stockTypeType`` of stock.xsd in its order: SKz.RelSkTyp counts from 1."""
RATES = {0: ("none", "0"), 1: ("low", "12"), 2: ("high", "21"), 3: ("third", "10")}
"""SKz.RelDPHp → the kind of the rate and percent."""
_SPACES = {"rsp": RSP, "lStk": LSTK, "stk": STK, "typ": TYP, "lst": LST}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_BUSY = 5.0
_CARDS = """SELECT c.ID AS id, c.RelSkTyp AS kind, TRIM(c.IDS) AS code, c.EAN AS ean, c.IObchod AS internet,
    c.RelDPHp AS vat, c.Nazev AS name, c.MJ AS unit, c.RefSklad AS store, TRIM(s.IDS) AS storage, c.NakupC AS bought,
    c.ProdejKc AS net, c.ProdejDPH AS gross, c.Hmotnost AS mass, c.StavZ AS count, c.Rezer AS reserved,
    c.ObjedP AS received, c.ObjedV AS issued, c.Vyrobce AS producer, c.Novinka AS news, c.Doprodej AS clearance,
    c.Akce AS sale, c.Doporucujeme AS recommended, c.Sleva AS discount, c.Priprav AS prepare, c.Dodani AS availability,
    c.Popis AS description, c.Popis2 AS description2
    FROM SKz c LEFT JOIN sSklad s ON s.ID = c.RefSklad WHERE COALESCE(c.Template, 0) = 0{chosen} ORDER BY c.ID"""
_PICTURES = """SELECT p.RefAg, p.ID, p.Soubor, p.Popis, p.OrderFld, p.Vychozi FROM SkRefObraz p
    JOIN SKz c ON c.ID = p.RefAg WHERE 1{chosen} ORDER BY p.RefAg, p.OrderFld, p.ID"""
_PRICES = """SELECT p.RefAg, l.ID, TRIM(l.IDS), p.ProdejC FROM SKzCn p JOIN SkCeny l ON l.ID = p.RefSkCeny
    JOIN SKz c ON c.ID = p.RefAg WHERE 1{chosen} ORDER BY p.RefAg, l.ID"""
_CHOSEN = " AND c.ID IN (SELECT value FROM json_each(?))"


def document(
    db: Path, *, ids: Sequence[int] | None = None, stamp: str, ico: str = "12345678", note: str = "Export zásob"
) -> bytes:
    """Make an export of these cards (``SKz.ID``; None: of all); ids that are not there are passed over.

    ``stamp`` is the moment that the list tells (``2026-11-20T08:00:01``). Templates are never exported.
    """
    return b"".join(pieces(db, ids=ids, stamp=stamp, ico=ico, note=note))


def pieces(
    db: Path, *, ids: Sequence[int] | None = None, stamp: str, ico: str = "12345678", note: str = "Export zásob"
) -> Iterator[bytes]:
    """Make the same piece by piece: a head, one piece per card, an end. 100,000 cards take about 5 s."""
    chosen, given = ("", ()) if ids is None else (_CHOSEN, (f"[{','.join(str(int(one)) for one in ids)}]",))
    with closing(sqlite3.connect(db, timeout=_BUSY, isolation_level=None)) as connection:
        connection.execute("BEGIN")  # cards, pictures and prices of one moment
        yield _encoded(_head(stamp, ico, note))
        pictures = _beside(connection.execute(_PICTURES.format(chosen=chosen), given))
        prices = _beside(connection.execute(_PRICES.format(chosen=chosen), given))
        cards = connection.execute(_CARDS.format(chosen=chosen), given)
        cards.row_factory = sqlite3.Row
        for card in cards:
            header = "".join(_header(card, pictures(card["id"])))
            levels = "".join(map(_price, prices(card["id"])))
            levels = f"<stk:stockPriceItem>{levels}</stk:stockPriceItem>"
            made = f'<lStk:stock version="2.0"><stk:stockHeader>{header}</stk:stockHeader>{levels}</lStk:stock>'
            yield _encoded(made)
        yield b"</lStk:listStock></rsp:responsePackItem></rsp:responsePack>"


def _head(stamp: str, ico: str, note: str) -> str:
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _SPACES.items())
    number = 'version="2.0" id="00000001" state="ok"'
    return (
        f'<?xml version="1.0" encoding="Windows-1250"?>\n<rsp:responsePack {number}'
        f' programVersion="14107.3 SQL (5.5.2026)" ico={_quoted(ico)} key="00000000-0000-4000-8000-000000000001"'
        f" note={_quoted(note)}{spaces}><rsp:responsePackItem {number}>"
        f'<lStk:listStock version="2.0" dateTimeStamp={_quoted(stamp)} dateValidFrom={_quoted(stamp[:10])} state="ok">'
    )


def _beside(rows: sqlite3.Cursor) -> Callable[[int], list[tuple[object, ...]]]:
    """Rows that hang on cards, by the card's id in their first column; to be asked for in the order of the ids."""
    groups = groupby(rows, itemgetter(0))
    waiting = next(groups, None)

    def of(card: int) -> list[tuple[object, ...]]:
        nonlocal waiting
        while waiting is not None and waiting[0] < card:
            waiting = next(groups, None)
        return [row[1:] for row in waiting[1]] if waiting is not None and waiting[0] == card else []

    return of


def _header(card: sqlite3.Row, pictures: list[tuple[object, ...]]) -> Iterator[str]:
    kind = card["kind"] or 1
    yield f"<stk:id>{card['id']}</stk:id><stk:stockType>{KINDS[kind - 1]}</stk:stockType>"
    yield _text("code", card["code"]) + _text("EAN", card["ean"])
    yield f"<stk:isSales>true</stk:isSales>{_tick('isInternet', card['internet'])}"
    rate, percent = RATES[card["vat"] or 0]
    yield f'<stk:sellingRateVAT value="{percent}">{rate}</stk:sellingRateVAT>'
    yield _text("name", card["name"]) + _text("unit", card["unit"])
    yield f"<stk:storage><typ:id>{card['store']}</typ:id><typ:ids>{_escaped(card['storage'])}</typ:ids></stk:storage>"
    yield _money("purchasingPrice", card["bought"], with_vat=False)
    with_vat = card["net"] is None
    yield _money("sellingPrice", card["gross"] if with_vat else card["net"], with_vat=with_vat)
    yield _number("mass", card["mass"]) + _number("count", card["count"])
    yield _number("countReceivedOrders", card["received"]) + _number("reservation", card["reserved"])
    yield _number("countIssuedOrders", card["issued"]) + _text("producer", card["producer"])
    yield _tick("news", card["news"]) + _tick("clearanceSale", card["clearance"]) + _tick("sale", card["sale"])
    yield _tick("recommended", card["recommended"]) + _tick("discount", card["discount"])
    yield _tick("prepare", card["prepare"]) + _text("availability", card["availability"])
    yield _text("description", card["description"]) + _text("description2", card["description2"])
    yield f"<stk:pictures>{''.join(map(_picture, pictures))}</stk:pictures>"
    yield "<stk:markRecord>false</stk:markRecord>"


def _picture(row: tuple[object, ...]) -> str:
    ident, file, description, order, default = row
    shown = _text("description", description) or "<stk:description/>"
    return (
        f'<stk:picture default="{_said(default)}"><stk:id>{ident}</stk:id>{_text("filepath", file)}{shown}'
        f"<stk:order>{order or 0}</stk:order></stk:picture>"
    )


def _price(row: tuple[object, ...]) -> str:
    level, code, price = row
    amount = "" if price is None else f"<typ:price>{_plain(price)}</typ:price>"
    return f"<stk:stockPrice><typ:id>{level}</typ:id><typ:ids>{_escaped(code)}</typ:ids>{amount}</stk:stockPrice>"


def _text(tag: str, value: object) -> str:
    return f"<stk:{tag}>{_escaped(value)}</stk:{tag}>" if value not in (None, "") else ""


def _tick(tag: str, value: object) -> str:
    return f"<stk:{tag}>{_said(value)}</stk:{tag}>"


def _number(tag: str, value: float | None) -> str:
    shown = _plain(value or 0)
    return f"<stk:{tag}>{shown if '.' in shown else shown + '.0'}</stk:{tag}>"


def _money(tag: str, value: object, *, with_vat: bool) -> str:
    return "" if value is None else f'<stk:{tag} payVAT="{_said(with_vat)}">{_plain(value)}</stk:{tag}>'


def _plain(value: object) -> str:
    """A number without exponent and without zeros at its end."""
    number = Decimal(str(value))
    return format(number.normalize(), "f") if number else "0"


def _said(value: object) -> str:
    return "true" if value else "false"


def _escaped(value: object) -> str:
    return escape(_FORBIDDEN.sub("", str(value or "")), {"\r": "&#13;"})


def _quoted(value: str) -> str:
    return quoteattr(_FORBIDDEN.sub("", value))


def _encoded(text: str) -> bytes:
    return text.encode("cp1250", "xmlcharrefreplace")
