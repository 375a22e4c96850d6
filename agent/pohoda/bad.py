"""Why a document, or one item of it, cannot be used: one reason each, and what to try.

A `BadDocument` says that a file must be set aside; a `BadItem` that one item of a good file could not be read.
Texts name positions, elements and lengths, not contents: items hold prices and, in orders, personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.errors import AgentError

Reason: TypeAlias = Literal[
    "empty",
    "truncated",
    "not-xml",
    "malformed",
    "foreign",
    "wrong-ico",
    "external-entity",
    "entity-bomb",
    "encoding",
    "too-deep",
    "too-large",
    "refused",
    "field",
    "changed",
    "outdated",
]
HINTS: dict[Reason, str] = {
    "empty": "The export wrote nothing; run it again in POHODA.",
    "truncated": "The file was copied before POHODA had finished it, or the disk was full; run the export again.",
    "not-xml": "Only XML documents of POHODA belong here; move other files elsewhere.",
    "malformed": "The file was damaged or edited by another program; run the export again.",
    "foreign": "Export a list from POHODA in the XML format of version 2 (Datová komunikace).",
    "wrong-ico": "Export from the company (účetní jednotka) whose IČO the configuration names, or correct `ico` there.",
    "external-entity": "POHODA never writes a document type; find out who put this file here.",
    "entity-bomb": "POHODA never writes entities; find out who put this file here.",
    "encoding": "The file was converted without changing its XML declaration; export it again and do not re-save it.",
    "too-deep": "POHODA never nests this deeply; find out who put this file here.",
    "too-large": "Look at this card in POHODA for an enormous description, shorten it and export again.",
    "refused": "POHODA refused the request; mend what its note says and export again.",
    "field": "Correct the field in POHODA and export again.",
    "changed": "The file was replaced while it was being read; it has to be read from its beginning.",
    "outdated": "If it holds cards that later exports do not, export those again; old figures would undo newer ones.",
}


class BadDocument(AgentError):
    """A document that must not be used; ``reason`` is stable, for tests and for the name of the ``.reason.txt``."""

    def __init__(self, reason: Reason, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or HINTS[reason])
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class BadItem:
    """One item that could not be read; its neighbours are unharmed."""

    offset: int
    """Byte position of the item in the file."""
    problem: BadDocument
    code: str = ""
    """The card's code or the thing's name where it could be read, for people and for the key."""
