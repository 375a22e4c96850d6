"""What the office does to categories, parameters, firms and orders is what POHODA's tables then say."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.demo import internet, pohoda
from agent.demo.office import Office

TODAY = "2026-11-20"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    documents = tmp_path / "Dokumenty"
    pohoda.create(tmp_path / "pohoda.db", cards=40, catalogue=True, row_version=True, documents=documents)
    with closing(sqlite3.connect(tmp_path / "pohoda.db")) as db, db:
        db.execute("UPDATE SKz SET DatSave = '2000-01-01 00:00:00', StavZ = 50, Rezer = 0, ObjedP = 0")
    with closing(Office(tmp_path / "pohoda.db", documents)) as made:
        yield made


@pytest.fixture
def books(tmp_path: Path) -> Path:
    return tmp_path / "pohoda.db"


def ask(books: Path, sql: str, *given: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(books)) as db:
        return db.execute(sql, given).fetchall()


def version(books: Path, table: str, row: int) -> int:
    ((found,),) = ask(books, f"SELECT RowVer FROM {table} WHERE ID = ?", row)
    return int(found)


def stock(books: Path, card: int) -> tuple[float, float, float]:
    ((have, held, ordered),) = ask(books, "SELECT StavZ, Rezer, ObjedP FROM SKz WHERE ID = ?", card)
    return have, held, ordered


def code_of(books: Path, card: int) -> str:
    ((code,),) = ask(books, "SELECT IDS FROM SKz WHERE ID = ?", card)
    return str(code)


def alone(books: Path) -> tuple[int, str]:
    """A card on offer whose code lies in one store only."""
    sql = "SELECT MIN(ID), IDS FROM SKz WHERE RelSkTyp = 1 AND Template = 0 GROUP BY IDS HAVING count(*) = 1"
    card, code = ask(books, sql)[0]
    return card, code


def test_the_range_has_three_levels_every_type_of_parameter_and_names_that_occur_twice(
    office: Office, books: Path
) -> None:
    assert ask(books, "SELECT DISTINCT Node FROM SkKat ORDER BY 1") == [(1,), (2,), (3,)]
    assert ask(books, "SELECT IDS FROM SkKat GROUP BY IDS HAVING count(*) > 1 ORDER BY 1") == [
        ("Náhradní díly",),
        ("Ruční nářadí",),
    ]
    used = ask(books, "SELECT DISTINCT d.RelTyp FROM SkRefParam p JOIN SkParam d ON d.ID = p.RefParam ORDER BY 1")
    assert [kind for (kind,) in used] == sorted(
        {
            internet.TEXT,
            internet.CURRENCY,
            internet.BOOLEAN,
            internet.WHOLE,
            internet.NUMBER,
            internet.DATE,
            internet.LIST,
        }
    )
    ((several,),) = ask(
        books, "SELECT count(*) FROM (SELECT 1 FROM SKRefParamList GROUP BY RefAg, RefParam HAVING count(*) > 1)"
    )
    assert several >= 1
    pictures = ask(books, "SELECT Obrazek FROM SkKat WHERE Obrazek IS NOT NULL")
    assert len(pictures) == len(internet.TREE)
    assert all((books.parent / "Dokumenty" / "Obrázky" / name).is_file() for (name,) in pictures)


def test_tables_may_be_left_empty(tmp_path: Path) -> None:
    pohoda.create(tmp_path / "empty.db", cards=5, catalogue=True, filled=False)
    for table in ("SkKat", "SkRefKat", "SkParam", "SkRefParam", "SKRefParamList", "SKzNC", "AD", "OBJ", "OBJpol"):
        assert ask(tmp_path / "empty.db", f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_category_is_made_renamed_moved_hidden_and_deleted_with_all_below_it(office: Office, books: Path) -> None:
    tree = office.tree
    top = tree.add("Nová", description="Text", picture=True)
    below = tree.add("Nižší", top, visible=False)
    tree.rename(top, "Nová 2")
    tree.hide(below, visible=True)
    tree.move(below, 1)
    sql = "SELECT IDS, RefNodeID, Zobraz, DatSave > '2026-02' FROM SkKat WHERE ID IN (?, ?) ORDER BY ID"
    assert ask(books, sql, top, below) == [("Nová 2", 0, 1, 1), ("Nižší", 1, 1, 1)]
    with pytest.raises(ValueError, match="below"):
        tree.move(1, below)
    tree.put(card := office.card(), [top, below])
    assert tree.of(card) == [top, below]
    assert below in tree.delete(1)
    assert tree.of(card) == [top]
    assert ask(books, "SELECT count(*) FROM SkKat WHERE ID = ? OR RefNodeID = 1", below) == [(0,)]


def test_what_hangs_on_a_card_moves_its_version_and_its_date(office: Office, books: Path) -> None:
    card = office.card()
    works: list[Callable[[], object]] = [
        lambda: office.tree.put(card, [1, 2]),
        lambda: office.parameters.set(card, "Barva", ["modrá", "fialová"]),
        lambda: office.parameters.remove(card, "Barva"),
        lambda: office.firms.add(card, "Nový velkoobchod", code="X1", default=True),
        lambda: office.firms.remove(card, "Nový velkoobchod"),
        lambda: office.firms.maker(card, None),
    ]
    for work in works:
        with closing(sqlite3.connect(books)) as db, db:
            db.execute("UPDATE SKz SET DatSave = '2000-01-01 00:00:00'")
        before = version(books, "SKz", card)
        work()
        assert version(books, "SKz", card) > before
        assert office.changed(dt.datetime(2026, 1, 1)) == [card]  # noqa: DTZ001 - POHODA's times are local


@pytest.mark.parametrize("table", sorted({"SkRefKat", "SkRefParam", "SKRefParamList", "SKzNC"}))
def test_a_row_put_changed_or_taken_by_itself_moves_the_version_of_its_card(
    office: Office, books: Path, table: str
) -> None:
    seen = [version(books, "SKz", 3)]
    for sql in (
        f"INSERT INTO {table} (ID, RefAg) VALUES (90000, 3)",
        f"UPDATE {table} SET ID = 90001 WHERE ID = 90000",
        f"DELETE FROM {table} WHERE ID = 90001",
    ):
        with closing(sqlite3.connect(books)) as db, db:
            db.execute(sql)
        seen.append(version(books, "SKz", 3))
    assert seen == sorted(set(seen))


def test_values_stand_in_the_column_of_their_type(office: Office, books: Path) -> None:
    card = office.card()
    given: list[tuple[str, Any, str, Any]] = [
        ("Materiál", "mosaz", "ValText", "mosaz"),
        ("Délka", 7.5, "ValDouble", 7.5),
        ("Skládací", True, "ValLong", 1),
        ("Kusů v balení", 12, "ValLong", 12),
        ("Doporučená cena", 99.9, "ValCurrency", 99.9),
        ("V nabídce od", dt.date(2026, 12, 24), "ValDate", "2026-12-24 00:00:00"),
    ]
    for name, value, column, held in given:
        office.parameters.set(card, name, 5 if name == "Délka" else value)
        office.parameters.set(card, name, value)
        sql = f"SELECT {column} FROM SkRefParam p JOIN SkParam d ON d.ID = p.RefParam WHERE p.RefAg = ? AND d.IDS = ?"
        assert ask(books, sql, card, name) == [(held,)]
    office.parameters.set(card, "Barva", ["černá", "tyrkysová"])
    sql = (
        "SELECT v.IDS FROM SKRefParamList l JOIN SkParamList v ON v.ID = l.RefParamList WHERE l.RefAg = ? AND l.Sel = 1"
    )
    assert ask(books, sql, card) == [("černá",), ("tyrkysová",)]
    assert {name for name, *_ in given} | {"Barva"} == set(office.parameters.of(card))
    with pytest.raises(KeyError):
        office.parameters.set(card, "Neznámý", "x")


def test_one_supplier_of_a_card_is_preferred(office: Office, books: Path) -> None:
    card = office.card()
    for firm in office.firms.of(card):
        office.firms.remove(card, firm)
    office.firms.add(card, "První", default=True)
    office.firms.add(card, "Druhý", code="D2", default=True)
    assert office.firms.of(card) == ["První", "Druhý"]
    assert ask(books, "SELECT DefDod FROM SKzNC WHERE RefAg = ? ORDER BY ID", card) == [(0,), (1,)]
    office.firms.remove(card, "Druhý")
    assert ask(books, "SELECT RefAD, Firma FROM SKz WHERE ID = ?", card) == [(None, None)]


def test_an_order_reserves_its_pieces_and_what_is_transferred_leaves_the_stock_once(
    office: Office, books: Path
) -> None:
    card, code = alone(books)
    order = office.orders.write("ABCDEFGHI", {code: 5}, date=TODAY)
    assert stock(books, card) == (50, 5, 5)
    office.orders.transfer(order, {code: 2})
    assert stock(books, card) == (48, 3, 3)
    assert ask(books, "SELECT PDoklad, RelTpObj, BDodano, Vyrizeno FROM OBJ WHERE ID = ?", order) == [
        ("ABCDEFGHI", 1, 0, 0)
    ]
    assert office.orders.outstanding(order) == {code: 3}
    office.orders.transfer(order)
    assert stock(books, card) == (45, 0, 0)
    office.orders.execute(order)
    assert stock(books, card) == (45, 0, 0)
    assert ask(books, "SELECT BDodano, Vyrizeno FROM OBJ WHERE ID = ?", order) == [(1, 1)]
    assert office.orders.open() == []


def test_a_cancelled_order_gives_back_what_it_reserved(office: Office, books: Path) -> None:
    card, code = alone(books)
    order = office.orders.write("ABCDEFGHI", {code: 5})
    before = version(books, "OBJ", order)
    office.orders.cancel(order)
    assert stock(books, card) == (50, 0, 0)
    assert version(books, "OBJ", order) > before
    assert ask(books, "SELECT DatStorn IS NOT NULL FROM OBJ") == [(1,)]
    with pytest.raises(KeyError):
        office.orders.write("JKLMNOPQR", {"no such code": 1})
    assert office.orders.open() == []


def test_the_quantity_less_reservations_moves_only_when_an_order_is_written_or_cancelled(
    office: Office, books: Path
) -> None:
    card, code = alone(books)

    def free() -> float:
        have, held, _ = stock(books, card)
        return have - held

    order = office.orders.write("ABCDEFGHI", {code: 4})
    assert free() == 46
    office.orders.transfer(order, {code: 1})
    office.orders.execute(order)
    assert free() == 46
