"""One HTTP client per shop: timeouts, limits, and the translation of every foreign failure at this border.

This is the only module beside the mServer client that imports httpx (its releases have slowed down; a swap costs one
file). The decisions that bind it:

* A **read** has no effect, so whatever goes wrong is `ShopUnavailable`; a break on a kept-alive connection is tried
  once more by tenacity (seconds only; minutes and more belong to the outbox).
* A **write** that provably never left (refused, no route, TLS, pool) or was refused before processing (429, 423, 401,
  403, 405, 3xx) is `ShopUnavailable`; anything unclear (a break, a timeout, 408, any 5xx) is `AnswerLost`. Everything
  else is an answer, and the adapter's to understand.
* Long-lived client, no redirects, TLS verified, answers limited in size and in total time. Idle connections are
  dropped before servers drop them (Apache 5 s, Node 5 s), so that a write rarely meets a closing one.
* ``timeout`` limits a whole answer. httpx limits each read only: an answer that came a byte at a time, head or body,
  went on for as long as it liked. So each connection's ``read`` is given what is left of the time.
* Closing must end a call that is under way in another thread. Closing a socket does not wake a thread that waits in
  ``recv`` (measured: it sat out its whole timeout), shutting it down does. httpcore's trace tells of the connections.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import tenacity

from agent.errors import AnswerLost, ShopUnavailable
from agent.shops import in_flight

MAX_ANSWER = 32 * 1024 * 1024
"""Bytes of one decoded answer. A page of 1,000 full stock rows of PrestaShop is about 0.5 MB."""
MAX_RETRY_AFTER = 15 * 60.0
"""Seconds. What a shop asks for beyond this is taken as this (a proxy in error answered 10 years)."""
KEEP_ALIVE = 3.0

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_FAILED = (httpx.HTTPError, httpx.InvalidURL, RuntimeError)
"""RuntimeError: the client was closed meanwhile; `httpx.StreamError` is one, too."""
_REFUSED = {401, 403, 405, 423, 429}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer within the limits."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes; for messages, not for parsing."""
        return self.body.decode("utf-8", "replace")


class ShopHttp:
    """The client of one shop. Thread-safe like httpx's; ``pace`` is called before every request (the rate limit)."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        pace: Callable[[], None] = lambda: None,
    ) -> None:
        self._timeout = timeout
        self._pace = pace
        self._closed = False
        self._call = threading.local()  # .deadline of the call of this thread, .writes if it has an effect
        self._lock = threading.Lock()
        self._streams: weakref.WeakSet[Any] = weakref.WeakSet()  # httpcore.NetworkStream of every open connection
        self._client = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            headers={"user-agent": "pohoda-agent", **(headers or {})},
            auth=auth,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=8, keepalive_expiry=KEEP_ALIVE),
            trust_env=True,  # a company proxy is set there
        )

    def read(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        method: str = "GET",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> Answer:
        """Ask without effect. Returns 2xx, 400, 404 and 304; raises `ShopUnavailable` for everything else.

        ``also`` are further statuses that say something here (a picture without its file is a 500 in PrestaShop).
        """
        try:
            answer = self._read_twice(method, path, params, content, headers)
        except _FAILED as error:
            raise _unreachable(error) from error
        if answer.status in _REFUSED or (300 <= answer.status < 400 and answer.status != 304):
            raise _refused(answer)
        if answer.status >= 400 and answer.status not in {400, 404, *also}:
            raise ShopUnavailable(
                f"The shop answers HTTP {answer.status}.",
                hint="The shop is in trouble or under maintenance; the agent tries again by itself.",
                retry_after=retry_after(answer.headers, datetime.now(UTC)),
            )
        return answer

    def write(
        self,
        method: str,
        path: str,
        *,
        content: bytes,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send something that has an effect.

        Raises `ShopUnavailable` when it certainly was not processed and `AnswerLost` when nobody can say; any other
        answer (2xx and the rest of 4xx) is returned.
        """
        if self._closed:
            raise ShopUnavailable("The connection to the shop is closed.")
        try:
            answer = self._send(method, path, params, content, headers, writes=True)
        except _NEVER_SENT as error:
            raise _unreachable(error) from error
        except _FAILED as error:
            raise AnswerLost(f"The request was sent, its answer is unknown: {_name(error)}.") from error
        if answer.status in _REFUSED or 300 <= answer.status < 400:
            raise _refused(answer)
        if answer.status >= 500 or answer.status == 408:
            raise AnswerLost(f"HTTP {answer.status}: {answer.text[:300]}")
        return answer

    def close(self) -> None:
        """Close all connections; a call that is under way ends at once as `AnswerLost` or `ShopUnavailable`."""
        self._closed = True
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            _shut_down(stream)
        self._client.close()

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type((httpx.RemoteProtocolError, httpx.ReadError)),
        stop=tenacity.stop_after_attempt(2),
        wait=tenacity.wait_none(),
        reraise=True,
    )
    def _read_twice(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        return self._send(method, path, params, content, headers)

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        *,
        writes: bool = False,
    ) -> Answer:
        self._pace()
        self._call.writes = writes
        self._call.deadline = time.monotonic() + self._timeout
        with self._client.stream(
            method, path, params=params, content=content, headers=headers, extensions={"trace": self._trace}
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise httpx.ReadError(f"the answer is larger than {MAX_ANSWER // 1048576} MB")
            return Answer(response.status_code, response.headers, bytes(body))

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take care of each new connection, and of the time in which the shop works (httpcore documents the events)."""
        if event == "http11.send_request_body.complete" and self._call.writes:
            began = time.monotonic()
            in_flight.waiting()
            self._call.deadline += time.monotonic() - began  # our own work is not the shop's delay
            return
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        stream = info["return_value"]
        self._limit(stream)
        with self._lock:
            self._streams.add(stream)
        if self._closed:
            _shut_down(stream)

    def _limit(self, stream: Any) -> None:  # noqa: ANN401 - httpcore's type; importing it would widen the border
        """Let no read of this connection last beyond the deadline of the call that reads."""
        read = stream.read

        def limited(max_bytes: int, timeout: float | None = None) -> bytes:
            left = self._call.deadline - time.monotonic()
            if left <= 0:
                raise httpx.ReadTimeout("the answer drips in too slowly")
            data: bytes = read(max_bytes, timeout=left if timeout is None else min(timeout, left))
            return data

        stream.read = limited


def _shut_down(stream: Any) -> None:  # noqa: ANN401 - httpcore's type; importing it would widen the border
    """Shut a socket down below TLS, so that nobody waits for the shop's goodbye."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or an HTTP date; None when absent or unreadable.

    The result lies between 0 and `MAX_RETRY_AFTER` seconds, whatever was asked for.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, OverflowError):  # the year 99999999999
            return None
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    if math.isnan(seconds):  # "nan" is a float, too
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _unreachable(error: Exception) -> ShopUnavailable:
    return ShopUnavailable(
        f"The shop cannot be reached: {_name(error)}.",
        hint="Check that the shop runs and that [shop] url is right; the agent tries again by itself.",
    )


def _refused(answer: Answer) -> ShopUnavailable:
    status = answer.status
    hints = {
        401: "The shop refuses the credentials: check the key in the environment variable named in the config.",
        403: "The shop refuses the credentials' rights: grant the key what `check` lists.",
        405: "The shop does not allow it: grant the key what `check` lists, or allow PATCH on the web server.",
        423: "The shop is busy with the same resource; the agent tries again by itself.",
        429: "The shop limits the rate; set [shop] rate_limit if this happens often.",
    }
    hint = hints.get(status, "The shop redirects: set [shop] url to the address that it redirects to.")
    return ShopUnavailable(
        f"The shop answers HTTP {status}.",
        hint=hint,
        retry_after=retry_after(answer.headers, datetime.now(UTC)),
        denied=status in {401, 403},
    )


def _name(error: Exception) -> str:
    """Name an error without what httpx puts into its text (a URL can hold a key)."""
    names = {
        "ConnectError": "no connection",
        "ConnectTimeout": "connecting took too long",
        "ReadTimeout": "no answer in time",
        "WriteTimeout": "sending took too long",
        "RemoteProtocolError": "the connection broke before the answer was complete",
        "ReadError": "the connection broke while reading the answer",
        "WriteError": "the connection broke while sending",
        "RuntimeError": "the connection was closed by the agent",
    }
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not valid, or not trusted by this machine"
    return names.get(type(error).__name__, type(error).__name__)
