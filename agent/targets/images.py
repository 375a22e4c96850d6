"""The target ``images``: the pictures of a card, in order, the first being the default one.

The value names each picture by the hash of its bytes, its name in POHODA and its alternative text; the bytes
themselves are fetched by the adapter when it sends them. No pictures, `[]`, is a value: the last one was removed. Of a
card that lost the tick nothing is said (`absent` is None), for pictures that were taken away would have to be sent
again when the tick comes back. One picture that cannot be sent makes the whole value unusable: to send the others would
remove it from the shop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from agent.errors import Unusable
from agent.events import Value
from agent.targets import GuardCount
from agent.targets.cards import speaking
from agent.targets.texts import decimal_of, line_of

_FILE = "SkRefObraz.Soubor"
GUARD_FROM = 10
GUARD_SHARE = 0.20


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """``[targets.images]``: what the shop's owner decided."""

    stores: tuple[str, ...] = ()
    """Codes of the chosen stores, in order; none: all."""
    pictures_from: str = ""
    """Code of the store whose card gives the pictures; empty: the first chosen store that has it ticked."""
    existing: Literal["leave", "keep"] = "leave"
    """What a product with pictures that we did not send is given: nothing, or ours beside them."""


@dataclass(frozen=True, slots=True)
class Images:
    """The target. Rows are `agent.sources.rows.PictureRow`, of which each is one picture."""

    settings: ImageSettings
    name: str = "images"
    thing: str = "images"
    creates: bool = False
    creator: str = "products"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """List the pictures; [] when there is none any more, None when not on offer.

        Raises `Unusable` that names table and column of the first picture that cannot be sent.
        """
        if not rows:
            return []
        ticked = [row for row in rows if row.internet]
        if not ticked:
            return None
        store = speaking(ticked, self.settings.stores, self.settings.pictures_from).store
        found: dict[str, Value] = {}
        for row in sorted((row for row in ticked if row.store == store), key=_place):
            if row.trouble or not row.sha:
                raise Unusable(_FILE, row.trouble or f"the file {row.file} was not read", hint=row.hint)
            found.setdefault(row.sha, {"sha": row.sha, "file": row.file, "alt": line_of("SkRefObraz.Popis", row.alt)})
        return list(found.values())

    def absent(self) -> Value:
        """None: a card that is not on offer any more keeps its pictures."""
        return None

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop holds the pictures that were sent, in that order, with their alternative texts.

        A shop keeps no file names and need not keep alternative texts: None there is none. Pictures without a hash are
        not ours.
        """
        if not (isinstance(sent, list) and isinstance(confirmed, list)):
            return sent == confirmed
        ours = [each for each in confirmed if isinstance(each, dict) and each.get("sha")]
        return len(ours) == len(sent) and all(map(_alike, sent, ours))

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """One product per call: each picture is an upload of its own."""
        return 1

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts cards that lose all of their pictures."""
        return new == [] and old != []

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all cards with pictures, would lose all of them."""
        if count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        return f"{count.counted} of {count.total} products would lose all pictures, more than {GUARD_SHARE:.0%}"

    def fingerprint(self) -> str:
        """A digest of what forms the values."""
        mine = self.settings
        stores = tuple(store.strip().casefold() for store in mine.stores)
        formed = (stores, mine.pictures_from.strip().casefold(), mine.existing)
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


def _alike(sent: Value, held: dict[str, Value]) -> bool:
    if not isinstance(sent, dict) or sent.get("sha") != held.get("sha"):
        return False
    return held.get("alt") is None or held.get("alt") == sent.get("alt")


def _place(row: Any) -> tuple[bool, Decimal, int]:  # noqa: ANN401 - rows of any source
    return not row.default, decimal_of("SkRefObraz.OrderFld", row.order), row.id
