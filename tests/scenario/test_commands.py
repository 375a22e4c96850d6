"""What each command does and says: tables, stable JSON, exit codes, and that looking changes nothing."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest

from agent.cli import cli
from agent.cli.outbox import DELIVERY
from agent.config import Config, load
from state import mirror
from tests.scenario.stage import Stage


def prints(folder: Path) -> dict[str, str]:
    """Digests of the files that hold data. SQLite's shared memory, and a journal that is empty, are none."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.stat().st_size and not path.name.endswith("-shm")
    }


def fields(answer: object) -> Iterator[str]:
    """Every name of a field in a JSON answer, at any depth."""
    if isinstance(answer, list):
        for one in answer:
            yield from fields(one)
    elif isinstance(answer, dict):
        for name, inner in answer.items():
            yield name
            yield from fields(inner)


def mirror_of(config: Config) -> None:
    """An export that was taken in, with an item that could not be read."""
    assert config.mirror is not None
    with closing(mirror.open_mirror(config.mirror, stamp="")) as file, file.write() as db:
        mirror.move(db, ("aa", "a.xml", 9, ""), offset=9, part=0, looked=2, changed=2, bad=1, cards=1, now=1.0)
        mirror.finish(db, "aa", outcome="done", reason="", now=2.0)
        mirror.note_bad(db, "a.xml", [("A-1", 5, "no number", "Correct it.")], 2.0)


@pytest.mark.parametrize("command", ["plan", "reconcile", "check", "status", "explain A-0001", "outbox list"])
def test_json_has_exactly_the_fields_that_the_help_names(play: Stage, command: str) -> None:
    play.both(2)
    play.once()
    play.pieces("A-0001", 9)
    with sqlite3.connect(play.state) as connection:  # only a running agent has loops
        connection.execute("INSERT INTO loop (name, at, failed) VALUES ('source stock', 0, 0)")
    connection.close()
    (play.folder / "export").mkdir()
    mirror_of(load([play.configure(pohoda__export_directory="export")])[0])
    words = command.split()
    found: click.Command | None = cli
    for word in words[:2]:
        found = found.commands.get(word) if isinstance(found, click.Group) else found
    assert found is not None
    (option,) = [one for one in found.params if isinstance(one, click.Option) and one.name == "json_"]
    listed = (option.help or "").removeprefix("Print JSON with the stable fields ").partition(". Times")[0]
    documented = set(re.findall(r"\w+", listed))
    assert set(fields(play.cli(*words, "--json").json)) == documented


def test_ctrl_c_amid_a_call_leaves_it_marked_so_that_it_counts_as_unclear(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.both(2)
    play.once()
    play.pieces("A-0001", 9)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("agent.shops.prestashop.PrestaShop.deliver", interrupted)
        said = play.once()
        assert (said.code, said.err) == (1, "interrupted; nothing is lost, it goes on next time\n")
    assert play.memory("SELECT count(*) FROM delivery WHERE sent_at IS NOT NULL") == [(1,)]
    assert play.once(patience=0).code == 1  # it rests first
    assert play.sent() == []


def test_once_delivers_everything_and_exits_0(play: Stage) -> None:
    play.both(5, pieces=7, held=1)
    said = play.once()
    assert (said.code, said.out) == (0, "nothing left to deliver to eshop\n")
    assert play.differences() == {}
    assert len(play.sent()) == 5


def test_once_exits_1_and_says_what_waits_and_why_when_the_shop_is_down(play: Stage) -> None:
    play.both(3, pieces=7, held=1)
    play.shop.down = True
    said = play.once(patience=0)
    assert said.code == 1
    assert "3 deliveries are still waiting" in said.out
    assert "HTTP 503" in said.out
    play.shop.down = False
    assert play.once().code == 0
    assert play.differences() == {}


def test_once_does_not_claim_success_when_the_shop_could_not_be_read_and_nothing_waits(play: Stage) -> None:
    play.shop.down = "refuse"
    said = play.once(patience=0)
    assert said.code == 1
    assert "the shop could not be read whole" in said.out


def test_once_says_that_the_target_is_paused(play: Stage) -> None:
    play.both(2)
    play.once()
    play.cli("pause", "quantities")
    play.pieces("A-0001", 9)
    said = play.once()
    assert said.code == 1
    assert "paused. Try: pohoda-agent resume" in said.out
    play.cli("resume", "quantities")
    assert play.once().code == 0
    assert play.differences() == {}


@pytest.mark.parametrize("command", ["plan", "check", "explain A-0001", "status", "outbox list", "reconcile"])
def test_looking_writes_nothing_anywhere(play: Stage, command: str) -> None:
    play.both(4)
    play.once()
    play.pieces("A-0001", 8)
    before, writes = prints(play.folder), len(play.sent())
    said = play.cli(*command.split())
    assert "bug" not in said.all
    assert prints(play.folder) == before
    assert len(play.sent()) == writes
    assert {method for method, _ in play.shop.requests} - {"GET", "PATCH"} == set()
    patches = sum(count for (method, _), count in play.shop.requests.items() if method == "PATCH")
    play.cli(*command.split())
    assert sum(count for (method, _), count in play.shop.requests.items() if method == "PATCH") == patches


@pytest.mark.parametrize("command", ["plan", "check", "explain A-0001", "status", "reconcile"])
def test_looking_before_the_first_start_makes_no_state_file(play: Stage, command: str) -> None:
    play.both(2)
    said = play.cli(*command.split())
    assert "Traceback" not in said.all
    assert not play.state.exists()
    assert {method for method, _ in play.shop.requests} <= {"GET"}


def test_plan_shows_old_and_new_and_what_cannot_be_sent(play: Stage) -> None:
    play.both(3)
    play.pieces("A-0002", 9)
    play.card("UNKNOWN", 4)
    said = play.cli("plan")
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["A-0002", "differs", "5", "9"] in lines
    assert ["UNKNOWN", "not", "in", "the", "shop", "-", "4"] in lines
    assert "4 codes on offer in POHODA, 2 equal in the shop, 1 would be sent, 1 cannot be" in said.out
    assert said.out.endswith("Nothing was written.\n")
    record = play.cli("plan", "--json").json
    assert record.keys() == {"target", "offered", "equal", "to_send", "guard", "only_in_shop", "differences"}
    assert record["differences"][0] == {"code": "A-0002", "what": "differs", "shop": 5, "pohoda": 9, "note": ""}


def test_plan_gives_the_verdict_that_the_guard_will_give(play: Stage) -> None:
    play.both(20)
    play.once()
    play.sql("UPDATE SKz SET StavZ = 0 WHERE ID <= 12")
    planned = play.cli("plan")
    assert "12 of them would be held for your approval: 12 of 20 quantities would go to 0" in planned.out
    assert play.once().code == 1
    assert play.target()["held"] == 12


def test_plan_counts_for_the_guard_only_what_the_shop_has(play: Stage) -> None:
    play.both(5)
    for number in range(12):
        play.card(f"UNKNOWN-{number}", 0)
    assert "held for your approval" not in play.cli("plan").out


def test_plan_shows_what_goes_to_0_because_it_is_no_longer_offered(play: Stage) -> None:
    play.both(3)
    play.once()
    play.sql("DELETE FROM SKz WHERE IDS = 'A-0001'")
    play.sql("UPDATE SKz SET IObchod = 0 WHERE IDS = 'A-0002'")
    planned = {(one["code"], one["shop"], one["pohoda"]) for one in play.cli("plan", "--json").json["differences"]}
    assert planned == {("A-0001", 5, 0), ("A-0002", 5, 0)}


def test_explain_shows_how_a_quantity_is_made_and_what_the_shop_holds(play: Stage) -> None:
    play.configure(quantities__deduct="reservations", quantities__safety_stock=2)
    play.card("Kladivo", 10, store=1, reserved=3)
    play.card("Kladivo", 5, store=2)
    play.shop.add_product("KLADIVO", 1)
    play.once()
    said = play.cli("explain", "kladivo ")
    assert "Kladivo: 10 (HLAVNI) + 5 (PRODEJNA) - 3 reserved - 2 safety = 10" in said.out
    assert "the shop holds: 10" in said.out
    assert "last confirmed: 10; nothing waits" in said.out
    assert play.cli("explain", "kladivo", "--json").json == {
        "code": "Kladivo",
        "quantity": 10,
        "formula": "10 (HLAVNI) + 5 (PRODEJNA) - 3 reserved - 2 safety = 10",
        "in_shop": 10,
        "confirmed": 10,
        "open": None,
    }


def test_explain_of_a_code_that_pohoda_does_not_have_is_the_users_mistake(play: Stage) -> None:
    play.card("A", 1)
    said = play.cli("explain", "B")
    assert said.code == 2
    assert "no stock card with the code 'B'" in said.err
    assert "try: " in said.err


def test_explain_says_why_a_dead_letter_did_not_arrive(play: Stage) -> None:
    play.card("GHOST", 3)
    play.once()
    said = play.cli("explain", "ghost")
    assert "the shop does not know this code" in said.out
    assert "dead for" in said.out


def test_the_outbox_shows_the_whole_way_of_one_change(play: Stage) -> None:
    play.both(2)
    play.once()
    play.pieces("A-0001", 8)
    play.once()
    row = play.cli("outbox", "list", "--json").json[0]
    assert tuple(row) == DELIVERY
    assert (row["code"], row["value"], row["status"], row["lane"]) == ("A-0001", 8, "delivered", "live")
    assert row["source"] == "stock"
    assert row["version"]
    assert row["created_at"] <= row["settled_at"]
    shown = play.cli("outbox", "show", str(row["id"]))
    assert "quantity 8" in shown.out
    assert play.cli("outbox", "show", str(row["id"]), "--json").json == row
    newest, first = play.cli("outbox", "history", "a-0001", "--json").json
    assert newest == row
    assert first["answer"] == "the shop had it already"
    assert "delivered" in play.cli("outbox", "history", "A-0001").out
    assert "A-0001" in play.cli("outbox", "list", "--status", "delivered").out


def test_an_empty_outbox_says_so(play: Stage) -> None:
    play.once()
    assert play.cli("outbox", "list").out == "none\n"
    assert play.cli("outbox", "list", "--json").json == []
    assert play.cli("outbox", "retry", "--all").out == "There are no dead letters.\n"
    assert play.cli("outbox", "approve", "--all").out == "Nothing is held.\n"
    assert play.cli("outbox", "discard", "--all").out == "Nothing is dead.\n"


@pytest.mark.parametrize(
    "command",
    [
        "outbox show 99",
        "outbox retry NOTHING",
        "outbox approve NOTHING",
        "outbox discard NOTHING",
        "outbox retry",
        "outbox retry A --all",
    ],
)
def test_naming_what_is_not_there_is_the_users_mistake_with_a_hint(play: Stage, command: str) -> None:
    play.once()
    said = play.cli(*command.split())
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert said.err.splitlines()[-1].startswith("  try: ")


@pytest.mark.parametrize(
    "command",
    [
        "outbox show 99999999999999999999",
        "outbox show 0",
        "outbox list --limit -5",
        "outbox list --limit 99999999999999999999",
        "outbox history A --limit 0",
    ],
)
def test_a_number_out_of_range_is_the_users_mistake(play: Stage, command: str) -> None:
    play.once()
    said = play.cli(*command.split())
    assert said.code == 2
    assert "is not in the range" in said.err


@pytest.mark.parametrize("options", ["--seconds -1", "--seconds 0", "--cards 0", "--cards -1"])
def test_a_demo_of_nothing_is_refused(play: Stage, options: str) -> None:
    said = play.cli("demo", "--folder", str(play.folder / "demo"), *options.split(), config=False)
    assert said.code == 2
    assert "is not in the range" in said.err
    assert not (play.folder / "demo").exists()


@pytest.mark.parametrize("command", ["outbox list", "outbox retry --all", "pause quantities", "outbox history A"])
def test_looking_into_a_state_that_does_not_exist_yet_says_what_to_try(play: Stage, command: str) -> None:
    said = play.cli(*command.split())
    assert said.code == 1
    assert "There is no state file" in said.err
    assert "try: Start the agent first" in said.err
    assert not play.state.exists()


def test_without_any_configuration_the_program_says_how_to_begin(play: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    (play.folder / "empty").mkdir()
    monkeypatch.chdir(play.folder / "empty")
    said = play.cli("status", config=False)
    assert said.code == 2
    assert "try: Copy config/prestashop.example.toml" in said.err
    assert "pohoda-agent demo" in said.err


def test_configurations_are_found_in_the_folder_config_and_several_must_be_named(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (play.folder / "config").mkdir()
    (play.folder / "config" / "one.toml").write_bytes(play.config.read_bytes())
    monkeypatch.chdir(play.folder)
    assert "NOT RUNNING" in play.cli("status", config=False).out
    other = play.config.read_text(encoding="utf-8").replace(play.shop.url, "https://other.example")
    (play.folder / "config" / "two.toml").write_text(other.replace("state.db", "other.db"), encoding="utf-8")
    assert play.cli("status", config=False).out.count("NOT RUNNING") == 2
    said = play.cli("plan", config=False)
    assert said.code == 2
    assert "Which shop?" in said.err
    assert "two.toml" in said.err


def test_a_folder_that_cannot_hold_the_state_is_the_environments_fault(play: Stage) -> None:
    (play.folder / "file").write_text("not a folder", encoding="utf-8")
    play.configure(state__file="file/state.db")
    said = play.once()
    assert said.code == 3
    assert "try: " in said.err


def test_a_bug_is_shown_with_its_traceback_and_without_the_key(play: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"key {play.shop.key}")

    monkeypatch.setattr("agent.parts.make_shop", broken)
    said = play.cli("plan")
    assert said.code == 1
    assert "error: a bug in the agent: ZeroDivisionError" in said.err
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("  try: ")
    assert play.shop.key not in said.err
