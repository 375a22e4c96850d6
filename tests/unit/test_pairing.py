"""Pairing: which codes meet, which do not and why; over a real table of POHODA and a shop in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from agent.cli.pairing import FIELDS, FORMULA, as_csv
from agent.events import Held, Page, Rejected
from agent.jobs.pairing import (
    DOUBLED_IN_POHODA,
    DOUBLED_IN_SHOP,
    LINKS,
    ONLY_IN_POHODA,
    ONLY_IN_SHOP,
    PARENTS,
    SECTIONS,
    UNADDRESSABLE,
    Line,
    Pairing,
    pair,
)
from agent.shops import Shop
from agent.shops import vendure_lists as vendure
from agent.shops.prestashop_lists import Place, judge
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.views.stock import StockRow, StockView
from tests.unit.memory_shop import MemoryShop
from tests.unit.pohoda_fixture import Clock, do, small

CARDS = [("ABC", 1, 10.0, 1), ("OFF", 1, 1.0, 0), ("NEW", 1, 3.0, 1)]


class Refusing(MemoryShop):
    """A shop that tells on its last page what it cannot address."""

    problems: tuple[tuple[str, Rejected], ...] = ()

    def read_page(self, target: str, page: str | None) -> Page:
        read = super().read_page(target, page)
        return Page(read.items, read.next, () if read.next else self.problems)


def shop_with(*codes: str, problems: Sequence[tuple[str, Rejected]] = ()) -> Refusing:
    shop = Refusing(page_size=2)
    shop.problems = tuple(problems)
    for code in codes:
        shop.put(code, 1)
    return shop


def table(path: Path, chunk: int = 2) -> PohodaTable[StockRow]:
    return PohodaTable("stock", open_database(str(path)), StockView(), chunk=chunk, clock=Clock())


def paired(
    folder: Path,
    shop: Shop,
    cards: Sequence[tuple[str, int, float, int]] = CARDS,
    *,
    stored: Mapping[str, str] | None = None,
    chunk: int = 2,
) -> Pairing:
    small(folder / "p.db", *cards)
    do(folder / "p.db", "UPDATE SKz SET Nazev = 'Zboží ' || IDS")
    links = stored or {}
    with closing(table(folder / "p.db", chunk)) as source:
        return pair(source, shop, "quantities", stored=lambda keys: {key: links[key] for key in keys if key in links})


def codes(found: Pairing, section: str) -> list[str]:
    return [line.code for line in found.sections[section]]


def test_codes_that_meet_are_only_counted(tmp_path: Path) -> None:
    found = paired(tmp_path, shop_with("abc ", "NEW"))
    assert (found.pohoda, found.offered, found.shop, found.paired) == (3, 2, 2, 2)
    assert set(found.sections) == set(SECTIONS)
    assert not any(found.sections.values())


def test_what_pohoda_offers_and_the_shop_does_not_know_is_told_with_its_name(tmp_path: Path) -> None:
    found = paired(tmp_path, shop_with("ABC"))
    assert found.sections[ONLY_IN_POHODA] == (Line("NEW", "Zboží NEW", "on offer", None),)


def test_of_what_only_the_shop_has_it_is_told_whether_there_is_a_card(tmp_path: Path) -> None:
    found = paired(tmp_path, shop_with("ABC", "NEW", "off", "Cizí"))
    strange, off = found.sections[ONLY_IN_SHOP]
    assert (strange.code, strange.name, strange.pohoda, strange.link) == ("Cizí", "", "no card", "p4")
    assert (off.code, off.name, off.pohoda, off.link) == ("OFF", "Zboží OFF", "not ticked", "p3")
    assert "Internet" in off.note
    assert found.paired == 2


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_doubled_cards_are_those_of_one_store_and_those_spelt_differently(tmp_path: Path, chunk: int) -> None:
    cards = [
        ("TWO-STORES", 1, 1.0, 1),
        ("ONE-STORE", 1, 1.0, 1),
        ("Case", 1, 1.0, 1),
        ("ONE-STORE ", 1, 1.0, 0),
        ("TWO-STORES", 2, 1.0, 1),
        ("CASE", 2, 1.0, 1),
    ]
    found = paired(tmp_path, shop_with("TWO-STORES", "ONE-STORE", "case"), cards, chunk=chunk)
    case, store = found.sections[DOUBLED_IN_POHODA]
    assert (case.code, case.note) == ("Case", "spelt CASE, Case")
    assert store.code == "ONE-STORE"
    assert store.note.startswith("2 cards in the store ")
    assert store.note.endswith("(SKz.ID 2, 4)")
    assert found.paired == found.pohoda == 3


def test_a_code_is_on_offer_when_any_of_its_cards_is(tmp_path: Path) -> None:
    found = paired(tmp_path, shop_with("A"), [("A", 1, 1.0, 0), ("A", 2, 1.0, 1)])
    assert (found.offered, found.paired) == (1, 1)
    assert found.sections[ONLY_IN_SHOP] == ()


def test_what_the_shop_refuses_is_no_pair_and_told_once_with_its_reason(tmp_path: Path) -> None:
    problems = [
        ("abc", Rejected("The shop holds this code more than once: product 1, product 2.", "Make it unique.")),
        ("tričko", Rejected("The product 5 has variants; its own quantity is only their sum.", "Give each one.")),
        ("new", Rejected("The product 7 has no stock row in the configured shop of this PrestaShop.", "Assign it.")),
    ]
    found = paired(tmp_path, shop_with("ABC", problems=problems))
    (double,) = found.sections[DOUBLED_IN_SHOP]
    assert (double.code, double.name, double.pohoda, double.link) == ("ABC", "Zboží ABC", "on offer", None)
    assert double.hint == "Make it unique."
    (parent,) = found.sections[PARENTS]
    assert (parent.code, parent.pohoda) == ("tričko", "no card")
    assert codes(found, UNADDRESSABLE) == ["NEW"]
    assert found.sections[ONLY_IN_POHODA] == found.sections[ONLY_IN_SHOP] == ()
    assert (found.shop, found.paired) == (3, 0)


def test_a_code_met_twice_on_different_pages_is_doubled_even_if_the_shop_did_not_say_so(tmp_path: Path) -> None:
    found = paired(tmp_path, shop_with("ABC", "NEW", "x", "y", "abc"))
    (double,) = found.sections[DOUBLED_IN_SHOP]
    assert (double.code, double.note) == ("ABC", "The shop holds this code more than once: p1, p5.")
    assert "ABC" not in codes(found, ONLY_IN_POHODA)


def test_a_page_that_is_read_again_doubles_nothing(tmp_path: Path) -> None:
    class Repeating(MemoryShop):
        def read_page(self, target: str, page: str | None) -> Page:  # noqa: ARG002 - the protocol's signature
            return Page((Held("abc", "ABC", "p1", 1),), None if page else "again")

    found = paired(tmp_path, Repeating())
    assert found.sections[DOUBLED_IN_SHOP] == ()
    assert found.paired == 1


def test_links_that_lead_elsewhere_are_told_with_both_ends(tmp_path: Path) -> None:
    twice = Rejected("The shop holds this code more than once: product 1, product 2.", "")
    shop = shop_with("ABC", "OFF", problems=[("twice", twice)])
    stored = {"abc": "p9", "off": "p2", "new": "p7", "twice": "p1", "in neither": "p5"}
    found = paired(tmp_path, shop, stored=stored)
    assert [(line.code, line.stored, line.link) for line in found.sections[LINKS]] == [
        ("ABC", "p9", "p1"),
        ("NEW", "p7", None),
        ("twice", "p1", None),
    ]


@pytest.mark.parametrize(
    ("reason", "section"),
    [
        (judge("a", [Place(1, 0, "A"), Place(2, 3, "a")], set(), {}), DOUBLED_IN_SHOP),
        (judge("a", [Place(1, 0, "A")], {1}, {}), PARENTS),
        (judge("a", [Place(1, 0, "A")], set(), {}), UNADDRESSABLE),
        (vendure.doubled([vendure.Row("1", "A", {}), vendure.Row("2", "a", {})]), DOUBLED_IN_SHOP),
        (vendure.doubled([vendure.Row("1", " ", {})]), UNADDRESSABLE),
    ],
)
def test_the_reasons_of_the_adapters_are_understood(tmp_path: Path, reason: Rejected, section: str) -> None:
    found = paired(tmp_path, shop_with(problems=[("a", reason)]))
    assert {name: len(lines) for name, lines in found.sections.items() if lines and name != ONLY_IN_POHODA} == {
        section: 1
    }


def test_nothing_on_either_side_is_nothing_to_tell(tmp_path: Path) -> None:
    found = paired(tmp_path, MemoryShop(), [])
    assert (found.pohoda, found.offered, found.shop, found.paired) == (0, 0, 0, 0)


def test_progress_is_told_for_both_sides(tmp_path: Path) -> None:
    small(tmp_path / "p.db", *CARDS)
    said: list[str] = []
    with closing(table(tmp_path / "p.db", 100)) as source:
        pair(source, shop_with("ABC", "x", "y"), "quantities", progress=said.append)
    assert said == ["POHODA: 3 codes", "shop: 2 codes", "shop: 3 codes"]


# -------------------------------------------------------------------------------------------------------------- CSV


def csv_of(line: Line) -> str:
    sections = {name: (line,) if name == ONLY_IN_SHOP else () for name in SECTIONS}
    return as_csv(Pairing(0, 0, 1, 0, sections))


def test_csv_has_a_heading_and_a_line_per_code() -> None:
    assert csv_of(Line("A;1", 'the "best"', "no card", "5:5:0", note="why")).splitlines() == [
        "section;code;name;pohoda;link;stored;note;hint",
        'only_in_shop;"A;1";"the ""best""";no card;5:5:0;;why;',
    ]


def test_the_fields_are_those_of_a_line() -> None:
    assert tuple(field.name for field in fields(Line)) == FIELDS
    assert tuple(asdict(Line("A", "", "no card", None))) == FIELDS


@pytest.mark.parametrize("first", FORMULA)
def test_no_cell_of_csv_begins_as_a_formula_does(first: str) -> None:
    evil = f"{first}HYPERLINK(1)"
    text = csv_of(Line(evil, evil, "no card", evil, note=evil))
    _, cells = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert [cell for cell in cells if "HYPERLINK" in cell] == [f"'{evil}"] * 4
