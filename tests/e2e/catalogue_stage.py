"""Both sides of an end to end test of a catalogue, and the agent between them as a process of its own.

The agent is started, killed and waited for; of its state file is only read what is still to be done.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.demo import export

from .catalogue_office import Office
from .catalogue_reading import Reader, Reading
from .catalogue_reckoning import Card, reckon
from .vendure import PASSWORD, RealVendure

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("quantities", "products", "prices", "images")
TIMEOUT = 1.5
"""Of a call, seconds: after a kill it takes ten times as long until the last word is spoken."""
QUIET = 1.5
"""Seconds without open work: longer than any poll."""
STUCK = 30 * TIMEOUT
"""Seconds in which not one piece of work is done: longer than twice the last word after a kill."""
OPEN = f"""SELECT (SELECT count(*) FROM delivery WHERE settled_at IS NULL AND status <> 'held')
    + (SELECT count(*) FROM rest) + (SELECT count(*) FROM reread) + (SELECT count(*) FROM recompute)
    + {len(TARGETS)} - (SELECT count(*) FROM target WHERE baseline = 'complete')
    + {len(TARGETS)} - (SELECT count(*) FROM source WHERE complete = 1)"""


@dataclass(slots=True)
class Stage:
    """Both sides, and what is known of them."""

    folder: Path
    source: str
    shop: RealVendure
    office: Office
    reader: Reader
    begin: Reading
    """What the shop held before the agent came."""
    expected: dict[str, Card] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)
    agent: subprocess.Popen[bytes] | None = None

    def hand_over(self, touched: Sequence[int] | None = None) -> None:
        """Say what changed: nothing for a database; else an export of these cards (None: of all)."""
        if self.source == "export":
            stamp = datetime.now().isoformat(timespec="seconds")  # noqa: DTZ005 - POHODA's times are local
            place = self.folder / "export" / f"{time.time_ns()}.xml"
            half = place.with_suffix(".part")
            half.write_bytes(export.document(self.office.database, ids=touched, stamp=stamp))
            half.replace(place)

    def reckon(self) -> None:
        """Note what the shop must show from now on."""
        self.expected = reckon(self.office.database, self.office.pictures, self.expected, stuck=self.stuck)


# ------------------------------------------------------------------------------------------------------ the agent


@contextmanager
def running(stage: Stage) -> Iterator[None]:
    """Run the agent as a process of its own, which ends in an orderly way."""
    start(stage)
    try:
        yield
    finally:
        assert stage.agent is not None
        stage.agent.terminate()
        code = stage.agent.wait(10)
    assert code == 0 or sys.platform == "win32"  # Windows knows no other way than to kill


def start(stage: Stage) -> None:
    """Start the agent; its words go to agent.log."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOP_PASSWORD": PASSWORD}
    with (stage.folder / "agent.log").open("ab") as log:
        command = [sys.executable, "-m", "agent", "run", "eshop.toml"]
        stage.agent = subprocess.Popen(command, cwd=stage.folder, env=environment, stdout=log, stderr=log)


def kill_and_start_again(stage: Stage, away: Callable[[], object] = lambda: None) -> None:
    """Kill the agent without warning, in the middle of its work; ``away`` happens before it starts again."""
    assert stage.agent is not None
    assert open_work(stage) > 20, "it was through already: the kill proves nothing"
    stage.agent.kill()
    stage.agent.wait(10)
    away()
    start(stage)


def command(stage: Stage, *arguments: str) -> str:
    """Give a command as a person does, beside the running agent; what it says."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOP_PASSWORD": PASSWORD, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "agent", *arguments, "--config", "eshop.toml"],
        cwd=stage.folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def in_state(stage: Stage, sql: str) -> list[Any]:
    """Ask the state file, which is only read."""
    with closing(sqlite3.connect((stage.folder / "state.db").as_uri() + "?mode=ro", uri=True, timeout=10)) as db:
        return db.execute(sql).fetchall()


def open_work(stage: Stage) -> int:
    """Count what is still to be done, documents that lie in the export directory included."""
    documents = [*stage.folder.glob("export/*.xml"), *stage.folder.glob("export/work/*.xml")]
    try:
        return len(documents) + int(in_state(stage, OPEN)[0][0])
    except sqlite3.OperationalError:  # it is being made
        return 1000


def wait_until(stage: Stage, what: str, holds: Callable[[], bool], seconds: float) -> None:
    """Wait for something, while the agent runs; ``what`` says what is the matter if it does not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert stage.agent is not None
        assert stage.agent.poll() is None, log_of(stage)[-3000:]
        assert time.monotonic() < end, f"{what} in {seconds:g} s; open: {open_work(stage)}\n{log_of(stage)[-3000:]}"
        time.sleep(0.1)


def wait_for_rest(stage: Stage) -> None:
    """Wait until there was no open work for a while. Work that stays as much for too long never ends."""
    still_since, before = time.monotonic(), -1

    def rested() -> bool:
        nonlocal still_since, before
        work_left = open_work(stage)
        if work_left != before:
            still_since, before = time.monotonic(), work_left
        still = time.monotonic() - still_since
        assert still < STUCK, f"{work_left} pieces of work do not end\n{log_of(stage)[-3000:]}"
        return not work_left and still > QUIET

    wait_until(stage, "no rest", rested, 240)


def log_of(stage: Stage) -> str:
    """All that the agent said."""
    return (stage.folder / "agent.log").read_text(encoding="utf-8", errors="replace")
