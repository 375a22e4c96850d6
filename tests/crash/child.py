"""The agent as a child process: started, and killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


LIVING: set[subprocess.Popen[bytes]] = set()


def kill_all() -> None:
    """Leave no agent behind, however the test ends."""
    for process in LIVING:
        process.kill()


class Child:
    """One life of the agent. ``tree`` is where its code lies: this checkout, or a mutated copy."""

    def __init__(self, config: Path, *, tree: Path = ROOT, failpoint: str = "") -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree), "POHODA_AGENT_FAILPOINT": failpoint}
        self.log = (config.parent / "agent.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent", "run", str(config)],
            cwd=config.parent,
            env=environment,
            stdout=self.log,
            stderr=self.log,
        )
        LIVING.add(self.process)

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def wait_dead(self, seconds: float) -> bool:
        """Wait for it to die of itself, at its fail point."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.alive():
                return True
            time.sleep(0.02)
        return False

    def kill(self) -> float:
        """Kill it as the power would; returns the moment."""
        self.process.kill()
        self.process.wait()
        LIVING.discard(self.process)
        self.log.close()
        return time.monotonic()

    def stop(self, seconds: float = 10) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        LIVING.discard(self.process)
        self.log.close()
        return code
