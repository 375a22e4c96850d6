"""The receiver on real sockets, stepped by hand: no thread, and a clock that only the test moves."""

from __future__ import annotations

import base64
import errno
import gzip
import io
import logging
import os
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, get_args

import pytest
from lxml import etree

from agent.errors import ConfigError, EnvironmentProblem
from agent.pohoda.bad import BadDocument, Reason
from agent.sources import receiver_connection
from agent.sources.receiver import CONNECTIONS, URLS, Receiver
from agent.sources.receiver_answer import bad_document
from agent.sources.receiver_request import Login
from agent.sources.receiver_unpack import PIECE, Unpacker
from agent.sources.receiver_upload import Disk
from tests.pohoda.documents import card, pack, pack_item, stock_list, stock_pack
from tests.pohoda.test_samples import SAMPLES, sample

NOW = 1_795_737_600.0  # 2026-11-27 00:00 UTC
STAMPED = ' version="2.0" dateTimeStamp="2026-11-20T08:00:01" state="ok"'
DOCUMENT = pack(pack_item(stock_list([card("Z001", "<stk:name>Židle kuchyňská</stk:name>")], attributes=STAMPED)))
CZECH = DOCUMENT.encode("cp1250")
XSD = SAMPLES.parent / "xsd" / "response.xsd"


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "two gzip members": ("GZIP", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
}


@dataclass
class Rig:
    """A receiver, its folder, its clock, and what `called` heard."""

    folder: Path
    at: float = 1000.0
    wall: float = NOW
    heard: list[tuple[str, str]] = field(default_factory=list)
    receiver: Receiver = field(init=False)
    clients: list[socket.socket] = field(default_factory=list)

    def open(self, **settings: Any) -> Rig:  # noqa: ANN401 - passed on to the receiver, which is typed
        listen = settings.pop("listen", ("127.0.0.1", 0))
        settings.setdefault("called", lambda path, kind: self.heard.append((path, kind)))
        self.receiver = Receiver(self.folder, listen, clock=lambda: self.at, wait=0.02, **settings)
        return self

    def connect(self) -> socket.socket:
        client = socket.create_connection(self.receiver.address, timeout=5)
        client.setblocking(False)
        self.clients.append(client)
        self.step()
        return client

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            self.receiver.step(self.wall)

    def send(self, client: socket.socket, data: bytes) -> None:
        """Send all of it, letting the receiver read meanwhile."""
        while data:
            try:
                data = data[client.send(data) :]
            except BlockingIOError:
                self.step()
        self.step()

    def answer(self, client: socket.socket, *, head_only: bool = False) -> Said:
        """Step until one whole answer is here."""
        got = b""
        for _ in range(400):
            got += received(client) or b""
            head, ended, body = got.partition(b"\r\n\r\n")
            if ended and head_only:
                return Said(head, b"")
            if ended and len(body) >= int(Said(head, b"").header("content-length")):
                return Said(head, body)
            self.step()
        raise AssertionError(f"no whole answer came: {got!r}")

    def post(self, body: bytes, *headers: str, path: str = "/zasoby", client: socket.socket | None = None) -> Said:
        client = client or self.connect()
        self.send(client, request(body, *headers, path=path))
        return self.answer(client)

    def files(self) -> list[Path]:
        """All that lies in the folder, part files as well."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def content(self) -> bytes:
        (file,) = self.files()
        assert file.suffix == ".xml"
        return file.read_bytes()


@dataclass
class Said:
    """One answer."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def header(self, name: str) -> str:
        lines = [line.decode().partition(":") for line in self.head.split(b"\r\n")[1:]]
        return ", ".join(value.strip() for key, _, value in lines if key.lower() == name)

    @property
    def state(self) -> str:
        return str(etree.fromstring(self.body).get("state"))

    @property
    def note(self) -> str:
        return str(etree.fromstring(self.body).get("note"))


def received(client: socket.socket) -> bytes | None:
    """What has come; None: nothing yet; empty: the other side closed."""
    try:
        return client.recv(1 << 20)
    except BlockingIOError:
        return None
    except ConnectionError:
        return b""


def closed(rig: Rig, client: socket.socket) -> bool:
    rig.step(3)
    got = received(client)
    while got:
        got = received(client)
    return got == b""


def request(
    body: bytes, *headers: str, path: str = "/zasoby", version: str = "1.1", length: int | None = None
) -> bytes:
    sized = f"Content-Length: {len(body) if length is None else length}"
    fixed = ["Host: agent", "Content-Type: text/xml", "Accept-Encoding: gzip, deflate"]
    sizes = [] if any(line.startswith("Transfer-Encoding") for line in headers) else [sized]
    return "\r\n".join([f"POST {path} HTTP/{version}", *fixed, *sizes, *headers, "", ""]).encode() + body


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def basic(user: str, password: str, codec: str = "utf-8") -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode(codec)).decode()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    for client in made.clients:
        client.close()
    if hasattr(made, "receiver"):
        made.receiver.close()


# --- what POHODA sends arrives as it was sent


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("number", ["18", "22"])
def test_what_pohoda_posts_arrives_byte_for_byte(number: str, packing: str, rig: Rig) -> None:
    raw = sample(number).read_bytes()
    name, packer = PACKERS[packing]
    said = rig.open().post(packer(raw), *([f"Content-Encoding: {name}"] if name else []))
    assert (said.status, said.state) == (200, "ok")
    assert rig.content() == raw


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_body_in_chunks_arrives_whole(size: int, packing: str, rig: Rig) -> None:
    name, packer = PACKERS[packing]
    coding = [f"Content-Encoding: {name}"] if name else []
    said = rig.open().post(chunked(packer(CZECH), size), "Transfer-Encoding: chunked", *coding)
    assert (said.status, said.state) == (200, "ok")
    assert rig.content() == CZECH
    assert "Židle kuchyňská".encode("cp1250") in rig.content()


def test_content_is_whole_also_when_its_last_piece_hides_in_bytes_already_read() -> None:
    for length in range(PIECE, PIECE + 600):
        content = b"ab" * (length // 2) + b"c" * (length % 2)
        unpacker, given = Unpacker("deflate", 10 * PIECE), b""
        unpacker.feed(bare(content))
        while unpacker.pending:
            given += unpacker.take()
        unpacker.finish()
        assert given == content


def test_who_expects_100_continue_is_told_to_go_on_before_the_body(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, request(b"", "Expect: 100-continue", length=len(CZECH)))
    assert rig.answer(client, head_only=True).status == 100
    rig.send(client, CZECH)
    assert rig.answer(client).state == "ok"
    assert rig.content() == CZECH


def test_who_expects_100_continue_without_a_login_sends_no_body(rig: Rig) -> None:
    client = rig.open(user="pohoda", password="tajné heslo").connect()
    rig.send(client, request(b"", "Expect: 100-continue", length=len(CZECH)))
    assert rig.answer(client, head_only=True).status == 401


def test_http_1_0_is_served_and_its_connection_closed(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, request(CZECH, version="1.0"))
    assert rig.answer(client).state == "ok"
    assert closed(rig, client)


def test_one_connection_serves_several_posts_also_when_they_are_sent_at_once(rig: Rig) -> None:
    client = rig.open().connect()
    other = stock_pack(card("Z002")).encode("cp1250")
    assert rig.post(CZECH, client=client).state == "ok"
    rig.send(client, request(CZECH) + request(other))
    got = b""
    for _ in range(20):
        rig.step()
        got += received(client) or b""
    assert got.count(b'state="ok"') == 2
    assert len(rig.files()) == 2


@pytest.mark.parametrize("path", ["/zasoby", "/ZASOBY", "/Zasoby/", "/zasoby?x=1", "http://agent:8081/zasoby"])
def test_an_address_is_taken_however_it_was_typed(path: str, rig: Rig) -> None:
    assert rig.open().post(CZECH, path=path).status == 200


def test_the_note_says_how_much_of_what_came_and_the_caller_is_told(rig: Rig) -> None:
    said = rig.open().post(CZECH, path=URLS["Zásoby"])
    assert said.note == f"Přijato: 1 {len(CZECH) - 1000} bajtů, zásoby."
    assert said.header("content-type") == "text/xml; charset=windows-1250"
    assert said.body.startswith(b'<?xml version="1.0" encoding="Windows-1250"?>')
    assert rig.heard == [("/zasoby", "stock")]


def test_the_answer_carries_the_id_of_the_document(rig: Rig) -> None:
    assert etree.fromstring(rig.open().post(CZECH).body).get("id") == "001"


def test_all_answers_are_valid_by_the_schema(rig: Rig) -> None:
    if not XSD.exists():
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(f"{XSD} is missing")
        pytest.skip("POHODA's schemas are not beside the checkout")
    schema = etree.XMLSchema(etree.parse(XSD))
    rig.open(user="pohoda", password="heslo", ico="12345678")
    login = basic("pohoda", "heslo")
    foreign = CZECH.replace(b"12345678", b"87654321")
    said = [rig.post(CZECH, login), rig.post(CZECH, login), rig.post(foreign, login), rig.post(b"", login)]
    said += [rig.post(CZECH), rig.post(CZECH, login, path="/x"), rig.post(b"\0\x01 \x9c", login)]
    said += [rig.post(CZECH.replace(b'id="001"', 'id="&#1578;ž"'.encode("cp1250")), login)]
    assert [each.state for each in said] == ["ok", "ok", *["error"] * 5, "ok"]
    for each in said:
        schema.assertValid(etree.fromstring(each.body))


# --- durable before the answer


def test_the_file_is_durable_before_the_answer_leaves(rig: Rig) -> None:
    order: list[str] = []

    def note(what: str) -> None:
        assert received(rig.clients[0]) is None, "an answer left too early"
        order.append(what)

    def sync(handle: int) -> None:
        assert os.fstat(handle).st_size == len(CZECH)
        os.fsync(handle)
        note("file")

    def rename(old: Path, new: Path) -> None:
        old.replace(new)
        note("rename")

    disk = Disk(sync=sync, rename=rename, sync_folder=lambda folder: note(folder.name))
    assert rig.open(disk=disk).post(CZECH).state == "ok"
    assert order == ["file", "rename", rig.folder.name]


def test_a_long_document_is_brought_to_the_disk_on_the_way(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.sources.receiver_upload.SYNC_EVERY", 100_000)
    synced: list[int] = []
    body = stock_pack(*(card(f"Z{number:06}") for number in range(5000))).encode("cp1250")
    rig.open(disk=Disk(sync=lambda handle: synced.append(os.fstat(handle).st_size))).post(body)
    assert synced[-1] == len(body)
    assert max(after - before for before, after in zip([0, *synced], synced, strict=False)) < 170_000


@pytest.mark.parametrize("failing", ["create", "write", "sync", "rename", "sync_folder"])
def test_a_full_disk_is_said_leaves_nothing_and_the_next_post_is_taken(failing: str, rig: Rig) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    broken = [True]

    def fail(*_: object) -> None:
        if broken:
            raise full

    class Full(io.FileIO):
        def write(self, data: Any, /) -> int:  # noqa: ANN401 - as the base class has it
            fail()
            return super().write(data) or 0

    def create(path: Path) -> BinaryIO:
        if failing == "create":
            fail()
        return io.BufferedWriter(Full(path, "x")) if failing == "write" else path.open("xb")

    def rename(old: Path, new: Path) -> None:
        if failing == "rename":
            fail()
        old.replace(new)

    def sync(handle: int) -> None:
        if failing == "sync":
            fail()

    def sync_folder(folder: Path) -> None:
        if failing == "sync_folder":
            fail()

    rig.open(disk=Disk(create, sync, rename, sync_folder))
    said = rig.post(CZECH)
    assert (said.status, said.state) == (200, "error")
    assert "není místo" in said.note
    assert [path for path in rig.files() if failing != "sync_folder"] == []
    assert rig.heard == []
    broken.clear()
    assert rig.post(CZECH, client=rig.clients[0]).state == "ok"
    assert rig.content() == CZECH


def test_a_missing_folder_is_said(rig: Rig) -> None:
    rig.folder = rig.folder / "away"
    assert "nelze zapisovat" in rig.open().post(CZECH).note


def test_a_file_that_a_scanner_holds_is_put_in_place_once_it_lets_go(rig: Rig) -> None:
    held = [1, 2, 3]

    def rename(old: Path, new: Path) -> None:
        if held:
            held.pop()
            raise PermissionError(errno.EACCES, "The process cannot access the file")
        old.replace(new)

    assert rig.open(disk=Disk(rename=rename)).post(CZECH).state == "ok"
    assert rig.content() == CZECH


def test_a_file_that_is_held_for_good_is_refused_and_removed(rig: Rig) -> None:
    def rename(old: Path, new: Path) -> None:
        rig.at += 1
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    said = rig.open(disk=Disk(rename=rename)).post(CZECH)
    assert (said.state, rig.files()) == ("error", [])


# --- the same again


@pytest.mark.parametrize("place", ["", "work", "done"])
def test_the_same_document_again_is_answered_and_not_stored_twice(place: str, rig: Rig) -> None:
    rig.open().post(CZECH)
    (file,) = rig.files()
    if place:
        (rig.folder / place).mkdir()
        file.rename(rig.folder / place / f"{file.stem}.0123456789ab.xml")
    said = rig.post(gzip.compress(CZECH), "Content-Encoding: gzip")
    assert (said.state, said.note.split(":")[0]) == ("ok", "Přijato již dříve")
    assert rig.content() == CZECH
    assert len(rig.heard) == 2


def test_a_document_without_a_date_that_came_back_to_an_earlier_state_is_stored_again(rig: Rig) -> None:
    first, second = (stock_pack(card("Z001", f"<stk:count>{count}</stk:count>")).encode() for count in (10, 8))
    rig.open()
    for at, (body, files) in enumerate([(first, 1), (first, 1), (second, 2), (first, 3), (first, 3)]):
        before = rig.files()
        assert rig.post(body).state == "ok"
        assert len(rig.files()) == files
        for new in {*rig.files()} - {*before}:
            os.utime(new, (NOW + at, NOW + at))
        rig.wall += 1


# --- what is not taken


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "prázdný"),
        (b"code;count\nZ001;5\n", "XML"),
        (b"<html><body>login</body></html>", "POHODY"),
        (CZECH[:-10], "celý"),
        (CZECH.replace(b"12345678", b"87654321"), "87654321"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + CZECH.partition(b"?>\n")[2], "entity"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + CZECH.partition(b"?>\n")[2], "DOCTYPE"),
        (pack(pack_item("<lst:listOrderRequest/>")).encode(), "Export"),
        (pack("", attributes=' version="2.0" id="1" state="error" note="Nemáte právo"').encode("cp1250"), "právo"),
    ],
)
def test_a_document_that_cannot_be_used_is_answered_with_the_reason(body: bytes, word: str, rig: Rig) -> None:
    said = rig.open(ico="12345678").post(body)
    assert (said.status, said.state) == (200, "error")
    assert word in said.note
    assert rig.files() == []
    assert rig.heard == []


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_a_note_in_czech_with_the_particulars(reason: Reason) -> None:
    refusal = bad_document(BadDocument(reason, "byte 7"))
    assert refusal.note.startswith("Dokument" if reason not in {"not-xml", "foreign", "encoding"} else "")
    assert refusal.note.endswith("(byte 7)")


def test_an_empty_answer_of_pohoda_is_no_error(rig: Rig) -> None:
    assert rig.open().post(pack("").encode("cp1250")).state == "ok"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_damaged_packing_is_refused(coding: str, rig: Rig) -> None:
    packed = (gzip.compress if coding == "gzip" else zlib.compress)(CZECH)
    rig.open()
    for body in (packed[:-9], packed[:30] + b"\xff" * 20 + packed[50:], packed[:1], packed + b"x", CZECH):
        assert rig.post(body, f"Content-Encoding: {coding}").status == 400
        assert rig.files() == []


def test_what_is_too_large_by_its_head_is_refused_unread(rig: Rig) -> None:
    client = rig.open(largest=1000).connect()
    rig.send(client, request(b"", length=1001))
    assert rig.answer(client).status == 413
    assert rig.files() == []


@pytest.mark.parametrize("packing", ["plain", "gzip", "bare deflate"])
def test_what_turns_out_too_large_is_refused_on_the_way(packing: str, rig: Rig) -> None:
    name, packer = PACKERS[packing]
    body = chunked(packer(CZECH + b" " * 200_000), 1000)
    said = rig.open(largest=100_000).post(
        body, "Transfer-Encoding: chunked", *([f"Content-Encoding: {name}"] * bool(name))
    )
    assert (said.status, said.state) == (413, "error")
    assert rig.files() == []


def test_a_zip_bomb_is_refused_before_it_has_grown(rig: Rig) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(40)) + packer.flush()
    most = [0]

    class Watched(io.BytesIO):
        def fileno(self) -> int:
            return -1

        def write(self, data: Any, /) -> int:  # noqa: ANN401 - as the base class has it
            most[0] += len(data)
            return len(data)

    said = rig.open(disk=Disk(create=lambda _: Watched(), sync=lambda _: None)).post(bomb, "Content-Encoding: gzip")
    assert (said.status, said.state) == (413, "error")
    assert most[0] <= 33 * 2**20


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Encoding: br", 415),
        ("Content-Encoding: gzip, gzip", 415),
        ("Origin: http://evil.example", 403),
        ("Content-Length: 5", 400),
        ("Transfer-Encoding: gzip", 501),
        ("Content-Type: text/plain", 415),
    ],
)
def test_requests_that_pohoda_would_not_make_are_refused(line: str, status: int, rig: Rig) -> None:
    said = rig.open().post(CZECH, line)
    assert (said.status, said.state) == (status, "error")
    assert rig.files() == []


def test_what_is_no_http_is_answered_400_and_closed(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client that speaks TLS\r\n\r\n")
    assert rig.answer(client).status == 400


def test_a_head_without_end_is_refused(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, b"POST /zasoby HTTP/1.1\r\nHost: agent\r\nX: " + b"x" * 20_000)
    assert rig.answer(client).status == 431


# --- people, other paths, other methods


def test_a_browser_is_told_what_the_address_is_for_and_nothing_secret(rig: Rig) -> None:
    client = rig.open(user="pohoda", password="tajné heslo").connect()
    rig.send(client, b"GET /kategorie HTTP/1.1\r\nHost: agent\r\n\r\n")
    said = rig.answer(client)
    assert said.status == 200
    assert said.header("content-type") == "text/plain; charset=utf-8"
    text = said.body.decode()
    assert "Kategorie" in text
    assert "POHODA posts here" in text
    assert "tajné" not in text
    assert "jméno a heslo" in text


@pytest.mark.parametrize(("start", "status"), [("GET /", 404), ("POST /objednavky", 404), ("PUT /zasoby", 405)])
def test_other_paths_are_404_and_other_methods_405(start: str, status: int, rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, f"{start} HTTP/1.1\r\nHost: agent\r\nContent-Length: 0\r\n\r\n".encode())
    said = rig.answer(client)
    assert (said.status, said.state) == (status, "error")
    assert (said.header("allow") == "GET, POST") == (status == 405)
    rig.send(client, request(CZECH))  # the connection is as good as before
    assert rig.answer(client).state == "ok"


def test_an_answer_to_head_has_no_body(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, b"HEAD /zasoby HTTP/1.1\r\nHost: agent\r\n\r\n")
    rig.step(5)
    got = received(client) or b""
    assert got.startswith(b"HTTP/1.1 405")
    assert got.endswith(b"\r\n\r\n")


# --- the login


@pytest.mark.parametrize(
    "header",
    [
        "X: none",
        basic("pohoda", "Heslo"),
        basic("pohod", "heslo ž"),
        basic("", ""),
        "Authorization: Basic !!!",
        "Authorization: Bearer " + base64.b64encode("pohoda:heslo ž".encode()).decode(),
        basic("pohoda", "heslo ž") + "\r\n" + basic("x", "y"),
    ],
)
def test_a_wrong_login_is_refused_with_a_challenge(header: str, rig: Rig) -> None:
    said = rig.open(user="pohoda", password="heslo ž").post(CZECH, header)
    assert (said.status, said.state) == (401, "error")
    assert said.header("www-authenticate").startswith("Basic realm=")
    assert rig.files() == []


@pytest.mark.parametrize("codec", ["utf-8", "cp1250"])
def test_the_right_login_is_taken_in_both_encodings(codec: str, rig: Rig) -> None:
    assert rig.open(user="pohoda", password="heslo ž").post(CZECH, basic("pohoda", "heslo ž", codec)).state == "ok"


def test_of_a_body_with_a_wrong_login_only_a_little_is_read(rig: Rig) -> None:
    client = rig.open(user="pohoda", password="heslo").connect()
    rig.send(client, request(b"", length=2**30))
    sent = stuck = 0
    while stuck < 20:
        try:
            sent += client.send(bytes(64 * 1024))
            stuck = 0
        except BlockingIOError:
            rig.step()
            stuck += 1
        except ConnectionError:
            break
    buffers = 16 * 2**20  # of the system: they fill although nobody reads
    assert sent < receiver_connection.DRAIN + buffers
    assert rig.answer(client).status == 401
    rig.at += receiver_connection.LINGER
    assert closed(rig, client)


def test_half_a_login_or_one_that_http_cannot_carry_is_a_config_error(tmp_path: Path) -> None:
    for user, password in (("pohoda", ""), ("", "heslo"), ("a:b", "heslo")):
        with pytest.raises(ConfigError, match="receiver") as problem:
            Receiver(tmp_path, ("127.0.0.1", 0), user=user, password=password)
        assert problem.value.hint
        assert "heslo" not in str(problem.value)


def test_the_login_never_shows_itself() -> None:
    assert "heslo" not in repr(Login("pohoda", "heslo"))


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "[::]"])
def test_an_address_for_others_without_a_login_is_a_config_error(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no login") as problem:
        Receiver(tmp_path, (host, 0))
    assert "127.0.0.1" in problem.value.hint


def test_an_address_for_others_with_a_login_is_taken(tmp_path: Path) -> None:
    with closing(Receiver(tmp_path, ("0.0.0.0", 0), user="pohoda", password="heslo")) as receiver:
        assert receiver.address[1] > 0


def test_an_unknown_host_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no address"):
        Receiver(tmp_path, ("no such host", 0))


def test_a_port_in_use_is_a_problem_of_the_environment(rig: Rig, tmp_path: Path) -> None:
    rig.open()
    with pytest.raises(EnvironmentProblem, match="cannot listen") as problem:
        Receiver(tmp_path, rig.receiver.address)
    assert "another agent" in problem.value.hint


def test_an_ipv6_literal_is_taken(rig: Rig) -> None:
    try:
        rig.open(listen=("[::1]", 0))
    except EnvironmentProblem:
        pytest.skip("this machine has no IPv6")
    assert rig.receiver.address[0] == "::1"
    assert rig.post(CZECH).state == "ok"


# --- slow and broken clients


def test_a_head_has_to_come_within_ten_seconds_however_it_drips(rig: Rig) -> None:
    client = rig.open().connect()
    for sign in b"POST /zas":
        rig.send(client, bytes([sign]))
        rig.at += 1
    assert not closed(rig, client)
    rig.at += 1
    assert closed(rig, client)


def test_a_connection_without_requests_is_kept_fifteen_seconds(rig: Rig) -> None:
    client = rig.open().connect()
    rig.post(CZECH, client=client)
    rig.at += 14.9
    assert not closed(rig, client)
    rig.at += 0.2
    assert closed(rig, client)


def test_the_time_for_a_further_head_counts_from_its_first_byte(rig: Rig) -> None:
    client = rig.open().connect()
    rig.post(CZECH, client=client)
    rig.at += 14
    rig.send(client, b"POST")
    rig.at += 9.9
    assert not closed(rig, client)
    rig.at += 0.2
    assert closed(rig, client)


def test_a_body_that_stands_still_for_thirty_seconds_is_dropped_with_its_file(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, request(CZECH[:50], length=len(CZECH)))
    rig.at += 29
    rig.send(client, CZECH[50:60])
    rig.at += 29
    assert not closed(rig, client)
    assert [path.suffix for path in rig.files()] == [".part"]
    rig.at += 1
    assert closed(rig, client)
    assert rig.files() == []


def test_a_body_that_drips_is_dropped_after_an_hour(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, request(b"", length=len(CZECH)))
    for at in range(180):
        rig.send(client, CZECH[at : at + 1])
        rig.at += 20
    assert closed(rig, client)
    assert rig.files() == []


def test_time_that_the_agent_itself_spent_makes_nobody_slow(rig: Rig) -> None:
    client = rig.open().connect()
    other = rig.connect()
    rig.send(other, request(CZECH[:50], length=len(CZECH)))
    client.send(request(b""))
    other.send(CZECH[50:])
    rig.at += 40
    assert rig.answer(other).state == "ok"
    assert "prázdný" in rig.answer(client).note


def test_a_slow_disk_makes_nobody_slow_whose_data_came_meanwhile(rig: Rig) -> None:
    def sync(handle: int) -> None:
        rig.at += 60
        other.send(CZECH[50:])

    client, other = rig.open(disk=Disk(sync=sync)).connect(), rig.connect()
    rig.send(other, request(CZECH[:50], length=len(CZECH)))
    assert rig.post(stock_pack(card("Z002")).encode(), client=client).state == "ok"
    assert rig.answer(other).state == "ok"


@pytest.mark.parametrize("reset", [False, True])
def test_who_hangs_up_in_the_middle_leaves_nothing_and_others_are_served_meanwhile(reset: bool, rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, request(CZECH[:50], length=len(CZECH)))
    assert rig.post(CZECH).state == "ok"
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0" if os.name != "nt" else b"\1\0\0\0")
    client.close()
    rig.step(3)
    assert rig.content() == CZECH


def test_a_document_that_came_whole_is_kept_though_nobody_waits_for_the_answer(rig: Rig) -> None:
    client = rig.open().connect()
    client.send(request(CZECH))
    client.close()
    rig.step(4)
    assert rig.content() == CZECH


def test_of_too_many_connections_the_oldest_idle_one_goes_never_one_that_sends(rig: Rig) -> None:
    sender = rig.open().connect()
    rig.send(sender, request(CZECH[:50], length=len(CZECH)))
    idle = []
    for _ in range(CONNECTIONS - 1):
        rig.at += 0.01
        idle.append(rig.connect())
    assert not closed(rig, idle[0])
    last = rig.connect()
    assert closed(rig, idle[0])
    assert not any(closed(rig, each) for each in (sender, idle[1], last))
    rig.send(sender, CZECH[50:])
    assert rig.answer(sender).state == "ok"


def test_of_too_many_senders_the_one_that_was_silent_longest_goes(rig: Rig) -> None:
    rig.open()
    senders = []
    for _ in range(CONNECTIONS):
        rig.at += 0.01
        senders.append(rig.connect())
        rig.send(senders[-1], request(CZECH[:50], length=len(CZECH)))
    rig.at += 0.01
    rig.send(senders[0], CZECH[50:60])
    assert rig.post(CZECH).state == "ok"
    assert closed(rig, senders[1])
    assert not closed(rig, senders[0])


def test_two_posts_at_once_do_not_mix(rig: Rig) -> None:
    bodies = [stock_pack(*(card(f"{letter}{at}") for at in range(3000))).encode() for letter in "AB"]
    clients = [rig.open().connect(), rig.connect()]
    rests = [request(body) for body in bodies]
    while any(rests):
        for at, client in enumerate(clients):
            rests[at] = rests[at][client.send(rests[at][:5000]) :] if rests[at] else b""
            rig.step()
    assert [rig.answer(client).state for client in clients] == ["ok", "ok"]
    assert sorted(path.read_bytes() for path in rig.files()) == sorted(bodies)


def test_a_body_that_unpacks_to_much_does_not_hold_up_the_others(rig: Rig) -> None:
    packed = gzip.compress(CZECH.replace(b"</rsp:responsePack>", b" " * 30 * 2**20 + b"</rsp:responsePack>"))
    big, small = rig.open().connect(), rig.connect()
    big.send(request(packed, "Content-Encoding: gzip"))
    rig.step(2)
    small.send(b"GET /zasoby HTTP/1.1\r\nHost: agent\r\n\r\n")
    rig.step(3)
    assert (received(small) or b"").startswith(b"HTTP/1.1 200")
    assert received(big) is None
    assert rig.answer(big).state == "ok"


def test_stopping_in_the_middle_of_a_post_leaves_nothing_and_tells_no_ok(rig: Rig) -> None:
    client = rig.open().connect()
    rig.send(client, request(CZECH[:50], length=len(CZECH)))
    rig.receiver.close()
    assert received(client) == b""
    assert rig.files() == []
    with pytest.raises(OSError, match=r".*"):
        socket.create_connection(rig.receiver.address, timeout=1)


def test_part_files_of_a_dead_process_are_cleared_at_the_start(rig: Rig) -> None:
    for name, age in {"posted-old.part": 90_000, "posted-new.part": 80_000, "other.part": 90_000}.items():
        (rig.folder / name).write_bytes(b"x")
        os.utime(rig.folder / name, (NOW - age, NOW - age))
    rig.open().step()
    assert [path.name for path in rig.files()] == ["other.part", "posted-new.part"]


# --- the caller, the log


def test_a_caller_that_fails_costs_nobody_an_answer(rig: Rig) -> None:
    def called(path: str, kind: str) -> None:
        raise ValueError(path)

    client = rig.open(called=called).connect()
    with pytest.raises(ValueError, match="/zasoby"):
        rig.send(client, request(CZECH))
    assert rig.answer(client).state == "ok"
    rig.step()


def test_the_log_tells_sizes_and_reasons_and_never_a_body_or_a_password(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rig.open(user="pohoda", password="tajemství", ico="12345678")
    login = basic("pohoda", "tajemství")
    rig.post(CZECH, login)
    rig.post(b"Z001;tajny radek", login)
    rig.post(CZECH, basic("pohoda", "omyl123"))
    said = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in said] == [logging.INFO, logging.WARNING, logging.WARNING]
    assert said[0][1] == f"post to /zasoby accepted: stock, {len(CZECH)} bytes"
    text = repr([vars(record) for record in caplog.records])
    assert not any(word in text for word in ("tajemství", "omyl", "tajny", "Židle", login.split()[-1]))
