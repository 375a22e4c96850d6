"""The real agent as a child process, and what the operating system knows about it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from state.db import open_inspector
from state.errors import StateError

ROOT = Path(__file__).resolve().parents[2]


class AgentProcess:
    """One life of ``pohoda-agent run CONFIG``; use it as a context. ``started`` is time.monotonic."""

    def __init__(self, config: Path) -> None:
        self._log = (config.parent / "agent.log").open("ab")
        self.started = time.monotonic()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "agent", "run", str(config)],
            cwd=config.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.terminate()
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.close()

    def kill(self) -> None:
        """End it as the power would."""
        self._child.kill()
        self._child.wait()

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._child.poll() is None

    def cpu_seconds(self) -> float | None:
        """Processor time so far, of all its threads; None where there is no /proc."""
        try:
            text = Path(f"/proc/{self._child.pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        fields = text.rpartition(")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
        return (int(fields[11]) + int(fields[12])) / ticks

    def rss_mb(self) -> float | None:
        """Memory in the machine now, in MB; None where there is no /proc."""
        try:
            lines = Path(f"/proc/{self._child.pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return None
        found = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
        return found[0] / 1024 if found else None


def wait_until_quiet(agent: AgentProcess, state: Path, *, seconds: float) -> None:
    """Wait until the baseline is complete, no pass is under way, and nothing is owed; raises SystemExit if never."""
    end = time.monotonic() + seconds
    while not _is_quiet(state):
        if not agent.alive() or time.monotonic() > end:
            told = (state.parent / "agent.log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise SystemExit(f"the agent did not come to rest:\n{told}")
        time.sleep(0.1)


def _is_quiet(path: Path) -> bool:
    try:
        state = open_inspector(path)
    except StateError:
        return False  # not made yet
    with closing(state), state.read() as db:
        complete = db.execute("SELECT count(*) FROM target WHERE baseline = 'complete'").fetchone()[0]
        passes = db.execute("SELECT min(complete), count(*) FROM source").fetchone()
        owed = db.execute("SELECT 1 FROM delivery WHERE status IN ('pending', 'held') LIMIT 1").fetchone()
    return bool(complete) and passes[1] > 0 and passes[0] == 1 and owed is None
