"""Logging: one readable line per event, or one JSON object; secrets are taken out at the last moment, whatever happens.

stdlib logging to standard error; a service wrapper (systemd, WinSW) keeps and rotates it.
"""

from __future__ import annotations

import base64
import logging
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import orjson

FIELDS = ("shop", "loop", "target", "key", "held", "hint")
"""What an event may carry beside its text, in the order in which it is shown."""
MASK = "***"


current_shop: ContextVar[str] = ContextVar("current_shop", default="")
"""The shop that this thread works for; each of its events is given the name."""


class _NameTheShop(logging.Filter):
    """Adds the shop to an event that does not name one."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not getattr(record, "shop", None):
            record.shop = current_shop.get()
        return True


_SHAPED = re.compile(
    r"(?i)((?:ws_key|password|pwd|token|api[-_]key|authorization)['\"]?\s*[=:]\s*['\"]?)"
    r"(?:Basic |Bearer )?[^\s'\"&;,]+"
)
_PARTS = ("key", "passw", "pwd", "token", "author")
"""One of them is in every text that `_SHAPED` finds something in; looking for them costs a tenth of its search."""


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Make a function that masks these secrets (of 4 characters or more) and anything that looks like credentials.

    A secret is also known as it travels: quoted in an address, and in base64 alone or as a name without password.
    """
    plain = [secret for secret in secrets if len(secret) >= 4]
    coded = [base64.b64encode(text.encode()).decode().rstrip("=") for one in plain for text in (one, f"{one}:")]
    words = sorted({*plain, *coded, *(quote(secret, safe="") for secret in plain)}, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, words))) if words else None

    def redact(text: str) -> str:
        masked = known.sub(MASK, text) if known else text
        folded = masked.casefold()
        return _SHAPED.sub(rf"\1{MASK}", masked) if any(part in folded for part in _PARTS) else masked

    return redact


class LineFormatter(logging.Formatter):
    """``2026-11-22 18:15:42 warning prestashop/quantities: text (key=abc) - try: hint``."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Write one event on one line; a traceback follows indented."""
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        fields = {name: getattr(record, name) for name in FIELDS if getattr(record, name, None)}
        where = "/".join(str(fields.pop(name)) for name in ("shop", "loop", "target") if name in fields)
        hint = fields.pop("hint", "")
        extra = " ".join(f"{name}={value}" for name, value in fields.items())
        text = f"{when} {record.levelname.lower():7} {where + ': ' if where else ''}{record.getMessage()}"
        text += f" ({extra})" if extra else ""
        text += f" - try: {hint}" if hint else ""
        text = " ".join(text.splitlines())
        if record.exc_info:
            text += "\n  " + self.formatException(record.exc_info).replace("\n", "\n  ")
        return self._redact(text)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, text, and the event's fields."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Write one event as one JSON object."""
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "text": self._redact(record.getMessage()),
        }
        for name in FIELDS:
            if getattr(record, name, None):
                event[name] = self._redact(str(getattr(record, name)))
        if record.exc_info:
            event["traceback"] = self._redact(self.formatException(record.exc_info))
        return orjson.dumps(event).decode()


def set_up(*, as_json: bool, verbose: bool, redact: Callable[[str], str], file: Path | None = None) -> None:
    """Send the program's events to standard error, or to a file; foreign libraries only from warnings up."""
    current_shop.set("")
    handler = logging.FileHandler(file, "w", "utf-8") if file else logging.StreamHandler(sys.stderr)
    handler.addFilter(_NameTheShop())
    handler.setFormatter(JsonFormatter(redact) if as_json else LineFormatter(redact))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in ("agent", "state"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.captureWarnings(capture=True)
