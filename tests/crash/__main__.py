"""The crash test's command line; see the package."""

from __future__ import annotations

import argparse
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from agent.demo import pohoda
from agent.demo.prestashop import FakePrestaShop
from tests.crash import catalogue, everything, mutations
from tests.crash.books import Books, InFile, OnServer
from tests.crash.child import ROOT, Child, kill_all
from tests.crash.judge import Verdict, judge
from tests.crash.lives import kill_often, nothing_owed, until_quiet
from tests.crash.storm import ODDS, Storm
from tests.crash.writer import Writer
from tests.mssql.drivers import DRIVERS, Driver, find
from tests.mssql.server import Server

POINTS = ("before-ingest-commit", "after-ingest-commit", "before-send", "after-send", "after-settle", "after-read-back")
BATCH, DISPATCHERS = 100, 1
TIMEOUT = 0.4

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
database = "{database}"
[targets.quantities]
poll = "200ms"
row_version = "{strategy}"
deduct = "none"
zero_guard = "off"
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said."""

    kills: int
    strategy: str
    cards: int
    seed: int
    mutation: str
    keep: bool
    points: tuple[str, ...] = ()
    """Fail points; none: those that suit the run."""
    database: str = "sqlite"
    driver: Driver = "FreeTDS"
    source: str = ""
    target: str = "quantities"


def main() -> None:
    """Run, print the verdict, exit 1 unless nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--strategy", default="fingerprint", choices=["fingerprint", "modified-at", "rowversion"])
    parser.add_argument("--cards", type=int, help="default: 2000, of a catalogue 400, of all targets 120")
    parser.add_argument("--target", default="quantities", choices=["quantities", "all"], help="all of them at once")
    parser.add_argument("--source", default="", choices=["", *catalogue.SOURCES], help="a whole catalogue, read there")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutation", default="", choices=["", *mutations.MUTATIONS], help="run a broken build")
    parser.add_argument("--keep", action="store_true", help="keep the folder, for a post-mortem")
    parser.add_argument("--points", default="", help="fail points to die at, in turn")
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "mssql"], help="mssql: the TDS test server")
    parser.add_argument("--driver", default="FreeTDS", choices=DRIVERS, help="which ODBC driver the agent reads it by")
    said = vars(parser.parse_args())
    if said["database"] == "mssql" and find(said["driver"]) is None:
        parser.error(f"the ODBC driver {said['driver']} is missing")
    if said["target"] == "all" and (said["source"] or said["database"] != "sqlite"):
        parser.error("--target all has its own source")
    points = tuple(filter(None, said["points"].split(",")))
    cards = said["cards"] or (120 if said["target"] == "all" else 400 if said["source"] else 2000)
    options = Options(**{**said, "points": points, "cards": cards})
    folder = Path(tempfile.mkdtemp(prefix="pohoda-crash-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what follows happens then, too
    try:
        sys.exit(run(options, folder))
    finally:
        kill_all()
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def run(options: Options, folder: Path) -> int:
    """Kill the agent ``options.kills`` times while cards change; returns the exit code."""
    tree = mutations.build(options.mutation, folder / "tree") if options.mutation else ROOT
    if options.target == "all":
        plan = everything.Plan(options.kills, options.cards, options.seed, options.points or everything.POINTS)
        return everything.run(plan, folder, tree)
    if options.source:
        whole = catalogue.Plan(options.source, options.kills, options.cards, options.seed, options.points)
        return catalogue.run(whole, folder, tree)
    path = folder / "pohoda.db"
    in_file = options.database == "sqlite"
    row_version = options.strategy == "rowversion"
    pohoda.create(path, stores=("HLAVNI",), cards=options.cards, seed=options.seed, row_version=row_version and in_file)
    cards = _prepare(path)
    if in_file:
        return _storm(options, folder, tree, cards, InFile(path))
    with Server() as server:
        books = OnServer(server, path, driver=options.driver, row_version=row_version, seed=options.seed)
        path.unlink()  # nobody is to read it by mistake
        return _storm(options, folder, tree, cards, books)


def _storm(options: Options, folder: Path, tree: Path, cards: list[tuple[int, str]], books: Books) -> int:
    with FakePrestaShop() as shop:
        shop.add_products((code, 0) for _, code in cards)
        config = folder / "eshop.toml"
        text = CONFIG.format(url=shop.url, key=shop.key, database=books.address, strategy=options.strategy)
        config.write_text(text, encoding="utf-8")
        _baseline(config, folder, tree)
        storm = Storm(shop, seed=options.seed, timeout=TIMEOUT)
        seconds = max(8.0, 2.0 * options.kills)
        writer = Writer(books, cards, seed=options.seed, seconds=seconds, changes=2 * len(cards))
        writer.start()
        begin = time.monotonic()
        with books.trouble():
            kills = kill_often(
                lambda point: Child(config, tree=tree, failpoint=point),
                options.kills,
                options.points or POINTS,
                seed=options.seed,
            )
            last = Child(config, tree=tree)
            _until_all_faults(shop, seconds + 60)
            written = writer.finish(seconds * 3)
        storm.over = True
        quiet = until_quiet(lambda: nothing_owed(folder / "state.db"), last, 90, calm=books.calm) and written
        code = last.stop()
        rows = dict(_stock_rows(shop))
        held = shop.quantities()
        verdict = judge(storm.sent, kills, rows, writer.versioned, pohoda=dict(writer.final), shop=held)
        if books.hands > 1:
            print(f"{books.hands} writers at once, {books.restarts} restarts of the server, read by {options.driver}")
            quiet = quiet and books.restarts > 0
        return _say(options, verdict, shop, quiet=quiet, code=code, kills=kills, took=time.monotonic() - begin)


def _say(
    options: Options, verdict: Verdict, shop: FakePrestaShop, *, quiet: bool, code: int, kills: list[float], took: float
) -> int:
    counts = {kind: shop.faults.counts.get(kind, 0) for kind in ODDS}
    print(f"strategy {options.strategy}; faults seen: {counts}; {len(shop.writes())} writes applied; {took:.0f} s")
    for example in verdict.examples:
        print(f"  {example}")
    unseen = [kind for kind, count in counts.items() if not count]
    if unseen:
        print(f"  not seen: {', '.join(unseen)}")
    if not quiet:
        print("  the agent did not come to rest")
    if shop.internal_errors:
        print(f"  the fake shop failed: {shop.internal_errors[0]}")
    per_kill = verdict.resends / max(1, len(kills))
    sound = not (verdict.lost or verdict.regressed or unseen or shop.internal_errors or code) and quiet
    sound = sound and per_kill <= BATCH * DISPATCHERS
    print(f"kills={len(kills)} lost={verdict.lost} regressed={verdict.regressed} resends_per_kill={per_kill:.2f}")
    return 0 if sound else 1


def _prepare(database: Path) -> list[tuple[int, str]]:
    """Give every card a starting quantity, a tick, no reservations; returns (row id, code)."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("UPDATE SKz SET IObchod = 1, Template = 0, RelSkTyp = 1, StavZ = 50, Rezer = 0, ObjedP = 0")
    rows = connection.execute("SELECT ID, IDS FROM SKz ORDER BY ID").fetchall()
    connection.close()
    return [(row, code.strip()) for row, code in rows]


def _baseline(config: Path, folder: Path, tree: Path) -> None:
    """Let the first life read the shop and send the differences in peace."""
    child = Child(config, tree=tree)
    if not until_quiet(lambda: nothing_owed(folder / "state.db"), child, 60, calm=2.0):
        print((folder / "agent.log").read_text(encoding="utf-8")[-3000:], file=sys.stderr)
        raise SystemExit("the agent did not finish its baseline")
    child.stop()


def _until_all_faults(shop: FakePrestaShop, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(not shop.faults.counts.get(kind) for kind in ODDS):
        time.sleep(0.1)


def _stock_rows(shop: FakePrestaShop) -> list[tuple[int, str]]:
    with shop.store.lock:
        from agent.demo.prestashop import catalogue  # noqa: PLC0415 - the fake's inside, for the judge only

        rows = shop.store.tables["stock_availables"].rows
        return [(row, catalogue.reference_of(shop.store, row)) for row in rows]


if __name__ == "__main__":
    main()
