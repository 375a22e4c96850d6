"""Claims about the private copy: unchanged while it was made, out of sight, and gone afterwards."""

# ruff: noqa: ANN401 - a patched method takes anything
from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

from agent.errors import SourceUnavailable
from agent.sources import access_copy
from agent.sources.access_copy import PREFIX, copied, first_page, sign_of

MEGABYTE = 1 << 20


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.glob(f"{PREFIX}*")) == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Účetnictví 2026.mdb"
    path.write_bytes(bytes(range(256)) * 4096 * 3)
    return path


def nothing() -> None:
    """Go on."""


class During:
    """Called between pieces; does something at the beginning of the first ones."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts = list(acts)
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls % 4 == 2 and self.acts:  # the file has three pieces, and an end
            self.acts.pop(0)()


def test_the_copy_is_exact_private_and_on_a_plain_path(file: Path, temp: Path) -> None:
    with copied(file, nothing) as (copy, sign, head):
        assert copy.read_bytes() == file.read_bytes()
        assert str(copy).isascii()
        assert copy.suffix == ".mdb"
        assert (sign, head) == (sign_of(file), first_page(file))
        if os.name != "nt":
            assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    assert not copy.exists()


def test_a_file_that_changes_once_during_the_copy_is_copied_again(file: Path, temp: Path) -> None:
    during = During(lambda: os.utime(file, (1, 1)))
    with copied(file, during) as (copy, sign, _):
        assert copy.read_bytes() == file.read_bytes()
        assert sign.changed == 10**9
    assert during.calls == 8


@pytest.mark.parametrize("kind", ["time", "size", "counters"])
def test_a_file_that_keeps_changing_is_not_read(file: Path, temp: Path, kind: str) -> None:
    """The counters in the first page move although Windows keeps the time back."""
    before = file.stat()
    count = iter(range(1, 100))

    def change() -> None:
        with file.open("r+b") as opened:
            if kind == "size":
                opened.seek(0, os.SEEK_END)
            opened.write(bytes([next(count)]))
        at = before.st_mtime_ns if kind != "time" else next(count) * 10**9
        os.utime(file, ns=(at, at))

    with (
        pytest.raises(SourceUnavailable, match="POHODA is writing"),
        copied(file, During(change, change, change)),
    ):
        raise AssertionError("not reached")


def test_a_copy_is_cut_short_when_told_and_leaves_nothing(file: Path, temp: Path) -> None:
    def stop() -> None:
        raise SourceUnavailable("stop")

    with pytest.raises(SourceUnavailable, match="stop"), copied(file, During(stop)):
        raise AssertionError("not reached")


def test_a_missing_file_and_a_share_that_vanished_are_told(
    file: Path, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceUnavailable, match="not there"):
        sign_of(file.with_name("nothing.mdb"))

    def gone(*_: object, **__: object) -> Any:
        raise OSError(errno.EHOSTDOWN, "Host is down")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", gone)
        with pytest.raises(SourceUnavailable, match="Host is down") as caught:
            sign_of(file)
    assert "share" in caught.value.hint

    class Vanishing:
        def read(self, _: int) -> bytes:
            gone()
            return b""

    with pytest.raises(SourceUnavailable, match="Host is down"):
        access_copy._piece(Vanishing(), nothing)  # type: ignore[arg-type] # only what is used


def test_a_file_that_somebody_has_for_himself_is_told(file: Path, temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def refused(self: Path, *args: Any, **options: Any) -> Any:
        if self == file:
            raise PermissionError(errno.EACCES, "The process cannot access the file")
        return real(self, *args, **options)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SourceUnavailable, match="may not be read now") as caught, copied(file, nothing):
        raise AssertionError("not reached")
    assert "for himself" in caught.value.hint


def test_too_little_room_and_too_large_a_file_are_told_before_copying(
    file: Path, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(50 * MEGABYTE))
    with pytest.raises(SourceUnavailable, match="only 50 MB are free"), copied(file, nothing):
        raise AssertionError("not reached")
    with pytest.raises(SourceUnavailable, match="more than an Access file can have"):
        access_copy._room(temp, 2**31 + 1)


def test_a_disk_that_fills_up_meanwhile_is_not_blamed_on_pohoda(
    file: Path, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def full(self: Path, *args: Any, **options: Any) -> Any:
        if self.name == "copy.mdb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(SourceUnavailable, match=r"The copy .* No space left") as caught, copied(file, nothing):
        raise AssertionError("not reached")
    assert "not touched" in caught.value.hint


def test_a_folder_with_letters_beyond_ascii_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, public = tmp_path / "Jiří", tmp_path / "Public"
    home.mkdir()
    public.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    monkeypatch.delenv("PROGRAMDATA", raising=False)
    monkeypatch.setenv("PUBLIC", str(public))
    assert access_copy._parent() == public
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SourceUnavailable, match="beyond ASCII") as caught:
        access_copy._parent()
    assert "TEMP" in caught.value.hint


def test_what_a_killed_agent_left_is_removed_and_what_another_one_uses_is_not(file: Path, temp: Path) -> None:
    left, used, fresh, old = (temp / f"{PREFIX}{name}" for name in ("left", "used", "fresh", "old"))
    stranger = temp / "pohoda"
    for folder in (left, used, fresh, old, stranger):
        folder.mkdir()
        (folder / "copy.mdb").write_bytes(b"POHODA")
    (left / "lock").touch()
    os.utime(old, (1, 1))
    with FileLock(used / "lock"):
        with copied(file, nothing):
            assert {each for each in (left, used, fresh, old, stranger) if each.exists()} == {used, fresh, stranger}
        assert (used / "copy.mdb").exists()
    os.utime(fresh, (1, 1))
    access_copy._sweep(temp)
    assert {each.name for each in temp.iterdir()} == {"pohoda"}


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")
def test_a_planted_link_is_not_followed(file: Path, temp: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "lock").write_text("mine")
    link = temp / f"{PREFIX}link"
    link.symlink_to(precious)
    with copied(file, nothing):
        assert (precious / "lock").read_text() == "mine"
    link.unlink()
