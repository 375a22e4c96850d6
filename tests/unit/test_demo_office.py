"""The people of the demo change what they say they change, and POHODA's export of changed cards finds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.demo import pohoda, scene
from agent.demo.office import Office
from agent.errors import ConfigError

LONG_AGO = datetime(2026, 1, 1)  # noqa: DTZ001 - POHODA's times are local


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    pohoda.create(tmp_path / "pohoda.db", cards=40, catalogue=True, documents=tmp_path / "Dokumenty")
    with closing(sqlite3.connect(tmp_path / "pohoda.db")) as db, db:
        db.execute("UPDATE SKz SET DatSave = '2000-01-01 00:00:00'")
    with closing(Office(tmp_path / "pohoda.db", tmp_path / "Dokumenty")) as made:
        yield made


def table(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "pohoda.db")) as db:
        return db.execute(sql).fetchall()


def test_each_piece_of_work_touches_one_card_which_the_next_export_holds(office: Office, tmp_path: Path) -> None:
    done = 0
    for work in (office.reprice, office.rewrite, office.add_picture, office.turn_pictures, office.remove_picture):
        before = {card: row for card, *row in table(tmp_path, "SELECT * FROM SKz")}
        hung = set(table(tmp_path, "SELECT * FROM SkRefObraz"))
        work()
        changed = {card for card, *row in table(tmp_path, "SELECT * FROM SKz") if before[card] != row}
        turned = hung ^ set(table(tmp_path, "SELECT * FROM SkRefObraz"))
        assert changed | {row[2] for row in turned} <= set(office.changed(LONG_AGO))
        assert bool(turned) == ("picture" in work.__name__)
        done = max(done, len(office.changed(LONG_AGO)))
    assert 1 <= done <= 5


def test_prices_move_in_small_steps_and_stay_consistent_with_vat(office: Office, tmp_path: Path) -> None:
    before = dict(table(tmp_path, "SELECT ID, ProdejKc FROM SKz"))
    for _ in range(10):
        office.reprice()
    rows = table(tmp_path, "SELECT ID, ProdejKc, ProdejDPH, RelDPHp FROM SKz")
    assert sum(net != before[card] for card, net, _, _ in rows) > 3
    for card, net, gross, kind in rows:
        assert net > before[card] * 0.7, "the guard would count it"
        assert gross / net == pytest.approx(1.21 if kind == 2 else 1.12, rel=0.001)


def test_a_new_card_is_complete_with_a_picture_whose_file_is_there(office: Office, tmp_path: Path) -> None:
    codes = [office.new_card(), office.new_card()]
    assert len(set(codes)) == 2
    found = table(
        tmp_path,
        "SELECT c.IDS, c.IObchod, c.StavZ, p.Soubor, p.Vychozi FROM SKz c JOIN SkRefObraz p ON p.RefAg = c.ID"
        " WHERE c.IDS LIKE 'NOVY-%' ORDER BY c.ID",
    )
    assert [(code, ticked, pieces, default) for code, ticked, pieces, _, default in found] == [
        (code, 1, 12.0, 1) for code in codes
    ]
    assert all((tmp_path / "Dokumenty" / "Obrázky" / file).is_file() for *_, file, _ in found)


def test_what_was_not_saved_since_is_not_exported(office: Office) -> None:
    assert office.changed(LONG_AGO) == []
    office.rewrite()
    assert len(office.changed(LONG_AGO)) == 1
    assert office.changed(datetime(2999, 1, 1)) == []  # noqa: DTZ001 - as above


@pytest.mark.parametrize("name", ["letters.txt", "Dokumenty/letters.txt", "export/done/letters.txt", "pictures/a.png"])
def test_the_demo_empties_no_folder_that_holds_something_of_somebody_wherever_it_lies(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine", encoding="utf-8")
    (tmp_path / "pohoda.db").write_text("the demo's", encoding="utf-8")
    with pytest.raises(ConfigError):
        scene.clear(tmp_path)
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "pohoda.db").exists()


def test_the_demo_empties_its_own_folder_with_all_that_is_in_it(tmp_path: Path) -> None:
    for name in ("pohoda.db-wal", "Dokumenty/Obrázky/ŠRO 1.png", "export/done/a.xml", "export-1234.db", "demo.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    scene.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
