"""Who works in the demo's morning keeps the books sound, holds no guard up, and orders leave the stock once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.demo import desk, owner, scene
from agent.demo.desk import OrderDesk, RangeDesk
from agent.demo.latency import Stopwatch
from agent.demo.office import Office
from agent.demo.prestashop import FakePrestaShop
from agent.demo.scene import Scene
from agent.events import key_of

OWN = ("categories", "categories.products", "parameters.terms", "parameters", "suppliers.firms", "suppliers")


@pytest.fixture
def on(tmp_path: Path) -> Scene:
    return scene.set_up(tmp_path, FakePrestaShop(), Stopwatch(), 120)


@pytest.fixture
def office(on: Scene) -> Iterator[Office]:
    with closing(Office(on.database, on.documents, seed=7)) as made:
        yield made


def ask(on: Scene, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(on.database)) as db:
        return db.execute(sql).fetchall()


def test_the_first_works_of_the_keeper_concern_every_target(on: Scene, office: Office) -> None:
    keeper = RangeDesk(on, office)
    for _ in range(12):
        keeper.step()
    assert all(on.changes[target] >= 2 for target in OWN), on.changes


def test_a_long_morning_takes_little_away_and_makes_no_two_categories_of_one_way(on: Scene, office: Office) -> None:
    bare = "SELECT count(*) FROM SKz WHERE ID NOT IN (SELECT RefAg FROM {})"
    before = [ask(on, bare.format(table)) for table in ("SkRefParam", "SKzNC")]
    ((categories,),) = ask(on, "SELECT count(*) FROM SkKat")
    keeper = RangeDesk(on, office)
    for _ in range(300):
        keeper.step()
    assert ask(on, "SELECT count(*) FROM SkKat") == [(categories + 20 - desk.DELETED,)]
    assert len(on.range().tree) == categories + 20 - desk.DELETED
    ((fewer,),) = ask(on, bare.format("SkRefParam"))
    assert fewer <= before[0][0][0]
    ((most,),) = ask(on, "SELECT max(n) FROM (SELECT count(*) AS n FROM SkRefKat GROUP BY RefAg)")
    assert most <= desk.FEW + 10


def test_what_was_ordered_and_not_cancelled_is_missing_in_pohoda_as_in_the_shop(on: Scene, office: Office) -> None:
    pohoda, shop = on.quantities(), on.shop.quantities()
    orders = OrderDesk(on, office)
    for _ in range(40):
        orders.step()
    orders.take_over()
    cancelled = {number for (number,) in ask(on, "SELECT PDoklad FROM OBJ WHERE DatStorn IS NOT NULL")}
    bought: dict[str, float] = {}
    given_back: dict[str, float] = {}
    for number, code, pieces in ask(
        on, "SELECT o.PDoklad, l.Kod, l.Mnozstvi FROM OBJ o JOIN OBJpol l ON l.RefAg = o.ID"
    ):
        key = key_of(code)
        bought[key] = bought.get(key, 0) + pieces
        given_back[key] = given_back.get(key, 0) + (pieces if number in cancelled else 0)
    assert len(bought) > 10
    assert cancelled
    there = {key_of(code): pieces for code, pieces in on.shop.quantities().items()}
    at_first = ask(on, "SELECT DISTINCT Kod FROM OBJpol WHERE RefAg <= 4")
    for key in bought.keys() - {key_of(code) for (code,) in at_first}:
        code = next(code for code in shop if key_of(code) == key)
        assert there[key] == shop[code] - bought[key], "an order takes its pieces, cancelling is for the agent"
        assert on.quantities()[key] == pohoda[key] - bought[key] + given_back[key]


def test_nothing_is_bought_while_the_shop_is_down_and_every_order_is_taken_over(on: Scene, office: Office) -> None:
    orders = OrderDesk(on, office)
    before = len(on.shop.orders.histories())
    on.shop.down = True
    orders.step()
    assert len(on.shop.orders.histories()) == before
    on.shop.down = False
    for _ in range(5):
        orders.step()
    orders.take_over()
    known = {number for (number,) in ask(on, "SELECT PDoklad FROM OBJ")}
    assert known == on.shop.orders.histories().keys()
    assert len(known) == before + 5


def test_one_order_of_long_ago_and_some_of_today_wait_when_the_morning_begins(on: Scene, office: Office) -> None:
    assert ask(on, "SELECT Datum < '2020-01-01', Vyrizeno FROM OBJ ORDER BY ID") == [(1, 1), (0, 0), (0, 0), (0, 0)]
    assert all(states == [2] for states in on.shop.orders.histories().values())
    assert office.orders.open() == [2, 3, 4]


def test_the_owners_things_are_there_before_the_agent(on: Scene) -> None:
    things = on.shop.things
    assert things.ids("categories", "Sortiment", 2) == [owner.ROOT]
    assert on.config.targets.categories is not None
    assert on.config.targets.categories.root == str(owner.ROOT)
    for code in on.shop.quantities():
        if key_of(code) in on.own.keys:
            assert things.categories_of(code) == ([2, on.own.category], on.own.category)
            assert things.features_of(code) == {owner.PARAMETER: [owner.VALUE]}
    assert len(on.own.keys) > 10
