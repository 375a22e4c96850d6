"""The shop kept from POHODA's exports alone: files come into a folder, the real agent takes them in and sends."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.demo import export
from state import mirror
from tests.scenario.stage import SOON, Stage
from tests.scenario.test_catalogue import Catalogue
from tests.unit.list_documents import categories, category, order, orders, parameters, supplied, suppliers, whole


class Exported(Catalogue):
    """The catalogue of the other scenarios, told by exports; the agent does not know the database."""

    def __init__(self, play: Stage) -> None:
        super().__init__(play)
        text = play.config.read_text(encoding="utf-8")
        text = text.replace('database = "pohoda.db"', 'export_directory = "export"\nico = "12345678"')
        text = text.replace('poll = "100ms"', 'poll = "100ms"\nsource = "export"')
        play.config.write_text(text, encoding="utf-8")
        self.folder = play.folder / "export"
        self.folder.mkdir()
        self._number = 0

    def tell(self, *codes: str, name: str = "", data: bytes = b"") -> Path:
        """Export these cards, or all; as a program that writes under another name and renames."""
        self._number += 1
        ids = [row for code in codes for (row,) in self.play.sql("SELECT ID FROM SKz WHERE TRIM(IDS) = ?", code)]
        stamp = f"2026-11-20T08:00:{self._number:02d}"
        data = data or export.document(self.play.database, ids=ids if codes else None, stamp=stamp)
        path = self.folder / (name or f"export {self._number}.xml")
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.replace(path)
        return path

    def status(self) -> Any:  # noqa: ANN401 - the record of the command
        said = self.play.cli("status", "--json").json
        return (said[0] if isinstance(said, list) else said)["exports"]


@pytest.fixture
def exported(play: Stage) -> Exported:
    return Exported(play)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_everything_arrives_from_one_export_and_what_is_missing_is_created_once(exported: Exported) -> None:
    exported.tell()
    said = exported.play.once()
    assert said.code == 0, said.all
    assert exported.differences() == []
    assert names(exported.folder / "done") == ["export 1.xml"]
    (last,) = exported.status()
    assert (last["outcome"], last["looked"], last["to_go"]) == ("done", 12, 0)


def test_without_an_export_nothing_is_sent_and_it_is_said_what_to_do(exported: Exported) -> None:
    said = exported.play.once()
    assert said.code != 0
    assert "No export of POHODA" in said.all
    assert "export_directory" in said.all
    assert exported.play.shop.creations() == []


def test_an_export_of_the_changed_cards_changes_only_those(exported: Exported) -> None:
    play = exported.play
    exported.tell()
    assert play.once().code == 0
    code, other = exported.codes[:2]
    play.sql("UPDATE SKz SET StavZ = 4, Nazev = 'Židle žlutá' WHERE TRIM(IDS) = ?", code)
    play.sql("UPDATE SKz SET StavZ = 3 WHERE TRIM(IDS) = ?", other)
    writes = len(play.shop.writes())
    exported.tell(code)
    assert play.once().code == 0
    assert [line.split()[0] for line in exported.differences()] == [other], "nobody told of it"
    assert len(play.shop.writes()) > writes
    exported.tell(other)
    assert play.once().code == 0
    assert exported.differences() == []


def test_the_same_content_under_another_name_changes_nothing(exported: Exported) -> None:
    first = exported.tell()
    data = first.read_bytes()
    assert exported.play.once().code == 0
    writes = len(exported.play.shop.writes())
    exported.tell(name="copy.xml", data=data)
    assert exported.play.once().code == 0
    assert len(exported.play.shop.writes()) == writes
    assert names(exported.folder / "done") == ["copy.xml", "export 1.xml"]


def test_a_new_content_under_the_same_name_is_another_document(exported: Exported) -> None:
    exported.tell(name="zasoby.xml")
    assert exported.play.once().code == 0
    exported.play.sql("UPDATE SKz SET StavZ = 2")
    exported.tell(name="zasoby.xml")
    assert exported.play.once().code == 0
    assert exported.differences() == []
    assert names(exported.folder / "done") == ["zasoby (2).xml", "zasoby.xml"]


def test_of_two_exports_at_once_the_later_one_counts(exported: Exported) -> None:
    older = exported.tell(name="b.xml")
    exported.play.sql("UPDATE SKz SET StavZ = 2")
    newer = exported.tell(name="a.xml")
    os.utime(older, (time.time(), time.time() + 5))  # copied later
    assert older.stat().st_mtime > newer.stat().st_mtime
    assert exported.play.once().code == 0
    assert exported.differences() == []


def test_an_export_that_was_overtaken_is_set_aside(exported: Exported) -> None:
    exported.tell()
    assert exported.play.once().code == 0
    old = export.document(exported.play.database, stamp="2026-11-20T06:00:00")
    exported.play.sql("UPDATE SKz SET StavZ = 2")
    exported.tell()
    exported.tell(name="old.xml", data=old)
    exported.play.once()
    assert exported.differences() == []
    assert names(exported.folder / "quarantine") == ["old.xml", "old.xml.reason.txt"]
    assert "outdated" in (exported.folder / "quarantine" / "old.xml.reason.txt").read_text(encoding="utf-8")


def test_an_export_made_without_pictures_and_prices_leaves_them_as_they_are(exported: Exported) -> None:
    exported.tell()
    assert exported.play.once().code == 0
    exported.play.sql("UPDATE SKz SET StavZ = 3")
    data = export.document(exported.play.database, stamp="2026-11-20T08:00:30")
    data, count = re.subn(rb"<stk:(pictures|stockPriceItem)>.*?</stk:\1>", b"", data, flags=re.DOTALL)
    assert count == 24
    exported.tell(data=data)
    said = exported.play.once()
    assert said.code == 0, said.all
    assert exported.differences() == []


def test_lists_of_all_kinds_are_taken_in_and_no_card_is_too_old_for_them(exported: Exported) -> None:
    lists = (
        categories(category(1, "Nábytek", category(2, "Židle")), stamp="2026-11-20T12:00:00"),
        parameters(stamp="2026-11-20T12:00:00"),
        suppliers(supplied(1, exported.codes[0], (7, "Dřevo", "D-1", True)), stamp="2026-11-20T12:00:00"),
        orders(order(1, "E1"), stamp="2026-11-20T12:00:00"),
    )
    exported.tell()
    exported.tell(name="seznamy.xml", data=whole(*lists))
    assert exported.play.once().code == 0
    exported.play.sql("UPDATE SKz SET StavZ = 2")
    exported.tell()
    assert exported.play.once().code == 0
    assert exported.differences() == []
    assert names(exported.folder / "done") == ["export 1.xml", "export 3.xml", "seznamy.xml"]
    (config,) = load([exported.play.config])
    assert config.mirror is not None
    with closing(mirror.open_mirror_inspector(config.mirror)) as file, file.read() as db:
        assert db.execute("SELECT IDS, RefNodeID FROM SkKat ORDER BY ID").fetchall() == [("Nábytek", 0), ("Židle", 1)]
        assert db.execute("SELECT RefAg, Firma FROM SKzNC").fetchall() == [(1, "Dřevo")]
        assert db.execute("SELECT PDoklad FROM OBJ").fetchall() == [("E1",)]


def test_a_file_of_another_company_is_set_aside_and_the_next_one_is_taken(exported: Exported) -> None:
    foreign = export.document(exported.play.database, stamp="2026-11-20T07:59:00", ico="87654321")
    exported.tell(name="a.xml", data=foreign)
    exported.tell(name="b.xml")
    assert exported.play.once().code == 0
    assert exported.differences() == []
    assert names(exported.folder / "quarantine") == ["a.xml", "a.xml.reason.txt"]


def test_a_card_that_is_unticked_goes_to_zero_and_is_hidden(exported: Exported) -> None:
    exported.tell()
    assert exported.play.once().code == 0
    code = exported.codes[3]
    exported.play.sql("UPDATE SKz SET IObchod = 0 WHERE TRIM(IDS) = ?", code)
    exported.tell(code)
    assert exported.play.once().code == 0
    assert exported.play.shop.quantities()[code] == 0
    assert exported.shown(code).fields["visible"] is False


def test_plan_and_explain_read_what_was_exported(exported: Exported) -> None:
    exported.tell()
    assert exported.play.once().code == 0
    assert exported.play.cli("explain", exported.codes[0]).code == 0
    for target in ("quantities", "products", "prices"):
        said = exported.play.cli("plan", "--target", target, "--json")
        assert said.code in {0, 1}, said.all
        json.loads(said.out)


def test_check_tells_of_the_directory_and_what_was_taken_in(exported: Exported) -> None:
    said = exported.play.cli("check")
    assert "nothing was taken in yet" in said.out
    exported.tell()
    assert exported.play.once().code == 0
    said = exported.play.cli("check")
    assert "last: export 1.xml" in said.out, said.out
    assert "12 items" in said.out


def test_a_running_agent_takes_what_comes_at_once(exported: Exported) -> None:
    play = exported.play
    exported.tell()
    assert play.once().code == 0
    with play.agent() as agent:
        play.sql("UPDATE SKz SET StavZ = 1")
        exported.tell()
        play.until(lambda: not exported.differences(), SOON, agent=agent)


def test_a_document_whose_file_was_taken_away_holds_nothing_up(exported: Exported) -> None:
    play = exported.play
    exported.tell()
    assert play.once().code == 0
    (config,) = load([play.config])
    assert config.mirror is not None
    with closing(mirror.open_mirror(config.mirror, stamp="")) as file, file.write() as db:
        gone = ("ff", "gone.xml", 9, "")
        mirror.move(db, gone, offset=1, part=0, looked=1, changed=0, bad=0, cards=1, now=time.time())
    play.sql("UPDATE SKz SET StavZ = 2")
    exported.tell()
    assert play.once().code == 0
    assert exported.differences() == []
