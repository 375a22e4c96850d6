"""The crash test of a whole catalogue: cards that are not in the shop yet, texts, prices, quantities and pictures.

Read from POHODA's database, or from what POHODA exports into a folder. The shop is in a storm from the first request
on, so products are created and pictures uploaded in it; there is no peace before the first kill.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from agent.demo import goods
from agent.demo.prestashop import FakePrestaShop
from tests.crash.child import Child
from tests.crash.clerk import Books, Clerk, Folder
from tests.crash.inventory import Verdict, cards_of, judge, shown_by
from tests.crash.lives import kill_often, nothing_owed, until_quiet
from tests.crash.weather import MUST, Weather

SOURCES = ("database", "export-directory")
OF_TARGETS = ("after-intent", "after-send", "before-send", "after-intent", "after-settle", "after-ingest-commit")
OF_FILES = ("after-intake-commit", "before-archive", "before-intake-commit", "after-archive")
IDLE = 1500
"""Cards that are exported and not on the internet: a large export is read in several chunks."""
BATCH, TARGETS = 100, 4
TIMEOUT = 0.4
REST = 60.0
"""Seconds that the agent may take to come to rest."""
CONFIG = """\
[shop]
name = "crash"
kind = "prestashop"
url = "{url}"
key = "{key}"
timeout = "400ms"
[state]
file = "state.db"
[pohoda]
documents = "{documents}"
{where}
[targets.quantities]
{source}
deduct = "none"
zero_guard = "off"
[targets.products]
{source}
fields = ["name", "description", "ean", "weight", "visible"]
create = true
[targets.prices]
{source}
price_drop_guard = "off"
[targets.images]
{source}
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen."""

    source: str
    kills: int
    cards: int
    seed: int
    points: tuple[str, ...] = ()

    @property
    def exports(self) -> bool:
        return self.source == "export-directory"


@dataclass(slots=True)
class Witness:
    """Looks at the scene after each kill: what was the agent in the middle of?"""

    folder: Path
    creations: int = 0
    """Kills between the intent of a creation and its link, the request being under way or just about to be."""
    uploads: int = 0
    """Kills while pictures of a product were being changed."""
    files: int = 0
    """Kills in the middle of a file: its place is stored, and is not its end."""

    def look(self) -> None:
        """Take down what the last kill interrupted."""
        creations = (
            "SELECT count(*) FROM link AS l JOIN delivery AS d ON d.key = l.key AND d.target = 'products'"
            " WHERE l.thing = 'product' AND l.link IS NULL AND d.sent_at IS NOT NULL"
        )
        self.creations += ask(self.folder / "state.db", creations) > 0
        under_way = "SELECT count(*) FROM delivery WHERE target = 'images' AND sent_at IS NOT NULL"
        self.uploads += ask(self.folder / "state.db", under_way) > 0
        for mirror in self.folder.glob("export-*.db"):
            midway = "SELECT count(*) FROM document WHERE outcome = 'under way' AND offset > 0 AND offset < size"
            self.files += ask(mirror, midway) > 0


@dataclass(slots=True)
class Scene:
    """Everything that plays a part."""

    plan: Plan
    folder: Path
    books: Books
    shop: FakePrestaShop
    exports: Folder | None
    tree: Path
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        self.witness = Witness(self.folder)

    @property
    def config(self) -> Path:
        return self.folder / "eshop.toml"

    def start(self, failpoint: str = "") -> Child:
        """Begin a life of the agent."""
        return Child(self.config, tree=self.tree, failpoint=failpoint)

    def at_rest(self) -> bool:
        """Tell whether nothing is owed, no file waits, and nothing is still to land in the shop."""
        waiting = self.exports and any(self.exports.path.glob("*.xml"))
        working = self.exports and any((self.exports.path / "work").glob("*"))
        return not waiting and not working and not self.shop.late_writes and self.owes_nothing()

    def owes_nothing(self) -> bool:
        return nothing_owed(self.folder / "state.db", TARGETS)


def run(plan: Plan, folder: Path, tree: Path) -> int:
    """Kill the agent ``plan.kills`` times amid a storm; says what was lost and doubled; returns the exit code."""
    books = Books(folder / "pohoda.db", folder / "Dokumenty")
    codes = books.make(plan.cards, IDLE if plan.exports else 0, plan.seed)
    exports = None
    if plan.exports:
        (folder / "export").mkdir()
        exports = Folder(books, folder / "export", random.Random(plan.seed))
    with FakePrestaShop() as shop:
        shop.add_products((code, 1) for code in codes[::2])
        scene = Scene(plan, folder, books, shop, exports, tree)
        _configure(scene)
        return _storm(scene)


def _configure(scene: Scene) -> None:
    source, where = (
        ("export", 'export_directory = "export"') if scene.exports else ("database", 'database = "pohoda.db"')
    )
    text = CONFIG.format(
        url=scene.shop.url,
        key=scene.shop.key,
        documents=scene.books.documents.as_posix(),
        where=where,
        source=f'source = "{source}"\npoll = "200ms"',
    )
    scene.config.write_text(text, encoding="utf-8")


def _storm(scene: Scene) -> int:
    plan, begin = scene.plan, time.monotonic()
    weather = Weather(scene.shop, seed=plan.seed, timeout=TIMEOUT)
    seconds = (3.0 if plan.exports else 2.0) * plan.kills
    clerk = Clerk(scene.books, scene.exports, seed=plan.seed, seconds=seconds, changes=int(8 * seconds))
    if scene.exports:
        scene.exports.export(None)
    opening = _first_look(scene)
    clerk.start()
    points = plan.points or (_mixed() if plan.exports else OF_TARGETS)
    longest = (8.0, 5.0) if plan.exports else (4.0, 2.5)
    kills = plan.kills - opening
    kill_often(scene.start, kills, points, seed=plan.seed, longest=longest, dead=scene.witness.look)
    last = scene.start()
    _wait(lambda: not weather.missing(), seconds + 60, last)
    written = clerk.finish(seconds * 3)
    weather.over = True
    quiet = until_quiet(scene.at_rest, last, REST, calm=2.5) and written
    code = last.stop()
    verdict = judge(cards_of(scene.books.path, scene.books.documents / goods.PICTURES), shown_by(scene.shop))
    print(f"{dict(clerk.done)} changes; files {dict(scene.exports.ways) if scene.exports else 'none'}")
    return _say(scene, verdict, weather, quiet=quiet, code=code, kills=plan.kills, took=time.monotonic() - begin)


def _first_look(scene: Scene) -> int:
    """Let the agent see every card on offer once: what it never saw so is not its to hide. Returns how often it died.

    The first export, a large one, is cut short in its middle.
    """
    if scene.exports:
        point = next((one for one in scene.plan.points if one in OF_FILES), OF_FILES[0])
        child = scene.start(f"{point}:3")
        child.wait_dead(30)
        child.kill()
        scene.witness.look()
    child = scene.start()
    through = f"SELECT count(*) = {TARGETS} FROM source WHERE complete = 1"
    _wait(lambda: bool(ask(scene.folder / "state.db", through)), 60, child)
    child.kill()
    scene.witness.look()
    return 2 if scene.exports else 1


def _mixed() -> tuple[str, ...]:
    """Points of both halves in turn."""
    pairs = zip(OF_TARGETS, (OF_FILES * 2)[: len(OF_TARGETS)], strict=True)
    return tuple(point for pair in pairs for point in pair)


def _wait(enough: Callable[[], bool], seconds: float, child: Child) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and child.alive() and not enough():
        time.sleep(0.1)


def _say(scene: Scene, verdict: Verdict, weather: Weather, *, quiet: bool, code: int, kills: int, took: float) -> int:
    shop, witness = scene.shop, scene.witness
    for kind in MUST:
        counts = {fault: weather.seen[kind, fault] for (of, fault) in sorted(weather.seen) if of == kind}
        print(f"{kind}s: {counts}; {weather.lost(kind)} answers lost")
    print(
        f"killed amid creations {witness.creations}, amid pictures {witness.uploads}, a file {witness.files} times; "
        f"{verdict.cards} cards, {len(shop.creations())} creations, {len(shop.uploads())} uploads in {took:.0f} s"
    )
    complaints = [f"not seen: {one}" for one in weather.missing()]
    complaints += ["no creation was interrupted by a kill"] * (not witness.creations)
    complaints += ["no kill fell into the middle of a file"] * (scene.plan.exports and not witness.files)
    complaints += ["the agent did not come to rest"] * (not quiet) + [f"the agent ended with {code}"] * bool(code)
    complaints += [f"the fake shop failed: {one}" for one in shop.internal_errors[:1]]
    if not quiet:
        print((scene.folder / "agent.log").read_text(encoding="utf-8")[-2000:], file=sys.stderr)
    per_kill = weather.resends / max(1, kills)
    complaints += ["too many values were sent again"] * (per_kill > BATCH * TARGETS)
    for one in (*complaints, *verdict.examples):
        print(f"  {one}")
    print(f"kills={kills} lost={verdict.lost} doubled={verdict.doubled} resends_per_kill={per_kill:.2f}")
    return 1 if complaints or verdict.lost or verdict.doubled else 0


def ask(path: Path, question: str) -> int:
    """Count something in a file of the dead agent; 0 where it does not exist yet."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path.as_uri() + "?mode=ro", uri=True)) as db:
        try:
            return int(db.execute(question).fetchone()[0])
        except sqlite3.OperationalError:  # killed before the tables were made
            return 0
