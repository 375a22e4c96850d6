"""Which parts of cards a document was made with: an export may leave out pictures, prices, categories, parameters.

Of a card without such an element nobody can say whether it has nothing of the kind or was not asked for it (whether
POHODA writes empty elements here is in no source; real orders of 2018 have an empty ``parameters``). But a document is
made in one way: if one card in it has the element, a card without has nothing. So the file is looked through for
their tags while it is hashed anyway, by byte search: 2 ms a megabyte (measured), so no farther than `FAR`. What is not
found there, and in a document in UTF-16, counts as not told, which only keeps what is known.
"""

from __future__ import annotations

import re

NAMES = ("pictures", "stockPriceItem", "categories", "intParameters")
"""Local names of the elements (stock.xsd, restrictionData of list_stock.xsd)."""
FAR = 64 * 2**20
"""Bytes of a document that are looked through: some 30,000 cards."""
_BEFORE = 64
"""Bytes that a tag's beginning may need before its name: ``</`` and a prefix."""
_AFTER = 8
_TAG = re.compile(rb"</?(?:[^\s<>/:]+:)?\Z")
_REST = re.compile(rb"\s*/?>")


class ElementsOfCards:
    """Looks through a file piece by piece; ``found`` holds the names whose tags were seen so far."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._left = {name: name.encode() for name in NAMES}
        self._tail = b""
        self._looked = 0

    def look(self, piece: bytes) -> None:
        """Look at the next piece of the file."""
        self._looked += len(piece)
        if not self._left or self._looked > FAR:
            return
        text = self._tail + piece
        for name, sought in list(self._left.items()):
            at = text.find(sought)
            while at >= 0:
                end = at + len(sought)
                if _REST.match(text, end) and _TAG.search(text[max(0, at - _BEFORE) : at]):
                    self.found.add(name)
                    del self._left[name]
                    break
                at = text.find(sought, end)
        self._tail = text[-(_BEFORE + _AFTER + max(map(len, NAMES))) :]
