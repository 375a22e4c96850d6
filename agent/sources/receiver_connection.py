"""One connection of the receiver: what came is given to h11, its events to an upload, and answers back; never waits.

A request that is refused by its head is answered at once, and at most `DRAIN` bytes of its body are read and thrown
away: a connection that is closed while data come in is reset, and a reset takes the answer away from who has not read
it yet. A body that turns out bad is read to its end first (and thrown away), as clients listen only then.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import h11

from agent.sources.receiver_answer import Answer, Refusal, accepted, head, page, refused
from agent.sources.receiver_request import TITLES, Login, Look, Post, has_body, judge
from agent.sources.receiver_upload import Disk, Stored, Upload

log = logging.getLogger(__name__)

HEAD_WITHIN = 10.0
SILENT_FOR = 30.0
BODY_WITHIN = 3600.0
IDLE_FOR = 15.0
ANSWER_WITHIN = 10.0
LINGER = 5.0
HELD_FOR = 5.0
"""Seconds: for a head, without a byte of a body, for a whole body, between two requests, for an answer to be taken,
for the other side to read the last answer before the connection is closed, and for a scanner to let go of a file."""
ASK_AGAIN = 0.05
"""Seconds between two tries while another program holds the file."""
DRAIN = 2**20
"""Bytes of a refused body that are read so that the answer arrives."""
READ = 64 * 1024
AT_ONCE = 2**20
"""Bytes that one connection unpacks before the others have their turn; an event of h11 counts as `EVENT_COSTS`."""
EVENT_COSTS = 1024


class Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    HELD = auto()
    """Its document has come and another program holds the file."""
    LAST = auto()
    """Its last answer is being sent."""
    LINGER = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Desk:
    """What all connections share. ``wall`` is the time in seconds since 1970, ``took`` is told of accepted posts."""

    folder: Path
    login: Login
    ico: str
    largest: int
    disk: Disk
    wall: Callable[[], float]
    took: Callable[[str, str], object]


class Connection:
    """Times given to its methods are seconds of one clock that only moves forward."""

    def __init__(self, sock: socket.socket, peer: str, desk: Desk, now: float) -> None:
        self.sock = sock
        self.heard = now
        """When the last byte came."""
        self.phase = Phase.HEAD
        self._peer = peer
        self._desk = desk
        self._since = now
        self._served = 0
        self._out = bytearray()
        self._http = h11.Connection(h11.SERVER)
        self._method = b""
        self._post: Post | None = None
        self._upload: Upload | None = None
        self._answer: Answer | None = None
        self._drained = 0
        self._more = False

    @property
    def rest(self) -> float | None:
        """How many seconds it may be left alone when nothing comes: 0 if it has work to do, None for any time."""
        if self._out:
            return None
        if self.phase is Phase.HELD:
            return ASK_AGAIN
        return 0.0 if self._more else None

    @property
    def idle(self) -> bool:
        """Nothing is lost when it is closed now."""
        return self._upload is None and not self._out

    @property
    def wants(self) -> int:
        """What to wait for: a mask of `selectors`, 0 for nothing."""
        if self._out:
            return selectors.EVENT_WRITE
        if self.phase is Phase.LINGER and self._drained >= DRAIN:
            return 0
        return selectors.EVENT_READ if self.rest is None else 0

    @property
    def deadline(self) -> float:
        """When it is closed unless something happens."""
        if self.phase is Phase.LINGER:
            return self._since + LINGER
        if self._out or self.phase is Phase.HELD:
            return self._since + HELD_FOR + ANSWER_WITHIN
        if self.phase is Phase.BODY:
            return min(self.heard + SILENT_FOR, self._since + BODY_WITHIN)
        fresh = self._served and not self._http.trailing_data[0]
        return self._since + (IDLE_FOR if fresh else HEAD_WITHIN)

    def ready(self, mask: int, now: float) -> None:
        """Read or write what is possible now, and work on it."""
        if mask & selectors.EVENT_READ and not self._read(now):
            return
        self.work(now)

    def work(self, now: float) -> None:
        """Go on with what has come, as far as one turn goes."""
        left, self._more = AT_ONCE, False
        if self.phase is Phase.HELD:
            self._guarded(self._end, now)
        while True:
            if self._out and not self._written(now):
                return
            if self.phase not in {Phase.HEAD, Phase.BODY}:
                return
            if left <= 0:
                self._more = True
                return
            if self._upload is not None and self._upload.pending:
                left -= max(EVENT_COSTS, self._upload.work())
            elif self._next(now) or self._out:
                left -= EVENT_COSTS
            else:
                return

    def close(self, why: str = "") -> None:
        """Drop it with all that it holds; ``why`` is said if a post is lost by it."""
        if self._upload is not None:
            if why:
                log.warning(
                    "a post to %s from %s broke off after %d bytes: %s",
                    self._post.path if self._post else "",
                    self._peer,
                    self._upload.received,
                    why,
                    extra={"hint": "POHODA was told nothing, so it shows an error; run the export there again."},
                )
            self._upload.discard()
            self._upload = None
        self.phase = Phase.CLOSED
        self.sock.close()

    def _read(self, now: float) -> bool:
        try:
            data = self.sock.recv(READ)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self.close("the connection broke")
            return False
        if self.phase is Phase.LINGER:
            self._drained += len(data)
            if not data:
                self.close()
            return False
        if data and self.phase is Phase.HEAD and self._served and not self._http.trailing_data[0]:
            self._since = now  # the first byte of a further request
        self.heard = now
        self._http.receive_data(data)
        return True

    def _next(self, now: float) -> bool:
        """Do the next thing that h11 tells; False when there is none."""
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            self._broken(error, now)
            return False
        if isinstance(event, h11.Request):
            self._guarded(lambda at: self._begin(event, at), now)
        elif isinstance(event, h11.Data):
            self._guarded(lambda _: self._feed(bytes(event.data)), now)
        elif isinstance(event, h11.EndOfMessage):
            self._since = now
            self._guarded(self._end, now)
        elif isinstance(event, h11.ConnectionClosed):
            self.close()
        return isinstance(event, h11.Request | h11.Data | h11.EndOfMessage)

    def _guarded(self, act: Callable[[float], None], now: float) -> None:
        try:
            act(now)
        except Refusal as refusal:
            self._refuse(refusal, now)

    def _feed(self, data: bytes) -> None:
        if self._upload is not None:
            self._upload.feed(data)

    def _begin(self, request: h11.Request, now: float) -> None:
        self._method = request.method
        self._answer = self._post = None
        self._since = now
        try:
            found = judge(request, self._desk.login, self._desk.largest)
        except Refusal as refusal:
            if has_body(request):
                raise
            self._log(refusal)
            self._answer = refused(refusal)
            return
        if isinstance(found, Look):
            self._answer = page(TITLES[found.path], login=bool(self._desk.login))
            if has_body(request):
                self._say(self._answer, last=True)
            return
        self.phase, self._post = Phase.BODY, found
        self._upload = Upload(self._desk.folder, found.coding, largest=self._desk.largest, disk=self._desk.disk)
        if self._http.they_are_waiting_for_100_continue:
            self._out += self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""

    def _end(self, now: float) -> None:
        """The request is complete: answer it."""
        answer, upload, post = self._answer, self._upload, self._post
        if upload is not None and post is not None:
            patient = now < self._since + HELD_FOR
            stored = upload.store(self._desk.wall(), ico=self._desk.ico, wait=patient)
            if stored is None:
                self.phase = Phase.HELD
                return
            self._upload = None
            answer = self._stored(stored, post)
        if answer is not None:
            self._say(answer)

    def _stored(self, stored: Stored, post: Post) -> Answer:
        known = ", which was here already" if stored.known else ""
        log.info("post to %s accepted: %s, %d bytes%s", post.path, stored.kind or "no list", stored.size, known)
        self._desk.took(post.path, stored.kind)
        return accepted(stored.kind, stored.size, ident=stored.ident, known=stored.known)

    def _refuse(self, refusal: Refusal, now: float) -> None:
        if self._upload is not None:
            self._upload.discard()
            self._upload = None
        self._log(refusal)
        self._since = now
        self._say(refused(refusal), last=self._http.their_state is not h11.DONE)

    def _broken(self, error: h11.RemoteProtocolError, now: float) -> None:
        """What came is no HTTP, or ends in the middle: there is nobody to answer then."""
        if self._http.trailing_data[1] or self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.close("the other side hung up")
            return
        text = str(error)[:120]
        self._refuse(Refusal(error.error_status_hint, f"no proper HTTP: {text}", f"Chybný požadavek ({text})."), now)

    def _log(self, refusal: Refusal) -> None:
        level = logging.WARNING if self._method == b"POST" else logging.DEBUG
        log.log(level, "post from %s refused: %s", self._peer, refusal, extra={"hint": refusal.hint})

    def _say(self, answer: Answer, *, last: bool = False) -> None:
        http = self._http
        headers = head(answer, self._desk.wall(), close=last)
        body = b"" if self._method == b"HEAD" else answer.body
        for event in (h11.Response(status_code=answer.status, headers=headers), h11.Data(body), h11.EndOfMessage()):
            self._out += http.send(event) or b""
        self._served += 1
        if last or http.our_state is not h11.DONE or http.their_state is not h11.DONE:
            self.phase = Phase.LAST
        else:
            self.phase = Phase.HEAD

    def _written(self, now: float) -> bool:
        """Send what there is to send; True once all of it is on its way."""
        try:
            del self._out[: self.sock.send(self._out)]
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self.close("the connection broke")
            return False
        if self._out:
            return False
        if self.phase is Phase.LAST:
            self.phase, self._since = Phase.LINGER, now
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
        elif self.phase is Phase.HEAD:
            self._since = self.heard = now
            self._http.start_next_cycle()
        return True
