"""Údržba: keeps the state file small and looked after. Runs beside the other loops, briefly: no commit waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from state import damage, prune
from state.db import StateFile

DAY = 86_400.0
FIRST_LOOK = 600.0
"""Seconds after the start: not while the first deliveries wait."""


@dataclass(slots=True)
class Maintenance:
    """Caps the history by age (seconds) and by number of rows; once a day it reads the whole file for damage."""

    state: StateFile
    keep: float
    keep_rows: int
    _looked: float | None = field(default=None, init=False)

    def step(self, now: float) -> bool:
        """Delete one portion of what is too old or too much; True when there is more. Raises `StateDamagedError`."""
        if self._looked is None:
            self._looked = now - DAY + FIRST_LOOK
        elif not 0 <= now - self._looked < DAY:
            self._looked = now
            damage.look_over(self.state.path)
        with self.state.write() as db:
            return prune.prune(db, older_than=now - self.keep, keep=self.keep_rows) >= prune.STEP
