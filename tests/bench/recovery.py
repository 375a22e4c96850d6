"""From the start of the process to the first write that the shop accepts, with a large backlog and a large WAL.

The state file is that of a writer that was killed: the database and its WAL are copied while it has them open, so that
the start must recover. The files were just written, so they are in the machine's cache, as after a crash of the program
(not of the machine).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from agent.events import key_of
from state import outbox
from state.db import StateFile, open_state
from tests.bench.agent_process import AgentProcess
from tests.bench.figures import Report, Row, plain
from tests.bench.seeded import (
    NOW,
    SOURCE,
    TARGET,
    THING,
    Card,
    config_text,
    make_pohoda,
    remember_rows,
    remember_shop,
)
from tests.bench.shop_process import ShopProcess, link
from tests.bench.things import batches, key_of_number

WAL = 64 * 1024 * 1024
PATIENCE = 120.0
"""Seconds until a start counts as failed."""
FIRST = 1_000
"""So many of the oldest rows are things that the shop really has."""


def run(folder: Path, *, quick: bool) -> Report:
    """Start the agent several times on copies of the same files."""
    pending, cards, wal = (20_000, 5_000, WAL // 32) if quick else (1_000_000, 200_000, WAL)
    made = make_pohoda(folder / "pohoda.db", cards)
    killed = folder / "killed"
    killed.mkdir()
    size = _leave_behind(folder, killed, made, pending=pending, wal=wal)
    first: list[float] = []
    for _ in range(2 if quick else 5):
        first.append(_start(folder, killed, made))
    parts = _parts(folder, killed)
    rows: list[Row] = [
        (f"recovery, {pending:,} pending", "seconds"),
        ("start of the process to the first accepted write", plain(median(first))),
        ("  the fastest and the slowest start", f"{plain(min(first))} to {plain(max(first))}"),
        *((f"  of it, measured alone: {name}", plain(seconds)) for name, seconds in parts),
    ]
    notes = [f"State file {size[0] / 2**20:.0f} MB, WAL {size[1] / 2**20:.0f} MB, {cards:,} cards in POHODA."]
    return Report({"first_write_s": median(first)}, rows, notes)


def _leave_behind(folder: Path, killed: Path, made: list[Card], *, pending: int, wal: int) -> tuple[int, int]:
    """Make the files of a process that was killed: many pending rows; those that came last are only in the WAL."""
    path = folder / "writer.db"
    with closing(open_state(path)) as state:
        with state.read() as db:
            db.execute("PRAGMA synchronous=OFF")  # no plug is pulled here
        remember_rows(state, folder / "pohoda.db")
        oldest = made[:FIRST]
        remember_shop(state, oldest, [link(at + 1) for at in range(len(oldest))], known=False)
        codes = [card.code for card in oldest] + [key_of_number(at) for at in range(len(oldest), pending)]
        with state.write() as db:
            db.executemany(
                "INSERT INTO link (thing, key, link) VALUES (?, ?, ?)",
                [(THING, code, link(at + 1)) for at, code in enumerate(codes) if at >= len(oldest)],
            )
        _owe(state, codes)
        with state.read() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("PRAGMA wal_autocheckpoint=0")  # from here on nothing is folded in any more
        log, more = path.with_name(path.name + "-wal"), pending
        while log.stat().st_size < wal:
            _owe(state, [key_of_number(at) for at in range(more, more + 100)])
            more += 100
        for file in (path, log):
            shutil.copyfile(file, killed / f"state.db{file.name.removeprefix(path.name)}")
        return path.stat().st_size, log.stat().st_size


def _owe(state: StateFile, codes: list[str]) -> None:
    """Put a value for each of these codes into the outbox."""
    for some in batches(codes, 1_000):
        with state.write() as db:
            outbox.enqueue(db, TARGET, [outbox.Entry(TARGET, key_of(c), c, "7", source=SOURCE) for c in some], now=NOW)


def _copy(folder: Path, killed: Path) -> None:
    for old in folder.glob("state.db*"):
        old.unlink()
    for file in killed.iterdir():
        shutil.copyfile(file, folder / file.name)


def _start(folder: Path, killed: Path, made: list[Card]) -> float:
    """One start; seconds to the first write that the shop took."""
    _copy(folder, killed)
    (folder / "ledger.jsonl").unlink(missing_ok=True)
    with ShopProcess(folder, [(card.code, 50) for card in made[:FIRST]], ledger=True) as shop:
        file = folder / "bench.toml"
        file.write_text(config_text(shop.url, shop.key, row_version="rowversion"), encoding="utf-8")
        with AgentProcess(file) as agent:
            try:
                return _first_write(shop.ledger, agent) - agent.started
            finally:
                agent.kill()


def _first_write(ledger: Path, agent: AgentProcess) -> float:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and agent.alive():
        first, ended, _ = (ledger.read_text(encoding="utf-8") if ledger.exists() else "").partition("\n")
        if ended:
            return float(json.loads(first)["at"])
        time.sleep(0.02)
    told = (ledger.parent / "agent.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise SystemExit(f"nothing was written:\n{told}")


def _parts(folder: Path, killed: Path) -> list[tuple[str, float]]:
    """What a start consists of, as far as it can be measured alone."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import agent.app"], cwd=Path(__file__).resolve().parents[2], check=True)
    imported = time.monotonic() - began
    _copy(folder, killed)
    began = time.monotonic()
    state = open_state(folder / "state.db")
    opened = time.monotonic() - began
    with closing(state):
        began = time.monotonic()
        with state.write() as db:
            outbox.take(db, TARGET, limit=100, now=NOW, far=3600.0)
        taken = time.monotonic() - began
    return [("Python and the imports", imported), ("opening the file", opened), ("taking a batch", taken)]
