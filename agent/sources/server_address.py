r"""The address of SQL Server, as it stands in ``[pohoda] database``, taken apart.

    mssql://[user[:password]@]server[:port][\instance][/database][?driver=…&encrypt=yes|no|strict
                                                                   &trust_server_certificate=yes|no]

``server`` is a name, an IPv4 address, an IPv6 one in brackets, ``.`` or ``(local)``; ``\`` may be written ``%5C``, and
``,1433`` is understood as ``:1433``. A port wins over the instance, as in every driver: then nobody is asked where the
instance listens. User and password are percent-decoded. An error never shows the text, for it may hold a password.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast
from urllib.parse import parse_qsl, unquote

from agent.errors import ConfigError

Encrypt: TypeAlias = Literal["yes", "no", "strict"]

_OPTIONS = ("driver", "encrypt", "trust_server_certificate")
_ADDRESS = re.compile(
    r"(?:(?P<user>[^:@/?]*)(?::(?P<password>[^/?]*))?@)?"
    r"(?P<server>\[[0-9A-Fa-f:.%\w]+\]|[^:,/?@\\]*)(?P<after>[:,\\][^/?@]*)?"
    r"(?:/(?P<database>[^?@]*))?(?:\?(?P<options>[^@]*))?",  # with an @ it is a password that has a ?
    re.DOTALL,
)
_AFTER = re.compile(r"(?:[:,](?P<early>\d{1,5}))?(?:\\(?P<instance>[^:,\\]+))?(?:[:,](?P<late>\d{1,5}))?")
_SHAPE = 'Write "mssql://server/StwPh_12345678_2026" or "mssql://server\\\\POHODA/…"; in a user or a password of the '
_SHAPE += "address, @ : / ? and % are written %40 %3A %2F %3F and %25, or they go into settings of their own."


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, and how to get in."""

    server: str
    """Without brackets; never empty."""
    database: str
    instance: str = ""
    port: int | None = None
    user: str = ""
    """Empty: Windows logs in."""
    password: str = field(default="", repr=False)
    driver: str = ""
    """As written: a name, the path of a driver's file, or empty for the best one."""
    encrypt: Encrypt = "yes"
    trust: bool = False
    """Take any certificate."""

    @property
    def place(self) -> str:
        """Server and database, for people and for the identity. The port wins over the instance."""
        behind = f":{self.port}" if self.port else f"\\{self.instance}" if self.instance else ""
        return f"{self.server}{behind}/{self.database}"


def read_address(
    text: str,
    *,
    user: str | None = None,
    password: str | None = None,
    ico: str | None = None,
    year: int | None = None,
) -> Address:
    """Make an `Address` of ``mssql://…``; what is given beside it wins. Raises `ConfigError`, never showing the text.

    Without a database it is ``StwPh_<ico>_<year>``, which is POHODA's own name for it.
    """
    found = _ADDRESS.fullmatch(text.partition("://")[2]) if text[:8].lower() == "mssql://" else None
    after = _AFTER.fullmatch((found["after"] or "").replace("%5C", "\\").replace("%5c", "\\")) if found else None
    if found is None or after is None or (after["early"] and after["late"]):
        raise ConfigError("[pohoda] database: the address of SQL Server is not understood.", hint=_SHAPE)
    server, _, instance = unquote(found["server"]).strip("[]").partition("\\")
    port = int(after["early"] or after["late"] or 0)
    if not server or re.search(r"[;{}=\x00\s]", server + instance + (after["instance"] or "")) or port > 65535:
        raise ConfigError("[pohoda] database: the name of the server or its port is not possible.", hint=_SHAPE)
    options = _options(found["options"] or "")
    who = _clean(user if user is not None else unquote(found["user"] or ""))
    secret = _clean(password if password is not None else unquote(found["password"] or ""))
    if secret and not who:
        raise ConfigError("[pohoda]: there is a password, but no user.", hint="Name the user, or leave both away.")
    return Address(
        server=server,
        database=unquote(found["database"] or "").strip("/ ") or _database_of(ico, year),
        instance=instance or unquote(after["instance"] or ""),
        port=port or None,
        user=who,
        password=secret,
        driver=options.get("driver", ""),
        encrypt=cast("Encrypt", _one_of("encrypt", options.get("encrypt", "yes"), ("yes", "no", "strict"))),
        trust=_one_of("trust_server_certificate", options.get(_OPTIONS[2], "no"), ("yes", "no")) == "yes",
    )


def _database_of(ico: str | None, year: int | None) -> str:
    if ico and year:
        return f"StwPh_{ico.strip()}_{year}"
    raise ConfigError(
        "[pohoda] database: the address names no database.",
        hint="Write it behind a slash (/StwPh_12345678_2026), or set [pohoda] ico and year.",
    )


def _options(text: str) -> dict[str, str]:
    found = {name.strip().lower(): value.strip() for name, value in parse_qsl(text, keep_blank_values=True)}
    for name in found:
        if name not in _OPTIONS:
            raise ConfigError(
                f'[pohoda] database: the address has an unknown option "{name}".',
                hint=f"{did_you_mean(name, _OPTIONS)}There are: {', '.join(_OPTIONS)}.",
            )
    return found


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    given = {"true": "yes", "mandatory": "yes", "false": "no", "optional": "no"}.get(value.lower(), value.lower())
    if given not in known:
        raise ConfigError(
            f'[pohoda] database: {name}="{value}" is not known.',
            hint=f"{did_you_mean(value, known)}There are: {', '.join(known)}.",
        )
    return given


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A guess at what was misspelled, as the beginning of a hint; empty if nothing is near."""
    close = difflib.get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1, cutoff=0.5)
    return f'Did you mean "{next(name for name in known if name.lower() == close[0])}"? ' if close else ""


def _clean(text: str) -> str:
    if "\x00" in text:
        raise ConfigError(
            "[pohoda]: the user or the password holds a character that no driver takes (NUL).",
            hint="Write it without %00.",
        )
    return text
