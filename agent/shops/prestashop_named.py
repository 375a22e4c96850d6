"""Things that PrestaShop knows by name only: categories, features and their values, manufacturers, suppliers.

Names are not unique there (recorded: the same POST again makes a second one), and MySQL compares them without accents.
So all that may be it is listed and compared here: without regard to case and stray white space, diacritics count. Of
several the lowest id is taken, so that it is always the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.events import Wanted, key_of
from agent.shops.prestashop_fields import Unfit
from agent.targets.names import tidy

CATALOG = "<>;=#{}"
"""What names of categories, manufacturers and suppliers cannot hold (``isCatalogName``; recorded: < > { })."""
GENERIC = "<>={}"
"""What names and values of features cannot hold (``isGenericName`` in the schema; the characters from its source)."""


def folded(name: object) -> str:
    """What two names have in common that are one."""
    return key_of(tidy(name))


def fit(field: str, name: object, *, longest: int, forbidden: str) -> str:
    """Take a name for what it is. Raises `Unfit` for one that PrestaShop refuses, before anything is sent."""
    text = name if isinstance(name, str) else ""
    if not text.strip():
        raise Unfit(f"{field}: there is no name.", "Give it a name in POHODA.")
    if len(text) > longest:
        raise Unfit(
            f"{field}: {text[:40]!r}… has {len(text)} characters, and PrestaShop takes {longest}.",
            "Shorten it in POHODA.",
        )
    bad = sorted({letter for letter in text if letter in forbidden})
    if bad:
        raise Unfit(
            f"{field}: {text[:60]!r} holds {' '.join(bad)}, which PrestaShop refuses in such names.",
            f"Write it without {' '.join(forbidden)} in POHODA.",
        )
    return text


class Candidates:
    """Things by place and name, each of which is given away once."""

    def __init__(self, things: Iterable[tuple[int, object, object]]) -> None:
        """``things`` are (id, where it is, name): a category is below its parent, a value belongs to its feature."""
        self._ids: dict[tuple[object, str], list[int]] = {}
        for one, where, name in things:
            self._ids.setdefault((where, folded(name)), []).append(one)
        self._given: set[tuple[object, int]] = set()

    def take(self, where: object, name: object, taken: Iterable[int] = ()) -> int | None:
        """The lowest id of this name that is not taken by others and was not given away yet; None for none."""
        excluded = {*taken, *(one for place, one in self._given if place == where)}
        found = sorted(one for one in self._ids.get((where, folded(name)), ()) if one not in excluded)
        if not found:
            return None
        self._given.add((where, found[0]))
        return found[0]


def others(item: Wanted) -> Mapping[str, str]:
    """Links of the other things of ours: what is behind them is nobody else's."""
    return {key: link for key, link in item.links.items() if key != item.key}
