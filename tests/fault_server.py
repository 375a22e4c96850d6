"""Bad days of HTTP, on real sockets: a server that answers what it is told to, and a proxy that spoils answers.

`FaultServer` speaks bytes, so that it can do what no server library would: half an answer, a reset, a drip.
`FaultProxy` forwards to a real shop; a fault that is queued hits the next request that ``spoils`` says yes to.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

Act = Callable[[socket.socket, threading.Event], None]
"""What is done with a connection after one request was read; the event is set when the server stops."""
PATIENCE = 20.0


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Write a whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def say(data: bytes) -> Act:
    """Send these bytes and keep the connection open."""
    return lambda connection, _: connection.sendall(data)


def say_and_close(data: bytes) -> Act:
    """Send these bytes and close: half an answer, or none."""

    def act(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return act


def say_and_reset(data: bytes) -> Act:
    """Send these bytes, then break the connection with a reset."""

    def act(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(data)
        stopped.wait(0.05)  # let them arrive: a reset throws away what is on its way
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return act


def hang() -> Act:
    """Say nothing until the server stops."""
    return lambda _, stopped: _wait(stopped, PATIENCE)


def drip(data: bytes, every: float) -> Act:
    """Send one byte at a time, so that no single read times out."""

    def act(connection: socket.socket, stopped: threading.Event) -> None:
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            if stopped.wait(every):
                return

    return act


class FaultServer:
    """Plays one act per request, in order, the last one for ever; keeps the requests it got, as bytes."""

    def __init__(self, *acts: Act) -> None:
        self.requests: list[bytes] = []
        self._acts = deque(acts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def then(self, *acts: Act) -> None:
        """Replace what is still to be played."""
        self._acts = deque(acts)

    def stop(self) -> None:
        """Stop listening and break every connection."""
        self._stopped.set()
        _break(self._listener)
        for connection in list(self._open):
            _break(connection)
        self._thread.join(PATIENCE)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while not self._stopped.is_set() and (request := read_request(connection)):
                self.handle(request, connection)
        except OSError:
            pass  # the client went away: that is what faults are about
        finally:
            self._open.discard(connection)
            connection.close()

    def handle(self, request: bytes, connection: socket.socket) -> None:
        """Play the next act."""
        self.requests.append(request)
        act = self._acts.popleft() if len(self._acts) > 1 else self._acts[0]
        act(connection, self._stopped)


Fault = Callable[["FaultProxy", bytes, socket.socket], None]


class FaultProxy(FaultServer):
    """Forwards each request to ``port`` of this machine, one connection each; spoils what a fault is queued for."""

    def __init__(self, port: int, spoils: Callable[[bytes], bool]) -> None:
        super().__init__(hang())
        self._port = port
        self.spoils = spoils
        self._faults: deque[Fault] = deque()
        self.late: list[threading.Thread] = []

    def next(self, *faults: Fault) -> None:
        """Queue faults for the next requests that can be spoiled."""
        self._faults.extend(faults)

    def clear(self) -> None:
        """Forget the faults that nobody ran into."""
        self._faults.clear()

    def handle(self, request: bytes, connection: socket.socket) -> None:
        """Forward, or spoil."""
        self.requests.append(request)
        if self._faults and self.spoils(request):
            self._faults.popleft()(self, request, connection)
        else:
            connection.sendall(self.forward(request))
        connection.shutdown(socket.SHUT_RDWR)

    def forward(self, request: bytes) -> bytes:
        """Let the shop process the request; its whole answer."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as shop:
            shop.sendall(b"\r\n".join([*lines, b"connection: close", b"", body]))
            parts = []
            while part := shop.recv(65536):
                parts.append(part)
            return b"".join(parts)

    def apply_later(self, request: bytes, seconds: float) -> None:
        """Let the shop process the request after a while, on a thread of its own."""

        def later() -> None:
            self._stopped.wait(seconds)
            self.forward(request)

        self.late.append(threading.Thread(target=later, daemon=True))
        self.late[-1].start()


def drop_after_apply(proxy: FaultProxy, request: bytes, _: socket.socket) -> None:
    """The shop applies it, the connection breaks before the answer."""
    proxy.forward(request)


def half_answer(proxy: FaultProxy, request: bytes, connection: socket.socket) -> None:
    """The shop applies it, half of the answer arrives."""
    whole = proxy.forward(request)
    connection.sendall(whole[: len(whole) - len(whole.partition(b"\r\n\r\n")[2]) // 2])


def s503_after_apply(proxy: FaultProxy, request: bytes, connection: socket.socket) -> None:
    """The shop applies it, a gateway in front says 503."""
    proxy.forward(request)
    connection.sendall(answer(503, b"<html>Service Unavailable</html>", "connection: close"))


def hang_after_apply(proxy: FaultProxy, request: bytes, _: socket.socket) -> None:
    """The shop applies it and never answers."""
    proxy.forward(request)
    _wait(proxy._stopped, PATIENCE)


def drip_after_apply(proxy: FaultProxy, request: bytes, connection: socket.socket) -> None:
    """The shop applies it; its answer drips in, a byte at a time."""
    drip(proxy.forward(request), 0.05)(connection, proxy._stopped)


def late_apply(seconds: float) -> Fault:
    """The connection breaks; the shop applies it only after ``seconds``."""
    return lambda proxy, request, _: proxy.apply_later(request, seconds)


def never_apply(proxy: FaultProxy, request: bytes, connection: socket.socket) -> None:
    """The connection breaks, and the shop never hears of it."""


def instead(whole: bytes) -> Fault:
    """Somebody in front of the shop answers, the shop hears nothing."""
    closing = whole.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
    return lambda _, __, connection: connection.sendall(closing)


def read_request(connection: socket.socket) -> bytes:
    """Read one request with a Content-Length; empty when the client closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and (part := connection.recv(65536)):
        body += part
    return head + b"\r\n\r\n" + body


def _wait(event: threading.Event, seconds: float) -> None:
    event.wait(seconds)


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected: nothing to break
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


FAULTS_AFTER_APPLYING: Sequence[tuple[str, Fault]] = (
    ("a dropped answer", drop_after_apply),
    ("half an answer", half_answer),
    ("a 503 of a gateway", s503_after_apply),
    ("no answer in time", hang_after_apply),
    ("an answer that drips in", drip_after_apply),
)
