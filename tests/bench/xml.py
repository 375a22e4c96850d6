"""A large XML export: how fast and how flat it is read, beside a bare lxml iterparse that reads the same fields.

`cold_ratio` is the rate when everything is new (split, digests, parsing, the rows and values of all four targets, as
JSON) and `warm_ratio` when 2 % of the cards changed and the rest is known by its digest, each as a multiple of the
floor's rate on the same file. Files and databases are left out: what is measured is the parsing and the making of
events. The floor is lxml's usual loop with constant memory: iterparse with a tag, clear, and the siblings before
deleted.
`rss_growth_mb` is how much a process that reads the whole large file cold grows, the most that was seen.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from operator import attrgetter, itemgetter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from lxml import etree

from agent.app import spare_the_collector
from agent.entries import to_json
from agent.mirrored import card_of
from agent.pohoda.card import StockItem
from agent.pohoda.items import Item, items
from agent.pohoda.names import LSTK, STK
from agent.pohoda.stock import parse_many
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.prepared import Prepared, View
from agent.sources.rows import FIELDS, PictureRow
from agent.sources.views.products import ProductsView
from agent.sources.views.stock import StockView
from agent.targets import Target
from agent.targets.images import Images, ImageSettings
from agent.targets.prices import Prices, PriceSettings
from agent.targets.products import Products, ProductSettings
from agent.targets.quantities import Quantities, QuantitySettings
from state.mirror import COLUMNS, Card, open_mirror, put_stores
from tests.bench.beside import compare, verdict
from tests.bench.export_file import write_export
from tests.bench.figures import Report, Row, plain

if TYPE_CHECKING:
    from lxml.etree import _Element

ROOT = Path(__file__).resolve().parents[2]
CHANGED = 0.02
BATCH = 100
"""Cards that are worked on together, as many as are parsed together: more do not fit into the processor's cache."""
_SHA = "0" * 64
"""Of a picture: its file is not read."""
_TAG = f"{{{LSTK}}}stock"
_LEFT_OUT = frozenset(
    f"{{{STK}}}{name}"
    for name in (
        *("isSerialNumber", "isBatch", "purchasingRateVAT", "typePrice", "weightedPurchasePrice", "fixation"),
        *("limitMin", "limitMax", "orderName", "orderQuantity", "reclamation", "service", "markRecord"),
    )
)
"""What a card does not hold: the floor need not read it either."""


def run(folder: Path, *, quick: bool) -> Report:
    """Write the files, measure rates on the smaller one and memory on the large one."""
    large, cards, rounds = (20_000, 5_000, 3) if quick else (1_000_000, 50_000, 5)
    file, changed = folder / "before.xml", folder / "after.xml"
    write_export(file, cards, changed=0, seed=1)
    write_export(changed, cards, changed=CHANGED, seed=1)
    with closing(items(file)) as found:
        known = {item.digest for item in found}
    size = changed.stat().st_size / 1e6

    events = Events(folder)

    def program() -> dict[str, float]:
        cold = _timed(lambda: _read(changed, set(), events))
        return {"cold": cold, "warm": _timed(lambda: _read(changed, known, events))}

    def floor() -> dict[str, float]:
        took = _timed(lambda: _floor(changed))
        return {"cold": took, "warm": took}

    fresh = _read(changed, known, events)
    assert 0 < fresh <= cards * CHANGED * 1.5, f"{fresh} of {cards} cards count as changed"
    assert _read(changed, set(), events) == cards == _floor(changed)
    assert events.made == 4 * (fresh + cards), f"{events.made} events"
    found_rates = compare(program, floor, floor, rounds=rounds)
    growth, rate = _grown(folder, large)
    cold, warm, raw = (
        size / median(some) for some in (found_rates.ours["cold"], found_rates.ours["warm"], found_rates.floor["cold"])
    )
    table: list[Row] = [
        (f"{cards:,} cards, {size:.0f} MB", "MB/s", "ours / iterparse"),
        ("iterparse, the same fields", plain(raw), ""),
        ("cold: all cards are new", plain(cold), plain(1 / found_rates.ratio("cold"))),
        (f"warm: {fresh / cards:.1%} are new", plain(warm), plain(1 / found_rates.ratio("warm"))),
    ]
    notes = [
        f"Reading {large:,} cards cold in a process of their own: {plain(rate)} MB/s, grown by {plain(growth)} MB."
    ]
    if math.isnan(growth):
        notes.append("Memory is not measured: there is no /proc on this system.")
    figures = {
        "cold_ratio": 1 / found_rates.ratio("cold"),
        "warm_ratio": 1 / found_rates.ratio("warm"),
        "rss_growth_mb": growth,
        "aa": found_rates.aa,
    }
    return Report(figures, table, [*notes, *verdict(found_rates.aa)])


class Events:
    """Makes the values of all four targets of cards, by the views and targets of the agent, without a database."""

    def __init__(self, folder: Path) -> None:
        spare_the_collector()
        file = folder / "mirror.db"
        with closing(open_mirror(file, stamp="")) as mirror, mirror.write() as db:
            put_stores(db, [("ZBOŽÍ", None)])
        self.made = 0
        views: list[tuple[View[Any], Target]] = [
            (StockView(deduct="reservations"), Quantities(QuantitySettings(stores=(), deduct="reservations"))),
            (ProductsView(fields=FIELDS), Products(ProductSettings(fields=FIELDS))),
            (ProductsView(fields=(), prices=True), Prices(PriceSettings(), "net", 6)),
        ]
        with closing(open_database(str(file))) as database, database.reading() as reader:
            self._views = [(*_bound(view.prepare(reader, Catalogue())), target) for view, target in views]
        self._images = Images(ImageSettings())

    def make(self, batch: Sequence[Item]) -> int:
        """Make everything of a batch of items; returns how many cards they are."""
        cards: list[Card] = []
        for item, digest in zip(parse_many(batch), map(attrgetter("digest"), batch), strict=True):
            assert isinstance(item, StockItem)
            cards.append(card_of(item, digest))
        flat = [(card.id, 1, *card.values) for card in cards]
        keys = [card.key for card in cards]
        values: list[str] = []
        for pick, row, target in self._views:  # one after another, as they read the mirror
            rows = [row(pick(each)) for each in flat]
            values += [to_json(target.value(key, (each,))) for key, each in zip(keys, rows, strict=True)]
        values += [to_json(self._images.value(card.key, _pictures(card))) for card in cards]
        self.made += len(values)
        return len(batch)


def _pictures(card: Card) -> list[PictureRow]:
    return [
        PictureRow(place, card.key, card.store, True, file, alt, bool(default), order, _SHA)
        for place, (file, alt, default, order) in enumerate(card.pictures or ())
    ]


def _bound(view: Prepared[Any]) -> tuple[Callable[[tuple[Any, ...]], tuple[Any, ...]], Callable[[Any], Any]]:
    """What takes the columns of a view out of (ID, RefSklad, `COLUMNS`), and what makes its row of them."""
    at = {name: place for place, name in enumerate(("ID", "RefSklad", *COLUMNS))}
    return itemgetter(*(at[column.name] for column in (*view.queries.narrow, *view.queries.extra))), view.row


def _timed(work: object) -> float:
    """Seconds that a piece of work takes."""
    assert callable(work)
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _read(file: Path, known: set[bytes], events: Events) -> int:
    """Read as the agent does: what is known by its digest is passed over, the rest parsed by hundreds."""
    made, batch = 0, list[Item]()
    with closing(items(file)) as found:
        for item in found:
            if item.digest in known:
                continue
            batch.append(item)
            if len(batch) == BATCH:
                made += events.make(batch)
                batch.clear()
    return made + events.make(batch)


def _floor(file: Path) -> int:
    """The usual loop of lxml, with the same fields read."""
    made = 0
    for _, element in etree.iterparse(str(file), events=("end",), tag=_TAG):
        card = dict(_fields(element))
        made += bool(card)
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]
    return made


def _fields(element: _Element) -> Iterator[tuple[str, object]]:
    for part in element:
        for child in part:
            tag = child.tag
            if tag in _LEFT_OUT:
                continue
            if len(child):
                yield tag, [(node.tag, node.text) for node in child.iter()]
            else:
                yield tag, child.text


def _grown(folder: Path, cards: int) -> tuple[float, float]:
    """MB that a process grows by while it reads the large file, and MB/s."""
    file = folder / "large.xml"
    write_export(file, cards, changed=0, seed=2)
    command = [sys.executable, "-m", "tests.bench.xml", str(folder / "before.xml"), str(file)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    growth, seconds = (float(figure) for figure in done.stdout.split())
    return growth, file.stat().st_size / 1e6 / seconds


def _child() -> None:
    """The process whose memory is measured: everything is imported and has run once before."""
    parser = argparse.ArgumentParser(description=_child.__doc__)
    parser.add_argument("small", type=Path)
    parser.add_argument("large", type=Path)
    said = parser.parse_args()
    events = Events(said.small.parent)
    with closing(items(said.small)) as found:
        events.make([item for item, _ in zip(found, range(BATCH), strict=False)])
    before, batch = _memory_mb("VmRSS"), list[Item]()
    began = time.perf_counter()
    with closing(items(said.large)) as found:
        for item in found:
            batch.append(item)
            if len(batch) == BATCH:
                events.make(batch)
                batch.clear()
    events.make(batch)
    took = time.perf_counter() - began
    print(_memory_mb("VmHWM") - before, took)


def _memory_mb(which: str) -> float:
    """Resident memory of this process, now or at its peak; NaN where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return math.nan
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _child()
