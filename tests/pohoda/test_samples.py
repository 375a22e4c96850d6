"""Documents that POHODA wrote, or that were composed after its schemas, where they lie beside the checkout."""

from __future__ import annotations

import os
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from agent.pohoda import categories, orders, parameters, stock, stores, suppliers
from agent.pohoda.bad import BadDocument, BadItem
from agent.pohoda.card import StockItem
from agent.pohoda.envelope import closes, sniff
from agent.pohoda.items import items
from tests.pohoda.documents import by_the_parser

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "pohoda" / "samples"


def sample(number: str) -> Path:
    """The sample of this number; skips, or fails with REQUIRE_REAL=1, where it is missing."""
    found = sorted(SAMPLES.glob(f"{number}_*.xml"))
    if not found:
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(f"sample {number} is not in {SAMPLES}")
        pytest.skip("the samples of POHODA's XML are not beside the checkout")
    return found[0]


KINDS = {
    "02": ("orders", 0),
    "03": ("orders", 6),
    "18": ("categories", 2),
    "20": ("stock", 5),
    "21": ("stock", 0),
    "22": ("stock", 1),
    "24": ("parameters", 3),
    "25": ("suppliers", 1),
    "27": ("stores", 3),
    "38": ("orders", 4),
}


@pytest.mark.parametrize("number", KINDS)
def test_every_list_is_sniffed_closes_and_goes_on_at_every_border(number: str) -> None:
    file = sample(number)
    found = list(items(file))
    assert (sniff(file).kind, len(found)) == KINDS[number]
    assert closes(file)
    for at, item in enumerate(found, start=1):
        assert list(items(file, start=item.end)) == found[at:]
        assert list(items(file, start=item.end, part=item.part.offset)) == found[at:]


@pytest.mark.parametrize("number", KINDS)
def test_every_list_is_noticed_when_it_is_cut(number: str, tmp_path: Path) -> None:
    raw = sample(number).read_bytes().rstrip()
    for length in {*range(1, len(raw), 487), *range(len(raw) - 40, len(raw))}:
        (tmp_path / "cut.xml").write_bytes(raw[:length])
        with pytest.raises(BadDocument) as refused:
            list(items(tmp_path / "cut.xml"))
        assert refused.value.reason == "truncated"
        assert not closes(tmp_path / "cut.xml")


@pytest.mark.parametrize("number", ["03", "38"])
def test_orders_are_split_as_they_are_parsed(number: str) -> None:
    file = sample(number)
    tag = "{http://www.stormware.cz/schema/version_2/list.xsd}order"
    assert len(list(items(file))) == len(by_the_parser(file.read_bytes(), tag))


def test_a_full_card_is_read_to_its_last_field() -> None:
    found = stock.parse_many(list(items(sample("20"))))
    full = found[0]
    assert isinstance(full, StockItem)
    assert (full.code, full.name, full.store) == ("Z001", "Židle kuchyňská dřevěná", "ZBOŽÍ")
    assert (full.count, full.reservation, full.received_orders) == (Decimal(37), Decimal(4), Decimal(6))
    assert (full.producer, full.description) == ("Dřevo & syn", "Masivní židle <b>buk</b>.")
    unset = {one.name for one in fields(StockItem) if getattr(full, one.name) in {None, ()}}
    assert unset == {"unit3", "coefficient3", "main_category", "alternative_stocks"}


def test_zero_negative_and_fractional_counts_and_a_code_in_two_stores_are_kept() -> None:
    found = [one for one in stock.parse_many(list(items(sample("20")))) if isinstance(one, StockItem)]
    assert [(one.code, one.store, one.count) for one in found[1:4]] == [
        ("Z002", "ZBOŽÍ", Decimal(0)),
        ("Z003", "ZBOŽÍ", Decimal(-2)),
        ("Z003", "PRODEJNA", Decimal("12.5")),
    ]


def test_real_orders_that_lost_their_hooks_are_read_as_they_are() -> None:
    found = orders.parse_many(list(items(sample("03"))))
    assert [one.number for one in found if isinstance(one, orders.Order)] == [f"10200000{n}" for n in range(1, 7)]


def test_the_states_of_orders_are_all_told() -> None:
    found = [one for one in orders.parse_many(list(items(sample("38")))) if isinstance(one, orders.Order)]
    assert [(one.executed, one.delivered, one.cancelled) for one in found] == [
        (False, False, False),
        (False, True, False),
        (True, True, False),
        (True, False, True),
    ]


def test_the_code_lists_are_read_with_their_letters() -> None:
    names = [one.name for one in parameters.parse_many(list(items(sample("24")))) if not isinstance(one, BadItem)]
    assert names == ["Materiál", "Výška sedáku", "Skládací"]
    trees = [one for one in categories.parse_many(list(items(sample("18")))) if not isinstance(one, BadItem)]
    assert [(one.id, one.parent_id) for one in trees] == [(1, None), (2, 1), (3, 1), (4, None)]
    (card,) = suppliers.parse_many(list(items(sample("25"))))
    assert isinstance(card, suppliers.CardSuppliers)
    assert [one.order_name for one in card.suppliers] == ["A-zásoba"]


def test_a_pack_of_two_lists_gives_both() -> None:
    found = list(items(sample("27")))
    assert [item.kind for item in found] == ["stores", "stores", "storages"]
    names = [one.name for one in stores.parse_many(found[:2]) if isinstance(one, stores.Store)]
    paths = [one.path for one in stores.parse_storages(found[2:]) if isinstance(one, stores.Storage)]
    assert names == ["ZBOŽÍ", "PRODEJNA"]
    assert paths == ["ZBOŽÍ", "ZBOŽÍ/Nábytek", "ZBOŽÍ/Nábytek/Židle"]


def test_a_denied_export_says_what_pohoda_says() -> None:
    with pytest.raises(BadDocument, match="Uživatel není oprávněn") as refused:
        sniff(sample("08"))
    assert refused.value.reason == "refused"
