"""POHODA's base edition: its Access file as a `Database` that is read like any other.

The file is copied, its tables are read whole into an SQLite database in memory (`Image`), and all views read that one
with the same statements as everywhere. A new image is made off to the side and takes the place of the old one only when
it is complete; if it cannot be made, nothing is told, and nothing changes.

When it is made anew: when the file's size, time or identity differ (looked at each time, without opening it); when the
counters in its first page moved (looked at every `LOOK` seconds, for Windows may bring the time up to date only when
POHODA is closed); and in any case every `AT_LEAST` seconds. But never in more than a tenth of the time: after a reading
that took 3 s, the next one is 27 s later at the earliest, and until then the last image is what POHODA holds. A reading
that failed is repeated at the same pace, and until it succeeds everyone is told why it failed.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.errors import SourceUnavailable
from agent.sources.access_copy import Sign, copied, first_page, sign_of
from agent.sources.access_memory import Image
from agent.sources.access_rows import READ, ReadTables, Wanted, find_driver, read_tables
from agent.sources.reader import Reader

CALL_LIMIT = 60.0
"""Seconds that one call may read in memory, or wait for another one's reading of the file."""
READING_LIMIT = 600.0
"""Seconds that a reading of the file may take, copy and all; a gigabyte over a network of 100 Mbit/s takes 90."""
LOOK = 10.0
AT_LEAST = 300.0
CLOSE_WAIT = 3.0
"""Seconds to wait for a reading that is told to end."""
SHARE = 9
"""Rest after a reading, as a multiple of it: at most a tenth of the time is spent reading."""


class AccessDatabase:
    """The Access file of one accounting unit and year. Thread-safe."""

    def __init__(
        self,
        path: Path,
        read: ReadTables,
        *,
        wanted: Wanted = READ,
        call_limit: float = CALL_LIMIT,
        reading_limit: float = READING_LIMIT,
        look: float = LOOK,
        at_least: float = AT_LEAST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        full = os.path.normcase(path.absolute())
        self.identity = hashlib.blake2b(f"access:{full}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        """A digest of the path: another file behind the setting changes it."""
        self.described = f"Access file {path.name}, read from a copy"
        """For people."""
        self._read = read
        self._wanted = wanted
        self._call_limit = call_limit
        self._reading_limit = reading_limit
        self._look = look
        self._at_least = at_least
        self._clock = clock
        self._one_reading = threading.Lock()
        self._image: Image | None = None
        self._sign: Sign | None = None
        self._head = b""
        self._read_at = self._looked_at = self._due = clock()
        self._failed: SourceUnavailable | None = None
        self._closings = 0

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Lend the tables for one call. Raises `SourceUnavailable` for all that fails."""
        while True:
            with self._current().lent(self._call_limit) as reader:
                if reader is not None:
                    yield reader
                    return

    def close(self) -> None:
        """Let go of the memory and cut a reading short that is under way. Who reads later reads the file anew."""
        self._closings += 1
        if self._one_reading.acquire(timeout=CLOSE_WAIT):  # a network that hangs must not hold up the stop
            try:
                self._replace(None)
                self._due, self._failed = self._clock(), None
            finally:
                self._one_reading.release()

    def _current(self) -> Image:
        """The image to read from: the last one while the file is as it was, and in between two readings."""
        sign = sign_of(self._path)
        image = self._image
        if image is not None and self._unmoved(sign):
            return image
        if not self._one_reading.acquire(timeout=0 if image is not None else self._call_limit):
            self._tell_failure()
            if image is not None:
                return image  # another thread is reading the file
            raise SourceUnavailable("POHODA's Access file is still being read.", hint="The agent tries again soon.")
        try:
            if self._image is not image and self._image is not None:
                return self._image  # made while we waited
            if self._clock() < self._due:
                return self._until_due()
            return self._renew()
        finally:
            self._one_reading.release()

    def _unmoved(self, sign: Sign) -> bool:
        """Tell whether the file is as the image says. Raises `SourceUnavailable`."""
        now = self._clock()
        if self._failed is not None or sign != self._sign or now - self._read_at >= self._at_least:
            return False
        if now - self._looked_at >= self._look:
            self._looked_at = now
            if first_page(self._path) != self._head:
                self._sign = None  # moved, whoever asks next
        return self._sign is not None

    def _until_due(self) -> Image:
        """What holds until the file may be read again."""
        self._tell_failure()
        if self._image is None:  # closed just now
            return self._renew()
        return self._image

    def _tell_failure(self) -> None:
        failed = self._failed
        if failed is not None:
            raise SourceUnavailable(str(failed), hint=failed.hint)

    def _renew(self) -> Image:
        """Read the file."""
        began = self._clock()
        image = Image(self._clock)
        try:
            going = self._going(began)
            with (
                copied(self._path, going) as (copy, sign, head),
                closing(self._read(copy, self._wanted, going)) as tables,
            ):
                image.fill(tables)
            self._sign, self._head, self._failed = sign, head, None
        except BaseException as error:
            image.retire()
            self._failed = error if isinstance(error, SourceUnavailable) else None
            raise
        finally:
            self._due = self._clock() + SHARE * (self._clock() - began)
        self._read_at = self._looked_at = began
        self._replace(image)
        return image

    def _going(self, began: float) -> Callable[[], None]:
        """Something that raises when a reading is to be cut short."""
        closings = self._closings

        def going() -> None:
            if self._closings != closings:
                raise SourceUnavailable("Reading was cut short, for the agent stops.")
            if self._clock() - began > self._reading_limit:
                raise SourceUnavailable(
                    f"Reading POHODA's Access file took more than {self._reading_limit:.0f} s and was cut short.",
                    hint="Run the agent on the computer that the file lies on.",
                )

        return going

    def _replace(self, image: Image | None) -> None:
        old, self._image = self._image, image
        if old is not None:
            old.retire()


def open_access(
    path: Path | str, *, call_limit: float = CALL_LIMIT, wanted: Wanted = READ, at_least: float = AT_LEAST
) -> AccessDatabase:
    """Make a database of POHODA's file (.mdb, .accdb); it is read only when something is asked.

    ``at_least``: seconds after which the file is read although nothing seems to have changed. Raises
    `EnvironmentProblem` when the ODBC library or a driver for Access is missing.
    """
    path = Path(path)
    read = read_tables(find_driver(path.suffix.lower()))
    return AccessDatabase(path, read, wanted=wanted, call_limit=call_limit, at_least=at_least)
