"""Days on which the directory must lose nothing and stop for nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import SourceUnavailable
from state.errors import StateError
from tests.unit.export_fixture import Office, document
from tests.unit.test_export_directory import CODES


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "exports").mkdir()
    return Office(tmp_path / "exports")


def test_items_are_not_lost_when_the_mirror_cannot_be_asked(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.put("export.xml", document(*CODES))
    office.step()
    office.now += 2.0
    office.step(limit=5)

    def locked(self: Office, digests: Sequence[bytes]) -> set[bytes]:
        raise StateError("The database is locked.", hint="")

    with monkeypatch.context() as mirror:
        mirror.setattr(Office, "known", locked)
        with pytest.raises(StateError):
            office.step(limit=5)
    office.work(limit=5)
    assert office.got == CODES


@pytest.mark.skipif(sys.platform == "win32", reason="Windows names are Unicode")
def test_a_name_that_is_not_text_stops_nobody(office: Office) -> None:
    (office.folder / os.fsdecode(b"bad\xff.xml")).write_bytes(b"no xml")
    office.put("good.xml", document("A"))
    office.work(seconds=70.0)
    assert office.got == ["A"]
    for end in office.ends:
        end.document.name.encode()


def test_a_long_name_stops_nobody(office: Office) -> None:
    office.put("x" * 245 + ".xml", document("LONG", stamp="2026-11-20T08:00:00"))
    office.put("good.xml", document("A", stamp="2026-11-20T08:00:01"))
    office.work(seconds=70.0)
    assert sorted(office.got) == ["A", "LONG"]


def test_a_long_bad_name_stops_nobody(office: Office) -> None:
    office.put("x" * 230 + ".xml", b"no xml")
    office.put("x" * 249 + ".xml", b"no xml at all")
    office.put("good.xml", document("A"))
    office.work(seconds=70.0)
    assert office.got == ["A"]
    assert office.names("work") == set()


def test_a_folder_that_is_a_link_moves_nothing_elsewhere(office: Office, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "private.xml").write_bytes(document("PRIVATE"))
    (office.folder / "work").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailable, match="link"):
        office.work()
    assert office.got == []
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["private.xml"]


def test_half_a_file_tells_nothing(office: Office) -> None:
    office.put("half.xml", document(*CODES)[:-100])
    office.work(seconds=70.0)
    assert office.got == []


def test_an_older_file_that_a_scanner_holds_is_not_overtaken(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"older.xml"}

    def opens(path: Path) -> None:
        if path.name in held:
            raise PermissionError(13, "in use", str(path))

    monkeypatch.setattr("agent.sources.export_files.opens_alone", opens)
    office.put("older.xml", document("OLDER", stamp="2026-11-20T08:00:00"), age=9.0)
    office.put("newer.xml", document("NEWER", stamp="2026-11-20T08:05:00"), age=2.0)
    office.work(seconds=10.0)
    held.clear()
    office.work(seconds=10.0)
    assert office.got == ["OLDER", "NEWER"]


def test_a_held_file_holds_up_the_others_for_a_minute_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def opens(path: Path) -> None:
        if path.name == "held.xml":
            raise PermissionError(13, "in use", str(path))

    monkeypatch.setattr("agent.sources.export_files.opens_alone", opens)
    office.put("held.xml", document("HELD", stamp="2026-11-20T08:00:00"), age=9.0)
    office.put("newer.xml", document("NEWER", stamp="2026-11-20T08:05:00"), age=2.0)
    office.work(seconds=70.0)
    assert office.got == ["NEWER"]


def test_a_large_chunk_ends_before_its_limit(office: Office) -> None:
    office.put("large.xml", document(*CODES, inside=f"<stk:note>{'x' * 2**20}</stk:note>"))
    office.step()
    office.now += 2.0
    taken = office.step(limit=25)
    assert taken is not None
    assert taken.looked < 25


def test_a_file_that_changes_while_it_is_moved_is_not_read_yet(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real, raw = os.replace, document(*CODES)

    def growing(source: Path, target: Path) -> None:
        real(source, target)
        if Path(source) == office.folder / "export.xml" and "NEW" not in office.got:
            office.got.append("NEW")  # once
            Path(target).write_bytes(raw[:-200])

    office.put("export.xml", document("A"))
    with monkeypatch.context() as writer:
        writer.setattr("agent.sources.export_files.os.replace", growing)
        office.work(seconds=3.0)
    left = list(office.folder.rglob("*.xml"))
    assert len(left) == 1
    assert "quarantine" not in left[0].parts
    left[0].write_bytes(raw)  # the writer finishes through the handle that it has
    office.work(seconds=10.0)
    assert office.got == ["NEW", *CODES]
