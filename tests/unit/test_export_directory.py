"""The export directory takes each document once, whole, in its order, and goes on at any place after a crash."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from agent.errors import SourceUnavailable
from agent.pohoda.card import StockItem
from agent.pohoda.parser import parse
from agent.sources.export_directory import ExportDirectory, Place
from tests.pohoda.documents import card, pack, pack_item, stock_list
from tests.pohoda.test_samples import sample
from tests.unit.export_fixture import Office, document

CODES = [f"Z{number:03}" for number in range(25)]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_document_is_taken_in_and_lies_in_done(office: Office) -> None:
    raw = document("A", "B")
    office.put("export.xml", raw)
    office.work()
    assert office.got == ["A", "B"]
    assert (office.names(), office.names("work"), office.names("done")) == (set(), set(), {"export.xml"})
    assert (office.folder / "done" / "export.xml").read_bytes() == raw
    (end,) = office.ends
    assert (end.document.name, end.document.size, end.document.stamp) == ("export.xml", len(raw), "2026-11-20T08:00:01")
    assert (end.looked, end.cards, end.problem, end.duplicate) == (2, 2, None, False)


def test_nothing_is_taken_before_two_scans_saw_it_alike(office: Office) -> None:
    office.put("export.xml", document("A"), age=3600.0)
    assert office.step() is None
    office.now += 0.9
    assert office.step() is None
    office.now += 0.2
    assert office.step() is not None


def test_a_file_that_grows_is_taken_when_it_is_finished(office: Office) -> None:
    raw = document(*CODES)
    for length in range(100, len(raw), 400):
        office.put("export.xml", raw[:length])
        office.now += 1.0
        assert office.step() is None
    office.now += 30.0  # the writer rests: what is there does not close
    assert office.step() is None
    office.put("export.xml", raw)
    office.work()
    assert office.got == CODES


def test_documents_that_wait_together_come_in_the_order_of_their_times(office: Office) -> None:
    office.put("a.xml", document("NEWER", stamp="2026-11-20T08:00:03"), age=9.0)
    office.put("b.xml", document("OLDER", stamp="2026-11-20T08:00:01"), age=1.0)
    office.put("c.xml", document("BETWEEN", stamp="2026-11-20T08:00:02"), age=5.0)
    office.work()
    assert office.got == ["OLDER", "BETWEEN", "NEWER"]


def test_documents_without_a_time_come_in_the_order_of_their_changes_then_names(office: Office) -> None:
    office.put("c.xml", document("SECOND", stamp=""), age=5.0)
    office.put("b.xml", document("THIRD", stamp=""), age=5.0 - 1e-3)
    office.put("a.xml", document("FIRST", stamp=""), age=9.0)
    office.put("d.xml", document("FOURTH", stamp=""), age=5.0 - 1e-3)
    office.work()
    assert office.got == ["FIRST", "SECOND", "THIRD", "FOURTH"]


def test_the_same_content_under_a_new_name_is_not_taken_in_again(office: Office) -> None:
    office.put("export.xml", document("A"))
    office.work()
    office.put("copy of export.xml", document("A"))
    office.restart()
    office.work()
    assert office.got == ["A"]
    assert [end.duplicate for end in office.ends] == [False, True]
    assert office.names("done") == {"export.xml", "copy of export.xml"}


def test_new_content_under_the_same_name_is_another_document(office: Office) -> None:
    for code in ("A", "B", "C"):
        office.put("export.xml", document(code))
        office.work()
    assert office.got == ["A", "B", "C"]
    assert len(office.names("done")) == 3


def test_the_same_name_may_come_again_while_the_old_one_is_worked_off(office: Office) -> None:
    office.put("export.xml", document(*CODES))
    office.step()
    office.now += 2.0
    assert office.step(limit=10) is not None
    office.put("export.xml", document("NEW", stamp="2026-11-20T09:00:00"))
    office.work(limit=10)
    assert office.got == [*CODES, "NEW"]


def test_items_that_are_known_are_looked_at_and_not_parsed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.put("first.xml", document("A", "B", "C"))
    office.work()
    parsed: list[int] = []
    monkeypatch.setattr("agent.pohoda.elements.parse", _counting(parsed))
    office.put("second.xml", document("A", "B", "NEW", "C", stamp="2026-11-20T09:00:00"))
    office.work()
    assert office.got == ["A", "B", "C", "NEW"]
    assert office.ends[1].looked == 4
    assert sum(parsed) == 1


def _counting(parsed: list[int]) -> Callable[[bytes], object]:
    def counted(raw: bytes) -> object:
        root = parse(raw)
        parsed.append(len(root))
        return root

    return counted


@pytest.mark.parametrize("limit", [1, 3, 24, 25, 26])
def test_after_a_crash_at_any_chunk_it_goes_on_there_and_nothing_is_lost_or_doubled(office: Office, limit: int) -> None:
    office.put("export.xml", document(*CODES))
    office.step()
    office.now += 2.0
    for _ in range(len(CODES) // limit + 2):
        lost = office.read(limit)  # read, and the process dies before its rows are durable
        office.restart()
        if lost is None:
            break
        taken = office.read(limit)
        assert taken is not None
        office.keep(taken)  # durable, and the process dies before the directory hears of it
        office.restart()
    assert office.got == CODES
    office.work()
    assert office.got == CODES
    assert office.names("done") == {"export.xml"}


def test_what_was_done_and_not_moved_is_only_moved(office: Office) -> None:
    office.put("export.xml", document("A"))
    office.step()
    office.now += 2.0
    taken = office.read()
    assert taken is not None
    office.keep(taken)
    office.restart()
    office.work()
    assert office.got == ["A"]
    assert [end.duplicate for end in office.ends] == [False, True]
    assert (office.names("work"), office.names("done")) == (set(), {"export.xml"})


def test_a_place_in_another_content_is_not_gone_on_from(office: Office) -> None:
    office.place = Place("0" * 64, "export.xml", offset=900)
    office.put("export.xml", document(*CODES))
    office.work()
    assert office.got == CODES


def test_a_file_without_a_hash_in_work_is_hashed_and_taken_first(office: Office) -> None:
    office.put("waiting.xml", document("LATER", stamp="2026-11-20T07:00:00"))
    (office.folder / "work").mkdir()
    office.put("work/left.xml", document("LEFT", stamp="2026-11-20T08:00:00"))
    office.work()
    assert office.got == ["LEFT", "LATER"]
    assert office.names("done") == {"left.xml", "waiting.xml"}


def test_chunks_that_were_not_taken_in_come_again(office: Office) -> None:
    office.put("export.xml", document(*CODES))
    office.step()
    office.now += 2.0
    office.step(limit=10)
    lost = office.read(limit=10)
    again = office.read(limit=10)
    assert lost is not None
    assert again is not None
    assert lost.items == again.items
    office.keep(again)
    office.work(limit=10)
    assert office.got == CODES


def test_a_bad_item_leaves_its_neighbours_unharmed(office: Office) -> None:
    cards = [card("A"), card("B", "<stk:count>many</stk:count>"), card("C", "&nobody;"), card("D")]
    office.put("export.xml", pack(pack_item(stock_list(cards))).encode("cp1250"))
    office.work()
    (end,) = office.ends
    assert office.got == ["A", "D"]
    assert [(bad.code, bad.problem.reason) for bad in end.bad] == [("B", "field"), ("", "malformed")]
    assert (end.looked, end.problem, office.names("done")) == (4, None, {"export.xml"})


def test_a_file_that_a_scanner_holds_waits_and_is_named(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(path: Path) -> None:
        raise PermissionError(13, "The process cannot access the file", str(path))

    office.put("export.xml", document("A"))
    with monkeypatch.context() as scanner:
        scanner.setattr("agent.sources.export_files.opens_alone", held)
        office.work()
        assert (office.got, office.directory.waiting().held) == ([], ("export.xml",))
    office.work()
    assert (office.got, office.directory.waiting().held) == (["A"], ())


def test_a_file_that_cannot_leave_work_is_moved_later_and_not_taken_in_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def held(source: Path, target: Path) -> None:
        if "done" in Path(target).parts:
            raise PermissionError(13, "The process cannot access the file", str(source))
        real(source, target)

    office.put("export.xml", document("A"))
    with monkeypatch.context() as scanner:
        scanner.setattr("agent.sources.export_files.os.replace", held)
        office.work()
        office.put("next.xml", document("B", stamp="2026-11-20T09:00:00"))
        office.work()
        assert office.got == ["A", "B"]
        assert len(office.names("work")) == 2
    office.work()
    assert office.got == ["A", "B"]
    assert office.names("done") == {"export.xml", "next.xml"}
    assert not any(end.duplicate for end in office.ends)


def test_a_directory_that_is_away_is_said_with_a_hint_and_taken_up_again(office: Office, tmp_path: Path) -> None:
    office.folder = tmp_path / "share"
    office.restart()
    with pytest.raises(SourceUnavailable) as away:
        office.step()
    assert "export_directory" in away.value.hint
    office.folder.mkdir()
    office.put("export.xml", document("A"))
    office.work()
    assert office.got == ["A"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not move a folder in which a file is open")
def test_a_share_that_vanishes_amid_reading_is_gone_on_with_at_the_place(office: Office, tmp_path: Path) -> None:
    office.folder = tmp_path / "share"
    office.folder.mkdir()
    office.restart()
    office.put("export.xml", document(*CODES))
    office.step()
    office.now += 2.0
    office.step(limit=10)
    office.directory.close()
    shutil.move(office.folder, tmp_path / "gone")
    with pytest.raises(SourceUnavailable):
        office.step(limit=10)
    shutil.move(tmp_path / "gone", office.folder)
    office.work(limit=10)
    assert office.got == CODES


def test_a_read_that_breaks_off_within_a_chunk_loses_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.pohoda.markup._CHUNK", 512)  # so that a small document takes several reads
    monkeypatch.setattr("agent.pohoda.pack._HEAD", 2048)
    office.put("export.xml", document(*CODES))
    office.step()
    office.now += 2.0
    office.step(limit=5)
    real, calls = Path.open, 0

    def opened(path: Path, mode: str = "r") -> IO[bytes]:
        nonlocal calls
        calls += 1
        assert mode == "rb"
        file = real(path, "rb")
        if path.parent.name != "work" or calls < 3:
            return file
        return _Breaking(file)  # type: ignore[return-value]  # all that is asked of a file here

    office.directory.close()
    with monkeypatch.context() as share:
        share.setattr(Path, "open", opened)
        with pytest.raises(SourceUnavailable):
            office.step(limit=20)
    office.work(limit=20)
    assert office.got == CODES


class _Breaking:
    """A file on a share that goes away after one read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._reads = file, 0

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        if self._reads > 1:
            raise OSError(116, "Stale file handle")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def __enter__(self) -> _Breaking:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_what_is_no_document_by_its_name_or_kind_is_left_where_it_is(office: Office, tmp_path: Path) -> None:
    ignored = {".hidden.xml", "~lock.xml", "export.xml.part", "export.tmp", "export.xml.crdownload", "list.csv"}
    for name in ignored:
        office.put(name, document("A"))
    (office.folder / "folder.xml").mkdir()
    office.work(seconds=70.0)
    assert (office.got, office.names()) == ([], ignored)


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    office = Office(tmp_path / "exports")
    outside = tmp_path / "outside.xml"
    outside.write_bytes(document("SECRET"))
    try:
        (office.folder / "link.xml").symlink_to(outside)
    except OSError:
        pytest.skip("this account may not make links")
    office.work(seconds=70.0)
    assert office.got == []
    assert outside.read_bytes() == document("SECRET")


def test_done_is_forgotten_after_its_time_and_quarantine_is_not(office: Office) -> None:
    office.put("good.xml", document("A"))
    office.put("bad.xml", b"no xml at all")
    office.work(seconds=70.0)
    kept = (office.folder / "done" / "good.xml").stat().st_mtime
    assert office.directory.prune(kept + 7 * 86_400.0 - 1.0) == 0
    assert office.directory.prune(kept + 7 * 86_400.0 + 1.0) == 1
    assert (office.names("done"), "bad.xml" in office.names("quarantine")) == (set(), True)


def test_check_says_what_is_wrong_and_never_raises(office: Office, tmp_path: Path) -> None:
    office.put("export.xml", document("A"))
    assert {one.verdict for one in office.directory.check()} == {"ok"}
    assert office.names() == {"export.xml"}
    (finding,) = ExportDirectory(tmp_path / "nowhere").check()
    assert (finding.verdict, bool(finding.hint)) == ("error", True)


SAMPLES = {"18": 2, "20": 5, "21": 0, "22": 1, "24": 3, "25": 1, "27": 3, "38": 4, "02": 0, "03": 6}


@pytest.mark.parametrize("number", SAMPLES)
def test_every_list_that_pohoda_writes_is_taken(office: Office, number: str) -> None:
    directory = ExportDirectory(office.folder, clock=lambda: office.now)  # the real ones are of other companies
    office.directory = directory
    office.put("sample.xml", sample(number).read_bytes())
    office.work()
    (end,) = office.ends
    assert (end.problem, end.bad, end.looked) == (None, (), SAMPLES[number])
    assert office.names("done") == {"sample.xml"}


def test_cards_come_as_they_were_read(office: Office) -> None:
    office.put("export.xml", document("A", inside="<stk:count>12.5</stk:count>"))
    office.step()
    office.now += 2.0
    taken = office.step()
    assert taken is not None
    assert isinstance(taken.items[0].value, StockItem)
    assert len(taken.items[0].digest) == 16
