"""Documents with lists of any kind: what each is judged by, how large ones come, and who waits for which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import SourceUnavailable
from agent.sources.views.orders import OrdersView
from state import mirror
from tests.pohoda.test_samples import sample
from tests.unit.list_documents import (
    ALL,
    Desk,
    card,
    cards,
    categories,
    category,
    definition,
    in_categories,
    order,
    orders,
    parameter,
    parameters,
    supplied,
    suppliers,
    with_parameters,
)

ORDERS = OrdersView(since=dt.date(2026, 11, 1))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_document_may_hold_several_lists(desk: Desk) -> None:
    inside = in_categories(1) + with_parameters(parameter(3, "Síla", "integerValue", (None, "7")))
    last = desk.tell(
        cards(card("A", 1, inside=inside)),
        categories(category(1, "X")),
        parameters(definition(3, "Síla", "integerValue", unit="mm")),
        suppliers(supplied(1, "A", (25, "Dřevo", "x", False))),
        orders(order(1, "E1")),
    )
    assert (last.outcome, last.looked, last.changed, last.bad) == ("done", 5, 5, 0)
    assert [getattr(last, kind) for kind in mirror.KINDS] == [1, 1, 1, 1, 1]
    with desk.database.needing(*ALL).reading() as reader:
        assert reader.run("SELECT count(*) FROM SkRefParam") == [(1,)]


def test_a_reader_waits_for_what_it_needs_and_for_nothing_else(desk: Desk) -> None:
    desk.tell(categories(category(1, "X")))
    with desk.database.needing("categories").reading() as reader:
        assert reader.run("SELECT IDS FROM SkKat") == [("X",)]
    with pytest.raises(SourceUnavailable, match="No export of POHODA has been"), desk.database.reading():
        pass
    desk.tell(cards(card("A", 1)))
    with desk.database.reading() as reader:
        assert reader.run("SELECT IDS FROM SKz") == [("A",)]
    for kind, what in (("orders", "orders"), ("card_categories", "with their categories"), ("suppliers", "suppliers")):
        with pytest.raises(SourceUnavailable, match=what), desk.database.needing("cards", kind).reading():  # type: ignore[arg-type]  # the names are of that type
            pass
    desk.tell(cards(card("A", 1, inside=in_categories()), stamp="2026-11-20T08:01:00"))
    with desk.database.needing("cards", "card_categories").reading() as reader:
        assert reader.run("SELECT count(*) FROM SkRefKat") == [(0,)]


def test_how_old_a_document_is_counts_among_those_of_its_kind_only(desk: Desk) -> None:
    desk.tell(cards(card("A", 1), stamp="2026-11-20T12:00:00"))
    early = desk.tell(categories(category(1, "X"), stamp="2026-11-20T08:00:00"))
    assert early.outcome == "done"
    desk.tell(orders(order(1, "E1"), stamp="2026-11-20T12:00:00"))
    late = desk.tell(orders(order(1, "E2"), stamp="2026-11-20T10:44:00"))
    assert (late.outcome, "made at 2026-11-20T10:44:00" in late.reason) == ("quarantined", True)
    assert desk.sql("SELECT PDoklad FROM OBJ") == [("E1",)]
    assert desk.tell(orders(order(2, "E2"), stamp="2026-11-20T10:46:00")).outcome == "done"


def test_a_large_document_is_bulk_for_categories_orders_and_the_cards_it_moves(desk: Desk) -> None:
    text = "x" * 600_000
    desk.tell(cards(card("A", 1, inside=in_categories(1)), card("B", 2)), categories(category(9, "Y")))
    more = f"<ctg:description>{text}</ctg:description>"
    desk.tell(categories(category(1, "X", more=more)), orders(order(1, "E1")))
    assert desk.sql("SELECT ID, Hromadne FROM SkKat ORDER BY ID") == [(1, 1), (9, 0)]
    assert desk.sql("SELECT Hromadne FROM OBJ") == [(1,)]
    assert desk.sql("SELECT ID, Hromadne FROM SKz ORDER BY ID") == [(1, 1), (2, 0)]


def test_a_document_is_worked_off_once_though_it_is_cut_short_behind_each_chunk(desk: Desk) -> None:
    made = [category(row, f"K{row}", category(row + 5000, "pod")) for row in range(1, 601)]
    desk.put_whole(categories(*made), orders(*(order(row, f"E{row}") for row in range(1, 401))))
    for _ in range(12):
        if desk.intake.step(desk.now):
            desk.restart()
        desk.now += 1.0
    with desk.file.read() as db:
        (last,) = mirror.documents(db)
    assert (last.outcome, last.looked, last.changed, last.categories, last.orders) == ("done", 1000, 1000, 600, 400)
    assert desk.sql("SELECT count(*) FROM SkKat") == [(1200,)]
    assert desk.sql("SELECT count(*) FROM OBJ") == [(400,)]


def test_the_real_samples_are_taken_in(desk: Desk) -> None:
    ends = {number: desk.tell(raw=sample(number).read_bytes()) for number in ("18", "24", "25", "02", "03", "38")}
    assert {number: (end.outcome, end.bad) for number, end in ends.items() if number != "03"} == {
        number: ("done", 0) for number in ends if number != "03"
    }
    assert desk.sql("SELECT ID, RefNodeID, IDS FROM SkKat ORDER BY ID") == [
        (1, 0, "Kategorie-A"),
        (2, 1, "Kategorie-B"),
        (3, 1, "Kategorie-C"),
        (4, 0, "Kategorie-D"),
    ]
    assert desk.sql("SELECT ID, RelTyp, MJ FROM SkParam ORDER BY ID") == [(1, 8, None), (2, 5, "cm"), (3, 3, None)]
    assert desk.sql("SELECT RefAg, RefAD, ObjKod, DefDod FROM SKzNC") == [(12, 25, "A1", 1)]
    assert (ends["03"].looked, ends["03"].bad) == (6, 0)
    found = desk.sql("SELECT ID, PDoklad, Vyrizeno, BDodano, DatStorn FROM OBJ ORDER BY ID")
    assert found == [
        (509, "2026000120", 1, 0, "2026-11-19"),
        (510, "2026000121", 1, 1, None),
        (511, "2026000122", 0, 1, None),
        (512, "2026000123", 0, 0, None),
    ], "the issued orders are none of a shop's"
