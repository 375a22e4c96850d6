"""The crash test of all targets at once: quantities, products, prices, pictures, the tree, parameters, firms, orders.

Read from POHODA's database. The shop is in a storm from the first request on. Two at work in POHODA change everything
(`clerk`, `desk`), customers buy, the shop's owner lends a hand. The agent dies at fail points, at random moments, and
in the middle of the creation of a category, parameter, value or firm and of the change of an order's state (see
`weather.Trap`).
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.demo import goods
from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.catalogue import reference_of
from tests.crash import catalogue, inventory, judge, shelf
from tests.crash.audit import Audit, audit
from tests.crash.child import Child
from tests.crash.clerk import Books, Clerk
from tests.crash.desk import Desk
from tests.crash.lives import nothing_owed, until_quiet
from tests.crash.reckoning import reckon
from tests.crash.weather import MUST, ONCE, Trap, Weather, What

POINTS = ("after-intent", "after-send", "before-send", "after-settle", "after-read-back", "after-ingest-commit")
AMID: tuple[What, ...] = ("category", "term", "state", "firm", "creation")
TARGETS, SOURCES = 11, 9
BATCH = 100
TIMEOUT = 0.3
REST = 90.0
"""Seconds that the agent may take to come to rest."""
ALL_SEEN = 20
"""So many kills must meet every fault, and each kind of what is done once must be interrupted."""
CONFIG = """\
[shop]
name = "crash"
kind = "prestashop"
url = "{url}"
key = "{key}"
timeout = "300ms"
[state]
file = "state.db"
[pohoda]
database = "pohoda.db"
documents = "{documents}"
[targets.quantities]
poll = "200ms"
deduct = "received-orders"
zero_guard = "off"
[targets.products]
poll = "200ms"
fields = ["name", "description", "ean", "weight", "visible"]
create = true
[targets.prices]
poll = "200ms"
price_drop_guard = "off"
[targets.images]
poll = "200ms"
[targets.categories]
poll = "200ms"
root = "{root}"
when_gone = "{when_gone}"
remove_guard = "off"
[targets.parameters]
poll = "200ms"
[targets.suppliers]
poll = "200ms"
[targets.order_states]
poll = "200ms"
since = 2020-01-01
map = {{ partly = "3", transferred = "4", executed = "5", cancelled = "6" }}
tracking_column = "VPrZasilka"
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen."""

    kills: int
    cards: int
    seed: int
    points: tuple[str, ...] = POINTS

    @property
    def hides(self) -> bool:
        """Whether a category that is gone is hidden, or deleted."""
        return self.seed % 2 == 1


@dataclass(slots=True)
class Scene:
    """Everything that plays a part."""

    plan: Plan
    folder: Path
    books: Books
    shop: FakePrestaShop
    tree: Path
    weather: Weather
    owner: shelf.Owner

    @property
    def state(self) -> Path:
        return self.folder / "state.db"

    def start(self, failpoint: str = "") -> Child:
        """Begin a life of the agent."""
        return Child(self.folder / "eshop.toml", tree=self.tree, failpoint=failpoint)

    def at_rest(self) -> bool:
        """Tell whether nothing is owed, and nothing is still to land in the shop."""
        return not self.shop.late_writes and nothing_owed(self.state, TARGETS)


def run(plan: Plan, folder: Path, tree: Path) -> int:
    """Kill the agent ``plan.kills`` times; says what was lost, went back and was doubled; returns the exit code."""
    books = Books(folder / "pohoda.db", folder / "Dokumenty")
    codes = books.make(plan.cards, 0, plan.seed)
    with closing(books.open()) as db:
        widen(db)
    with FakePrestaShop() as shop:
        shop.add_products((code, 1) for code in codes[::2])
        owner = shelf.furnish(shop, codes[: len(codes) // 4 * 2 : 4])
        weather = Weather(shop, seed=plan.seed, timeout=TIMEOUT, must=(*MUST, *ONCE))
        scene = Scene(plan, folder, books, shop, tree, weather, owner)
        text = CONFIG.format(
            url=shop.url,
            key=shop.key,
            documents=books.documents.as_posix(),
            root=owner.root,
            when_gone="hide" if plan.hides else "delete",
        )
        (folder / "eshop.toml").write_text(text, encoding="utf-8")
        return _storm(scene)


def widen(db: sqlite3.Connection) -> None:
    """Add the customer's own column."""
    db.execute("ALTER TABLE OBJ ADD COLUMN VPrZasilka varchar(64)")


def _storm(scene: Scene) -> int:
    plan, begin = scene.plan, time.monotonic()
    seconds = max(6.0, 2.5 * plan.kills)
    clerk = Clerk(scene.books, None, seed=plan.seed, seconds=seconds, changes=int(5 * seconds), grows=True)
    desk = Desk(scene.books, scene.shop, seed=plan.seed, seconds=seconds, works=int(12 * seconds))
    desk.begin()
    kills = [_first_look(scene)]
    clerk.start()
    desk.start()
    kills += _kill(scene, plan.kills - 1)
    last = scene.start()
    _wait(lambda: not scene.weather.missing(), seconds + 60 if plan.kills >= ALL_SEEN else seconds, last)
    written = clerk.finish(seconds * 3) and desk.finish(seconds * 3)
    scene.weather.over = True
    quiet = until_quiet(scene.at_rest, last, REST, calm=1.5) and written
    code = last.stop()
    took = time.monotonic() - begin
    print(f"{dict(clerk.done)} and {dict(desk.done)} changes")
    return _say(scene, desk, quiet=quiet, code=code, kills=kills, took=took)


def _first_look(scene: Scene) -> float:
    """Let the agent see every card once: what it never saw is not its to hide."""
    child = scene.start()
    _wait(lambda: _through(scene.state), 60, child)
    return child.kill()


def _through(state: Path) -> bool:
    return catalogue.ask(state, f"SELECT count(*) >= {SOURCES} FROM source WHERE complete = 1") > 0


def _kill(scene: Scene, kills: int) -> list[float]:
    """End life after life, in three ways in turn; returns the moments."""
    chance = random.Random(scene.plan.seed)
    where: Counter[str] = Counter()
    ended: list[float] = []
    for number in range(kills):
        turn, way = divmod(number, 3)
        if way == 0:
            kind = AMID[turn % len(AMID)]
            child = scene.start()
            scene.weather.trap = Trap(kind, child.process.kill)
            where[f"amid a {kind}" if child.wait_dead(8.0) else "at random"] += 1
            scene.weather.trap = None
        elif way == 1:
            point = scene.plan.points[turn % len(scene.plan.points)]
            child = scene.start(f"{point}:{chance.randint(1, 8)}")
            where[point if child.wait_dead(5.0) else "at random"] += 1
        else:
            child = scene.start()
            child.wait_dead(chance.uniform(0.8, 4.0))
            where["at random"] += 1
        ended.append(child.kill())
    print(f"killed: {dict(where)}")
    return ended


def _wait(enough: Callable[[], bool], seconds: float, child: Child) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and child.alive() and not enough():
        time.sleep(0.1)


def _say(scene: Scene, desk: Desk, *, quiet: bool, code: int, kills: list[float], took: float) -> int:
    plan, shop, weather = scene.plan, scene.shop, scene.weather
    pictures = scene.books.documents / goods.PICTURES
    histories = shop.orders.histories()
    cards = inventory.judge(inventory.cards_of(scene.books.path, pictures), inventory.shown_by(shop))
    things = audit(
        reckon(scene.books.path, pictures),
        shelf.held_by(shop, scene.owner),
        hidden=desk.hand.gone if plan.hides else 0,
        owner=desk.hand.owner,
        histories=histories,
    )
    robbed, twice = shelf.robbed(shop, scene.owner), shelf.twice(shop)
    back = _went_back(scene, kills)
    lost = cards.lost + len(things.lost) + len(robbed)
    doubled = cards.doubled + len(things.doubled) + len(twice)
    regressed = back.regressed + len(things.regressed)
    for kind in weather.must:
        print(f"{kind}: {_faults(weather, kind)}; {weather.lost(kind)} answers lost, {weather.snapped[kind]} deaths")
    made = Counter(one.resource for one in shop.creations())
    print(f"{len(histories)} orders, {len(shop.state_changes())} states; created {dict(made)}; {took:.0f} s")
    complaints = _complaints(scene, quiet=quiet, code=code)
    per_kill = weather.resends / max(1, len(kills))
    complaints += ["too many values were sent again"] * (per_kill > BATCH * TARGETS)
    for one in (*complaints, *_shown(things, robbed, twice), *cards.examples, *back.examples):
        print(f"  {one}")
    print(f"kills={len(kills)} lost={lost} regressed={regressed} doubled={doubled} resends_per_kill={per_kill:.2f}")
    return 1 if complaints or lost or doubled or regressed else 0


def _shown(things: Audit, robbed: list[str], twice: list[str]) -> list[str]:
    told = {"lost": (*things.lost, *robbed), "doubled": (*things.doubled, *twice), "regressed": things.regressed}
    return [f"{word}: {text}" for word, texts in told.items() for text in texts[:12]]


def _faults(weather: Weather, kind: What) -> dict[str, int]:
    return {fault: count for (of, fault), count in sorted(weather.seen.items()) if of == kind}


def _went_back(scene: Scene, kills: list[float]) -> judge.Verdict:
    """Quantities that went back: what is free of a card only grows; 0 says that it is not on offer."""
    shop = scene.shop
    with shop.store.lock:
        codes = {row: reference_of(shop.store, row) for row in shop.store.tables["stock_availables"].rows}
    sent = [one for one in scene.weather.sent if one.quantity and one.row in codes]
    return judge.judge(sent, kills, codes, set(codes.values()), pohoda={}, shop={})


def _complaints(scene: Scene, *, quiet: bool, code: int) -> list[str]:
    plan, weather, shop = scene.plan, scene.weather, scene.shop
    found = []
    if plan.kills >= ALL_SEEN:
        found += [f"not seen: {one}" for one in weather.missing()]
        found += [f"no {kind} was interrupted by a kill" for kind in AMID if not weather.snapped[kind]]
    held = catalogue.ask(scene.state, "SELECT count(*) FROM delivery WHERE status = 'held'")
    found += [f"{held} deliveries are held by a guard"] * bool(held)
    if not quiet:
        found.append("the agent did not come to rest")
        print((scene.folder / "agent.log").read_text(encoding="utf-8")[-3000:], file=sys.stderr)
    found += [f"the agent ended with {code}"] * bool(code)
    return found + [f"the fake shop failed: {one}" for one in shop.internal_errors[:1]]
