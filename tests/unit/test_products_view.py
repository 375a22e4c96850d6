"""Claims about the view of texts and prices: what is read, what is a change, and what a missing column means."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import mssql

from agent.errors import SourceUnavailable
from agent.sources.access_memory import Image
from agent.sources.access_rows import CATALOGUE, Table
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.queries import Queries
from agent.sources.rows import FIELDS
from agent.sources.views import exact
from agent.sources.views.products import ProductsView
from tests.unit.catalogue_fixture import level, rows, watch
from tests.unit.pohoda_fixture import do, small

ALL = ProductsView(fields=FIELDS, prices=True)


def one(path: Path) -> Path:
    """A POHODA with one card, A, and something in each of its columns."""
    small(path, ("A", 1, 5.0, 1))
    do(
        path,
        "UPDATE SKz SET Nazev = 'Šroub', Popis = 'krátký', Popis2 = '<p>dlouhý</p>', FmtPopis2 = 1, EAN = '85900',"
        " MJ = 'ks', Hmotnost = 4.2, RelDPHp = 2, Dodani = 'skladem', Novinka = 1, Akce = 1, ProdejKc = 100.5,"
        " ProdejDPH = 121.605",
    )
    return path


def test_every_field_is_read_from_its_column(tmp_path: Path) -> None:
    follower = watch(one(tmp_path / "p.db"), ALL)
    assert follower.all() == ["a"]
    (row,) = rows(follower, "a")
    assert (row.name, row.description, row.description_formatted) == ("Šroub", "<p>dlouhý</p>", True)
    assert (row.short_description, row.short_formatted) == ("krátký", False)
    assert (row.ean, row.unit, row.weight, row.vat, row.availability) == ("85900", "ks", 4.2, "high", "skladem")
    assert (row.marks, row.net, row.gross) == (("new", "action"), 100.5, 121.605)
    assert (row.code, row.store, row.internet, row.lacking) == ("A", "HLAVNI", True, frozenset())


@pytest.mark.parametrize(
    "change",
    [
        "Nazev = 'Matka'",
        "Popis2 = 'jiný'",
        "FmtPopis2 = 0",
        "Hmotnost = 4.3",
        "Akce = 0",
        "IObchod = 0",
        "ProdejKc = 1",
    ],
)
def test_a_change_of_a_chosen_column_is_told(tmp_path: Path, change: str) -> None:
    path = one(tmp_path / "p.db")
    follower = watch(path, ALL)
    follower.all()
    do(path, f"UPDATE SKz SET {change}")
    assert follower.all() == ["a"]
    assert follower.all() == []


@pytest.mark.parametrize("change", ["StavZ = 9", "Popis2 = 'jiný'", "ProdejKc = 1", "RelDPHp = 1", "Novinka = 0"])
def test_what_is_not_chosen_is_no_change(tmp_path: Path, change: str) -> None:
    path = one(tmp_path / "p.db")
    follower = watch(path, ProductsView(fields=("name", "visible")))
    follower.all()
    do(path, f"UPDATE SKz SET {change}")
    assert follower.all() == []


def test_a_card_of_two_stores_has_two_rows(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 0), ("A", 2, 7.0, 1))
    follower = watch(path, ProductsView())
    follower.all()
    assert [(row.store, row.internet) for row in rows(follower, "a")] == [("HLAVNI", False), ("PRODEJNA", True)]


def test_only_chosen_stores_and_goods_count(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("B", 2, 7.0, 1), ("C", 2, 7.0, 1))
    do(path, "UPDATE SKz SET Template = 1 WHERE IDS = 'C'")
    assert watch(path, ProductsView(stores=("prodejna",))).all() == ["b"]


@pytest.mark.parametrize(
    ("column", "lacking"),
    [
        ("Nazev", {"name"}),
        ("Popis2", {"description"}),
        ("Dodani", {"availability"}),
        ("FmtPopis2", set()),
        ("Akce", set()),
    ],
)
def test_a_missing_column_leaves_its_field_out_and_check_says_so(
    tmp_path: Path, column: str, lacking: set[str]
) -> None:
    path = one(tmp_path / "p.db")
    do(path, "DROP INDEX xSTEXT")
    do(path, f"ALTER TABLE SKz DROP COLUMN {column}")
    follower = watch(path, ALL)
    assert follower.all() == ["a"]
    assert rows(follower, "a")[0].lacking == lacking
    (finding,) = [finding for finding in follower.source.check() if finding.subject == f"SKz.{column}"]
    assert finding.verdict == "warning"


def test_without_prices_with_vat_the_others_are_read(tmp_path: Path) -> None:
    path = one(tmp_path / "p.db")
    do(path, "ALTER TABLE SKz DROP COLUMN ProdejDPH")
    follower = watch(path, ALL)
    follower.all()
    assert (rows(follower, "a")[0].net, rows(follower, "a")[0].gross) == (100.5, None)
    assert "SKz.ProdejDPH" in {finding.subject for finding in follower.source.check()}


def test_a_price_cannot_be_read_without_its_column(tmp_path: Path) -> None:
    path = one(tmp_path / "p.db")
    do(path, "ALTER TABLE SKz DROP COLUMN ProdejKc")
    with pytest.raises(SourceUnavailable, match="ProdejKc"):
        watch(path, ALL).one()


@pytest.mark.parametrize("with_vat", [False, True])
def test_the_price_of_a_level_is_read_in_the_form_of_the_level(tmp_path: Path, *, with_vat: bool) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("B", 1, 5.0, 1))
    level(path, "Jiná", {1: 1.0, 2: 1.0})
    level(path, "Velko", {1: 80.5}, with_vat=with_vat)
    follower = watch(path, ProductsView(fields=(), prices=True, level=" velko "))
    follower.all()
    first, second = rows(follower, "a")[0], rows(follower, "b")[0]
    assert (first.net, first.gross) == ((None, 80.5) if with_vat else (80.5, None))
    assert (second.net, second.gross) == (None, None)
    assert first.price_from == "SKzCn.ProdejC (level Velko)"


def test_a_changed_price_of_a_level_is_told_though_the_card_did_not_move(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("B", 1, 5.0, 1))
    level(path, "Velko", {1: 80.5, 2: 10})
    follower = watch(path, ProductsView(prices=True, level="Velko"))
    follower.all()
    do(path, "UPDATE SKzCn SET ProdejC = 81 WHERE RefAg = 1")
    assert follower.all() == ["a"]
    do(path, "DELETE FROM SKzCn WHERE RefAg = 2")
    assert follower.all() == ["b"]
    assert rows(follower, "b")[0].net is None


def test_of_a_level_by_rowversion_check_says_what_is_seen_late(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), row_version=True)
    level(path, "Velko", {1: 80.5})
    found = watch(path, ProductsView(prices=True, level="Velko")).source.check()
    assert any(each.verdict == "warning" and "full pass only" in each.text and each.hint for each in found)


def test_an_unknown_level_is_an_error_that_lists_the_levels(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    level(path, "Velko", {})
    with pytest.raises(SourceUnavailable, match="Malo") as caught:
        watch(path, ProductsView(prices=True, level="Malo")).one()
    assert "Velko" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "word"), [(0, "none"), (1, "low"), (2, "high"), (3, "third"), (None, "none"), (7, "7")]
)
def test_a_kind_of_vat_is_a_word_and_an_unknown_one_stays_its_number(tmp_path: Path, kind: object, word: str) -> None:
    path = one(tmp_path / "p.db")
    do(path, "UPDATE SKz SET RelDPHp = ?", kind)
    follower = watch(path, ProductsView(fields=("vat",)))
    follower.all()
    assert rows(follower, "a")[0].vat == word


@pytest.mark.parametrize("same", [12.34, Decimal("12.3400"), Decimal("12.34"), "12.34"])
def test_money_has_one_fingerprint_from_every_driver(same: object) -> None:
    assert money(same) == money(12.34)


@pytest.mark.parametrize("other", [12.35, Decimal("12.3401"), None, 0, "jiné", float("inf"), b"\x0c"])
def test_other_money_has_another_fingerprint_and_no_price_is_not_zero(other: object) -> None:
    assert money(other) != money(12.34)
    assert money(None) != money(0)


def test_large_money_is_exact() -> None:
    assert money(Decimal("922337203685477.5807")) != money(Decimal("922337203685477.5806"))


@pytest.mark.parametrize("row", [(1, "A", None, 0, None, None, None), (1, " A ", 0, False, "", 0.0, b"\0")])
def test_null_is_an_empty_text_zero_and_no_tick(row: tuple[Any, ...]) -> None:
    kinds = (exact.text, exact.number, exact.tick)
    assert exact.digests([row], kinds=kinds) == exact.digests([(1, "A", 0, 0, "", 0, 0)], kinds=kinds)


def test_a_true_tick_and_a_one_are_one_whatever_was_asked_before() -> None:
    assert (exact.number(True), exact.number(1), exact.number(1.0)) == (exact.number(True), "1", "1")
    assert {exact.tick(value) for value in (1, True, 1.0, b"\1")} == {True}


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    found = exact.digests([(1, "ŠRO-1", 1, 1, "Šroub", 4.2)], kinds=(exact.text, exact.number))
    assert found[1].hex() == "c5b0f3f4005caf5d"


@pytest.mark.parametrize("odd", ["\ud800", b"", 10**400])
def test_one_odd_value_neither_hides_nor_changes_other_rows(odd: object) -> None:
    plain = (2, "B", 1, 1, "text")
    mixed = exact.digests([(1, "A", 1, 1, odd), plain, (3, None, 1, 1, "x")], kinds=(exact.text,))
    assert mixed.keys() == {1, 2}
    assert mixed[2] == exact.digests([plain], kinds=(exact.text,))[2]


def test_other_settings_are_told_from_each_other() -> None:
    views = [
        ProductsView(),
        ALL,
        ProductsView(prices=True),
        ProductsView(prices=True, level="A"),
        ProductsView(stores=("A",)),
    ]
    assert len({view.settings() for view in views}) == len(views)
    assert ProductsView(fields=("ean", "name")).settings() == ProductsView(fields=("name", "ean")).settings()


def test_sql_server_is_asked_in_plain_selects(tmp_path: Path) -> None:
    path = one(tmp_path / "p.db")
    level(path, "Velko", {1: 80.5})
    with open_database(str(path)).reading() as reader:
        prepared = ProductsView(prices=True, level="Velko").prepare(reader, Catalogue())
    ours = prepared.queries
    dialect: Any = mssql.dialect
    queries = Queries(dialect(paramstyle="qmark"), ours.table, ours.narrow, ours.extra, ours.within)
    sql, values = queries.page(7, 20)
    price = "(SELECT max([SKzCn].[ProdejC]) AS max_1 FROM [SKzCn] WHERE [SKzCn].[RefAg] = [SKz].[ID] AND"
    assert sql.startswith("SELECT TOP ")
    assert price in sql
    assert 7 in values


def test_an_access_image_serves_the_view_and_a_text_that_was_cut_is_marked() -> None:
    kinds = {
        "ID": int,
        "RefAg": int,
        "RefSkCeny": int,
        "RefSklad": int,
        "IObchod": bool,
        "SDph": bool,
        "ProdejC": Decimal,
    }
    values = {
        "ID": 1,
        "RefAg": 1,
        "RefSkCeny": 1,
        "RefSklad": 1,
        "IObchod": True,
        "SDph": False,
        "ProdejC": Decimal("5.5"),
    }
    values |= {"IDS": "A", "Popis": "š" * 8_191, "Popis2": "x" * 16_000}

    def table(name: str) -> Table:
        columns = tuple(CATALOGUE[name])
        return Table(
            name,
            columns,
            tuple(kinds.get(each, str) for each in columns),
            iter([[[values.get(each) for each in columns]]]),
        )

    image = Image()
    image.fill(table(name) for name in CATALOGUE)
    with image.lent(10) as reader:
        assert reader is not None
        view = ProductsView(fields=("description", "short_description"), prices=True, level="A")
        prepared = view.prepare(reader, Catalogue())
        (raw,) = reader.run(*prepared.queries.page(0, 5))
        assert reader.run("SELECT COUNT(*) FROM sqlite_master WHERE name = 'xSKzCnRefAg'") == [(1,)]
    row = prepared.row(raw)
    assert (row.short_description, row.description, row.net) == (b"", "x" * 16_000, 5.5)


def money(value: object) -> dict[int, bytes]:
    return exact.digests([(1, "A", 1, 1, value)], kinds=(exact.money,))
