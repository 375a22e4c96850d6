"""The test server: databases, logins and faults, behind a port of the loopback interface.

    with Server() as server:
        books = server.create_database("StwPh_12345678_2026")
        books.create_table("SKz", {"ID": "int", "IDS": "varchar(64)", "StavZ": "float", "RV": "rowversion"})
        with books.begin() as work:
            work.insert("SKz", IDS="Šroub", StavZ=3)
        pyodbc.connect(odbc(server, "FreeTDS", database=books.name))

It speaks TDS 7.4 to FreeTDS and to Microsoft's driver, and proves the wire, the drivers and how failures are borne.
It proves nothing about T-SQL: see ``statements.py`` for the few shapes that it knows.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import ssl
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from tests.mssql.context import VERSION
from tests.mssql.engine import Database
from tests.mssql.faults import Faults
from tests.mssql.logins import Login
from tests.mssql.session import Session

USER, PASSWORD = "agent", "Heslo-1234"
_LOG = 20_000
_JOIN = 10.0


class Server:
    """A server on the loopback interface. Everything it holds stays over `stop` and `start`, the port included."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = datetime.now,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.databases = {"master": Database("master")}
        self.logins = {USER: Login(PASSWORD)}
        """By lower-case name."""
        self.faults = Faults()
        self.log: deque[str] = deque(maxlen=_LOG)
        """The statements that were sent, newest last."""
        self.procedures: Counter[str] = Counter()
        """Remote procedures that drivers called, most of them to send those statements."""
        self.clock = clock
        self.version = VERSION
        """What SERVERPROPERTY says of it; the protocol stays that of TDS 7.4."""
        self.port = port
        """0 before the first start, unless given."""
        self.host = host
        self._tls = tls
        self._listener: socket.socket | None = None
        self._sessions: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._spids = itertools.count(51)
        self._timer: threading.Timer | None = None

    def create_database(self, name: str) -> Database:
        """Add an empty database."""
        made = self.databases[name.lower()] = Database(name)
        return made

    def database(self, name: str) -> Database:
        """A database by its name, whatever its case. Raises KeyError."""
        return self.databases[name.lower()]

    def login(self, user: str, password: str, **rights: object) -> Login:
        """Add a login, or replace one; ``rights`` as in `Login`."""
        made = self.logins[user.lower()] = Login(password, **rights)  # type: ignore[arg-type]  # passed on as they are
        return made

    def start(self) -> Self:
        """Listen. Raises OSError when the port is taken."""
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_STREAM)
        if os.name != "nt":  # there it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="mssql-accept", daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more and throw everybody out; transactions that are open in Python stay so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join(_JOIN)
            self._timer = None
        self._down()

    def restart(self, *, down: float = 0.0) -> None:
        """Throw everybody out and be away for so many seconds; returns at once. What is committed, and the port, stay.

        Transactions that were open are rolled back: their ``commit`` raises `SqlError`.
        """
        self._down()
        for database in self.databases.values():
            database.recover()
        self._timer = threading.Timer(down, self.start)
        self._timer.daemon = True
        self._timer.start()

    def drop_connections(self) -> None:
        """Throw everybody out, and go on listening."""
        with self._lock:
            sessions = dict(self._sessions)
        for raw in sessions.values():
            with contextlib.suppress(OSError):  # it may have closed by itself
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raw.shutdown(socket.SHUT_RDWR)
        for thread in sessions:
            thread.join(_JOIN)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._sessions)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _down(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):  # wakes accept on Linux; elsewhere closing does
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.drop_connections()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._run, args=(raw,), name="mssql-session", daemon=True)
            with self._lock:
                self._sessions[thread] = raw
            thread.start()

    def _run(self, raw: socket.socket) -> None:
        try:
            Session(self, raw, next(self._spids), self._tls).run()
        finally:
            with self._lock:
                self._sessions.pop(threading.current_thread(), None)
