"""The receiver: POHODA posts its lists here (agenda Internetové obchody), and they go into the export directory.

POHODA is the client and starts every transfer; a document is answered with ``state="ok"`` only once it is durable in
the directory, from where it is taken in like any other file. So nothing is lost that POHODA believes delivered, and a
post whose answer got lost may be posted again.

One thread serves all connections: `Receiver.step` waits a moment, lets every connection that can go on do a bounded
piece of work, closes those that are too slow, and returns. Beyond `CONNECTIONS` the one is closed that was silent for
longest, those without a document first: who sends a document is never held up by those who hold connections open.

There is no TLS: on this machine none is needed; from elsewhere a login is demanded, and a proxy in front gives TLS.
"""

from __future__ import annotations

import ipaddress
import logging
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from agent.errors import ConfigError, EnvironmentProblem, SourceUnavailable
from agent.sources.receiver_connection import Connection, Desk, Phase
from agent.sources.receiver_request import URLS, Login
from agent.sources.receiver_upload import Disk, clear_leftovers

__all__ = ["CONNECTIONS", "URLS", "Receiver"]

log = logging.getLogger(__name__)

CONNECTIONS = 32
WAIT = 0.2
"""Seconds that a step waits for something to happen."""
_WAITING = 64
"""Connections that the system keeps until they are accepted."""
_LARGEST = 4 * 2**30


class Receiver:
    """Sans-thread: one thread (the loop's) calls `step` again and again, and `close` at the end."""

    def __init__(
        self,
        folder: Path,
        listen: tuple[str, int],
        *,
        user: str = "",
        password: str = "",
        ico: str = "",
        called: Callable[[str, str], object] = lambda _path, _what: None,
        largest: int = _LARGEST,
        clock: Callable[[], float] = time.monotonic,
        disk: Disk | None = None,
        wait: float = WAIT,
    ) -> None:
        """Listen at once. ``listen`` is host and port (0: any), ``largest`` bytes of one document, unpacked or not.

        ``called`` is told the path (of `URLS`) and the kind of the list after each accepted post; ``clock`` times the
        connections. Raises `ConfigError` (an address from elsewhere without a login, half a login, an unknown host),
        `EnvironmentProblem` (the port is taken).
        """
        login = _login(user, password)
        self._called = called
        self._clock = clock
        self._wait = wait
        self._folder = folder
        self._wall: float | None = None
        self._took: deque[tuple[str, str]] = deque()
        self._desk = Desk(folder, login, ico, largest, disk or Disk(), self._time, self._note)
        self._connections: dict[Connection, int] = {}
        """Open ones, and what each is registered for."""
        self._listener = _open(listen, login)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        host, port = self._listener.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)

    def step(self, now: float) -> bool:
        """Serve for a moment; True when there may be more at once. ``now`` in seconds since 1970, for names and dates.

        What ``called`` raises passes through, after all has been answered. Raises `SourceUnavailable` when the system
        gives no more connections.
        """
        if self._wall is None:
            clear_leftovers(self._folder, now)
        self._wall = now
        working = {each: rest for each in self._connections if (rest := each.rest) is not None}
        events = self._selector.select(min([self._wait, *working.values()]))
        waited_until = self._clock()  # what came until then is served before anybody is called slow
        masks: dict[Connection, int] = dict.fromkeys(working, 0)
        arrivals = False
        for key, mask in events:
            if isinstance(key.data, Connection):
                masks[key.data] = mask
            else:
                arrivals = True
        for connection, mask in masks.items():
            self._serve(connection, mask)
        for connection in [each for each in self._connections if each.deadline <= waited_until]:
            self._drop(connection, "it was too slow")
        if arrivals:
            self._accept()
        while self._took:
            self._called(*self._took.popleft())
        return bool(masks) or arrivals

    def close(self) -> None:
        """Stop listening and drop all connections; of posts under way nothing is left behind, and POHODA sees an error.

        May be called again.
        """
        for connection in list(self._connections):
            self._drop(connection, "the agent stops")
        self._selector.close()
        self._listener.close()

    def _time(self) -> float:
        return self._wall or 0.0

    def _note(self, path: str, kind: str) -> None:
        self._took.append((path, kind))

    def _serve(self, connection: Connection, mask: int) -> None:
        try:
            if connection.phase is not Phase.CLOSED:
                connection.ready(mask, self._clock())
        except Exception:
            self._drop(connection, "a bug")
            raise
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Register for what the connection waits for now."""
        if connection.phase is Phase.CLOSED:
            self._drop(connection)
            return
        before, wants = self._connections.get(connection, 0), connection.wants
        if before == wants:
            return
        if not before:
            self._selector.register(connection.sock, wants, connection)
        elif wants:
            self._selector.modify(connection.sock, wants, connection)
        else:
            self._selector.unregister(connection.sock)
        self._connections[connection] = wants

    def _drop(self, connection: Connection, why: str = "") -> None:
        if self._connections.pop(connection, 0):
            self._selector.unregister(connection.sock)  # finds it although it may be closed already
        connection.close(why)

    def _accept(self) -> None:
        for _ in range(_WAITING):
            try:
                sock, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:  # gone before it was accepted
                continue
            except OSError as error:
                raise SourceUnavailable(
                    f"The receiver can take no more connections: {error.strerror or error}.",
                    hint="The system lacks file handles or memory; the agent tries again by itself.",
                ) from error
            if len(self._connections) >= CONNECTIONS:
                silent = min(self._connections, key=lambda each: (not each.idle, each.heard))
                self._drop(silent, "others need its place")
            sock.settimeout(0)
            connection = Connection(sock, str(peer[0]), self._desk, self._clock())
            self._connections[connection] = 0
            self._watch(connection)


def _login(user: str, password: str) -> Login:
    if bool(user) != bool(password):
        raise ConfigError(
            "[pohoda.receiver] has a user or a password, but not both.", hint="Set both, the password as ${VARIABLE}."
        )
    if ":" in user:
        raise ConfigError("[pohoda.receiver] user has a colon in it, which HTTP cannot transfer.", hint="Leave it out.")
    return Login(user, password)


def _open(listen: tuple[str, int], login: Login) -> socket.socket:
    host, port = listen[0].strip("[]"), listen[1]
    where = f"{listen[0]}:{port}"
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError) as error:
        raise ConfigError(
            f"[pohoda.receiver] listen: {where} is no address of a machine.", hint='Write for example "127.0.0.1:8081".'
        ) from error
    family, kind, protocol, _, address = found[0]
    if not login and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise ConfigError(
            f"[pohoda.receiver] listen: {where} can be reached from other machines, and there is no login.",
            hint='Set user and password, or listen on "127.0.0.1:8081" if POHODA runs on this machine.',
        )
    sock = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":  # there, another program could take a port that is in use
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # connections of the last run do not hold the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_WAITING)
        sock.settimeout(0)
    except (OSError, OverflowError) as error:
        sock.close()
        raise EnvironmentProblem(
            f"The receiver cannot listen on {where}: {getattr(error, 'strerror', '') or error}.",
            hint="Another program (or another agent) uses the port, or the address is not of this machine; "
            "set [pohoda.receiver] listen to a free one, and the same in POHODA.",
        ) from error
    return sock
