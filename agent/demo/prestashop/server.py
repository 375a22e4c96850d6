"""The fake webservice on a real socket: HTTP/1.1 with kept-alive connections, one thread per connection.

An answer leaves in one `send` with TCP_NODELAY, so that measuring a client measures the client. A connection that is
held without an answer holds no lock. Requests are limited to 16 MB.
"""

from __future__ import annotations

import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from agent.demo.prestashop.faults import Fault, Faults, now
from agent.demo.prestashop.webservice import Answer, Request, Webservice
from agent.demo.prestashop.writes import count_nodes

MAX_BODY = 16 * 1024 * 1024
_HTML = ("content-type", "text/html; charset=utf-8")
_UNAVAILABLE = Answer(503, (_HTML,), b"<html><head><title>503 Service Unavailable</title></head></html>")
_MAINTENANCE = Answer(200, (_HTML,), b"<!doctype html><html><body><h1>We'll be back soon.</h1></body></html>")
_DROPS = 40


class Host(Protocol):
    """What the server needs of the shop that it belongs to."""

    webservice: Webservice
    faults: Faults
    latency: float
    stopping: threading.Event

    def outage(self) -> str:
        """Empty, or how the shop is down now: ``503``, ``close`` (or ``refuse``: treated as close)."""

    def count(self, request: Request) -> None:
        """Take note of a request that was processed or befallen by a fault."""

    def later(self, seconds: float, work: Callable[[], object]) -> None:
        """Run something later, in another thread."""

    def crashed(self, text: str) -> None:
        """Take note of a bug of the fake."""


class Server(ThreadingHTTPServer):
    """Listens, and knows its live connections so that it can end them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], host: Host) -> None:
        self.host = host
        self._live: set[socket.socket] = set()
        self._live_lock = threading.Lock()
        super().__init__(address, _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401, ARG002 - the base class's signature
        """Take no connection while the shop is down without a word."""
        if self.host.outage() in {"close", "refuse"}:
            self.host.faults.count("outage")
            return False
        return True

    def joined(self, connection: socket.socket) -> None:
        """Remember a connection."""
        with self._live_lock:
            self._live.add(connection)

    def left(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._live_lock:
            self._live.discard(connection)

    def hang_up(self) -> None:
        """End all connections, idle or not."""
        with self._live_lock:
            live = list(self._live)
        for connection in live:
            _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the base class's signature
        """Take note of bugs; a client that left is none."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.host.crashed(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.joined(self.connection)

    def finish(self) -> None:
        self.server.left(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""

    def _take(self) -> None:
        told = self.headers.get("content-length") or "0"
        length = int(told) if told.isdecimal() else MAX_BODY + 1
        if length > MAX_BODY or self.headers.get("transfer-encoding"):
            self.close_connection = True
            self._send(Answer(413, (_HTML,), b"too large"))
            return
        body = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        try:
            self._serve(request)
        except OSError:
            self.close_connection = True  # the client left
        except Exception:
            self.server.host.crashed(traceback.format_exc())
            self._send(Answer(500))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 - names that http.server calls

    def _serve(self, request: Request) -> None:
        host = self.server.host
        host.count(request)
        if host.latency > 0:
            time.sleep(host.latency)
        outage = host.outage()
        if outage:
            host.faults.count("outage")
            if outage == "503":
                self._send(_UNAVAILABLE)
            else:
                self._leave()
            return
        fault = host.faults.decide(request)
        if fault.kind == "none":
            self._send(host.webservice.answer(request))
        else:
            self._suffer(request, fault)

    def _suffer(self, request: Request, fault: Fault) -> None:
        host = self.server.host
        match fault.kind:
            case "s429":
                wait = fault.retry_after_header(now())
                self._send(Answer(429, (_HTML, *((("retry-after", wait),) if wait is not None else ()))))
            case "maintenance":
                self._send(_MAINTENANCE)
            case "s500":
                self._send(Answer(500, (_HTML,)))
            case "unauthorized":
                self._send(host.webservice.unauthorized(request))
            case "never_apply":
                self._leave()
            case "late_apply":
                host.later(fault.delay, lambda: host.webservice.answer(request))
                self._wait(fault.hold)
                self._leave()
            case "half_apply":
                host.webservice.answer(request, only_first=count_nodes(request.body) // 2)
                self._leave()
            case _:
                self._suffer_after(host.webservice.answer(request), fault)

    def _suffer_after(self, answer: Answer, fault: Fault) -> None:
        match fault.kind:
            case "s503_after_apply":
                self._send(_UNAVAILABLE)
            case "half_answer":
                whole = self._bytes(answer)
                self.wfile.write(whole[: len(whole) - max(1, (len(answer.body) + 1) // 2)])
                self._leave()
            case "slow_drip":
                self._drip(self._bytes(answer), fault.delay)
            case _:
                self._leave()

    def _drip(self, whole: bytes, pause: float) -> None:
        size = max(1, len(whole) // _DROPS)
        for start in range(0, len(whole), size):
            self.wfile.write(whole[start : start + size])
            if self._wait(pause):
                self._leave()
                return

    def _wait(self, seconds: float) -> bool:
        """Wait without a lock; True when the client left or the shop stops before."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.server.host.stopping.is_set():
                return True
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return True
            if readable:
                time.sleep(min(left, 0.05))  # the next request of a client that does not wait
        return False

    def _send(self, answer: Answer) -> None:
        self.wfile.write(self._bytes(answer))

    def _bytes(self, answer: Answer) -> bytes:
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        body = answer.body if self.command != "HEAD" else b""
        if answer.status != 304:
            lines.append(f"content-length: {len(answer.body)}")
        if self.close_connection:
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _leave(self) -> None:
        self.close_connection = True
        _shut(self.connection)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is gone already
