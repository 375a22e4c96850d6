"""What the HTTP border makes of every bad day: real sockets, short timeouts, no server library in between."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from agent.errors import AnswerLost, ShopUnavailable
from agent.shops import http, in_flight
from agent.shops.http import MAX_RETRY_AFTER, Answer, ShopHttp, retry_after
from tests.fault_server import FaultServer, answer, drip, hang, say, say_and_close, say_and_reset

SECRET = "N0-B0DY-MAY-S33-TH1S"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Call = Callable[[ShopHttp], Answer]


def read(shop: ShopHttp) -> Answer:
    return shop.read("things", params={"a": "1"})


def write(shop: ShopHttp) -> Answer:
    return shop.write("PATCH", "things", content=b"<x/>")


opened: list[ShopHttp] = []


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


def client(url: str, timeout: float = 2.0, pace: Callable[[], None] = lambda: None) -> ShopHttp:
    opened.append(ShopHttp(url, timeout=timeout, auth=(SECRET, ""), pace=pace))
    return opened[-1]


def refused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-30", 0.0),
        ("315360000", MAX_RETRY_AFTER),
        ("1e400", MAX_RETRY_AFTER),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("\x00\xff", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Sun, 22 Nov 2026 12:00:30", 30.0),
        ("Sun Nov 22 12:00:30 2026", 30.0),
        ("Fri, 22 Nov 2036 12:00:00 GMT", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 99999999999 23:59:59 GMT", None),
        ("1 jan 0 0:0:0 +9999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_bounds(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


def test_without_retry_after_nothing_is_known() -> None:
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize("call", [read, write])
@pytest.mark.parametrize("status", [401, 403, 405, 423, 429, 301, 302, 307])
def test_what_was_refused_before_processing_waits(call: Call, status: int) -> None:
    with FaultServer(say(answer(status, b"no", "retry-after: 5", "location: /elsewhere"))) as server:
        with pytest.raises(ShopUnavailable) as caught:
            call(client(server.url))
        assert caught.value.retry_after == 5.0
        assert caught.value.denied == (status in {401, 403})
        assert caught.value.hint
        assert len(server.requests) == 1  # no redirect is followed, nothing is tried again


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 599])
def test_a_5xx_makes_a_write_unclear_and_a_read_wait(status: int) -> None:
    with FaultServer(say(answer(status, b"broken", "retry-after: 3"))) as server:
        with pytest.raises(AnswerLost):
            write(client(server.url))
        with pytest.raises(ShopUnavailable) as caught:
            read(client(server.url))
        assert caught.value.retry_after == 3.0


@pytest.mark.parametrize("status", [402, 406, 409, 410, 413, 422, 451])
def test_other_refusals_are_an_answer_to_a_write_and_no_answer_to_a_read(status: int) -> None:
    with FaultServer(say(answer(status, b"no"))) as server:
        assert write(client(server.url)).status == status
        with pytest.raises(ShopUnavailable):
            read(client(server.url))


@pytest.mark.parametrize("call", [read, write])
@pytest.mark.parametrize("status", [200, 201, 400, 404])
def test_clear_answers_are_handed_over_whole(call: Call, status: int) -> None:
    with FaultServer(say(answer(status, b"<html>maintenance</html>", "X-Thing: 1"))) as server:
        got = call(client(server.url))
        assert (got.status, got.text, got.headers["x-thing"]) == (status, "<html>maintenance</html>", "1")


@pytest.mark.parametrize("call", [read, write])
def test_a_refused_connection_was_never_sent(call: Call) -> None:
    with pytest.raises(ShopUnavailable):
        call(client(refused_url()))


@pytest.mark.parametrize("call", [read, write])
def test_an_address_that_cannot_be_asked_was_never_sent(call: Call) -> None:
    with pytest.raises(ShopUnavailable):
        call(client("ftp://127.0.0.1"))


def test_a_certificate_that_is_not_trusted_is_named_as_the_cause() -> None:
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
    assert "certificate is not valid" in str(http._unreachable(httpx.ConnectError(text)))


HALF = answer(200, b"0123456789")[:-5]


@pytest.mark.parametrize("broken", [say_and_close(b""), say_and_close(HALF), say_and_reset(HALF), say_and_reset(b"")])
def test_a_break_makes_a_write_unclear_and_it_is_sent_once(broken: Callable[..., None]) -> None:
    with FaultServer(broken) as server:
        with pytest.raises(AnswerLost):
            write(client(server.url))
        assert len(server.requests) == 1


@pytest.mark.parametrize("broken", [say_and_close(b""), say_and_close(HALF), say_and_reset(HALF)])
def test_a_read_survives_one_break_and_no_second_one(broken: Callable[..., None]) -> None:
    with FaultServer(broken, say(answer(200, b"fine"))) as server:
        assert read(client(server.url)).text == "fine"
    with FaultServer(broken) as server:
        with pytest.raises(ShopUnavailable):
            read(client(server.url))
        assert len(server.requests) == 2


def test_nonsense_instead_of_http_makes_a_write_unclear() -> None:
    with FaultServer(say_and_close(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as server, pytest.raises(AnswerLost):
        write(client(server.url))


def test_a_stale_connection_is_survived_by_a_read() -> None:
    with FaultServer(say(answer(200, b"one")), say_and_close(b""), say(answer(200, b"two"))) as server:
        shop = client(server.url)
        assert [read(shop).text, read(shop).text] == ["one", "two"]


@pytest.mark.parametrize(("call", "error"), [(read, ShopUnavailable), (write, AnswerLost)])
def test_a_server_that_hangs_is_left_after_the_timeout(call: Call, error: type[Exception]) -> None:
    with FaultServer(hang()) as server:
        started = time.monotonic()
        with pytest.raises(error):
            call(client(server.url, timeout=0.3))
        assert 0.2 < time.monotonic() - started < 2
        assert len(server.requests) == 1


INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"


@pytest.mark.parametrize("at_once", [0, len(answer(200, b"x" * 1000)) - 1000, len(INTERIM) * 40])
@pytest.mark.parametrize(("call", "error"), [(read, ShopUnavailable), (write, AnswerLost)])
def test_an_answer_that_drips_in_is_left_after_the_timeout(call: Call, error: type[Exception], at_once: int) -> None:
    """Each byte comes in time, the whole does not: of the head, of the body, of one interim answer after another."""
    everything = INTERIM * 100 if at_once > 1000 else answer(200, b"x" * 1000)
    whole, body = everything[:at_once], everything[at_once:]

    def act(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(whole)
        drip(body, 0.05)(connection, stopped)

    with FaultServer(act) as server:
        started = time.monotonic()
        with pytest.raises(error):
            call(client(server.url, timeout=0.4))
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(("call", "error"), [(read, ShopUnavailable), (write, AnswerLost)])
def test_an_answer_without_end_is_cut(call: Call, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 100_000)
    with FaultServer(say(answer(200, b"x" * 200_000))) as server, pytest.raises(error):
        call(client(server.url))


def test_an_answer_whose_coding_is_broken_is_no_answer() -> None:
    with FaultServer(say(answer(200, b"not gzip", "content-encoding: gzip"))) as server:
        with pytest.raises(AnswerLost):
            write(client(server.url))
        with pytest.raises(ShopUnavailable):
            read(client(server.url))


@pytest.mark.parametrize(("call", "error"), [(read, ShopUnavailable), (write, AnswerLost)])
def test_closing_ends_a_call_under_way_at_once(call: Call, error: type[Exception]) -> None:
    arrived = threading.Event()

    def act(connection: socket.socket, stopped: threading.Event) -> None:
        arrived.set()
        stopped.wait(20)

    def close_on_arrival() -> None:
        arrived.wait(5)
        shop.close()

    with FaultServer(act) as server:
        shop = client(server.url, timeout=20)
        closer = threading.Thread(target=close_on_arrival)
        closer.start()
        started = time.monotonic()
        with pytest.raises(error):
            call(shop)
        assert time.monotonic() - started < 2
        closer.join()


@pytest.mark.parametrize("call", [read, write])
def test_after_closing_nothing_is_sent(call: Call) -> None:
    with FaultServer(say(answer(200, b""))) as server:
        shop = client(server.url)
        shop.close()
        with pytest.raises(ShopUnavailable):
            call(shop)
        assert server.requests == []


def test_work_left_for_the_time_of_waiting_is_done_once_between_a_write_and_its_answer() -> None:
    worked = threading.Event()
    done: list[int] = []

    def act(connection: socket.socket, _: threading.Event) -> None:
        said = answer(200, b"after the work" if worked.wait(2) else b"before it")
        connection.sendall(said)

    def work() -> None:
        done.append(len(server.requests))
        worked.set()

    with FaultServer(act) as server:
        shop = client(server.url)
        with in_flight.meanwhile(work):
            worked.set()
            read(shop)
            assert done == [], "a read has no answer to be written down"
            worked.clear()
            assert write(shop).text == "after the work"
            write(shop)
        write(shop)
    assert len(done) == 1


def test_work_left_for_a_write_that_never_leaves_is_not_done() -> None:
    done: list[bool] = []
    with in_flight.meanwhile(lambda: done.append(True)), pytest.raises(ShopUnavailable):
        write(client(refused_url()))
    with FaultServer(say(answer(200))) as server:
        write(client(server.url))
    assert done == []


def test_the_time_of_our_own_work_is_not_taken_from_the_shops(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = [0.0]
    real = time.monotonic
    monkeypatch.setattr("agent.shops.http.time.monotonic", lambda: real() + ahead[0])

    def work() -> None:
        ahead[0] += 60.0

    with FaultServer(say(answer(200, b"x"))) as server, in_flight.meanwhile(work):
        assert write(client(server.url)).text == "x"
    assert ahead == [60.0]


def test_every_request_passes_the_pace() -> None:
    passed: list[int] = []
    with FaultServer(say(answer(200, b"")), say_and_close(b""), say(answer(200, b""))) as server:
        shop = client(server.url, pace=lambda: passed.append(len(server.requests)))
        write(shop)
        read(shop)  # breaks once and is repeated
    assert passed == [0, 1, 2]


BAD_DAYS = {
    "refused": None,
    "hang": hang(),
    "drop": say_and_close(b""),
    "half": say_and_close(HALF),
    "401": say(answer(401, b"who?")),
    "302": say(answer(302, b"", "location: https://else.example/?key=1")),
    "503": say(answer(503, b"down")),
}


@pytest.mark.parametrize("day", list(BAD_DAYS))
@pytest.mark.parametrize("call", [read, write])
def test_no_error_shows_the_key_or_the_address(call: Call, day: str) -> None:
    act = BAD_DAYS[day]
    with FaultServer(act or hang()) as server:
        url = server.url if act else refused_url()
        shop = client(url.replace("://", f"://user:{SECRET}@"), timeout=0.3)
        with pytest.raises((ShopUnavailable, AnswerLost)) as caught:
            call(shop)
    text = str(caught.value) + repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert SECRET not in text
    assert url.removeprefix("http://") not in text
    assert "else.example" not in text
