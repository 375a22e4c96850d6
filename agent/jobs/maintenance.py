"""Údržba: keeps the state file small. Runs beside the other loops, in steps so short that no commit waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from state import prune
from state.db import StateFile


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Caps the history by age (seconds) and by number of rows."""

    state: StateFile
    keep: float
    keep_rows: int

    def step(self, now: float) -> bool:
        """Delete one portion of what is too old or too much; True when there is more."""
        with self.state.write() as db:
            return prune.prune(db, older_than=now - self.keep, keep=self.keep_rows) >= prune.STEP
