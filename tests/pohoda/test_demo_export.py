"""The embedded POHODA's export says what its tables hold, in the words and the bytes that POHODA uses."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from agent.demo import export, pohoda
from agent.pohoda.bad import BadItem
from agent.pohoda.card import StockItem
from agent.pohoda.envelope import closes, sniff
from agent.pohoda.items import items
from agent.pohoda.stock import parse_many

STAMP = "2026-11-20T08:00:01"
ODD = 'Kůň → 🐴 ťuká & <b>"klepe"</b>\r\nna vrata\x07'


@pytest.fixture
def books(tmp_path: Path) -> Path:
    db = tmp_path / "pohoda.db"
    pohoda.create(db, stores=("HLAVNÍ", "PRODEJNA"), cards=80, catalogue=True, documents=tmp_path / "Dokumenty")
    return db


def query(db: Path, sql: str, *given: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection, connection:
        return connection.execute(sql, given).fetchall()


def read(data: bytes, folder: Path) -> list[StockItem]:
    file = folder / "export.xml"
    file.write_bytes(data)
    found = parse_many(list(items(file, ico="12345678")))
    assert not [one for one in found if isinstance(one, BadItem)]
    return [one for one in found if isinstance(one, StockItem)]


def test_what_is_read_back_is_what_the_tables_hold(books: Path, tmp_path: Path) -> None:
    cards = read(export.document(books, stamp=STAMP), tmp_path)
    columns = (
        "c.ID, c.IDS, c.EAN, c.IObchod, c.Nazev, c.MJ, s.IDS, c.ProdejKc, c.Hmotnost, c.StavZ, c.Rezer, c.ObjedP,"
        " c.Novinka, c.Akce, c.Dodani, c.Popis, c.Popis2"
    )
    sql = f"SELECT {columns} FROM SKz c JOIN sSklad s ON s.ID = c.RefSklad WHERE c.Template = 0 ORDER BY c.ID"
    told = [
        (
            *(card.id, card.code, card.ean, card.internet, card.name, card.unit, card.store, card.selling_price),
            *(card.mass, card.count, card.reservation, card.received_orders, card.news, card.sale),
            *(card.availability, card.description, card.description2),
        )
        for card in cards
    ]
    held = [(*row[:7], *(Decimal(str(each)) for each in row[7:12]), *row[12:]) for row in query(books, sql)]
    assert told == held
    assert len({card.store for card in cards}) == 2


def test_pictures_price_levels_and_rates_of_vat_are_read_back(books: Path, tmp_path: Path) -> None:
    for card in read(export.document(books, stamp=STAMP), tmp_path):
        sql = "SELECT ID, Soubor, Popis, OrderFld, Vychozi FROM SkRefObraz WHERE RefAg = ? ORDER BY OrderFld"
        said = [(one.id, one.file, one.description, one.order, int(one.default)) for one in card.pictures or ()]
        assert said == query(books, sql, card.id)
        sql = "SELECT l.ID, l.IDS, ProdejC FROM SKzCn p JOIN SkCeny l ON l.ID = p.RefSkCeny WHERE RefAg = ? ORDER BY 1"
        levels = [(level, code, Decimal(str(price))) for level, code, price in query(books, sql, card.id)]
        assert [(level.id, level.ids, level.price) for level in card.price_levels or ()] == levels
        ((kind,),) = query(books, "SELECT RelDPHp FROM SKz WHERE ID = ?", card.id)
        assert (card.vat, card.vat_percent) == {1: ("low", Decimal(12)), 2: ("high", Decimal(21))}[kind]
        assert not card.selling_price_with_vat
        ((card_type,),) = query(books, "SELECT RelSkTyp FROM SKz WHERE ID = ?", card.id)
        assert (card.kind == "card") == (card_type == 1)


def test_it_is_one_line_of_windows_1250_and_what_that_does_not_have_is_written_as_a_reference(
    books: Path, tmp_path: Path
) -> None:
    query(books, "UPDATE SKz SET Nazev = ?, Popis2 = ? WHERE ID = 1", ODD, ODD)
    data = export.document(books, stamp=STAMP, ids=[1])
    head, _, body = data.partition(b"\n")
    assert head == b'<?xml version="1.0" encoding="Windows-1250"?>'
    assert body.count(b"\n") == 2, "those of the texts"
    assert "Kůň ".encode("cp1250") in body
    assert b"&#128052;" in body
    (card,) = read(data, tmp_path)
    assert card.description2 == ODD.replace("\x07", "")


def test_an_export_of_some_cards_holds_these_cards_and_their_pictures_only(books: Path, tmp_path: Path) -> None:
    chosen = [3, 7, 40, 999_999]
    cards = read(export.document(books, stamp=STAMP, ids=chosen), tmp_path)
    assert [card.id for card in cards] == [3, 7, 40]
    whole = {card.id: card for card in read(export.document(books, stamp=STAMP), tmp_path)}
    assert cards == [whole[card.id] for card in cards]
    assert any(card.pictures for card in cards)
    assert read(export.document(books, stamp=STAMP, ids=[]), tmp_path) == []


def test_templates_and_empty_fields_are_not_told(books: Path, tmp_path: Path) -> None:
    query(books, "UPDATE SKz SET Template = 1 WHERE ID = 2")
    query(books, "UPDATE SKz SET EAN = NULL, Popis2 = '', ProdejKc = NULL, ProdejDPH = 121 WHERE ID = 1")
    data = export.document(books, stamp=STAMP, ids=[1, 2])
    (card,) = read(data, tmp_path)
    assert (card.ean, card.description2) == (None, None)
    assert (card.selling_price, card.selling_price_with_vat) == (Decimal(121), True)
    assert b"<stk:EAN" not in data
    assert b"<stk:description2" not in data


def test_the_envelope_says_whose_it_is_and_from_when(books: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.xml"
    file.write_bytes(export.document(books, stamp=STAMP, ico="87654321", note='Export „zásob" & cen'))
    envelope = sniff(file, ico="87654321")
    assert (envelope.kind, envelope.ico, envelope.note) == ("stock", "87654321", 'Export „zásob" & cen')
    assert closes(file)
    stamps = etree.fromstring(file.read_bytes()).xpath("//@dateTimeStamp")
    assert stamps == [STAMP]


def test_pieces_are_the_same_document_and_one_card_each(books: Path) -> None:
    made = list(export.pieces(books, stamp=STAMP))
    assert b"".join(made) == export.document(books, stamp=STAMP)
    ((cards,),) = query(books, "SELECT count(*) FROM SKz WHERE Template = 0")
    assert len(made) == cards + 2
    assert all(piece.count(b"<lStk:stock ") == 1 for piece in made[1:-1])
