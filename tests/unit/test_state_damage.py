"""A damaged state file: noticed at the start or when it is touched, set aside, and what can be read is saved."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from state import cursors, damage, outbox, rescue, shadows, targets
from state.db import StateFile, open_inspector, open_state
from state.errors import StateDamagedError

NOW = 1_800_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    opened = open_state(tmp_path / "state.db")
    yield opened
    opened.close()


def owe(state: StateFile, count: int, *, value: str = "1", start: int = 0) -> None:
    entries = [outbox.Entry("quantities", f"k{number}", f"K{number}", value) for number in range(start, start + count)]
    with state.write() as db:
        outbox.enqueue(db, "quantities", entries, now=NOW)


def trash(path: Path, *, pages: int) -> None:
    """Overwrite pages in the middle of a closed file, as a dying disk does."""
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    count = len(data) // size
    for number in range(pages):
        at = (count // 3 + number * 7) * size
        data[at : at + size] = b"\xa5" * size
    path.write_bytes(data)


def test_a_damaged_file_is_set_aside_and_what_is_owed_and_linked_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = open_state(path)
    owe(state, 20_000)
    with state.write() as db:
        shadows.link(db, "product", [("k1", "17")])
        targets.pause(db, "quantities", paused=True)
        targets.baseline(db, "quantities", "complete")
        outbox.take(db, "quantities", limit=10, now=NOW, far=3600)
    state.close()
    trash(path, pages=5)
    with pytest.raises(StateDamagedError):
        open_state(path)
    aside, saved = rescue.set_aside(path, "then")
    assert aside == tmp_path / "state.db.damaged-then"
    assert aside.exists()
    assert 19_000 < saved["delivery"] < 20_000
    state = open_state(path)
    with state.read() as db:
        assert len(outbox.open_keys(db, "quantities")) == saved["delivery"]
        assert shadows.links_of(db, "product", ["k1"]) == {"k1": "17"}
        standing = targets.target_state(db, "quantities")
        assert standing.paused
        assert standing.baseline == "none", "what the shop holds must be read anew"
        assert len(outbox.in_flight(db, "quantities")) == 10, "they will count as unclear"
    owe(state, 1, start=30_000)
    state.close()
    assert list(tmp_path.glob("*.rescued*")) == []


def large_and_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a damaged file that is too large to be read whole at a start."""
    monkeypatch.setattr("state.damage.SMALL", 0)
    state = open_state(path)
    owe(state, 20_000)
    state.close()
    trash(path, pages=5)


def test_damage_in_a_large_file_is_noticed_when_it_is_touched_and_the_next_start_sets_it_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    large_and_damaged(path, monkeypatch)
    state = open_state(path)
    with pytest.raises(StateDamagedError):  # noqa: PT012 - which batch meets a trashed page, nobody knows
        while True:
            with state.write() as db:
                assert outbox.take(db, "quantities", limit=500, now=NOW, far=3600), "all were read and nothing said"
    state.close()
    with pytest.raises(StateDamagedError):
        open_state(path)
    _, saved = rescue.set_aside(path, "then")
    assert 19_000 < saved["delivery"] < 20_000
    state = open_state(path)
    owe(state, 20_000, value="2")
    state.close()
    assert list(tmp_path.glob("*.suspect")) == []


def test_a_look_over_a_large_file_finds_what_nobody_touches_and_the_next_start_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    large_and_damaged(path, monkeypatch)
    state = open_state(path)
    with pytest.raises(StateDamagedError):
        damage.look_over(path)
    state.close()
    with pytest.raises(StateDamagedError):
        open_state(path)


def test_a_look_over_a_sound_file_in_use_finds_nothing_and_leaves_no_mark(state: StateFile) -> None:
    owe(state, 1000)
    with state.write() as db:
        targets.pause(db, "quantities", paused=True)
        damage.look_over(state.path)
    assert list(state.path.parent.glob("*.suspect")) == []


def test_a_command_that_meets_damage_leaves_the_mark_for_the_agents_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    large_and_damaged(path, monkeypatch)
    inspector = open_inspector(path)
    with pytest.raises(StateDamagedError), inspector.read() as db:
        db.execute("SELECT sum(length(value) + length(version) + created_at) FROM delivery NOT INDEXED").fetchone()
    inspector.close()
    with pytest.raises(StateDamagedError):
        open_state(path)


def test_an_index_that_does_not_fit_its_table_is_damage_to_a_start_that_was_warned(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = open_state(path)
    owe(state, 10)
    state.close()
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA writable_schema=ON")
    raw.execute("UPDATE sqlite_master SET sql = replace(sql, '''held''', '''pending''') WHERE name = 'delivery_held'")
    raw.close()
    open_state(path).close()
    path.with_name("state.db.suspect").write_text("malformed\n")
    with pytest.raises(StateDamagedError, match="delivery_held"):
        open_state(path)


def test_a_mark_beside_a_sound_file_goes_when_nothing_is_found(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_state(path).close()
    mark = path.with_name("state.db.suspect")
    mark.write_text("disk I/O\n")
    open_state(path).close()
    assert not mark.exists()


def test_what_was_on_offer_is_remembered_by_a_rescue_but_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = open_state(path)
    owe(state, 20_000)
    with state.write() as db:
        cursors.remember(db, "stock", [(1, "a", b"old", True), (2, "b", b"old", False)], [])
        cursors.move(db, "stock", "{}", scanned=2, complete=True, now=NOW)
    state.close()
    trash(path, pages=2)
    rescue.set_aside(path, "then")
    state = open_state(path)
    with state.read() as db:
        rows = cursors.seen_after(db, "stock", 0, 10)
        assert [(row, key, fingerprint, bool(offered)) for row, key, fingerprint, offered in rows] == [
            (1, "a", b"", True),
            (2, "b", b"", False),
        ]
        assert cursors.cursor_of(db, "stock") is None
    state.close()


def test_a_superseded_row_that_was_in_flight_is_saved_for_its_answer_is_unclear(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = open_state(path)
    owe(state, 1, value="1")
    with state.write() as db:
        outbox.take(db, "quantities", limit=10, now=NOW, far=3600)
    owe(state, 1, value="2")
    state.close()
    rescue.set_aside(path, "then")
    state = open_state(path)
    with state.read() as db:
        assert [row.value for row in outbox.in_flight(db, "quantities")] == ["1"]
    state.close()


def test_a_file_that_is_no_database_is_set_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database at all " * 1000)
    with pytest.raises(StateDamagedError):
        open_state(path)
    aside, saved = rescue.set_aside(path, "then")
    assert aside.read_bytes().startswith(b"not a database")
    assert sum(saved.values()) == 0
    open_state(path).close()


def test_a_kill_during_the_rescue_leaves_the_damaged_file_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    state = open_state(path)
    owe(state, 100)
    state.close()

    def killed(*_args: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rescue, "_copy", killed)
        with pytest.raises(KeyboardInterrupt):
            rescue.set_aside(path, "then")
    _, saved = rescue.set_aside(path, "again")
    assert saved["delivery"] == 100
