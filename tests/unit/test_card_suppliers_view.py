"""Claims about the view of manufacturers and suppliers: whose name counts, in which order, and what is a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import SourceUnavailable
from agent.sources.rows_catalogue import CardSupplier
from agent.sources.views.card_suppliers import CardSuppliersView
from tests.unit.pohoda_fixture import do
from tests.unit.tables_fixture import only, put, shop, watch

VIEW = CardSuppliersView()


def supplied(path: Path) -> Path:
    """Card A of ACME, mainly from firm 1, with suppliers 2 (by default) and one that is in no address book."""
    shop(path, ("A", 1, 5.0, 1), ("B", 1, 5.0, 1))
    put(path, "AD", {"Firma": "Velkoobchod s.r.o."}, {"Firma": "Dovoz a.s."}, {"Firma": "Jiný"})
    do(path, "UPDATE SKz SET Vyrobce = NULL")
    do(path, "UPDATE SKz SET Vyrobce = 'ACME', RefAD = 1, Firma = 'starý název' WHERE ID = 1")
    put(
        path,
        "SKzNC",
        {"RefAg": 1, "RefAD": None, "Firma": "Z trhu", "ObjKod": "t", "DefDod": 0, "OrderFld": 2},
        {"RefAg": 1, "RefAD": 2, "Firma": "Dovoz", "ObjKod": "D-1", "DefDod": 1, "OrderFld": 1},
    )
    return path


def test_names_are_those_of_the_address_book_else_of_the_card(tmp_path: Path) -> None:
    follower = watch(supplied(tmp_path / "p.db"), VIEW)
    assert follower.all() == ["a", "b"]
    row = only(follower, "a")
    assert (row.manufacturer, row.main_supplier) == ("ACME", "Velkoobchod s.r.o.")
    assert row.suppliers == (CardSupplier("Dovoz a.s.", "D-1", True), CardSupplier("Z trhu", "t", False))
    assert (only(follower, "b").manufacturer, only(follower, "b").suppliers) == (None, ())
    assert follower.all() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE SKz SET Vyrobce = 'Jiný' WHERE ID = 1",
        "UPDATE SKz SET RefAD = 3 WHERE ID = 1",
        "UPDATE AD SET Firma = 'Nový název' WHERE ID = 1",
        "UPDATE AD SET Firma = 'Nový název' WHERE ID = 2",
        "UPDATE SKzNC SET ObjKod = 'x' WHERE ID = 1",
        "UPDATE SKzNC SET DefDod = 1 - DefDod",
        "UPDATE SKzNC SET OrderFld = 3 - OrderFld",
        "DELETE FROM SKzNC WHERE ID = 2",
    ],
)
def test_a_change_in_three_tables_is_told_of_its_card(tmp_path: Path, change: str) -> None:
    path = supplied(tmp_path / "p.db")
    follower = watch(path, VIEW)
    follower.all()
    do(path, change)
    assert follower.all() == ["a"]
    assert follower.all() == []


def test_a_name_that_the_address_book_overrides_is_no_change(tmp_path: Path) -> None:
    path = supplied(tmp_path / "p.db")
    follower = watch(path, VIEW)
    follower.all()
    do(path, "UPDATE SKz SET Firma = 'x' WHERE ID = 1")
    do(path, "UPDATE SKzNC SET Firma = 'x' WHERE RefAD = 2")
    assert follower.all() == []


def test_without_an_address_book_the_card_s_names_count_and_check_says_so(tmp_path: Path) -> None:
    path = supplied(tmp_path / "p.db")
    do(path, "DROP TABLE AD")
    follower = watch(path, VIEW)
    follower.all()
    assert only(follower, "a").main_supplier == "starý název"
    assert [each.name for each in only(follower, "a").suppliers] == ["Dovoz", "Z trhu"]
    assert "AD" in {each.subject for each in follower.source.check() if each.verdict == "warning"}


def test_without_any_names_it_is_an_error(tmp_path: Path) -> None:
    path = supplied(tmp_path / "p.db")
    do(path, "DROP TABLE AD")
    do(path, "ALTER TABLE SKzNC DROP COLUMN Firma")
    with pytest.raises(SourceUnavailable, match="AD"):
        watch(path, VIEW).one()


@pytest.mark.parametrize(
    ("fields", "drop"),
    [
        (("manufacturer",), "DROP TABLE SKzNC"),
        (("suppliers",), "ALTER TABLE SKz DROP COLUMN Vyrobce"),
    ],
)
def test_what_is_not_chosen_is_not_needed_nor_a_change(tmp_path: Path, fields: tuple[str, ...], drop: str) -> None:
    path = supplied(tmp_path / "p.db")
    do(path, drop)
    with pytest.raises(SourceUnavailable):
        watch(path, VIEW).one()
    follower = watch(path, CardSuppliersView(fields=fields))
    follower.all()
    row = only(follower, "a")
    assert (row.manufacturer, bool(row.suppliers)) == (("ACME", False) if "manufacturer" in fields else (None, True))
    assert (row.main_supplier is None) == ("manufacturer" in fields)
    assert all(each.verdict == "ok" for each in follower.source.check())


def test_suppliers_of_a_card_without_an_address_column_are_still_told(tmp_path: Path) -> None:
    path = supplied(tmp_path / "p.db")
    do(path, "DROP INDEX xRefAD")
    do(path, "ALTER TABLE SKz DROP COLUMN RefAD")
    follower = watch(path, VIEW)
    follower.all()
    assert (only(follower, "a").main_supplier, len(only(follower, "a").suppliers)) == ("starý název", 2)


def test_other_fields_are_another_setting() -> None:
    assert VIEW.settings() != CardSuppliersView(fields=("suppliers",)).settings()
