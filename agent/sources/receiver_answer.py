"""What POHODA is told: a ``responsePack`` with a state and a note in Czech, which it shows to the person who exports.

POHODA reads the state of the pack (its documentation of the "Obecný internetový obchod" knows no statuses of HTTP), so
what is wrong with a *document*, or with our disk, is answered with 200; what is wrong with the *request* with 4xx; the
pack is in both. The pack follows response.xsd: ``version``, ``id`` and ``state`` are required, no ``application``.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate

from lxml import etree

from agent.errors import AgentError
from agent.pohoda.bad import BadDocument, Reason
from agent.pohoda.names import RSP, Kind

Headers = tuple[tuple[str, str], ...]
_LONGEST = 400
"""Characters of a note."""
KINDS: dict[Kind, str] = {
    "stock": "zásoby",
    "categories": "kategorie",
    "parameters": "internetové parametry",
    "suppliers": "dodavatelé",
    "stores": "sklady",
    "storages": "členění skladů",
    "orders": "objednávky",
    "": "žádný seznam",
}
_BAD: dict[Reason, str] = {
    "empty": "Dokument je prázdný. Spusťte export znovu.",
    "truncated": "Dokument není celý. Spusťte export znovu.",
    "not-xml": "Obsah není XML. Na tuto adresu má posílat jen POHODA.",
    "malformed": "Dokument XML je poškozený. Spusťte export znovu.",
    "foreign": "Není to export z POHODY (XML verze 2).",
    "wrong-ico": "Dokument je z jiné účetní jednotky, než jakou má agent v nastavení. Zkontrolujte IČO.",
    "external-entity": "Dokument má deklaraci DOCTYPE, kterou POHODA nikdy nepíše, a proto byl odmítnut.",
    "entity-bomb": "Dokument deklaruje entity, které POHODA nikdy nepíše, a proto byl odmítnut.",
    "encoding": "Kódování dokumentu neodpovídá jeho hlavičce.",
    "too-deep": "Dokument má nesmyslně vnořené prvky, a proto byl odmítnut.",
    "too-large": "Dokument začíná nesmyslně dlouhým prvkem, a proto byl odmítnut.",
    "refused": "Dokument sám hlásí chybu POHODY; opravte ji a spusťte export znovu.",
    "field": "Dokument obsahuje nečitelnou hodnotu.",
    "changed": "Dokument se během čtení změnil. Spusťte export znovu.",
}


class Refusal(AgentError):
    """A request that is not taken: the message and the hint are for the log, ``note`` is for the user of POHODA."""

    def __init__(self, status: int, message: str, note: str, *, hint: str = "", headers: Headers = ()) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.note = note
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer of HTTP."""

    status: int
    headers: Headers
    body: bytes


def accepted(kind: Kind, size: int, *, ident: str, known: bool) -> Answer:
    """Answer that the document is durable here. ``size`` in bytes, unpacked; ``known``: it was so before already."""
    said = "Přijato již dříve" if known else "Přijato"
    count = f"{size:,}".replace(",", " ")
    return _xml(200, pack("ok", f"{said}: {count} bajtů, {KINDS[kind]}.", ident=ident))


def refused(refusal: Refusal) -> Answer:
    """Answer why it is not taken."""
    return _xml(refusal.status, pack("error", refusal.note), refusal.headers)


def bad_document(error: BadDocument) -> Refusal:
    """Say in Czech why a document is not taken, with the particulars behind it."""
    said = _BAD.get(error.reason, "Dokument nelze použít.")
    return Refusal(200, str(error), f"{said} ({error})", hint=error.hint)


def page(title: str, *, login: bool) -> Answer:
    """What a person sees who opens the address in a browser; says nothing that is secret."""
    text = (
        f"Sem POHODA posílá: {title}.\n"
        f"Agent běží. Tuto adresu vložte v POHODĚ do agendy Internetové obchody, karta Export, pole {title}"
        f"{' (a k ní přihlašovací jméno a heslo)' if login else ''}.\n\n"
        "POHODA posts here; the agent is running and waits for it.\n"
    )
    return Answer(200, (("content-type", "text/plain; charset=utf-8"),), text.encode())


def head(answer: Answer, now: float, *, close: bool) -> list[tuple[str, str]]:
    """All headers of an answer; ``now`` in seconds since 1970."""
    fixed = (
        ("date", formatdate(now, usegmt=True)),
        ("content-length", str(len(answer.body))),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    )
    return [*answer.headers, *fixed, *([("connection", "close")] if close else [])]


def pack(state: str, note: str, *, ident: str = "") -> bytes:
    """Write a ``responsePack`` in Windows-1250; what that lacks is written as a character reference."""
    attributes = {
        "version": "2.0",
        "id": _plain(ident)[:64] or "00000001",
        "state": state,
        "note": _plain(note)[:_LONGEST],
    }
    root = etree.Element(f"{{{RSP}}}responsePack", attributes, nsmap={"rsp": RSP})
    text = etree.tostring(root, encoding="unicode")
    declared = '<?xml version="1.0" encoding="Windows-1250"?>\n'
    return (declared + text).encode("cp1250", "xmlcharrefreplace")


def _xml(status: int, body: bytes, headers: Headers = ()) -> Answer:
    return Answer(status, (("content-type", "text/xml; charset=windows-1250"), *headers), body)


def _plain(text: str) -> str:
    """Parts of a note come from the document: what XML cannot hold is left out."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
