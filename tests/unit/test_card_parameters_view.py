"""Claims about the view of cards' parameters: every kind, lists with their chosen values, order, and changes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.rows_catalogue import CardParameter
from agent.sources.views.card_parameters import CardParametersView
from tests.unit.pohoda_fixture import do
from tests.unit.tables_fixture import only, put, several, shop, watch

VIEW = CardParametersView()


def described(path: Path) -> Path:
    """A card with a text, a number with a unit, a boolean, a price in another currency, a date, and a list of two."""
    shop(path, ("A", 1, 5.0, 1), ("B", 1, 5.0, 1))
    put(
        path,
        "SkParam",
        {"IDS": "Barva", "RelTyp": 1},
        {"IDS": "Délka", "RelTyp": 5, "MJ": "cm"},
        {"IDS": "Vratné", "RelTyp": 3},
        {"IDS": "Záloha", "RelTyp": 2, "RefCM": 7},
        {"IDS": "Od", "RelTyp": 4},
        {"IDS": "Velikost", "RelTyp": 8},
    )
    put(path, "SkParamList", *({"RefAg": 6, "IDS": text} for text in ("S", "M", "L", None)))
    values: list[dict[str, Any]] = [
        {"RefParam": 6, "OrderFld": 1},
        {"RefParam": 1, "OrderFld": 2, "ValText": "červená"},
        {"RefParam": 2, "OrderFld": 3, "ValDouble": 12.5},
        {"RefParam": 3, "OrderFld": 4, "ValLong": 1},
        {"RefParam": 4, "OrderFld": 5, "ValCurrency": 99.9},
        {"RefParam": 5, "OrderFld": 6, "ValDate": "2026-12-24 00:00:00"},
        {"RefParam": 99, "OrderFld": 7, "ValText": "nothing defines it"},
    ]
    put(path, "SkRefParam", *({"RefAg": 1} | value for value in values))
    choices = [(3, 1, 1), (1, 1, 2), (2, 0, 3), (4, 1, 4), (77, 1, 5)]
    put(
        path,
        "SKRefParamList",
        *(
            {"RefAg": 1, "RefParam": 6, "RefParamList": choice, "Sel": chosen, "OrderFld": order}
            for choice, chosen, order in choices
        ),
        {"RefAg": 2, "RefParam": 6, "RefParamList": 2, "Sel": 1, "OrderFld": 1},
    )
    return path


def named(follower: Any, key: str) -> dict[Any, CardParameter]:  # noqa: ANN401 - a follower
    return {each.name: each for each in only(follower, key).parameters}


def test_every_kind_is_read_from_its_column_in_the_cards_order(tmp_path: Path) -> None:
    follower = watch(described(tmp_path / "p.db"), VIEW)
    assert follower.all() == ["a", "b"]
    found = named(follower, "a")
    assert list(found) == ["Velikost", "Barva", "Délka", "Vratné", "Záloha", "Od"]
    assert (found["Barva"].kind, found["Barva"].text, found["Barva"].chosen) == (1, "červená", ())
    assert (found["Délka"].number, found["Délka"].unit, found["Délka"].currency) == (12.5, "cm", "")
    assert (found["Vratné"].whole, found["Záloha"].money, found["Záloha"].currency) == (1, 99.9, "#7")
    assert found["Od"].date == "2026-12-24 00:00:00"
    assert found["Velikost"].chosen == ("L", "S")
    assert only(follower, "b").parameters == ()
    assert follower.all() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE SkRefParam SET ValText = 'modrá' WHERE RefParam = 1",
        "UPDATE SkRefParam SET ValDouble = 0 WHERE RefParam = 2",
        "UPDATE SkRefParam SET ValLong = 0 WHERE RefParam = 3",
        "UPDATE SkRefParam SET ValLong = NULL WHERE RefParam = 3",
        "UPDATE SkRefParam SET ValCurrency = 100 WHERE RefParam = 4",
        "UPDATE SkRefParam SET ValDate = '2026-12-25 00:00:00' WHERE RefParam = 5",
        "UPDATE SkRefParam SET OrderFld = 20 WHERE RefParam = 1",
        "DELETE FROM SkRefParam WHERE RefParam = 1",
        "UPDATE SkParam SET IDS = 'Kolor' WHERE ID = 1",
        "UPDATE SkParam SET MJ = 'mm' WHERE ID = 2",
        "DELETE FROM SkParam WHERE ID = 6",
        "UPDATE SkParamList SET IDS = 'XL' WHERE ID = 3",
        "UPDATE SKRefParamList SET Sel = 1 WHERE RefParamList = 2 AND RefAg = 1",
        "UPDATE SKRefParamList SET OrderFld = 9 WHERE RefParamList = 3",
        "DELETE FROM SKRefParamList WHERE RefParamList = 1",
    ],
)
def test_a_change_anywhere_in_five_tables_is_told_of_the_card_that_it_is_on(tmp_path: Path, change: str) -> None:
    path = described(tmp_path / "p.db")
    follower = watch(path, VIEW)
    follower.all()
    do(path, change)
    assert follower.all() == ["a"]
    assert follower.all() == []


def test_what_is_on_no_card_is_no_change(tmp_path: Path) -> None:
    path = described(tmp_path / "p.db")
    follower = watch(path, VIEW)
    follower.all()
    do(path, "UPDATE SkParamList SET IDS = 'XXL' WHERE ID = 2")
    put(path, "SkParam", {"IDS": "Nový", "RelTyp": 1})
    do(path, "UPDATE SKz SET Nazev = 'x', StavZ = 1")
    assert follower.all() == []


def test_every_driver_s_numbers_and_dates_make_one_fingerprint(tmp_path: Path) -> None:
    path = shop(tmp_path / "p.db")
    with open_database(str(path)).reading() as reader:
        digests = VIEW.prepare(reader, Catalogue()).digests
    ours = ("Barva", 2, None, "", None, 5.0, 1, 12.34, "2026-12-24 00:00:00.000000", ("a",))
    theirs = ("Barva", Decimal(2), "", "", "", 5, 1, Decimal("12.3400"), datetime(2026, 12, 24), ("a",))  # noqa: DTZ001 - POHODA's
    assert digests([(1, "A", 1, 1, (ours,))]) == digests([(1, "A", 1, True, (theirs,))])
    assert digests([(1, "A", 1, 1, (ours,))]) != digests([(1, "A", 1, 1, ())])


@pytest.mark.parametrize("table", ["SkRefParam", "SkParam", "SKRefParamList", "SkParamList"])
def test_a_table_that_may_not_be_read_is_an_error_and_no_empty_list(tmp_path: Path, table: str) -> None:
    path = described(tmp_path / "p.db")
    do(path, f"DROP TABLE {table}")
    with pytest.raises(SourceUnavailable, match=table):
        watch(path, VIEW).one()


@pytest.mark.parametrize("column", ["SkRefParam.ValDate", "SkRefParam.OrderFld", "SkParam.MJ", "SkParam.RefCM"])
def test_a_missing_column_is_done_without_and_check_says_so(tmp_path: Path, column: str) -> None:
    path = described(tmp_path / "p.db")
    table, name = column.split(".")
    do(path, f"ALTER TABLE {table} DROP COLUMN {name}")
    follower = watch(path, VIEW)
    follower.all()
    assert len(only(follower, "a").parameters) == 6
    (finding,) = [each for each in follower.source.check() if each.subject == column]
    assert finding.verdict == "warning"


def test_a_card_of_two_stores_has_the_parameters_of_each(tmp_path: Path) -> None:
    path = described(tmp_path / "p.db")
    do(path, "UPDATE SKz SET IDS = 'A', RefSklad = 2 WHERE ID = 2")
    follower = watch(path, VIEW)
    follower.all()
    assert [(row.store, len(row.parameters)) for row in several(follower, "a")] == [("HLAVNI", 6), ("PRODEJNA", 0)]


def test_other_stores_are_another_setting() -> None:
    views = [VIEW, CardParametersView(stores=("A",)), CardParametersView(card_types=(1, 5))]
    assert len({view.settings() for view in views}) == 3
