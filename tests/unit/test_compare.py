"""Comparing both sides: all cards of a code count, wherever in the table they lie and however they are spelt."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from agent.events import Page
from agent.jobs.compare import Comparison, compare
from agent.jobs.whole import Gathered, whole
from agent.shops import Shop
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.views.stock import StockRow, StockView
from agent.targets.quantities import Quantities, QuantitySettings
from tests.unit.memory_shop import MemoryShop
from tests.unit.pohoda_fixture import Clock, do, small

CARDS = [
    ("ABC", 1, 10.0, 1),
    ("K1", 1, 1.0, 1),
    ("Žluť-ď", 1, 3.0, 1),
    ("K2", 1, 2.0, 1),
    ("ẞtraße", 1, 2.0, 1),
    ("K3", 1, 3.0, 1),
    ("ABC  ", 2, 5.0, 1),
    ("žLUŤ-ď", 2, 4.0, 1),
]
TRUTH = {"ABC": 15, "K1": 1, "K2": 2, "K3": 3, "Žluť-ď": 7, "ẞtraße": 2}


def table(path: Path, chunk: int, *, row_version: bool = False) -> PohodaTable[StockRow]:
    if not path.exists():
        small(path, *CARDS, row_version=row_version)
    return PohodaTable("stock", open_database(str(path)), StockView(), chunk=chunk, clock=Clock())


def compared(source: PohodaTable[StockRow], shop: Shop, offered: Sequence[str] = ()) -> Comparison:
    target = Quantities(QuantitySettings(stores=(), deduct="none"))
    with closing(source):
        return compare(source, target, shop, was_offered=lambda keys: set(keys) & set(offered))


def holding(**changed: int) -> MemoryShop:
    shop = MemoryShop()
    for code, pieces in (TRUTH | changed).items():
        shop.put(code, pieces)
    return shop


@pytest.mark.parametrize("row_version", [False, True])
@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 100])
def test_cards_of_one_code_in_several_batches_are_added_up(tmp_path: Path, chunk: int, *, row_version: bool) -> None:
    found = compared(table(tmp_path / "p.db", chunk, row_version=row_version), holding())
    assert (found.offered, found.equal, found.differences) == (6, 6, ())


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_second_look_at_what_differs_knows_all_cards_too(tmp_path: Path, chunk: int) -> None:
    found = compared(table(tmp_path / "p.db", chunk), holding(ABC=10, K2=9))
    assert [(one.code, one.kind, one.shop, one.pohoda) for one in found.differences] == [
        ("ABC", "differs", 10, 15),
        ("K2", "differs", 9, 2),
    ]


class Meanwhile(MemoryShop):
    """A shop that is read while somebody works in POHODA."""

    path: Path
    sql: str

    def read_page(self, target: str, page: str | None) -> Page:
        do(self.path, self.sql)
        return super().read_page(target, page)


@pytest.mark.parametrize(
    ("sql", "differing"),
    [
        ("UPDATE SKz SET StavZ = 4 WHERE IDS = 'K1'", []),
        ("UPDATE SKz SET IDS = 'NEW' WHERE IDS = 'K1'", []),
        ("UPDATE SKz SET StavZ = 1e30 WHERE IDS = 'K1'", [("k1", "unusable")]),
        ("SELECT 1", [("k1", "differs")]),
    ],
)
def test_what_changed_meanwhile_is_no_difference(tmp_path: Path, sql: str, differing: list[tuple[str, str]]) -> None:
    """The key is looked at twice; another one that is touched by that was not compared, so nothing is said of it."""
    source = table(tmp_path / "p.db", 3)
    shop = Meanwhile()
    shop.path, shop.sql = tmp_path / "p.db", sql
    for code, pieces in (TRUTH | {"K1": 4}).items():
        shop.put(code, pieces)
    assert [(one.key, one.kind) for one in compared(source, shop).differences] == differing


def test_what_is_no_longer_offered_must_be_at_0_and_is_left_alone_if_it_never_was(tmp_path: Path) -> None:
    shop = holding(GONE=4, STRANGE=2)
    found = compared(table(tmp_path / "p.db", 3), shop, offered=["gone"])
    assert [(one.key, one.shop, one.pohoda) for one in found.differences] == [("gone", 4, 0)]
    assert found.only_in_shop == 1


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_one_key_is_found_whole_without_reading_the_others_twice(tmp_path: Path, chunk: int) -> None:
    with closing(table(tmp_path / "p.db", chunk)) as source:
        *_, last = whole(source, Gathered(), "žluť-ď")
    assert {key: [row.stock for row in rows] for key, rows in last.items()} == {"žluť-ď": [3.0, 4.0]}
