"""Claims about values that name things of the shop: categories below categories, and products in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.breaker import ShopBreaker
from agent.dispatch import Dispatcher
from agent.events import Done, Held, Outcome, Owed, Rejected, Value, Wanted
from agent.ingest import same
from agent.targets import GuardCount
from state import cursors, outbox, shadows, targets, waiting
from state.db import open_state
from tests.unit.memory_shop import MemoryShop

NOW = 1_800_000_000.0


@dataclass(frozen=True, slots=True)
class Naming:
    """A target whose values name categories: the tree itself, or what is in it."""

    name: str
    thing: str
    creates: bool = False
    creator: str = ""
    names: str = "category"
    namer: str = "categories"

    def needs(self, value: Value) -> Sequence[str]:
        assert isinstance(value, dict)
        parent, inside = value.get("parent"), value.get("in")
        return [parent] if isinstance(parent, str) else [str(one) for one in inside or []]  # type: ignore[union-attr] # a list of texts

    def nothing(self, value: Value) -> bool:
        return value == {"in": []}

    def value(self, key: str, rows: Sequence[Any]) -> Value:
        raise AssertionError((key, rows))

    def absent(self) -> Value:
        return {"gone": "delete"} if self.creates else None

    def same(self, sent: Value, confirmed: Value) -> bool:
        return sent == confirmed or (isinstance(confirmed, dict) and "been" in confirmed)

    def batch_size(self, kind: str) -> int:
        return 100 if kind else 0

    def counts(self, old: Value, new: Value) -> bool:
        return (old, new) == (0, 1)

    def guard(self, count: GuardCount) -> str:
        return "" if count.total >= 0 else "never"

    def fingerprint(self) -> str:
        return "one"


TREE = Naming("categories", "category", creates=True)
GOODS = Naming("categories.products", "product")


class Seeing(MemoryShop):
    """Remembers which links it was given, and deletes."""

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        self.links = owed[0].links
        outcomes = MemoryShop.deliver(self, target, owed)
        return [
            Done(None, one.event.value) if "gone" in one.event.value else outcome  # type: ignore[operator] # a dict
            for one, outcome in zip(owed, outcomes, strict=True)
        ]


class ByName(Seeing):
    """Finds things by the name that they are to have, as shops do with categories."""

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        found: dict[str, Held | Rejected] = {}
        for one in wanted:
            for link, held in self.stock.items():
                if isinstance(one.value, dict) and isinstance(held, dict) and held.get("name") == one.value.get("name"):
                    found[one.key] = Held(one.key, one.code, link, held)
        return found if target else {}


class Play:
    """The tree and the goods in it, one file, one shop."""

    def __init__(self, folder: Path, shop: Seeing | None = None) -> None:
        self.now = NOW
        self.shop = shop or Seeing(creates=True)
        self.state = open_state(folder / "state.db")
        with self.state.read() as db:
            db.execute("PRAGMA synchronous=OFF")
        breaker = ShopBreaker(self.state, self.shop.probe, ticks=lambda: self.now)
        self.tree, self.goods = (
            Dispatcher(target, self.shop, self.state, breaker, timeout=30.0, ticks=lambda: self.now)
            for target in (TREE, GOODS)
        )
        with self.state.write() as db:
            for target in (TREE, GOODS):
                targets.baseline(db, target.name, "complete")

    def owe(self, target: Naming, **values: Any) -> None:  # noqa: ANN401 - a dict of lists or texts
        entries = [outbox.Entry(target.name, key, key, json.dumps(value)) for key, value in values.items()]
        with self.state.write() as db:
            outbox.enqueue(db, target.name, entries, now=self.now)

    def work(self, dispatcher: Dispatcher) -> int:
        """Step until there is nothing more at once; returns how often."""
        steps = 1
        while dispatcher.step(self.now):
            steps += 1
        return steps

    def ends(self, target: Naming) -> dict[str, str]:
        with self.state.read() as db:
            rows = db.execute("SELECT key, status FROM delivery WHERE target = ? ORDER BY id", (target.name,))
            return dict(rows.fetchall())

    def reason(self, target: Naming, key: str) -> str:
        with self.state.read() as db:
            sql = "SELECT reason FROM delivery WHERE target = ? AND key = ? ORDER BY id DESC"
            return str(db.execute(sql, (target.name, key)).fetchone()[0])


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_a_product_waits_for_its_category_and_is_given_the_links(play: Play) -> None:
    play.shop.put("bolt", {}, "p-bolt")
    play.owe(TREE, tools={"name": "Tools"})
    play.owe(GOODS, bolt={"in": ["tools"]})
    play.work(play.goods)
    assert (play.shop.sent, play.ends(GOODS)) == ([], {"bolt": "pending"})
    play.work(play.tree)
    play.work(play.goods)
    assert play.ends(GOODS) == {"bolt": "delivered"}
    assert dict(play.shop.links) == {"tools": "p2"}


def test_a_child_that_is_told_first_is_created_after_its_parent(play: Play) -> None:
    play.owe(TREE, saws={"name": "Saws", "parent": "tools"}, tools={"name": "Tools"})
    play.work(play.tree)
    assert list(play.shop.codes.values()) == ["tools", "saws"]


def test_a_parent_that_the_shop_refuses_takes_its_children_and_their_goods_along_until_it_is_mended(play: Play) -> None:
    play.shop.put("bolt", {}, "p-bolt")
    play.shop.plans["tools"].append(Rejected("the name is not allowed", "Rename it."))
    play.owe(TREE, tools={"name": "<"}, saws={"name": "Saws", "parent": "tools"})
    play.owe(GOODS, bolt={"in": ["saws"]})
    play.work(play.tree)
    play.work(play.goods)
    assert play.ends(TREE) == {"tools": "dead", "saws": "dead"}
    assert "'tools' is not in the shop" in play.reason(TREE, "saws")
    assert "the name is not allowed" in play.reason(GOODS, "bolt")
    play.owe(TREE, tools={"name": "Tools"})
    with play.state.write() as db:  # as ingest does
        waiting.revive(db, "category", ["tools"])
    for _ in range(2):
        play.work(play.tree)
        play.work(play.goods)
    assert {*play.ends(TREE).values(), *play.ends(GOODS).values()} <= {"delivered", "superseded"}
    assert play.ends(GOODS) == {"bolt": "delivered"}


def test_what_names_a_thing_that_nobody_creates_is_dead_after_a_while_with_a_hint(play: Play) -> None:
    play.shop.put("bolt", {}, "p-bolt")
    play.owe(GOODS, bolt={"in": ["tools"]})
    play.work(play.goods)
    assert play.ends(GOODS) == {"bolt": "pending"}
    play.now += 30
    play.work(play.goods)
    assert play.ends(GOODS) == {"bolt": "dead"}
    assert "'tools' is not in the shop, and nobody creates it" in play.reason(GOODS, "bolt")


def test_ten_thousand_products_wait_for_one_category_without_being_looked_at_again(play: Play) -> None:
    for number in range(10_000):
        play.shop.put(f"b{number}", {}, f"p{number}")
    with play.state.write() as db:
        shadows.link(db, "product", [(f"b{number}", f"p{number}") for number in range(10_000)])
    play.owe(TREE, tools={"name": "Tools"})
    play.owe(GOODS, **{f"b{number}": {"in": ["tools"]} for number in range(10_000)})
    assert play.work(play.goods) <= 102
    assert play.work(play.goods) == 1  # nobody is taken up again
    play.work(play.tree)
    assert play.work(play.goods) <= 102
    assert set(play.ends(GOODS).values()) == {"delivered"}
    assert len(play.shop.batches) == 101


def test_a_parent_goes_under_its_child_in_two_steps(play: Play) -> None:
    play.owe(TREE, a={"name": "A"}, b={"name": "B", "parent": "a"})
    play.work(play.tree)
    play.shop.sent.clear()
    play.owe(TREE, a={"name": "A", "parent": "b"}, b={"name": "B"})
    play.work(play.tree)
    assert [key for key, _ in play.shop.sent] == ["b", "a"]


def test_two_that_name_each_other_for_a_moment_do_not_wait_for_ever(play: Play) -> None:
    play.owe(TREE, a={"name": "A"}, b={"name": "B"})
    play.work(play.tree)
    play.owe(TREE, a={"name": "A", "parent": "b"}, b={"name": "B", "parent": "a"})
    play.work(play.tree)
    assert set(play.ends(TREE).values()) == {"delivered"}


def test_a_category_is_removed_after_what_was_below_it(play: Play) -> None:
    play.owe(TREE, a={"name": "A"}, b={"name": "B", "parent": "a"}, c={"name": "C", "parent": "a"})
    play.work(play.tree)
    play.shop.sent.clear()
    play.owe(TREE, a={"gone": "delete"}, b={"gone": "delete"}, c={"name": "C"})
    play.work(play.tree)
    assert [key for key, _ in play.shop.sent][-1] == "a"
    with play.state.read() as db:
        assert shadows.whole_links(db, "category").keys() == {"c"}


@pytest.mark.parametrize(
    ("then", "lost"),
    [
        ({"name": "Nářadí", "parent": None}, False),
        ({"name": "Nářadí", "parent": None}, True),
        ({"gone": "delete"}, False),
    ],
)
def test_what_changed_while_its_creation_was_unclear_is_found_under_its_old_name(
    tmp_path: Path, then: Value, *, lost: bool
) -> None:
    play = Play(tmp_path, ByName(creates=True))
    play.shop.plans["a"].append("applied")
    play.owe(TREE, a={"name": "Tools", "parent": None})
    play.work(play.tree)
    play.owe(TREE, a=then)
    play.now += 301
    if lost:  # the answer to that as well
        play.shop.plans["a"].append("not applied")
        play.work(play.tree)
        play.shop.sent.pop()
        play.now += 301
    play.work(play.tree)
    assert play.shop.sent == [("a", {"name": "Tools", "parent": None}), ("a", then)]
    assert list(play.shop.codes) == ["p1"]


def test_where_a_category_is_another_one_now_all_that_names_it_is_sent_anew(play: Play) -> None:
    play.owe(TREE, a={"name": "A"})
    play.work(play.tree)
    with play.state.write() as db:
        shadows.remember(db, GOODS.name, [("bolt", '{"in": ["a"]}')], now=NOW)
        shadows.unlink(db, "category", ["a"])
        held = shadows.shadows_of(db, GOODS.name, ["bolt"])["bolt"]
        assert json.loads(held) == {"in": ["a"], shadows.STALE: 1}  # what there was is known, and is not believed
        assert not same(GOODS, '{"in": ["a"]}', held)
        assert cursors.recompute_after(db, GOODS.name) == ""


def test_what_an_adapter_remembers_of_a_thing_does_not_make_it_another_one(play: Play) -> None:
    with play.state.write() as db:
        shadows.link(db, "category", [("a", "41")])
        shadows.remember(db, GOODS.name, [("bolt", '{"in": ["a"]}')], now=NOW)
        assert shadows.link(db, "category", [("a", "41#picture")]) == []
        assert (shadows.total(db, GOODS.name), shadows.all_links(db, "category")) == (1, {"a": "41#picture"})
        assert shadows.link(db, "category", [("a", "42")]) == ["a"]
        assert shadows.STALE in shadows.shadows_of(db, GOODS.name, ["bolt"])["bolt"]


def test_what_the_shop_moved_itself_is_read_and_sent_anew_where_it_is_ours(play: Play) -> None:
    orders = Naming("order_states", "order", names="", namer="")
    with play.state.write() as db:
        targets.baseline(db, orders.name, "complete")
        shadows.link(db, "order", [("1001", "p1")])
        shadows.remember(db, "quantities", [("bolt", "5"), ("own", "3")], now=NOW)
        for source, key in (("stock", "bolt"), ("categories", "own")):  # a category's number is no card's code
            cursors.move(db, source, "{}", scanned=1, complete=True, now=NOW)
            cursors.remember(db, source, [(1, key, b"x", True)], [])
    play.shop.put("1001", {}, "p1")
    deliver = MemoryShop.deliver

    class Moving(MemoryShop):
        def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
            done = deliver(self, target, owed)[0]
            assert isinstance(done, Done)
            return [Done(done.link, {"state": "6", "been": ["6"]}, moved=("Bolt", "Own"))]

    shop = Moving(codes=play.shop.codes, stock=play.shop.stock)
    breaker = ShopBreaker(play.state, shop.probe, ticks=lambda: play.now)
    sender = Dispatcher(orders, shop, play.state, breaker, timeout=30.0, ticks=lambda: play.now)
    play.owe(orders, **{"1001": {"state": "6"}})
    play.work(sender)
    with play.state.read() as db:
        assert shadows.shadows_of(db, "quantities", ["bolt", "own"]) == {}
        assert cursors.rereads(db, "quantities", 10) == [("bolt", "Bolt", outbox.LIVE)]
