"""`pairing`: what does not meet in a POHODA and a PrestaShop on a real socket, as table, JSON and CSV."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cli.pairing import FIELDS, SHOWN
from agent.jobs.pairing import SECTIONS
from tests.scenario.stage import ROOT, Stage


@pytest.fixture
def mixed(play: Stage) -> Stage:
    """Three pairs, and one of everything that does not meet."""
    play.both(3)
    play.card("NOVÁ", 4)
    play.card("SCHOVANÁ", 1, internet=0)
    play.card("DVAKRÁT", 1)
    play.card("dvakrát", 2)
    play.card("TRIČKO", 1)
    play.card("=1+1", 1)
    play.shop.add_product("SCHOVANÁ", 1)
    play.shop.add_product("CIZÍ", 2)
    play.shop.add_product("Dvakrát", 3)
    play.shop.add_product("TRIČKO", combinations=[("TRIČKO-S", 1), ("TRIČKO-M", 2)])
    play.shop.add_product("SHODNÝ", 1)
    play.shop.add_product("JINÝ", combinations=[("shodný", 1)])
    return play


def codes(record: Any) -> dict[str, list[str]]:  # noqa: ANN401 - parsed JSON
    return {name: [line["code"] for line in record[name]] for name in SECTIONS if record[name]}


def whole(folder: Path) -> dict[str, bytes]:
    """The files of both memories and the configuration; SQLite may make its own beside them to read."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".db", ".toml"}}


def test_everything_that_does_not_meet_has_its_section(mixed: Stage) -> None:
    said = mixed.cli("pairing", "--json")
    assert said.code == 0
    assert said.json.keys() == {"target", "counts", *SECTIONS}
    assert said.json["counts"] == {"pohoda": 8, "offered": 7, "shop": 11, "paired": 4}
    assert codes(said.json) == {
        "only_in_pohoda": ["=1+1", "NOVÁ"],
        "only_in_shop": ["CIZÍ", "SCHOVANÁ", "TRIČKO-M", "TRIČKO-S"],
        "doubled_in_pohoda": ["DVAKRÁT"],
        "doubled_in_shop": ["shodný"],
        "parents": ["jiný", "TRIČKO"],
    }
    strange, hidden, *_ = said.json["only_in_shop"]
    assert tuple(strange) == FIELDS
    assert (strange["pohoda"], strange["name"], hidden["pohoda"], hidden["name"]) == (
        *("no card", ""),
        *("not ticked", "Zboží SCHOVANÁ"),
    )


def test_the_table_counts_first_and_names_the_cards(mixed: Stage) -> None:
    said = mixed.cli("pairing")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "POHODA: 8 codes, 7 on offer. Shop: 11 codes. Paired: 4."
    assert lines[1].split() == ["2", "Only", "in", "POHODA:", "on", "offer", "there,", "unknown", "to", "the", "shop"]
    assert ["NOVÁ", "Zboží", "NOVÁ"] in [line.split() for line in lines]
    assert "more: --all" not in said.out


def test_a_long_section_is_cut_unless_all_is_asked_for(play: Stage) -> None:
    for number in range(SHOWN + 5):
        play.card(f"N-{number:02d}", 1)
    cut = play.cli("pairing").out
    assert "… and 5 more: --all" in cut
    assert f"N-{SHOWN:02d}" not in cut
    everything = play.cli("pairing", "--all").out
    assert f"N-{SHOWN + 4:02d}" in everything
    assert "more: --all" not in everything


def test_nothing_is_written_anywhere_and_no_state_file_is_needed(mixed: Stage) -> None:
    before = whole(mixed.folder)
    assert mixed.cli("pairing").code == 0
    assert not mixed.state.exists()
    assert whole(mixed.folder) == before
    mixed.once()
    sent, before = len(mixed.shop.writes()), whole(mixed.folder)
    assert mixed.cli("pairing").code == 0
    assert whole(mixed.folder) == before
    assert len(mixed.shop.writes()) == sent


def test_a_code_that_moved_to_another_product_leaves_a_link_astray(play: Stage) -> None:
    first, second = play.both(2)
    play.once()
    assert codes(play.cli("pairing", "--json").json) == {}
    products = play.shop.store.tables["products"].rows
    one, two = (row for row in products.values() if row["reference"] in {first, second})
    one["reference"], two["reference"] = second, first
    record = play.cli("pairing", "--json").json
    assert codes(record) == {"links": [first, second]}
    here, there = record["links"]
    assert (here["stored"], here["link"]) == (there["link"], there["stored"])
    assert "stop the agent, move the state file away" in play.cli("pairing").out


def test_csv_opens_in_czech_excel_and_runs_nothing(mixed: Stage) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "pairing", "--csv", "-c", str(mixed.config)],
        cwd=mixed.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1250"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(b"\xef\xbb\xbfsection;code;")
    assert done.stderr == b""
    rows = list(csv.reader(io.StringIO(done.stdout.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows[0] == ["section", *FIELDS]
    assert ["only_in_pohoda", "'=1+1", "Zboží =1+1", "on offer", "", "", "", ""] in rows
    assert len(rows) == 1 + 10
    assert mixed.cli("pairing", "--csv").out == done.stdout.decode("utf-8")


def test_json_and_csv_at_once_is_refused(play: Stage) -> None:
    assert play.cli("pairing", "--csv", "--json").code == 2


@pytest.mark.parametrize("side", ["shop", "pohoda"])
def test_a_side_that_cannot_be_read_is_no_answer(mixed: Stage, side: str) -> None:
    if side == "shop":
        mixed.shop.down = True
    else:
        mixed.sql("ALTER TABLE SKz RENAME TO Away")
    said = mixed.cli("pairing")
    assert said.code == 1
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("  try: ")


def test_it_works_beside_a_running_agent(mixed: Stage) -> None:
    with mixed.agent():
        assert mixed.cli("pairing", "--json").json["counts"]["paired"] == 4
