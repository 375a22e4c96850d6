"""Fifty orders of a real Vendure, placed by its customers, then transferred, executed and cancelled in POHODA: the
shop's orders follow, each change of a state that a customer sees happens exactly once, and both sides' stock is equal.

The agent is a process of its own and is killed amid it; orders are read without it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent.demo import pohoda
from agent.demo.office import Office

from .named_agent import TIMEOUT, Agent
from .named_history import cancel_by_hand, deliver_by_hand, histories
from .named_orders import STORIES, Order
from .named_owner import Owner
from .vendure import USER, RealVendure, running_vendure
from .vendure_customer import Customers

pytestmark = pytest.mark.timeout(900)  # the first run on a machine installs
CARDS = 60
UNKNOWN = "NEZNÁMÁ-1"
"""An order's number that the shop does not have."""
CONFIG = f"""\
[shop]
name = "e2e"
kind = "vendure"
url = "{{url}}"
user = "{USER}"
password = "${{{{SHOP_PASSWORD}}}}"
timeout = "{TIMEOUT:g}s"
[state]
file = "state.db"
[pohoda]
database = "pohoda.db"
[targets.quantities]
poll = "300ms"
deduct = "none"
zero_guard = "off"
[targets.order_states]
poll = "300ms"
since = {{since}}
map = {{{{ partly = "PartiallyShipped", transferred = "Shipped", executed = "Delivered", cancelled = "Cancelled" }}}}
tracking_column = "VPrZasilka"
carrier_column = "VPrDopravce"
"""
_ON_HAND = "SELECT IDS, CAST(sum(StavZ) AS int) FROM SKz GROUP BY IDS"
_TRANSFERRED = """SELECT p.Kod, CAST(sum(p.Dodano) AS int) FROM OBJpol p JOIN OBJ o ON o.ID = p.RefAg
    WHERE o.PDoklad = ? AND o.DatStorn IS NULL AND p.Dodano > 0 GROUP BY p.Kod"""


@dataclass(slots=True)
class Stage:
    """Both sides, the agent between them, and the orders."""

    database: Path
    agent: Agent
    server: RealVendure
    office: Office
    orders: list[Order] = field(default_factory=list)

    def ask(self, sql: str, *given: object) -> dict[str, int]:
        """Ask POHODA's tables for numbers by code."""
        with closing(sqlite3.connect(self.database)) as db:
            return dict(db.execute(sql, given).fetchall())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """POHODA with cards, a shop with a product of each, and a configuration; the agent does not run."""
    database = tmp_path / "pohoda.db"
    pohoda.create(database, cards=CARDS, seed=11, catalogue=True)
    with closing(sqlite3.connect(database)) as db:
        db.executescript("""UPDATE SKz SET StavZ = 80, Rezer = 0, ObjedP = 0, IObchod = 1, Template = 0, RelSkTyp = 1;
            ALTER TABLE OBJ ADD COLUMN VPrZasilka varchar(64); ALTER TABLE OBJ ADD COLUMN VPrDopravce varchar(64)""")
    with closing(Office(database, tmp_path)) as office, running_vendure(tmp_path / "shop") as server:
        Owner(server).speak_czech()
        server.create_products(pohoda.codes(database))
        text = CONFIG.format(url=server.url, since=(date.today() - timedelta(days=3)).isoformat())  # noqa: DTZ011 - POHODA's days are local
        (tmp_path / "eshop.toml").write_text(text, encoding="utf-8")
        made = Stage(database, Agent(tmp_path, 2), server, office)
        yield made
        made.agent.kill()


def test_each_change_of_fifty_orders_happens_exactly_once_and_the_stock_is_equal(stage: Stage) -> None:
    agent = stage.agent
    with agent.running():
        agent.wait_for_rest()
        assert_stock(stage)
        place(stage)
        agent.wait_for_rest()
        assert {one.states for one in histories(stage.server).values()} == {("PaymentSettled",), ()}
        wave(stage, 0)
        assert_letters(stage, unpaid=True)
        settle(stage)
        wave(stage, 1)
        assert_told(stage)
        assert_stock(stage)
        assert_letters(stage, unpaid=False)
        said = agent.plan("order_states")
        assert said["to_send"] == 0, said
        assert [one["code"] for one in said["differences"]] == [UNKNOWN], said
        assert agent.plan("quantities")["to_send"] == 0
    assert "Traceback" not in agent.log()


def place(stage: Stage) -> None:
    """Customers place orders; POHODA takes them over, and one that is not of this shop. One takes all there is."""
    customers, codes = Customers(stage.server), pohoda.codes(stage.database)
    names = [name for name, (times, _) in STORIES.items() for _ in range(times)]
    assert len(names) == 50
    for number, name in enumerate(names):
        pieces = {codes[number % 20]: 3, codes[20 + number % 15]: 2}
        if number == 0:
            (last, all_there_is) = codes[-1], stage.ask(_ON_HAND)[codes[-1]]
            pieces = {last: all_there_is}
        code = customers.order(pieces, settled=STORIES[name][1].paid)
        order = Order(code, pieces, name)
        stage.orders.append(order)
        order.write(stage.office)
    of_another = stage.office.orders.write(UNKNOWN, {codes[40]: 1})
    stage.office.orders.execute(of_another)


def wave(stage: Stage, number: int) -> None:
    """Work the orders off, some by hand in the shop; the agent is killed amid it, and POHODA goes on meanwhile."""
    known, before = histories(stage.server), told(stage, "delivered")
    for order in stage.orders if number == 0 else ():
        by_hand = {"sent by hand": deliver_by_hand, "cancelled by hand": cancel_by_hand}.get(order.name)
        if by_hand:
            by_hand(stage.server, known[order.code].id)
    for order in stage.orders[::2]:
        order.step(stage.office, number)
    stage.agent.wait_until("nothing is delivered", lambda: told(stage, "delivered") > before + 2, 30)
    assert told(stage, "pending") > 3, "it was nearly through: the kill proves nothing"

    def away() -> None:
        for order in stage.orders[1::2]:
            order.step(stage.office, number)

    stage.agent.kill_amid(1, away)
    stage.agent.wait_for_rest()


def told(stage: Stage, status: str) -> int:
    """Deliveries of orders' states that are ``delivered`` or ``pending``."""
    sql = "SELECT count(*) FROM delivery WHERE target = 'order_states' AND status = ?"
    return int(stage.agent.ask(sql, status)[0][0])


def settle(stage: Stage) -> None:
    """The money of the unpaid orders comes; what could not be delivered is tried again."""
    customers = Customers(stage.server)
    for order in stage.orders:
        if not order.story.paid:
            customers.settle(order.code)
    stage.agent.command("outbox", "retry", "--all", "--target", "order_states")
    stage.agent.wait_for_rest()


# ---------------------------------------------------------------------------------------------------- comparing


def assert_told(stage: Stage) -> None:
    """Every order has come as far as its story says, each state once, with as many pieces as POHODA has transferred."""
    there, wrong = histories(stage.server), []
    assert there.keys() == {order.code for order in stage.orders}
    for order in stage.orders:
        held, story = there[order.code], order.story
        told = f"{order.code} ({order.name})"
        if held.states != tuple(story.states) or held.doubled or held.state != story.states[-1]:
            wrong.append(f"{told}: {held.states} {held.doubled}, not {story.states}")
        if len(held.parcels) != story.parcels:
            wrong.append(f"{told}: {held.parcels}, not {story.parcels} parcels")
        if not story.untold and held.pieces != Counter(stage.ask(_TRANSFERRED, order.code)):
            wrong.append(f"{told}: {dict(held.pieces)} were sent, not {stage.ask(_TRANSFERRED, order.code)}")
        parcel = (held.state, "PPL", f"DR{order.rows[0]}") if order.name == "sent" else None
        if parcel and held.parcels != (parcel,):
            wrong.append(f"{told}: {held.parcels}, not {parcel}")
    assert not wrong, "\n".join(wrong)


def assert_stock(stage: Stage) -> None:
    """Pieces on hand are those of POHODA."""
    held = stage.server.stock()
    wanted = stage.ask(_ON_HAND)
    assert held == wanted, {code: (held.get(code), wanted[code]) for code in wanted if held.get(code) != wanted[code]}


def assert_letters(stage: Stage, *, unpaid: bool) -> None:
    """Dead letters are those of the order that the shop does not know, and of orders that are not paid; with hints."""
    letters = {key: words for (_, key), words in stage.agent.letters("dead").items()}
    waiting = {order.code.casefold() for order in stage.orders if not order.story.paid} if unpaid else set()
    assert letters.keys() == {UNKNOWN.casefold(), *waiting}, letters
    assert "order" in letters[UNKNOWN.casefold()]
    assert all("Settle the order's payment in Vendure" in letters[key] for key in waiting), letters
