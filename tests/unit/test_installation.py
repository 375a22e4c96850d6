"""What `check` tells of names, versions and movements alone: pure functions, and the same over SQLite."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from agent.app import rails
from agent.config import load
from agent.sources.connect import open_database
from agent.sources.datsave_probe import Told, judge, moment
from agent.sources.installation import Unit, Wanted, belongs, examine, release, unit_in
from tests.unit.pohoda_fixture import cards, do

TODAY = date(2026, 11, 22)
MORNING = datetime(2026, 11, 20)  # noqa: DTZ001 - POHODA's times are local, without offset
OLD = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001 - as above


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("StwPh_12345678_2026", Unit("12345678", 2026)),
        ("stwph_01234567_2025", Unit("01234567", 2025)),
        (r"\\SERVER\POHODA\Data\StwPh_12345678_2026.mdb", Unit("12345678", 2026)),
        ("/srv/pohoda/12345678_2026.MDB", Unit("12345678", 2026)),
        ("StwPh_Novak.mdb", None),
        ("StwPh_12345678_2026_kopie", None),
        ("StwPh_sys", None),
        ("", None),
    ],
)
def test_a_name_tells_ico_and_year_or_nothing(name: str, unit: Unit | None) -> None:
    assert unit_in(name) == unit


def test_only_what_is_configured_is_compared() -> None:
    ours = Unit("12345678", 2026)
    for ico, year, verdict in (
        (None, None, "ok"),
        ("12345678", None, "ok"),
        (None, 2025, "error"),
        ("1", 2026, "error"),
    ):
        assert belongs("x", ours, Wanted("x", ico=ico, year=year)).verdict == verdict


@pytest.mark.parametrize(
    ("version", "said", "verdict"),
    [
        ("16.0.1000.6", "SQL Server 2022", "ok"),
        ("11.0.2100.60", "SQL Server 2012", "ok"),
        ("10.0.1600.22", "SQL Server 2008 ", "warning"),
        ("9.00.1399.06", "SQL Server 2005", "warning"),
        ("99.1", "SQL Server (99.1", "ok"),
        ("", "SQL Server (", "ok"),
    ],
)
def test_a_release_is_named_and_an_old_one_is_a_warning(version: str, said: str, verdict: str) -> None:
    found = release(version, "Express Edition")
    assert (found.text.startswith(said), found.verdict) == (True, verdict)


def test_movements_younger_than_their_cards_show_that_datsave_stands_still() -> None:
    told = judge([(card, MORNING) for card in range(10)], dict.fromkeys(range(10), OLD), TODAY)
    assert told == Told("still", judged=10, left=10, cards=10, kept=0)


def test_many_movements_of_two_cards_tell_nothing() -> None:
    moved = [(card % 2, MORNING) for card in range(100)]
    assert judge(moved, dict.fromkeys(range(2), OLD), TODAY).verdict == "unknown"


def test_cards_saved_later_on_the_same_day_kept_up_but_one_day_may_be_a_mass_change() -> None:
    on_days = [(card, MORNING - timedelta(days=card % 3)) for card in range(12)]
    saved = {card: when + timedelta(hours=11) for card, when in on_days}
    assert judge(on_days, saved, TODAY).verdict == "moves"
    one_day = [(card, MORNING) for card in range(12)]
    assert judge(one_day, dict.fromkeys(range(12), MORNING + timedelta(hours=11)), TODAY).verdict == "unknown"


def test_cards_saved_by_an_import_after_all_movements_tell_nothing() -> None:
    moved = [(card, OLD) for card in range(50)]
    assert judge(moved, dict.fromkeys(range(50), MORNING), TODAY) == Told("unknown", 50, 0, 0, 0)


def test_a_document_dated_ahead_is_left_out() -> None:
    ahead = datetime(2026, 12, 24)  # noqa: DTZ001 - as above
    assert judge([(card, ahead) for card in range(50)], dict.fromkeys(range(50), MORNING), TODAY).judged == 0


def test_a_few_documents_dated_late_do_not_make_it_stand_still() -> None:
    late = [(card, MORNING) for card in range(100)]
    saved = {card: OLD if card < 4 else MORNING + timedelta(hours=card % 9) for card in range(100)}
    assert judge(late, saved, TODAY).verdict == "unknown"


@pytest.mark.parametrize("value", [None, "", "yesterday", 5, b"\0"])
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment(value) is None


def test_times_are_read_as_each_driver_gives_them() -> None:
    assert moment("2026-11-20") == moment(date(2026, 11, 20)) == moment(MORNING) == moment("2026-11-20 00:00:00.000000")


def test_over_sqlite_the_probe_tells_the_same(tmp_path: Path) -> None:
    path = cards(tmp_path / "StwPh_12345678_2026.db", 10)
    do(path, "UPDATE SKz SET DatSave = '2026-03-01 09:30:00'")
    do(path, "INSERT INTO SKzPoh (RefSKz, Datum) SELECT ID, '2026-03-02' FROM SKz")
    do(path, "INSERT INTO SKzPoh (RefSKz, Datum) VALUES (NULL, NULL), (77, '2026-03-02'), (1, 'x')")
    found = examine(open_database(str(path)), Wanted(str(path), ico="12345678", year=2025))
    assert [(each.verdict, each.subject) for each in found.findings] == [
        *(("ok", "POHODA"), ("error", "database"), ("ok", "DatSave"))
    ]
    assert "of the 10 newest movements 10 (of 10 cards) left DatSave behind" in found.findings[2].text


@pytest.mark.parametrize("change", ["DROP TABLE SKzPoh", "ALTER TABLE SKz DROP COLUMN DatSave", "DROP TABLE SKz"])
def test_without_the_tables_or_columns_the_probe_says_so(tmp_path: Path, change: str) -> None:
    path = cards(tmp_path / "pohoda.db", 3)
    do(path, change)
    (_, told) = examine(open_database(str(path)), Wanted(str(path))).findings
    assert (told.verdict, told.subject) == ("ok", "DatSave")
    assert "quantities are found without it" in told.text


def test_a_database_that_cannot_be_opened_is_the_only_finding(tmp_path: Path) -> None:
    found = examine(open_database(str(tmp_path / "none.db")), Wanted("none.db"))
    assert [(each.verdict, each.subject) for each in found.findings] == [("error", "POHODA")]
    assert not found.usable


def test_two_shops_of_one_pohoda_share_its_lock_however_it_is_written(tmp_path: Path) -> None:
    cards(tmp_path / "pohoda.db", 1)
    texts = ("pohoda.db", "./x/../pohoda.db", f"sqlite:///{(tmp_path / 'pohoda.db').as_posix()}")
    locks: dict[str, threading.RLock] = {}
    for number, text in enumerate(texts):
        shop = f'[shop]\nname = "s"\nkind = "prestashop"\nurl = "https://{number}.example"\nkey = "k"\n'
        rest = (
            f'[state]\nfile = "{number}.state"\n[pohoda]\ndatabase = "{text}"\n[targets.quantities]\ndeduct = "none"\n'
        )
        (tmp_path / f"{number}.toml").write_text(shop + rest, encoding="utf-8")
        (config,) = load([tmp_path / f"{number}.toml"], {})
        rails(config, locks).close()
    assert len(locks) == 1
