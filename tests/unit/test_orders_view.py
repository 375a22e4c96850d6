"""Claims about the view of orders: which count, what is read of them, and names from a configuration."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.sources.rows_catalogue import OrderLine
from agent.sources.views.orders import OrdersView
from tests.unit.pohoda_fixture import do
from tests.unit.tables_fixture import only, put, several, shop, watch

SINCE = date(2026, 11, 1)
VIEW = OrdersView(SINCE)
CUSTOM = OrdersView(SINCE, "refvprstav", " VPrZasilka ", "Cislo")


def ordered(path: Path, **more: Any) -> Path:  # noqa: ANN401 - any columns
    """One order, ESHOP-1, of two lines of goods and one of text."""
    shop(path)
    plain = {"RelTpObj": 1, "Cislo": "26OP1", "PDoklad": " ESHOP-1 ", "Datum": "2026-11-05 00:00:00", "Vyrizeno": 0}
    put(path, "OBJ", plain | more)
    put(path, "sVPULpol", {"IDS": "Nová"}, {"IDS": "Odesláno"})
    put(
        path,
        "OBJpol",
        {"RefAg": 1, "RefSKz": 5, "Kod": "B", "Mnozstvi": 2, "Dodano": 0, "OrderFld": 2},
        {"RefAg": 1, "RefSKz": None, "Kod": "A", "Mnozstvi": 3, "Dodano": 1, "OrderFld": 1},
        {"RefAg": 1, "RefSKz": None, "Kod": None, "Mnozstvi": 1, "Dodano": 0, "OrderFld": 3},
    )
    return path


def test_an_order_is_known_by_the_shop_s_number_and_read_with_its_lines_of_goods(tmp_path: Path) -> None:
    follower = watch(ordered(tmp_path / "p.db", BDodano=1, DatStorn="2026-11-06 00:00:00"), VIEW)
    assert follower.all() == ["eshop-1"]
    row = only(follower, "eshop-1")
    assert (row.code, row.number, row.date) == ("ESHOP-1", "26OP1", "2026-11-05 00:00:00")
    assert (row.executed, row.transferred, row.cancelled) == (False, True, "2026-11-06 00:00:00")
    assert (row.listed, row.tracking, row.carrier) == (None, None, None)
    assert row.lines == (OrderLine("A", 3.0, 1.0), OrderLine("B", 2.0, 0.0))
    assert follower.all() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE OBJ SET Vyrizeno = 1",
        "UPDATE OBJ SET BDodano = 1",
        "UPDATE OBJ SET DatStorn = '2026-11-06 00:00:00'",
        "UPDATE OBJpol SET Dodano = 2 WHERE Kod = 'B'",
        "DELETE FROM OBJpol WHERE Kod = 'A'",
        "UPDATE OBJ SET RefVPrStav = 2",
        "UPDATE sVPULpol SET IDS = 'Jiná' WHERE ID = 1",
        "UPDATE OBJ SET VPrZasilka = 'DR123'",
    ],
)
def test_a_change_of_what_counts_is_told(tmp_path: Path, change: str) -> None:
    path = ordered(tmp_path / "p.db", RefVPrStav=1)
    follower = watch(path, CUSTOM)
    follower.all()
    do(path, change)
    assert follower.all() == ["eshop-1"]
    assert follower.all() == []


def test_a_text_line_is_no_change(tmp_path: Path) -> None:
    path = ordered(tmp_path / "p.db")
    follower = watch(path, VIEW)
    follower.all()
    do(path, "UPDATE OBJpol SET Dodano = 1 WHERE Kod IS NULL")
    do(path, "UPDATE OBJ SET VPrZasilka = 'DR123', RefVPrStav = 2")
    assert follower.all() == []


@pytest.mark.parametrize(
    "other",
    [
        {"Datum": "2026-07-31 23:59:59"},
        {"Datum": None},
        {"RelTpObj": 2},
        {"RelTpObj": None},
        {"PDoklad": None},
        {"PDoklad": ""},
        {"PDoklad": "   "},
    ],
)
def test_other_orders_say_nothing(tmp_path: Path, other: dict[str, Any]) -> None:
    assert watch(ordered(tmp_path / "p.db", **other), VIEW).all() == []


def test_the_first_day_counts(tmp_path: Path) -> None:
    assert watch(ordered(tmp_path / "p.db", Datum="2026-11-01"), VIEW).all() == ["eshop-1"]


def test_several_rows_with_one_number_are_one_order(tmp_path: Path) -> None:
    path = ordered(tmp_path / "p.db")
    put(path, "OBJ", {"RelTpObj": 1, "PDoklad": "eshop-1", "Datum": "2026-11-07", "Vyrizeno": 1})
    follower = watch(path, VIEW)
    assert set(follower.all()) == {"eshop-1"}
    assert [row.executed for row in several(follower, "eshop-1")] == [False, True]


def test_the_customer_s_columns_are_read_lists_by_their_texts(tmp_path: Path) -> None:
    follower = watch(ordered(tmp_path / "p.db", RefVPrStav=2, VPrZasilka="DR123"), CUSTOM)
    follower.all()
    row = only(follower, "eshop-1")
    assert (row.listed, row.tracking, row.carrier) == ("Odesláno", "DR123", "26OP1")


@pytest.mark.parametrize("value", [None, 0, 99])
def test_a_list_that_is_not_set_or_has_no_such_row_says_nothing(tmp_path: Path, value: object) -> None:
    follower = watch(ordered(tmp_path / "p.db", RefVPrStav=value), CUSTOM)
    follower.all()
    assert only(follower, "eshop-1").listed is None


@pytest.mark.parametrize("name", ["RefVPrJiny", "ID; DROP TABLE OBJ", "1 OR 1=1", "VPrZasilka]", "OBJ.ID"])
def test_a_column_that_is_not_there_is_an_error_that_lists_those_that_are(tmp_path: Path, name: str) -> None:
    path = ordered(tmp_path / "p.db")
    for view in (OrdersView(SINCE, list_column=name), OrdersView(SINCE, carrier_column=name)):
        with pytest.raises(SourceUnavailable) as caught:
            watch(path, view).one()
        assert name in str(caught.value)
        assert "RefVPrStav, VPrZasilka" in caught.value.hint
    assert watch(path, VIEW).all() == ["eshop-1"]


def test_a_list_needs_its_table(tmp_path: Path) -> None:
    path = ordered(tmp_path / "p.db")
    do(path, "DROP TABLE sVPULpol")
    assert watch(path, VIEW).all() == ["eshop-1"]
    with pytest.raises(SourceUnavailable, match="sVPULpol"):
        watch(path, CUSTOM).one()


@pytest.mark.parametrize("column", ["BDodano", "DatStorn"])
def test_a_missing_column_is_done_without_and_check_says_so(tmp_path: Path, column: str) -> None:
    path = ordered(tmp_path / "p.db")
    do(path, f"ALTER TABLE OBJ DROP COLUMN {column}")
    follower = watch(path, VIEW)
    assert follower.all() == ["eshop-1"]
    assert f"OBJ.{column}" in {each.subject for each in follower.source.check() if each.verdict == "warning"}


def test_check_counts_and_warns_when_no_order_counts(tmp_path: Path) -> None:
    path = ordered(tmp_path / "p.db")
    text = "1 of 1 received orders are of 2026-11-01 or later and have a shop's number (PDoklad)."
    assert ("ok", text) in {(each.verdict, each.text) for each in watch(path, VIEW).source.check()}
    do(path, "UPDATE OBJ SET PDoklad = NULL")
    (finding,) = [each for each in watch(path, VIEW).source.check() if each.subject == "orders"]
    assert (finding.verdict, bool(finding.hint)) == ("warning", True)


def test_other_settings_are_told_from_each_other() -> None:
    views = [VIEW, CUSTOM, OrdersView(date(2026, 1, 1)), OrdersView(SINCE, "", "", "RefVPrStav")]
    assert len({view.settings() for view in views}) == len(views)
