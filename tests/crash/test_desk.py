"""People at work at the desk keep to what the judges rely on, whatever the dice say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.demo import goods
from agent.demo.prestashop import FakePrestaShop
from tests.crash.clerk import Books
from tests.crash.desk import WORKS, Desk
from tests.crash.everything import widen
from tests.crash.reckoning import reckon

ROUNDS = 40


@pytest.fixture(params=[1, 2])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    books = Books(tmp_path / "pohoda.db", tmp_path / "Dokumenty")
    with FakePrestaShop() as shop:
        shop.add_products((code, 50) for code in books.make(20, 0, request.param))
        with closing(books.open()) as db:
            widen(db)
        made = Desk(books, shop, seed=request.param, seconds=1.0, works=1)
        yield made
        made.hand.db.close()


def rounds(desk: Desk) -> Iterator[None]:
    """Do each work in turn, again and again."""
    for _ in range(ROUNDS):
        for _, work in WORKS.values():
            desk.do(work)
            yield


def free(desk: Desk) -> dict[int, float]:
    return dict(desk.hand.db.execute("SELECT ID, StavZ - ObjedP FROM SKz"))


def test_what_is_free_of_a_card_only_grows(desk: Desk) -> None:
    before = free(desk)
    for _ in rounds(desk):
        now = free(desk)
        assert all(now[card] >= pieces for card, pieces in before.items())
        before = now
    assert before != {}


def test_each_order_of_the_shop_is_in_pohoda_and_none_else(desk: Desk) -> None:
    for _ in rounds(desk):
        pass
    held = reckon(desk.hand.documents.parent / "pohoda.db", desk.hand.documents / goods.PICTURES)
    assert held.orders.keys() == desk.hand.shop.orders.histories().keys()
    assert {one.state for one in held.orders.values()} == {0, 3, 4, 5, 6}


def test_the_tree_has_no_circle_and_no_more_than_some_orders_are_cancelled(desk: Desk) -> None:
    for _ in rounds(desk):
        pass
    held = reckon(desk.hand.documents.parent / "pohoda.db", desk.hand.documents / goods.PICTURES)
    assert len(held.tree) > 20  # a circle would never end
    cancelled = [one for one in held.orders.values() if one.state == 6]
    assert 0 < len(cancelled) <= max(8, len(held.orders) * 0.15)
    assert any(len(one.way) > 3 for one in held.tree)
    assert desk.hand.gone > 5
