"""The file itself: durable, one that checkpoints, migrated or refused, full, and what its schema forbids."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from state import cursors, letters, migrate, outbox, place, prune, rests, settle, shadows, targets
from state.db import StateFile, open_inspector, open_state
from state.errors import StateError, StateFullError

NOW = 1_800_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    opened = open_state(tmp_path / "state.db")
    yield opened
    opened.close()


def pragma(state: StateFile, name: str) -> Any:  # noqa: ANN401 - whatever SQLite says
    with state.read() as db:
        return db.execute(f"PRAGMA {name}").fetchone()[0]


def owe(state: StateFile, count: int, *, value: str = "1", start: int = 0) -> None:
    entries = [outbox.Entry("quantities", f"k{number}", f"K{number}", value) for number in range(start, start + count)]
    with state.write() as db:
        outbox.enqueue(db, "quantities", entries, now=NOW)


# durability and the readers beside the agent


def test_a_commit_survives_the_power_wal_and_synchronous_full(state: StateFile) -> None:
    assert pragma(state, "journal_mode") == "wal"
    assert pragma(state, "synchronous") == 2
    assert pragma(state, "auto_vacuum") == 2


def test_only_the_agents_connection_checkpoints(state: StateFile) -> None:
    beside = open_state(state.path, beside_agent=True)
    assert pragma(state, "wal_autocheckpoint") > 0
    assert pragma(beside, "wal_autocheckpoint") == 0
    assert pragma(beside, "synchronous") == 2
    beside.close()


def test_a_command_beside_the_agent_writes_what_the_agent_then_sees(state: StateFile) -> None:
    beside = open_state(state.path, beside_agent=True)
    with beside.write() as db:
        targets.pause(db, "quantities", paused=True)
    beside.close()
    with state.read() as db:
        assert targets.target_state(db, "quantities").paused


def test_a_command_opens_the_file_while_the_agent_is_writing(state: StateFile) -> None:
    with state.write() as db:
        targets.pause(db, "quantities", paused=True)
        open_state(state.path, beside_agent=True).close()
        inspector = open_inspector(state.path)
        with inspector.read() as looking:
            assert not targets.target_state(looking, "quantities").paused, "not committed yet"
        inspector.close()


def test_the_inspector_cannot_write(state: StateFile) -> None:
    inspector = open_inspector(state.path)
    with pytest.raises(StateError), inspector.write() as db:
        targets.pause(db, "quantities", paused=True)
    inspector.close()


@pytest.mark.parametrize("opener", [partial(open_state, beside_agent=True), open_inspector])
def test_a_command_without_a_state_file_says_what_to_start(tmp_path: Path, opener: Callable[[Path], StateFile]) -> None:
    with pytest.raises(StateError, match="no state file") as caught:
        opener(tmp_path / "none.db")
    assert "pohoda-agent run" in caught.value.hint
    assert not (tmp_path / "none.db").exists()


def test_what_fails_in_the_middle_leaves_nothing_behind(state: StateFile) -> None:
    with pytest.raises(KeyError), state.write() as db:  # noqa: PT012 - the first statement must have happened
        targets.pause(db, "quantities", paused=True)
        raise KeyError
    with state.read() as db:
        assert not targets.target_state(db, "quantities").paused


def test_another_programs_lock_is_explained_with_a_hint(state: StateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.db.BUSY_MS", 1)
    beside = open_state(state.path, beside_agent=True)
    with state.write(), pytest.raises(StateError, match="locked") as caught, beside.write():
        pass
    beside.close()
    assert "database browser" in caught.value.hint


# where it may lie


def test_a_network_share_is_refused() -> None:
    with pytest.raises(StateError, match="network share") as caught:
        place.refuse_network(Path("//server/share/state.db"))
    assert "[state] file" in caught.value.hint


def test_a_mounted_share_is_told_by_the_longest_mount_point(monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\n//nas/data /mnt/na\\040s cifs rw 0 0\n/dev/sdb /mnt/na\\040s/disk ext4 rw 0 0\n"
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_args, **_named: mounts)
    assert place._filesystem(Path("/mnt/na s/state.db")) == "cifs"
    assert place._filesystem(Path("/mnt/na s/disk/state.db")) == "ext4"
    assert place._filesystem(Path("/var/state.db")) == "ext4"


# migrations


def test_the_migrations_are_numbered_without_a_gap_and_the_new_file_has_the_last(state: StateFile) -> None:
    numbers = [number for number, _ in migrate.steps()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert pragma(state, "user_version") == numbers[-1]


def older(tmp_path: Path) -> tuple[sqlite3.Connection, Path]:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate.migrate(connection, path, [(1, "CREATE TABLE a (x);\nINSERT INTO a VALUES (1);")])
    return connection, path


def test_a_migration_is_preceded_by_a_copy_of_the_old_file(tmp_path: Path) -> None:
    connection, path = older(tmp_path)
    assert migrate.migrate(connection, path, [(1, ""), (2, "ALTER TABLE a ADD COLUMN y;")]) == 2
    connection.close()
    copy = sqlite3.connect(tmp_path / "state.db.before-2")
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("SELECT * FROM a").fetchall() == [(1,)]
    copy.close()


def test_half_a_copy_from_a_kill_does_not_pass_for_one(tmp_path: Path) -> None:
    connection, path = older(tmp_path)
    (tmp_path / "state.db.before-2.part").write_bytes(b"half")
    migrate.migrate(connection, path, [(1, ""), (2, "CREATE TABLE b (x);")])
    connection.close()
    copy = sqlite3.connect(tmp_path / "state.db.before-2")
    assert copy.execute("SELECT * FROM a").fetchall() == [(1,)]
    copy.close()


def test_a_failing_migration_leaves_the_old_version_whole(tmp_path: Path) -> None:
    connection, path = older(tmp_path)
    step = "CREATE TABLE b (x);\nINSERT INTO a VALUES (2);\nINSERT INTO nowhere VALUES (1);"
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate.migrate(connection, path, [(1, ""), (2, step)])
    assert migrate.version_of(connection) == 1
    assert connection.execute("SELECT * FROM a").fetchall() == [(1,)]
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]
    connection.close()


def test_a_statement_without_a_semicolon_at_the_end_is_not_lost(tmp_path: Path) -> None:
    connection, path = older(tmp_path)
    migrate.migrate(connection, path, [(1, ""), (2, "CREATE TABLE b (x);\nINSERT INTO b VALUES (1)")])
    assert connection.execute("SELECT * FROM b").fetchall() == [(1,)]
    connection.close()


@pytest.mark.parametrize("opener", [open_state, partial(open_state, beside_agent=True), open_inspector])
def test_a_file_of_a_newer_program_is_refused_and_left_alone(
    tmp_path: Path, opener: Callable[[Path], StateFile]
) -> None:
    path = tmp_path / "state.db"
    open_state(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version=99")
    raw.close()
    with pytest.raises(StateError, match="newer program") as caught:
        opener(path)
    assert "newer pohoda-agent" in caught.value.hint
    path.rename(tmp_path / "moved.db")  # nothing holds it open


# a full disk


def full(state: StateFile) -> None:
    with state.write() as db:
        db.execute("CREATE TABLE ballast (text TEXT)")
    with state.read() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StateFullError):  # noqa: PT012 - which of the writes is the last, nobody knows
        while True:
            with state.write() as db:
                db.execute("INSERT INTO ballast VALUES (?)", ("x" * 3000,))


def test_a_full_disk_is_said_with_a_hint_and_loses_nothing_that_was_committed(state: StateFile) -> None:
    owe(state, 50)
    full(state)
    with pytest.raises(StateFullError) as caught:
        owe(state, 2000, start=50)
    assert "Free some space" in caught.value.hint
    with state.read() as db:
        assert len(outbox.open_keys(db, "quantities")) == 50
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.execute(f"PRAGMA max_page_count={2**30}")
    owe(state, 2000, start=50)
    with state.read() as db:
        assert len(outbox.open_keys(db, "quantities")) == 2050


# what the schema forbids

GOOD = {
    "target": "q",
    "key": "a",
    "code": "A",
    "value": "1",
    "status": "pending",
    "lane": 0,
    "place": 1,
    "created_at": 1,
}


@pytest.mark.parametrize(
    "row",
    [
        {"status": "running"},
        {"status": "delivered"},
        {"status": "pending", "settled_at": 1},
        {"status": "held", "settled_at": 1, "reason": "why"},
        {"status": "held"},
        {"status": "dead", "settled_at": 1},
        {"status": "delivered", "settled_at": 1, "sent_at": 1},
        {"status": "dead", "settled_at": 1, "reason": "why", "sent_at": 1},
        {"lane": 2},
        {"attempts": -1},
        {"guarded": 2},
        {"approved": 2},
        {"value": None},
    ],
    ids=lambda row: ",".join(f"{name}={value}" for name, value in row.items()),
)
def test_an_illegal_delivery_cannot_be_written(state: StateFile, row: dict[str, object]) -> None:
    record = GOOD | row
    sql = f"INSERT INTO delivery ({', '.join(record)}) VALUES ({', '.join('?' for _ in record)})"
    with pytest.raises(sqlite3.IntegrityError), state.write() as db:
        db.execute(sql, tuple(record.values()))


def test_a_legal_delivery_can_be_written_but_no_second_open_one_of_its_key(state: StateFile) -> None:
    sql = f"INSERT INTO delivery ({', '.join(GOOD)}) VALUES ({', '.join('?' for _ in GOOD)})"
    with state.write() as db:
        db.execute(sql, tuple(GOOD.values()))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), state.write() as db:
        db.execute(sql, tuple(GOOD.values()))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO target (name, baseline) VALUES ('q', 'half')",
        "INSERT INTO target (name, paused) VALUES ('q', 2)",
        "INSERT INTO rest VALUES ('q', 'a', 'A', 'sleeping', 1, 1)",
        "INSERT INTO link (thing, key) VALUES ('product', 'a')",
        "INSERT INTO seen VALUES ('s', 1, 'a', x'00', 2)",
        "INSERT INTO source (name, complete) VALUES ('s', 2)",
        "INSERT INTO reread VALUES ('q', 'a', 'A', 7)",
    ],
)
def test_other_illegal_rows_cannot_be_written(state: StateFile, sql: str) -> None:
    with pytest.raises(sqlite3.IntegrityError), state.write() as db:
        db.execute(sql)


# query plans: what runs every second must not depend on how much is owed


@pytest.mark.parametrize(
    ("call", "index"),
    [
        (lambda db: outbox.take(db, "q", limit=9, now=NOW, far=1), "delivery_pending (target=?)"),
        (lambda db: outbox.next_due(db, "q", NOW), "delivery_due (target=? AND due>?)"),
        (lambda db: outbox.in_flight(db, "q"), "delivery_sent (target=?)"),
        (lambda db: outbox.open_value(db, "q", "a"), "delivery_open (target=? AND key=?)"),
        (lambda db: letters.is_dead(db, "q", "a"), "delivery_dead (target=? AND key=?)"),
        (lambda db: outbox._open_rows(db, "q", '["a"]'), "delivery_open (target=? AND key=?)"),
        (lambda db: outbox._dead_among(db, "q", '["a"]'), "delivery_dead (target=? AND key=?)"),
        (lambda db: outbox.has_dead(db, "q"), "delivery_dead (target=?)"),
        (lambda db: settle.settle_unsent(db, "q", [("a", "1")], now=NOW), "delivery_open (target=? AND key=?)"),
        (lambda db: rests.due(db, "q", phase="rest", now=NOW, far=1, limit=9), "PRIMARY KEY (target=?)"),
        (lambda db: rests.next_time(db, "q"), "PRIMARY KEY (target=?)"),
        (lambda db: shadows.shadows_of(db, "q", ["a"]), "PRIMARY KEY (target=? AND key=?)"),
        (lambda db: shadows.links_of(db, "product", ["a"]), "PRIMARY KEY (thing=? AND key=?)"),
        (lambda db: cursors.seen_rows(db, "stock", [1]), "PRIMARY KEY (source=? AND row=?)"),
        (lambda db: cursors.seen_keys(db, "stock", ["a"]), "seen_key (source=? AND key=?)"),
        (lambda db: cursors.offered(db, ["a"]), "seen_key (source=? AND key=?)"),
        (lambda db: cursors.seen_after(db, "stock", 1, 9), "PRIMARY KEY (source=? AND row>?)"),
        (lambda db: cursors.keys_after(db, "stock", "a", 9), "seen_key (source=? AND key>?)"),
    ],
)
def test_the_queries_of_a_step_go_by_an_index_and_sort_nothing(state: StateFile, call: Any, index: str) -> None:  # noqa: ANN401 - a query
    statements: list[str] = []
    with state.write() as db:
        db.set_trace_callback(statements.append)
        call(db)
        db.set_trace_callback(None)
        first = statements[0]
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {first}")]
    named = index.replace("=?", "=").replace(">?", ">")
    assert any(index in line for line in plan), (named, plan)
    big = [line for line in plan if line.startswith("SCAN") and line != "SCAN source" and "json_each" not in line]
    assert big == []
    if "rest" not in first.split("WHERE")[0]:
        assert not any("TEMP B-TREE" in line for line in plan)


# batches


@pytest.mark.parametrize("count", [1, 9, 10, 11, 23])
def test_a_batch_of_any_size_is_taken_in_whole_and_leaves_in_its_order(state: StateFile, count: int) -> None:
    owe(state, count)
    with state.write() as db:
        rows = outbox.take(db, "quantities", limit=100, now=NOW, far=3600)
    assert [(row.id, row.key, row.code) for row in rows] == [(at + 1, f"k{at}", f"K{at}") for at in range(count)]
    assert {row[5:] for row in rows} == {(0, 0, "", "", NOW)}


def test_a_key_twice_in_a_batch_is_refused_and_nothing_of_the_batch_stays(state: StateFile) -> None:
    twice = [outbox.Entry("quantities", f"k{at % 20}", "K", "1") for at in range(21)]
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), state.write() as db:
        outbox.enqueue(db, "quantities", twice, now=NOW)
    with state.read() as db:
        assert outbox.open_keys(db, "quantities") == set()


def test_what_is_delivered_is_settled_alike_whatever_befell_its_row_before(state: StateFile) -> None:
    owe(state, 3)
    with state.write() as db:
        sent = outbox.take(db, "quantities", limit=1, now=NOW, far=3600)
        failed = [settle.Settled(row.id, row.target, row.key, reason="no", hint="try") for row in sent]
        settle.failed(db, failed, due=NOW, most=8, now=NOW)
    rows: list[outbox.Row] = []
    with state.write() as db:
        while batch := outbox.take(db, "quantities", limit=10, now=NOW, far=3600):
            rows += batch  # the one that failed goes apart from the others
    owe(state, 1, start=1, value="2")
    with state.write() as db:
        done = [settle.Settled(row.id, row.target, row.key, "asked", "said", row.value) for row in rows]
        settle.delivered(db, done, now=NOW)
    with state.read() as db:
        found = db.execute(
            "SELECT key, value, status, settled_at, sent_at, reason, hint, request, answer FROM delivery ORDER BY id"
        ).fetchall()
        shadow = shadows.shadows_of(db, "quantities", ["k0", "k1", "k2"])
    assert found == [
        ("k0", "1", "delivered", NOW, None, None, None, "asked", "said"),
        ("k1", "1", "superseded", NOW, None, None, None, "asked", "said"),
        ("k2", "1", "delivered", NOW, None, None, None, "asked", "said"),
        ("k1", "2", "pending", None, None, None, None, None, None),
    ]
    assert shadow == {"k0": "1", "k1": "1", "k2": "1"}


def test_a_look_at_rows_and_keys_gives_each_once(state: StateFile) -> None:
    with state.write() as db:
        cursors.remember(db, "stock", [(1, "a", b"x", True), (2, "a", b"y", False), (3, "b", b"z", True)], [])
        cursors.remember(db, "orders", [(1, "a", b"o", True)], [])
        assert cursors.seen_rows(db, "stock", [3, 1, 1, 9]) == [(3, "b", b"z", 1), (1, "a", b"x", 1)]
        assert [row[:2] for row in cursors.seen_keys(db, "stock", ["a", "a", "c"])] == [(1, "a"), (2, "a")]


# history


def test_history_is_capped_by_age_and_by_number_and_nothing_open_or_dead_is_touched(state: StateFile) -> None:
    for value in ("1", "2", "3"):
        owe(state, 10, value=value)
    with state.write() as db:
        db.execute("UPDATE delivery SET status = 'dead', reason = 'x', settled_at = 1 WHERE key = 'k0' AND value = '3'")
        assert prune.prune(db, older_than=NOW - 1, keep=1000) == 0
        assert prune.prune(db, older_than=NOW - 1, keep=15) == 15
        assert prune.prune(db, older_than=NOW + 1, keep=1000) == 5
        left = db.execute("SELECT status, count(*) FROM delivery GROUP BY 1 ORDER BY 1").fetchall()
    assert left == [("dead", 1), ("pending", 9)]


def test_history_that_is_young_is_not_read_by_pruning(state: StateFile) -> None:
    for value in ("1", "2"):
        owe(state, 5000, value=value)
    steps: list[int] = []
    with state.write() as db:
        db.set_progress_handler(lambda: steps.append(1), 100)
        assert prune.prune(db, older_than=NOW - 1, keep=100_000) == 0
        db.set_progress_handler(None, 0)
    assert len(steps) < 50, "5,000 superseded rows take 300 times 100 instructions"


def test_pruning_gives_the_room_back(state: StateFile) -> None:
    for number in range(3):
        owe(state, 4000, value=str(number))
    before = pragma(state, "page_count")
    for _ in range(8):
        with state.write() as db:
            prune.prune(db, older_than=NOW + 1, keep=0)
    with state.write() as db:
        assert prune.prune(db, older_than=NOW + 1, keep=0) == 0
    assert pragma(state, "page_count") < 0.8 * before


def test_ids_are_not_used_twice_after_pruning(state: StateFile) -> None:
    owe(state, 5, value="1")
    with state.write() as db:
        rows = outbox.take(db, "quantities", limit=10, now=NOW, far=3600)
        settle.delivered(db, [settle.Settled(row.id, row.target, row.key, confirmed="1") for row in rows], now=NOW)
        prune.prune(db, older_than=NOW + 1, keep=0)
    owe(state, 1, value="2")
    with state.read() as db:
        assert [row[0] for row in db.execute("SELECT id FROM delivery")] == [6]
