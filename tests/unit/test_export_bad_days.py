"""Bad files end in quarantine, each with its own reason, and the good ones beside them are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pohoda.test_bad_files import BAD
from tests.unit.export_fixture import Office, document

OF_ONE_ITEM = {"re-saved texts", "a deep one", "a huge one", "crossed tags"}
"""These may spoil a single item only; whether the document ends in quarantine depends on where."""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def reason_of(office: Office, name: str) -> str:
    return (office.folder / "quarantine" / f"{name}.reason.txt").read_bytes().decode("utf-8")


def test_ten_bad_files_are_told_apart_and_the_loop_goes_on(office: Office) -> None:
    for name, (_, raw) in BAD.items():
        office.put(f"{name}.xml", raw)
    office.put("good.xml", document("GOOD", stamp="2026-11-21T08:00:00"))
    office.work(seconds=70.0)
    told: dict[str, str] = {}
    for end in office.ends:
        problems = [end.problem] if end.problem else [bad.problem for bad in end.bad]
        for problem in problems[:1]:
            told[end.document.name.removesuffix(".xml")] = problem.reason
    assert told == {name: reason for name, (reason, _) in BAD.items()}
    assert len(set(told.values())) == len(BAD) >= 10
    assert "GOOD" in office.got
    assert office.names() == office.names("work") == set()


@pytest.mark.parametrize("name", sorted(BAD.keys() - OF_ONE_ITEM))
def test_what_was_set_aside_lies_beside_its_reason(office: Office, name: str) -> None:
    reason, raw = BAD[name]
    office.put("bad.xml", raw)
    office.work(seconds=70.0)
    assert office.names("quarantine") == {"bad.xml", "bad.xml.reason.txt"}
    assert (office.folder / "quarantine" / "bad.xml").read_bytes() == raw
    said = reason_of(office, "bad.xml")
    (end,) = office.ends
    assert end.problem is not None
    for part in (reason, str(end.problem), end.problem.hint, "bad.xml"):
        assert part in said
    assert said.count("\r\n") == said.count("\n") >= 4


@pytest.mark.parametrize("raw", [b"", document("A", "B")[:-40]], ids=["empty", "half"])
def test_what_may_still_grow_is_given_a_minute(office: Office, raw: bytes) -> None:
    office.put("bad.xml", raw)
    office.work(seconds=50.0)
    assert (office.names(), office.ends) == ({"bad.xml"}, [])
    office.work(seconds=20.0)
    assert "bad.xml" in office.names("quarantine")


def test_a_name_that_is_taken_in_quarantine_gets_a_number(office: Office) -> None:
    for text in (b"one", b"two", b"three"):
        office.put("bad.xml", text)
        office.work(seconds=70.0)
    names = office.names("quarantine")
    assert len(names) == 6
    assert len([name for name in names if name.endswith(".reason.txt")]) == 3


def test_a_document_that_breaks_later_keeps_what_it_told_before(office: Office) -> None:
    raw = document("A", "B").replace(b"</rsp:responsePack>", b"</rsp:responsePack><more/></rsp:responsePack>")
    office.put("bad.xml", raw)
    office.work()
    (end,) = office.ends
    assert end.problem is not None
    assert end.problem.reason == "malformed"
    assert office.got == ["A", "B"]
    assert "bad.xml" in office.names("quarantine")
