"""The one XML parser of this package, shut to everything that a document could make it fetch or grow into.

A document type never reaches it (`pack` refuses those first), and it gets whole parts only: the head's start tags, and
items wrapped in the declarations of the head. All of it is UTF-8, see `encoding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lxml import etree

from agent.pohoda.bad import BadDocument
from agent.pohoda.markup import DEEPEST
from agent.pohoda.names import Name

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_TOO_DEEP = etree.XPath(f"boolean({'/'.join('*' * (DEEPEST + 1))})")
"""Is there, below a wrapper, an item deeper than that? 0.8 µs a card of 2 kB; a walk in Python takes 14."""


def _parser() -> etree.XMLParser:
    # Comments and instructions are dropped, so that a text around them stays one text.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        load_dtd=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=True,
    )


def parse(document: bytes) -> _Element:
    """Parse UTF-8 without a declaration. Raises `BadDocument`: "malformed", "too-deep", "too-large"."""
    try:
        root = etree.fromstring(_DECLARATION + document, _parser())
    except etree.XMLSyntaxError as error:
        said = str(error.msg)[:160]
        if "depth" in said:
            raise BadDocument("too-deep", "elements are nested deeper than the parser takes") from None
        if "Resource limit" in said or "XML_PARSE_HUGE" in said:
            raise BadDocument("too-large", "a text is longer than the 10 MB that the parser takes") from None
        raise BadDocument("malformed", f"the XML is broken: {said}") from None
    if _TOO_DEEP(root):
        raise BadDocument("too-deep", f"elements are nested deeper than {DEEPEST} levels")
    return root


def innermost(tags: Sequence[bytes]) -> _Element:
    """Resolve the last of these nested start tags in the scope of the others. Raises `BadDocument`."""
    last = tags[-1] if tags[-1].endswith(b"/>") else tags[-1][:-1] + b"/>"
    closing = [b"</%s>" % tag_name(tag) for tag in reversed(tags[:-1])]
    element = parse(b"".join([*tags[:-1], last, *closing]))
    while len(element):
        element = element[0]
    return element


def tag_name(tag: bytes) -> bytes:
    """The name, with its prefix, of a start or end tag."""
    return tag.strip(b"</>").split(None, 1)[0]


def name_of(element: _Element) -> Name:
    """URI and local name of an element."""
    uri, _, local = str(element.tag).rpartition("}")
    return Name(uri[1:], local)
