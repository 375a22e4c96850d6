"""Draining a backlog into a local shop, counted there, beside a bare httpx loop that posts the same bodies."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from agent import app, config, log
from agent.events import key_of
from agent.shops.prestashop_xml import patch_body
from state import outbox
from tests.bench.beside import CPU, Beside, compare, verdict
from tests.bench.figures import Report, Row, plain
from tests.bench.seeded import NOW, TARGET, Card, config_text, remember_shop
from tests.bench.shop_process import ShopProcess, link
from tests.bench.things import batches

BATCH = 100
"""What the target quantities sends to a PrestaShop in one call."""


_XML = "text/xml; charset=utf-8"


@dataclass(slots=True)
class _Backlog:
    """All keys are owed, always: what was sent in a round is owed again, with another value, behind all others."""

    built: app.Rails
    cards: Sequence[Card]
    part: int
    at: int = 0
    turn: int = 1
    bodies: list[bytes] = field(default_factory=list)

    def owe(self, cards: Sequence[Card]) -> None:
        """Put values into the outbox."""
        value = str(100 + self.turn)
        for batch in batches(cards, 500):
            with self.built.state.write() as db:
                owed = [outbox.Entry(TARGET, key_of(card.code), card.code, value, source="stock") for card in batch]
                outbox.enqueue(db, TARGET, owed, now=NOW)

    def sent(self) -> None:
        """The next part has gone: owe it again, and remember the bodies that it went in."""
        gone = self.cards[self.at : self.at + self.part]
        value = 100 + self.turn
        self.bodies = [patch_body((card.row, value) for card in batch) for batch in batches(gone, BATCH)]
        self.at += self.part
        if self.at == len(self.cards):
            self.at, self.turn = 0, self.turn + 1
        self.turn += 1
        self.owe(gone)
        self.turn -= 1


def run(folder: Path, *, quick: bool) -> Report:
    """Measure; every part is real but POHODA, which is not needed for what is pending already."""
    keys, rounds = (3_000, 3) if quick else (50_000, 10)
    part = keys // rounds
    cards = [Card(row, f"SKU-{row:06d}", 50) for row in range(1, keys + 1)]
    file = folder / "bench.toml"
    log.set_up(as_json=False, verbose=False, redact=log.redactor([]), file=folder / "agent.log")
    with ShopProcess(folder, [(card.code, card.pieces) for card in cards]) as shop:
        file.write_text(config_text(shop.url, shop.key, row_version="rowversion"), encoding="utf-8")
        with closing(app.rails(config.load([file])[0])) as built:
            remember_shop(built.state, cards, [link(card.row) for card in cards])
            found = _measure(shop, _Backlog(built, cards, part), rounds)
    rate, raw = part / median(found.ours["drain"]), part / median(found.floor["drain"])
    mine, theirs = (1000 * median(some[CPU]) / (part / BATCH) for some in (found.ours, found.floor))
    table: list[Row] = [
        ("drain", "ours", "httpx loop", "ours / httpx"),
        (f"changes/s, {BATCH} a call", plain(rate), plain(raw), plain(1 / found.ratio("drain"))),
        ("ms a call", plain(1000 * BATCH / rate), plain(1000 * BATCH / raw), ""),
        ("  of it CPU of this side", plain(mine), plain(theirs), f"{plain(mine / theirs)} x"),
    ]
    notes = [
        f"{keys:,} keys were owed all the time; {part * rounds:,} changes counted at the shop, a process of its own."
    ]
    figures = {"changes_per_s": rate, "shop_ratio": 1 / found.ratio("drain"), "aa": found.aa}
    return Report(figures, table, [*notes, *verdict(found.aa)])


def _measure(shop: ShopProcess, backlog: _Backlog, rounds: int) -> Beside:
    """Send a part in each round; the floor posts the part that went last once more."""
    part, dispatcher = backlog.part, backlog.built.dispatchers[0]
    backlog.owe(backlog.cards)
    backlog.bodies = [patch_body((card.row, 50) for card in some) for some in batches(backlog.cards[:part], BATCH)]
    dispatcher.start(NOW)

    def counted(work: Callable[[], object]) -> dict[str, float]:
        before = shop.count()
        began, busy = time.perf_counter(), time.process_time()
        work()
        took, busy = time.perf_counter() - began, time.process_time() - busy
        reached = shop.count() - before
        assert reached == part, f"{reached} of {part} changes reached the shop"
        return {"drain": took, CPU: busy}

    def program() -> dict[str, float]:
        taken = counted(lambda: [dispatcher.step(NOW) for _ in range(part // BATCH)])
        backlog.sent()
        return taken

    def post(client: httpx.Client) -> None:
        for body in backlog.bodies:
            client.patch("/api/stock_availables", content=body, headers={"content-type": _XML}).raise_for_status()

    clients = [httpx.Client(base_url=shop.url, auth=(shop.key, ""), timeout=30) for _ in range(2)]
    with clients[0] as one, clients[1] as other:
        found = compare(
            program, lambda: counted(lambda: post(one)), lambda: counted(lambda: post(other)), rounds=rounds
        )
    dispatcher.stop()
    return found
