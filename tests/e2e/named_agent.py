"""The agent as a process of its own between a POHODA and a shop: started, killed without warning, waited for, asked.

Of its state file is only read what is still to be done, and how the deliveries ended.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .vendure import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 2.5
"""Of a call, seconds: after a kill it takes ten times as long until the last word is spoken."""
QUIET = 1.5
"""Seconds without open work: longer than any poll."""
STUCK = 30 * TIMEOUT
"""Seconds in which not one piece of work is done: longer than twice the last word after a kill."""
_OPEN = """SELECT (SELECT count(*) FROM delivery WHERE settled_at IS NULL AND status <> 'held')
    + (SELECT count(*) FROM rest) + (SELECT count(*) FROM reread) + (SELECT count(*) FROM recompute)"""
_NOT_BEGUN = """SELECT ? - (SELECT count(*) FROM target WHERE baseline = 'complete')
    + (SELECT count(*) FROM source WHERE complete = 0) + (SELECT count(*) = 0 FROM source)"""


@dataclass(slots=True)
class Agent:
    """A folder with ``eshop.toml``, and the process that works in it; ``targets``: how many have a baseline."""

    folder: Path
    targets: int
    process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it; it ends in an orderly way."""
        self.start()
        try:
            yield
            self.stop()
        finally:
            self.kill()

    def start(self) -> None:
        """Start it; its words go to agent.log."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOP_PASSWORD": PASSWORD}
        with (self.folder / "agent.log").open("ab") as log:
            command = [sys.executable, "-m", "agent", "run", "eshop.toml"]
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(10)
        assert code == 0 or sys.platform == "win32"  # Windows knows no other way than to kill
        self.process = None

    def kill(self) -> None:
        """End it without warning, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def kill_amid(self, least: int, away: Callable[[], object] = lambda: None) -> None:
        """Kill it while it has something to do; ``away`` happens before it starts again."""
        assert self.open_work() >= least, "it was nearly through: the kill proves nothing"
        self.kill()
        away()
        self.start()

    def command(self, *arguments: str) -> str:
        """Give a command as a person does, beside the running agent; what it says."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOP_PASSWORD": PASSWORD, "PYTHONUTF8": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "agent", *arguments, "--config", "eshop.toml"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def plan(self, target: str) -> dict[str, Any]:
        """What it would send of a target now."""
        said: dict[str, Any] = json.loads(self.command("plan", "--target", target, "--json"))
        return said

    def ask(self, sql: str, *given: object) -> list[Any]:
        """Ask the state file, which is only read."""
        file = (self.folder / "state.db").as_uri() + "?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=10)) as db:
            return db.execute(sql, given).fetchall()

    def open_work(self) -> int:
        """Count what is still to be done."""
        try:
            not_begun = self.ask(_NOT_BEGUN, self.targets)[0][0]
            return int(self.ask(_OPEN)[0][0]) + int(not_begun)
        except sqlite3.OperationalError:  # it is being made
            return 1000

    def letters(self, status: str) -> dict[tuple[str, str], str]:
        """What is ``dead`` or ``held``: target and key → why, with the hint."""
        sql = "SELECT target, key, reason, coalesce(hint, '') FROM delivery WHERE status = ?"
        return {(target, key): f"{reason} {hint}" for target, key, reason, hint in self.ask(sql, status)}

    def wait_until(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Wait for something, while it runs; ``what`` says what is the matter if it does not come."""
        end = time.monotonic() + seconds
        while not holds():
            assert self.process is not None
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < end, f"{what} in {seconds:g} s; open: {self.open_work()}\n{self.log()[-3000:]}"
            time.sleep(0.05)

    def wait_for_rest(self) -> None:
        """Wait until there was no open work for a while. Work that stays as much for too long never ends."""
        still_since, before = time.monotonic(), -1

        def rested() -> bool:
            nonlocal still_since, before
            work_left = self.open_work()
            if work_left != before:
                still_since, before = time.monotonic(), work_left
            still = time.monotonic() - still_since
            assert still < STUCK, f"{self.stuck()} do not end\n{self.log()[-3000:]}"
            return not work_left and still > QUIET

        self.wait_until("no rest", rested, 240)

    def stuck(self) -> Sequence[Any]:
        """Some of what is open, for people."""
        return self.ask("SELECT target, key, value, waits, reason FROM delivery WHERE settled_at IS NULL LIMIT 5")

    def log(self) -> str:
        """All that it said."""
        return (self.folder / "agent.log").read_text(encoding="utf-8", errors="replace")
