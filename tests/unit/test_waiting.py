"""Claims about creations, and about deliveries that wait for them: a quantity for its product."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from agent.breaker import ShopBreaker
from agent.dispatch import Dispatcher
from agent.events import Rejected, Value
from state import outbox, shadows, targets, waiting
from state.db import StateFile, open_state
from tests.unit.memory_shop import MemoryShop
from tests.unit.rig import Pieces

NOW = 1_800_000_000.0


class Two:
    """A shop with two targets: products, which creates, and quantities, which waits for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOW
        self.shop = MemoryShop(creates=True)
        self.open()

    def open(self) -> None:
        self.state: StateFile = open_state(self.path)
        breaker = ShopBreaker(self.state, self.shop.probe, ticks=lambda: self.now)
        self.products, self.quantities = (
            Dispatcher(target, self.shop, self.state, breaker, timeout=30.0, creator=creator, ticks=lambda: self.now)
            for target, creator in (
                (Pieces(name="products", creates=True), ""),
                (Pieces(creator="products"), "products"),
            )
        )
        with self.state.write() as db:
            for name in ("products", "quantities"):
                targets.baseline(db, name, "complete")
        self.products.start(self.now)
        self.quantities.start(self.now)

    def owe(self, target: str, code: str, value: Value = 1, *, unusable: tuple[str, str] | None = None) -> None:
        entry = outbox.Entry(target, code.lower(), code, str(value), unusable=unusable)
        with self.state.write() as db:
            outbox.enqueue(db, target, [entry], now=self.now)

    def work(self, dispatcher: Dispatcher) -> None:
        while dispatcher.step(self.now):
            pass

    def statuses(self, target: str) -> dict[str, str]:
        with self.state.read() as db:
            rows = db.execute("SELECT key, status FROM delivery WHERE target = ? ORDER BY id", (target,)).fetchall()
        return dict(rows)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path / "state.db")


def test_a_product_that_the_shop_does_not_have_is_looked_for_and_then_created_once(two: Two) -> None:
    two.owe("products", "A", 5)
    two.work(two.products)
    assert two.shop.requests[:2] == ["find", "deliver"]
    assert two.shop.held("A") == 5
    two.owe("products", "A", 6)
    two.work(two.products)
    assert list(two.shop.codes.values()) == ["A"]


def test_a_product_that_is_there_is_never_created(two: Two) -> None:
    two.shop.put("A", 1)
    two.owe("products", "A", 5)
    two.work(two.products)
    assert (list(two.shop.codes.values()), two.shop.held("A")) == (["A"], 5)


@pytest.mark.parametrize("happened", ["applied", "not applied"])
def test_after_an_unclear_creation_the_shop_is_asked_and_has_one_product(two: Two, happened: str) -> None:
    two.shop.plans["a"].append("applied" if happened == "applied" else "not applied")
    two.owe("products", "A", 5)
    two.work(two.products)
    two.now += 301  # the rest of what may not be done twice
    two.work(two.products)
    assert list(two.shop.codes.values()) == ["A"]
    assert two.shop.held("A") == 5
    assert two.statuses("products") == {"a": "delivered"}


def test_an_agent_killed_while_creating_finds_what_it_made(two: Two) -> None:
    two.owe("products", "A", 5)
    two.shop.during = lambda: (_ for _ in ()).throw(KeyboardInterrupt())
    with contextlib.suppress(KeyboardInterrupt):
        two.work(two.products)
    two.shop.during = lambda: None
    two.shop.put("A", 5)  # it had arrived
    with two.state.read() as db:
        assert db.execute("SELECT intent FROM link").fetchone()[0] == "5"
    two.state.close()
    two.open()
    two.now += 301
    two.work(two.products)
    assert list(two.shop.codes.values()) == ["A"]
    with two.state.read() as db:
        assert db.execute("SELECT link, intent FROM link").fetchall() == [("p1", "new")]


def test_a_quantity_waits_for_its_product_and_goes_at_its_link(two: Two) -> None:
    two.owe("quantities", "A", 3)
    two.owe("products", "A", 5)
    two.work(two.quantities)
    with two.state.read() as db:
        assert waiting.waiting(db, "quantities") == 1
    assert two.shop.sent == []
    two.work(two.products)
    two.work(two.quantities)
    assert two.shop.sent == [("a", 5), ("a", 3)]
    assert two.statuses("quantities") == {"a": "delivered"}


def test_what_waits_is_not_looked_at_again_until_it_is_woken(two: Two) -> None:
    two.owe("products", "A")
    two.owe("quantities", "A", 3)
    two.work(two.quantities)
    before = len(two.shop.requests)
    for _ in range(5):
        two.work(two.quantities)
    assert len(two.shop.requests) == before
    with two.state.read() as db:
        plan = " ".join(
            str(row[3])
            for row in db.execute(
                "EXPLAIN QUERY PLAN SELECT id FROM delivery WHERE target = 'q' AND status = 'pending'"
                " AND waits IS NULL AND sent_at IS NULL ORDER BY lane, place LIMIT 100"
            )
        )
    assert "delivery_pending" in plan
    assert "TEMP B-TREE" not in plan


def test_a_newer_quantity_waits_in_the_place_of_the_older(two: Two) -> None:
    two.owe("products", "A", 5)
    two.owe("quantities", "A", 3)
    two.work(two.quantities)
    two.owe("quantities", "A", 4)
    two.work(two.quantities)
    two.work(two.products)
    two.work(two.quantities)
    assert two.shop.sent == [("a", 5), ("a", 4)]


def test_the_death_of_a_product_takes_its_quantity_along_and_its_revival_revives_it(two: Two) -> None:
    two.shop.plans["a"].append(Rejected("the name is not allowed", "Change the name."))
    two.owe("products", "A", 5)
    two.owe("quantities", "A", 3)
    two.work(two.quantities)
    two.work(two.products)
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "dead"}
    with two.state.read() as db:
        reason = db.execute("SELECT reason FROM delivery WHERE target = 'quantities'").fetchone()[0]
    assert "the name is not allowed" in reason
    two.owe("products", "A", 6)
    two.work(two.products)
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "delivered"}
    assert two.shop.held("A") == 3


def test_a_product_that_nobody_creates_leaves_its_quantity_a_dead_letter(two: Two) -> None:
    two.owe("quantities", "A", 3)
    two.work(two.quantities)
    two.now += 20
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "dead"}


def test_nothing_is_created_for_a_card_that_is_gone(two: Two) -> None:
    two.owe("products", "A", 0)  # what `Pieces` says of a thing that is absent
    two.work(two.products)
    assert two.shop.codes == {}
    assert two.statuses("products") == {"a": "delivered"}


def test_ten_thousand_wait_and_one_link_wakes_its_own_only(two: Two) -> None:
    entries = [outbox.Entry("quantities", f"k{number}", f"K{number}", "1") for number in range(10_000)]
    parents = [outbox.Entry("products", f"k{number}", f"K{number}", "1") for number in range(10_000)]
    with two.state.write() as db:
        outbox.enqueue(db, "quantities", entries, now=NOW)
        outbox.enqueue(db, "products", parents, now=NOW)
    two.work(two.quantities)
    assert two.shop.requests == [], "nobody was asked: the products are owed"
    with two.state.write() as db:
        assert waiting.waiting(db, "quantities") == 10_000
        shadows.link(db, "product", [("k77", "p77")])
        assert waiting.waiting(db, "quantities") == 9_999


def with_prices(two: Two) -> Dispatcher:
    two.quantities.after = "prices"
    with two.state.write() as db:
        targets.baseline(db, "prices", "complete")
    return Dispatcher(Pieces(name="prices"), two.shop, two.state, two.products.breaker, timeout=30.0)


def test_of_a_product_that_we_created_no_piece_is_offered_before_its_price_is_there(two: Two) -> None:
    prices = with_prices(two)
    two.owe("products", "A", 1)
    two.work(two.products)
    two.owe("quantities", "A", 3)
    two.work(two.quantities)
    assert two.shop.sent == [("a", 1)]
    two.shop.plans["a"].append(Rejected("no such tax", "Set up the rate."))
    two.owe("prices", "A", 199)
    two.work(prices)
    two.work(two.quantities)
    assert two.shop.sent == [("a", 1), ("a", 199)], "a price that is dead is no price"
    two.owe("prices", "A", 200)
    two.work(prices)
    two.work(two.quantities)
    assert two.shop.sent[2:] == [("a", 200), ("a", 3)]


def test_of_a_product_that_was_there_the_pieces_wait_for_no_price(two: Two) -> None:
    with_prices(two)
    two.shop.put("A", 0)
    two.owe("prices", "A", 199)
    two.owe("quantities", "A", 3)
    two.work(two.quantities)
    assert two.shop.sent == [("a", 3)]


@pytest.mark.parametrize("later", [1, 30])
def test_what_came_before_its_product_was_heard_of_goes_when_the_product_is_made(two: Two, later: int) -> None:
    two.owe("quantities", "A", 7)
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "pending"}, "nobody owes the creation yet"
    assert two.quantities.next_due(two.now) == two.now + 20
    two.now += later
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "pending" if later < 20 else "dead"}
    two.owe("products", "A", 5)
    two.work(two.products)
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "delivered"}


def test_a_product_that_is_made_while_its_quantity_is_judged_is_not_missed(two: Two) -> None:
    two.shop.put("B", 1)
    two.owe("products", "A", 5)
    two.owe("quantities", "A", 7)
    two.owe("quantities", "B", 8)
    made = False

    def make_it() -> None:
        nonlocal made
        if not made:
            made = True
            two.work(two.products)

    two.shop.during = make_it  # during the delivery of B, after A was told to wait
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "delivered", "b": "delivered"}


def test_an_unclear_creation_rests_until_nothing_can_land_late(two: Two) -> None:
    two.owe("products", "A", 5)
    two.shop.during = lambda: (_ for _ in ()).throw(KeyboardInterrupt())
    with contextlib.suppress(KeyboardInterrupt):
        two.work(two.products)
    two.shop.during = lambda: None
    two.state.close()
    two.open()
    two.now += 61
    two.work(two.products)
    assert two.shop.codes == {}
    two.shop.put("A", 5)  # a minute late
    two.now += 240
    two.work(two.products)
    assert list(two.shop.codes.values()) == ["A"]


def test_a_product_that_was_read_back_wakes_what_waits_for_it(two: Two) -> None:
    two.shop.plans["a"].append("applied")
    two.owe("products", "A", 5)
    two.work(two.products)
    two.owe("quantities", "A", 7)
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "pending"}
    two.now += 301
    two.work(two.products)
    two.work(two.quantities)
    assert two.statuses("quantities") == {"a": "delivered"}


def test_texts_that_are_owed_to_a_product_that_is_there_hold_up_nothing(two: Two) -> None:
    with two.state.write() as db:
        shadows.link(db, "product", [("a", "p1")])
    two.owe("products", "A", 5)
    with two.state.read() as db:
        assert waiting.creations(db, "products", ["a"]) == {}
