"""Judging a request by its head: where to, by whom, how packed. Nothing of a body has been read then.

A web page that a person opens beside POHODA can send requests to this machine, too. Browsers put ``Origin`` into every
one that is not a plain GET (Fetch standard, 3.1), POHODA never does: with it a post is refused, login or not.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

import h11

from agent.sources.receiver_answer import Refusal
from agent.sources.receiver_unpack import Coding, too_large

URLS = {"Zásoby": "/zasoby", "Členění": "/cleneni", "Kategorie": "/kategorie", "Internetové parametry": "/parametry"}
"""Field of POHODA's agenda Internetové obchody, card Export → the path to paste there."""
TITLES = {path: title for title, path in URLS.items()}
_METHODS = "GET, POST"
_TARGET = re.compile(rb"(?i:https?://[^/?#]*)?(?P<path>/?[^?#]*)")
_CODINGS: dict[bytes, Coding] = {
    b"": "",
    b"identity": "",
    b"gzip": "gzip",
    b"x-gzip": "gzip",
    b"deflate": "deflate",
}


@dataclass(frozen=True, slots=True)
class Login:
    """Who may post; empty: anybody on this machine. What was sent is compared in constant time."""

    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "Login(***)"

    def __bool__(self) -> bool:
        return bool(self.user or self.password)

    def fits(self, header: bytes) -> bool:
        """Tell whether this ``Authorization`` is it, in UTF-8 or (as Windows programs do) in Windows-1250."""
        scheme, _, coded = header.partition(b" ")
        try:
            sent = base64.b64decode(coded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        pair = f"{self.user}:{self.password}"
        found = [hmac.compare_digest(sent, pair.encode(codec, "replace")) for codec in ("utf-8", "cp1250")]
        return scheme.lower() == b"basic" and any(found)


@dataclass(frozen=True, slots=True)
class Post:
    """A post whose body may be read."""

    path: str
    """One of `URLS`."""
    coding: Coding


@dataclass(frozen=True, slots=True)
class Look:
    """A person with a browser."""

    path: str


def judge(request: h11.Request, login: Login, largest: int) -> Post | Look:
    """Say what a request is. ``largest`` is the most bytes of a body. Raises `Refusal` (4xx)."""
    path = _path(request.target)
    if request.method == b"GET":
        return Look(path)
    if request.method != b"POST":
        raise Refusal(
            405,
            f"the method {request.method.decode('ascii', 'replace')[:20]} on {path}",
            "Tato adresa přijímá jen export z POHODY (POST).",
            headers=(("allow", _METHODS),),
        )
    if login and not login.fits(_only(request, b"authorization")):
        raise Refusal(
            401,
            "a wrong login, or none",
            "Chybné přihlašovací jméno nebo heslo. Opravte je v agendě Internetové obchody.",
            hint="Put the user and password of [pohoda.receiver] into POHODA, agenda Internetové obchody.",
            headers=(("www-authenticate", 'Basic realm="pohoda-agent", charset="UTF-8"'),),
        )
    if _all(request, b"origin"):
        raise Refusal(
            403, "a web page tried to post, not POHODA", "Přijímá se jen export z POHODY, ne z webové stránky."
        )
    _expect_xml(request)
    length = _only(request, b"content-length")
    if length and int(length) > largest:  # h11 has seen to it that these are digits
        raise too_large(largest)
    return Post(path, _coding(request))


def has_body(request: h11.Request) -> bool:
    """Tell whether a body follows (RFC 9112, 6.3)."""
    return bool(_all(request, b"transfer-encoding")) or _only(request, b"content-length").strip(b"0") != b""


def _path(target: bytes) -> str:
    found = _TARGET.match(target)
    said = found["path"].decode("ascii", "replace") if found else ""
    path = said.lower().rstrip("/")
    if path not in TITLES:
        known = ", ".join(TITLES)
        raise Refusal(
            404,
            f"the path {said[:60]!r} is not known",
            f"Neznámá adresa. Agent přijímá na: {known}.",
            hint=f"The addresses for POHODA end in {known}.",
        )
    return path


def _expect_xml(request: h11.Request) -> None:
    said = _only(request, b"content-type").partition(b";")[0].strip().lower()
    if said and said not in {b"text/xml", b"application/xml"}:
        raise Refusal(
            415,
            f"the type {said[:40].decode('ascii', 'replace')!r}, where POHODA says text/xml",
            "Přijímá se jen XML (text/xml), jak je posílá POHODA.",
            hint="Send Content-Type: text/xml.",
        )


def _coding(request: h11.Request) -> Coding:
    said = _only(request, b"content-encoding").strip().lower()
    if said not in _CODINGS:
        raise Refusal(
            415,
            f"the content encoding {said[:40].decode('ascii', 'replace')!r}",
            "Přijímá se obsah nekomprimovaný, gzip nebo deflate.",
            headers=(("accept-encoding", "gzip, deflate"),),
        )
    return _CODINGS[said]


def _all(request: h11.Request, name: bytes) -> list[bytes]:
    return [value for header, value in request.headers if header == name]


def _only(request: h11.Request, name: bytes) -> bytes:
    """The value of a header; several are as one that fits nothing."""
    return b",".join(_all(request, name))
