"""Údržba: once a day the whole state file is read for damage, however large, and not at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs.maintenance import DAY, FIRST_LOOK, Maintenance
from state import damage, outbox
from state.db import open_state
from state.errors import StateDamagedError

NOW = 1_800_000_000.0


def test_damage_that_nobody_touches_is_found_within_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "SMALL", 0)  # as if the file were large: not read whole at the start
    path = tmp_path / "state.db"
    state = open_state(path)
    entries = [outbox.Entry("quantities", f"k{number}", f"K{number}", "1") for number in range(20_000)]
    with state.write() as db:
        outbox.enqueue(db, "quantities", entries, now=NOW)
    state.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    state = open_state(path)
    house = Maintenance(state, keep=DAY, keep_rows=1_000_000)
    house.step(NOW)
    house.step(NOW + FIRST_LOOK - 1)
    with pytest.raises(StateDamagedError):
        house.step(NOW + FIRST_LOOK)
    state.close()


def test_a_sound_file_is_looked_over_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(damage, "look_over", looked.append)
    state = open_state(tmp_path / "state.db")
    house = Maintenance(state, keep=DAY, keep_rows=1_000_000)
    for hours in range(50):
        house.step(NOW + hours * 3600)
    assert looked == [state.path] * 3, "soon after the start, then each day"
    state.close()
