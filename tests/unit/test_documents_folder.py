"""Claims about the documents folder: what is opened, what is refused, and what is tried again."""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import unicodedata
from pathlib import Path

import pytest

from agent.demo.goods import png
from agent.errors import ShopUnavailable, SourceUnavailable, Unusable
from agent.sources import documents as module
from agent.sources.document_names import parts_of
from agent.sources.documents import Documents
from agent.sources.picture_header import header_of
from tests.unit.catalogue_fixture import documents, folder
from tests.unit.pohoda_fixture import Clock

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and case as on Linux")


def refused(store: Documents, name: str) -> Unusable:
    with pytest.raises(Unusable) as caught:
        store.picture(name)
    assert caught.value.field == "SkRefObraz.Soubor"
    assert caught.value.hint
    return caught.value


def jpeg(width: int, height: int) -> bytes:
    """The segments of a JPEG with a long preview before its frame; no picture in it."""
    frame = b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + bytes(10)
    preview = b"\xff\xe1" + struct.pack(">H", 60_002) + b"\xff\xc0" * 30_000
    return b"\xff\xd8" + preview + frame + b"\xff\xda\x00\x02" + bytes(20) + b"\xff\xd9"


def webp(kind: bytes, body: bytes) -> bytes:
    whole = b"WEBP" + kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


@pytest.mark.parametrize("named", ["Dokumenty", "Dokumenty/Obrázky"])
def test_a_picture_is_found_below_the_units_folder_and_in_the_folder_of_pictures_itself(
    tmp_path: Path, named: str
) -> None:
    where = folder(tmp_path, "židle.png")
    found = documents(tmp_path / named).picture("židle.png")
    data = (where / "Obrázky" / "židle.png").read_bytes()
    assert (found.sha, found.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert found.path.read_bytes() == data


def test_the_folder_of_pictures_is_found_however_its_name_is_composed(tmp_path: Path) -> None:
    inner = tmp_path / unicodedata.normalize("NFD", "Obrázky")
    inner.mkdir()
    (inner / "a.png").write_bytes(png(1))
    assert documents(tmp_path).picture("a.png").size


@pytest.mark.parametrize("name", ["ŽIDLE Buk.PNG", unicodedata.normalize("NFD", "židle buk.png"), " židle buk.png "])
def test_a_name_is_found_in_any_case_and_however_it_is_composed(tmp_path: Path, name: str) -> None:
    assert documents(folder(tmp_path, "židle buk.png")).picture(name).sha


@posix
def test_a_file_that_is_named_exactly_is_not_taken_for_another(tmp_path: Path) -> None:
    store = documents(folder(tmp_path, "A.png", "a.png"))
    assert store.picture("A.png").path.name == "A.png"
    assert store.picture("a.png").path.name == "a.png"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        r"..\secret.png",
        "x/../../secret.png",
        "/etc/passwd",
        r"C:\Windows\win.ini",
        "C:secret.png",
        r"\\server\share\a.png",
        "a.png:stream",
        "a.png::$DATA",
        "CON",
        "con.png",
        "NUL .png",
        "COM1.jpg",
        "lpt¹",
        "conout$",
        "a.png.",
        "a.png /b",
        "a\x00.png",
        "a\n.png",
        "a?.png",
        "*.png",
        "",
        ".",
        "x//a.png",
        "x" * 256,
    ],
)
def test_a_name_that_leads_elsewhere_or_can_be_no_name_is_refused(tmp_path: Path, name: str) -> None:
    where = folder(tmp_path, "a.png")
    (tmp_path / "secret.png").write_bytes(png(1))
    store = documents(where)
    assert "the name" in str(refused(store, name))
    assert store.sign(name) == "refused"


@pytest.mark.parametrize("name", ["konzole.png", "com.png", "com10.png", "a..b.png", ".a.png", "židle (buk) & co.png"])
def test_a_name_that_only_looks_odd_is_taken(name: str) -> None:
    assert parts_of(name) == (name,)


@posix
def test_a_link_that_leaves_the_folder_is_refused_and_one_that_stays_is_followed(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    (tmp_path / "secret.png").write_bytes(png(1))
    (where / "Obrázky" / "out.png").symlink_to(tmp_path / "secret.png")
    (where / "Obrázky" / "in.png").symlink_to("a.png")
    (where / "Obrázky" / "nowhere.png").symlink_to("gone.png")
    (where / "Obrázky" / "up").symlink_to(tmp_path)
    store = documents(where)
    assert store.picture("in.png").sha == store.picture("a.png").sha
    for name in ("out.png", "nowhere.png", "up/secret.png"):
        assert "link" in str(refused(store, name))


@posix
def test_a_folder_and_a_pipe_are_no_pictures_and_nobody_waits_for_them(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    (where / "Obrázky" / "sub.png").mkdir()
    os.mkfifo(where / "Obrázky" / "pipe.png")
    for name in ("sub.png", "pipe.png"):
        assert "is no file" in str(refused(documents(where), name))


def test_a_missing_file_is_named_with_its_path_and_noticed_when_it_appears(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    store = documents(where)
    error = refused(store, "b.png")
    assert str(where / "Obrázky" / "b.png") in str(error)
    assert "again by itself" in error.hint
    assert store.sign("b.png") == "missing"
    (where / "Obrázky" / "b.png").write_bytes(png(5))
    assert store.sign("b.png") not in {"missing", store.sign("a.png")}
    assert store.picture("b.png").sha


def test_a_file_of_another_spelling_is_noticed_when_the_listing_is_old(tmp_path: Path) -> None:
    clock = Clock()
    where = folder(tmp_path, "a.png")
    store = documents(where, clock)
    assert store.sign("B.PNG") == "missing"
    (where / "Obrázky" / "b.png").write_bytes(png(5))
    clock.now += module.LISTING_AGE
    assert store.sign("B.PNG") != "missing"


def test_a_folder_that_is_gone_is_no_folder_of_missing_pictures(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    store = documents(where)
    assert store.picture("a.png").sha
    where.rename(tmp_path / "away")
    with pytest.raises(SourceUnavailable, match="cannot be read") as caught:
        store.sign("a.png")
    assert "[pohoda] documents" in caught.value.hint
    (finding,) = documents(where).check()
    assert finding.verdict == "error"


def test_check_counts_the_pictures_and_wonders_at_an_empty_folder(tmp_path: Path) -> None:
    (finding,) = documents(folder(tmp_path, "a.png", "b.png")).check()
    assert (finding.verdict, "2 files" in finding.text) == ("ok", True)
    (tmp_path / "empty").mkdir()
    (finding,) = documents(tmp_path / "empty").check()
    assert finding.verdict == "warning"


def test_an_exchanged_file_has_another_sign_and_another_hash(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    store = documents(where)
    sign, sha = store.sign("a.png"), store.picture("a.png").sha
    (where / "Obrázky" / "a.png").write_bytes(png(2, width=20))
    assert store.sign("a.png") != sign
    assert store.picture("a.png").sha != sha


def test_an_unmoved_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = documents(folder(tmp_path, "a.png"))
    first = store.picture("a.png")
    monkeypatch.setattr(module, "_read", lambda path: pytest.fail(f"{path} is read again"))
    assert store.picture("a.png") == first


def test_a_held_file_is_tried_again_until_it_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = documents(folder(tmp_path, "a.png"))
    free = store.sign("a.png")
    plain = os.open

    def held(path: str, flags: int) -> int:
        raise PermissionError(13, "The process cannot access the file", path)

    monkeypatch.setattr(os, "open", held)
    assert "another program holds it" in str(refused(store, "a.png"))
    assert store.sign("a.png") == "unread"
    monkeypatch.setattr(os, "open", plain)
    assert store.sign("a.png") == free
    assert store.picture("a.png").sha


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"MZ" + bytes(100), "is no JPEG, PNG, GIF or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no JPEG"),
        (png(1)[:-12], "its end is missing"),
        (jpeg(10, 10)[:-2], "its end is missing"),
        (jpeg(10, 10)[:40] + b"\xff\xd9", "ends within its header"),
        (b"\xff\xd8\xff\xd9", "has no frame"),
        (jpeg(8_000, 8_000), "8000 x 8000 pixels"),
        (jpeg(0, 10), "no pixels"),
        (b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + b"\0;", "60000 x 60000 pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"IEND", "is damaged"),
        (webp(b"VP8 ", bytes(20)), "without a picture"),
        (webp(b"VP8L", b"")[:-1], "is not whole"),
    ],
)
def test_what_is_no_picture_that_may_be_sent_is_refused_by_its_bytes(tmp_path: Path, data: bytes, said: str) -> None:
    where = folder(tmp_path)
    (where / "Obrázky" / "a.jpg").write_bytes(data)
    assert said in str(refused(documents(where), "a.jpg"))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 2**20)
    where = folder(tmp_path)
    (where / "Obrázky" / "a.png").write_bytes(png(1) + bytes(2**20))
    assert "at most 1 are sent" in str(refused(documents(where), "a.png"))


@pytest.mark.parametrize(
    ("data", "kind", "width", "height"),
    [
        (png(1, width=3, height=4), "png", 3, 4),
        (jpeg(300, 200), "jpeg", 300, 200),
        (b"GIF89a" + struct.pack("<HH", 5, 6) + b"\0\0;\0\0", "gif", 5, 6),
        (webp(b"VP8X", bytes(4) + b"\x09\0\0\x13\0\0"), "webp", 10, 20),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 9 | 19 << 14)), "webp", 10, 20),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 10, 20)), "webp", 10, 20),
    ],
)
def test_the_size_of_each_kind_is_read_from_its_header(data: bytes, kind: str, width: int, height: int) -> None:
    found = header_of(data)
    assert (found.kind, found.width, found.height) == (kind, width, height)


def test_bytes_are_given_by_their_hash_after_a_restart_too(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png", "b.png")
    sha = documents(where).picture("b.png").sha
    data = (where / "Obrázky" / "b.png").read_bytes()
    assert documents(where).by_sha(sha) == data
    assert documents(where).by_sha(sha, "b.png") == data
    assert documents(where).by_sha(sha, "renamed.png") == data


def test_bytes_that_changed_or_vanished_are_never_given(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    store = documents(where)
    sha, path = store.picture("a.png").sha, where / "Obrázky" / "a.png"
    data = path.read_bytes()
    stat = path.stat()
    path.write_bytes(png(9))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert len(png(9)) == len(data)
    with pytest.raises(Unusable, match=r"a\.png is missing or has changed"):
        store.by_sha(sha)
    path.unlink()
    with pytest.raises(Unusable, match=r"a\.png is missing or has changed"):
        store.by_sha(sha)
    (path.parent / "moved.png").write_bytes(data)
    assert documents(where).by_sha(sha) == data


def test_while_the_folder_is_away_bytes_are_waited_for_and_nothing_is_rejected(tmp_path: Path) -> None:
    where = folder(tmp_path, "a.png")
    sha = documents(where).picture("a.png").sha
    where.rename(tmp_path / "away")
    with pytest.raises(ShopUnavailable, match="documents folder") as caught:
        documents(where).by_sha(sha, "a.png")
    assert (caught.value.retry_after, bool(caught.value.hint)) == (module.AWAY, True)


@pytest.mark.parametrize("restarted", [False, True])
def test_bytes_of_a_held_file_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, restarted: bool
) -> None:
    where = folder(tmp_path, "a.png")
    store = documents(where)
    sha = store.picture("a.png").sha
    asked = documents(where) if restarted else store

    def held(path: str, flags: int) -> int:
        raise PermissionError(13, "The process cannot access the file", path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", held)
        with pytest.raises(ShopUnavailable, match=r"a\.png cannot be read now") as caught:
            asked.by_sha(sha)
    assert caught.value.retry_after is None
    assert asked.by_sha(sha)
