"""What SQL Server Browser does: tell by UDP on which port an instance listens. From [MC-SQLR] 2.2."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

PORT = 1434
_ASKED_ONE = 4


class Browser:
    """Answers for the instances that it was told. The port is fixed: `OSError` at the start if it is taken."""

    def __init__(self, instances: dict[str, int]) -> None:
        self._instances = {name.upper(): port for name, port in instances.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", PORT))
        self._thread = threading.Thread(target=self._serve, name="mssql-browser", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as waker:
            waker.sendto(b"", ("127.0.0.1", PORT))
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            asked, who = self._socket.recvfrom(1024)
            if not asked:
                return
            name = asked[1:].split(b"\0")[0].decode("ascii", "replace").upper()
            if asked[0] != _ASKED_ONE or name not in self._instances:
                continue
            text = f"ServerName;TEST;InstanceName;{name};IsClustered;No;Version;15.0.2000.5;tcp;"
            answer = f"{text}{self._instances[name]};;".encode()
            self._socket.sendto(b"\x05" + struct.pack("<H", len(answer)) + answer, who)
