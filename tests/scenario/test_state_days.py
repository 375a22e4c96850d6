"""Bad days of the memory and of POHODA itself: lost, damaged, full, restored, set up anew. No flood, nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.stage import SOON, Stage


def test_a_changed_setting_computes_every_value_again_in_the_bulk_lane(play: Stage) -> None:
    play.both(30)
    play.once()
    play.configure(quantities__safety_stock=2)
    assert play.once().code == 0
    assert play.differences() == {}
    assert len(play.sent()) == 30
    assert {one["lane"] for one in play.cli("outbox", "list", "--limit", "30", "--json").json} == {"bulk"}


def test_a_changed_setting_that_would_empty_the_shop_is_held(play: Stage) -> None:
    play.both(30)
    play.once()
    play.configure(quantities__safety_stock=5)
    assert play.once().code == 1
    assert play.sent() == []
    assert play.target()["held"] == 30
    play.configure(quantities__safety_stock=0)  # back again: nobody needs to do anything
    assert play.once().code == 0
    assert play.target()["held"] == 0
    assert {pieces for _, pieces in play.sent()} == {5}  # once owed is always sent: what the shop has already


def test_a_lost_state_file_sends_only_the_differences(play: Stage) -> None:
    play.both(50)
    play.once()
    play.state.unlink()
    assert play.once().code == 0
    assert play.sent() == []
    play.state.unlink()
    play.pieces("A-0007", 1)
    assert play.once().code == 0
    assert play.sent() == [("A-0007", 1)]


@pytest.mark.parametrize("damage", ["page", "header", "text"])
def test_a_damaged_state_file_is_set_aside_and_the_agent_goes_on(play: Stage, damage: str) -> None:
    play.both(40)
    play.once()
    if damage == "text":
        play.state.write_text("this is no database\n" * 500, encoding="utf-8")
    else:
        with play.state.open("r+b") as file:
            file.seek(0 if damage == "header" else 3 * 4096)
            file.write(b"\xff" * (100 if damage == "header" else 8 * 4096))
    play.pieces("A-0001", 8)
    said = play.once()
    assert said.code == 0, said
    assert "is damaged" in said.err
    assert "try: " in said.err
    assert len(list(play.folder.glob("state.db.damaged-*"))) >= 1
    assert play.differences() == {}
    assert play.sent() == [("A-0001", 8)]


def test_a_state_file_of_a_newer_program_is_left_alone(play: Stage) -> None:
    play.once()
    connection = sqlite3.connect(play.state)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    said = play.once()
    assert said.code == 1
    assert "written by a newer program" in said.err
    assert "try: Install the newer pohoda-agent" in said.err


def test_the_database_of_another_program_is_never_written_into(play: Stage) -> None:
    shutil.copy(play.database, play.state)
    before = play.state.read_bytes()
    said = play.once()
    assert said.code == 1
    assert "is the database of another program" in said.err
    assert "try: Set [state] file to the name of a file that does not exist yet." in said.err
    assert play.state.read_bytes() == before


def copy_of(database: Path, copy: Path) -> None:
    """Copy a database whole, with what is still in its journal."""
    source, target = sqlite3.connect(database), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


def test_a_pohoda_restored_from_an_older_copy_while_the_agent_runs_converges_without_a_flood(play: Stage) -> None:
    play.both(60)
    with play.agent() as agent:
        copy_of(play.database, play.folder / "backup.db")
        play.sql("UPDATE SKz SET StavZ = 9 WHERE ID <= 5")
        play.card("NEW", 3)
        play.sql("INSERT INTO SKzPoh (RefSKz, RelAg, PohPMJ) VALUES (61, 6, 3)")
        play.shop.add_product("NEW", 0)
        play.until(play.quiet, agent=agent)
        assert len(play.sent()) == 6
        for suffix in ("-wal", "-shm"):
            play.database.with_name(play.database.name + suffix).unlink(missing_ok=True)
        (play.folder / "backup.db").replace(play.database)
        play.until(lambda: play.quiet() and play.shop.quantity_of("NEW") == 0, agent=agent)
        assert "the source went back" in agent.said()
        assert agent.stop()[0] == 0
    assert sorted(play.sent(6)) == sorted([*((f"A-{row:04d}", 5) for row in range(1, 6)), ("NEW", 0)])


def test_another_database_behind_the_name_is_read_whole_and_sends_only_differences(play: Stage) -> None:
    play.both(30)
    play.once()
    copy_of(play.database, play.folder / "2027.db")
    play.configure(pohoda__database="2027.db")
    said = play.once()
    assert said.code == 0
    assert "another database is behind the name" in said.err
    assert play.sent() == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where that can be had."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small disk needs root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    return ballast


def test_on_a_full_disk_sending_stops_and_goes_on_when_there_is_space_again(play: Stage, tiny_disk: Path) -> None:
    play.both(20)
    play.configure(state__file="disk/state.db")
    state = tiny_disk / "state.db"
    with play.agent(baseline=False) as agent:
        play.until(lambda: "baseline complete" in agent.said(), agent=agent)
        ballast = fill(tiny_disk)
        for pieces in range(6, 60):  # until the journal that is there already is used up
            play.sql("UPDATE SKz SET StavZ = ?", pieces)
            if "cannot be written" in agent.said():
                break
            play.until(lambda: not play.differences() or "cannot be written" in agent.said(), SOON, agent=agent)
        assert "cannot be written" in agent.said()
        assert "try: Free some space on this disk" in agent.said()
        writes = len(play.sent())
        play.sql("UPDATE SKz SET StavZ = 70")
        time.sleep(1.5)
        assert len(play.sent()) - writes <= 20  # at most the batch whose answers could not be written down
        ballast.unlink()
        play.until(lambda: not play.differences(), 20, agent=agent)
        assert "works again" in agent.said()
        assert agent.stop()[0] == 0
    assert sqlite3.connect(state).execute("SELECT count(*) FROM delivery WHERE status = 'pending'").fetchone() == (0,)
