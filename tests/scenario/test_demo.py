"""The demo is the first thing that anybody runs."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
import weakref
from contextlib import closing
from pathlib import Path

import pytest

from agent.demo import show
from agent.errors import ConfigError
from tests.scenario.stage import logging_kept

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    "quantities": ("database", 200),
    "products": ("export", 200),
    "prices": ("export", 200),
    "images": ("export", 200),
    "categories": ("database", 29),
    "categories.products": ("database", 200),
    "parameters.terms": ("database", 20),
    "parameters": ("database", 200),
    "suppliers.firms": ("database", 9),
    "suppliers": ("database", 200),
    "order_states": ("database", 10),
}
"""Each target's source, and how many things are compared at least."""


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent", "demo", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def assert_every_target_was_compared(said: str) -> None:
    """The table above the last line: target, source, changes, compared, differing."""
    rows = {words[0]: words[1:] for line in said.splitlines() if len(words := line.split()) == 5}
    assert {target: rows[target][0] for target in TARGETS} == {
        target: source for target, (source, _) in TARGETS.items()
    }
    for target, (_, least) in TARGETS.items():
        changes, compared, differing = map(int, rows[target][1:])
        assert changes >= 2, target
        assert compared >= least, target
        assert differing == 0, target


def assert_both_ways_of_exporting_were_taken(said: str, folder: Path) -> None:
    """Files and posts of POHODA, all taken in by the agent; the new cards that they told of have become products."""
    assert re.search(r"POHODA exports \d+ changed cards as a file", said)
    assert re.search(r"POHODA posts \d+ changed cards to the receiver: HTTP 200", said)
    taken = [path.name for path in (folder / "export" / "done").iterdir()]
    assert {name.partition("_")[0].partition("-")[0] for name in taken} == {"zasoby", "posted"}
    assert list((folder / "export").glob("*.xml")) == []
    assert not (folder / "export" / "quarantine").exists()
    with closing(sqlite3.connect(folder / "eshop.state.db")) as state:
        sql = "SELECT count(*) FROM delivery WHERE target = 'products' AND code LIKE 'NOVY-%' AND status = 'delivered'"
        assert state.execute(sql).fetchone()[0] >= 1
        assert state.execute("SELECT count(*) FROM delivery WHERE status IN ('dead', 'held')").fetchone() == (0,)


def assert_the_shops_orders_went_on(folder: Path) -> None:
    """Orders of the shop were taken over, and the shop heard of what became of them."""
    with closing(sqlite3.connect(folder / "pohoda.db")) as books:
        sql = "SELECT max(BDodano), max(Vyrizeno), max(DatStorn IS NOT NULL), count(*) > 5 FROM OBJ WHERE ID > 1"
        assert books.execute(sql).fetchone() == (1, 1, 1, 1)
    with closing(sqlite3.connect(folder / "eshop.state.db")) as state:
        sql = "SELECT count(DISTINCT json_extract(value, '$.state')) FROM delivery WHERE target = 'order_states'"
        assert state.execute(sql).fetchone()[0] >= 3


def test_the_demo_ends_with_equal_sides_and_its_folder_can_be_looked_at(tmp_path: Path) -> None:
    result = demo(tmp_path, "--seconds", "5")
    assert result.returncode == 0, result.stdout + result.stderr
    last = result.stdout.splitlines()[-1]
    match = re.fullmatch(r"differences: 0  changes: (\d+)  p50: \d+ ms  p99: \d+ ms", last)
    assert match, last
    assert int(match[1]) > 20
    assert_every_target_was_compared(result.stdout)
    assert_both_ways_of_exporting_were_taken(result.stdout, tmp_path / "pohoda-agent-demo")
    assert_the_shops_orders_went_on(tmp_path / "pohoda-agent-demo")
    tries = [line.split()[3:] for line in result.stdout.splitlines() if line.startswith("  python -m agent ")]
    assert [words[0] for words in tries] == ["status", "outbox", "explain"]
    for words in tries:
        command = [sys.executable, "-m", "agent", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert shown.stdout, shown.stderr


def test_the_demo_never_deletes_files_that_are_not_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "pohoda-agent-demo"
    folder.mkdir()
    (folder / "letters.txt").write_text("mine", encoding="utf-8")
    result = demo(tmp_path, "--seconds", "1")
    assert result.returncode == 2
    assert "letters.txt" in result.stderr
    assert "try:" in result.stderr
    assert (folder / "letters.txt").read_text(encoding="utf-8") == "mine"


def test_an_agent_that_ends_early_ends_the_demo_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> int:
        raise ConfigError("the port of the receiver is taken", hint="Start the demo again.")

    monkeypatch.setattr("agent.app.run", run)
    with logging_kept():
        with pytest.raises(ConfigError, match="port"):
            show.play(tmp_path / "demo", seconds=60, cards=5, stop=threading.Event(), say=lambda _: None)
        logging.shutdown([weakref.ref(handler) for handler in logging.getLogger().handlers])  # the demo's log file
