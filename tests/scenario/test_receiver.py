"""POHODA posts over real HTTP, by a client library, while the receiver runs on a thread as it does in the agent."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from lxml import etree

from agent.pohoda.items import items
from agent.sources.receiver import URLS, Receiver
from tests.pohoda.documents import card, pack, pack_item, stock_list

HEADERS = {
    "Content-Type": "text/xml",
    "User-Agent": "STORMWARE-HTTP-client. http://www.stormware.cz",
    "Accept-Encoding": "gzip, deflate",
}
PATIENCE = 20.0


@contextmanager
def running(receiver: Receiver) -> Iterator[Receiver]:
    """Step it until the block ends, on a thread of its own, and close it there."""
    stop = threading.Event()

    def serve() -> None:
        with closing(receiver):
            while not stop.is_set():
                receiver.step(time.time())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with running(Receiver(tmp_path, ("127.0.0.1", 0), ico="12345678")) as ready:
        yield ready


def export(name: str, cards: int) -> bytes:
    """A list of cards, dated, in POHODA's encoding."""
    made = [card(f"{name}{at:06}", f"<stk:name>Židle číslo {at}</stk:name>") for at in range(cards)]
    attributes = ' version="2.0" dateTimeStamp="2026-11-20T08:00:01" state="ok"'
    return pack(pack_item(stock_list(made, attributes=attributes))).encode("cp1250")


def post(receiver: Receiver, body: bytes, path: str = "/zasoby", **headers: str) -> tuple[int, str]:
    """Post like POHODA; returns the status and the state of the pack."""
    with closing(http.client.HTTPConnection(*receiver.address, timeout=PATIENCE)) as connection:
        connection.request("POST", path, body, {**HEADERS, **headers})
        answer = connection.getresponse()
        return answer.status, str(etree.fromstring(answer.read()).get("state"))


def test_many_posts_at_once_all_arrive_whole(receiver: Receiver, tmp_path: Path) -> None:
    bodies = [export(f"P{at}-", 2000) for at in range(12)]
    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda body: post(receiver, body), bodies))
    assert said == [(200, "ok")] * 12
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == sorted(bodies)


def test_a_small_post_is_answered_while_a_large_one_is_under_way(receiver: Receiver, tmp_path: Path) -> None:
    large = export("L", 60_000)
    with closing(socket.create_connection(receiver.address, timeout=PATIENCE)) as client:
        head = f"POST /zasoby HTTP/1.1\r\nHost: agent\r\nContent-Type: text/xml\r\nContent-Length: {len(large)}\r\n\r\n"
        client.sendall(head.encode() + large[:-100])
        assert post(receiver, export("S", 1)) == (200, "ok")
        client.sendall(large[-100:])
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    largest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    assert sum(1 for _ in items(largest)) == 60_000


def test_all_four_addresses_take_a_packed_list(receiver: Receiver, tmp_path: Path) -> None:
    for at, path in enumerate(URLS.values()):
        packed = zlib.compress(export(f"{at}-", 10))
        assert post(receiver, packed, path, **{"Content-Encoding": "deflate"}) == (200, "ok")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_long_post_that_is_refused_is_heard_to_its_end_so_that_its_answer_arrives(
    receiver: Receiver, tmp_path: Path
) -> None:
    foreign = export("F", 60_000).replace(b'ico="12345678"', b'ico="87654321"')
    damaged = b"\x1f\x8b\x08" + bytes(10 * 2**20)
    assert post(receiver, foreign) == (200, "error")
    assert post(receiver, damaged, **{"Content-Encoding": "gzip"}) == (400, "error")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_login_is_told_although_the_client_sends_its_body_first(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, ("127.0.0.1", 0), user="pohoda", password="heslo")
    with running(receiver):
        assert post(receiver, export("W", 1000)) == (401, "error")
    assert list(tmp_path.iterdir()) == []


def test_stopping_amid_posts_ends_at_once_and_leaves_only_whole_documents(tmp_path: Path) -> None:
    body = export("X", 5000)
    receiver = Receiver(tmp_path, ("127.0.0.1", 0))
    with running(receiver):
        assert post(receiver, body) == (200, "ok")
        client = socket.create_connection(receiver.address, timeout=PATIENCE)
        client.sendall(b"POST /zasoby HTTP/1.1\r\nHost: agent\r\nContent-Length: 999999\r\n\r\n" + body[:5000])
        began = time.monotonic()
    assert time.monotonic() - began < 5
    with closing(client):
        try:
            assert client.recv(10) == b""
        except ConnectionError as error:
            assert isinstance(error, ConnectionResetError)  # noqa: PT017 - both ends of a broken connection are right
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [body]
