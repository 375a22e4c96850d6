"""Lists of Vendure's variants: by page, by id, by SKU; whatever is asked about each. Measured on 3.7.3.

* The API has no "id greater than", and SKUs are neither unique nor indexed: a page is a position and the id before
  it (`Lists.page`), and its SKUs are looked up in the rest of the shop.
* What a target asks about a variant is a text of fields (300 variants with product, texts and pictures: 0.4 s).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.events import Rejected, Wanted, key_of
from agent.shops.vendure_session import VendureSession, not_vendure

T = TypeVar("T")
PAGE = 500
"""Variants per read; the admin API gives at most 1,000 (``adminListQueryLimit``)."""
_LIST = "query($o: ProductVariantListOptions) {{ productVariants(options: $o) {{ totalItems items {{ id sku {} }} }} }}"


@dataclass(frozen=True, slots=True)
class Row:
    """One variant: its id, its SKU as it is spelt, and what was asked about it, as the shop said it."""

    id: str
    sku: str
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page: rows by key, of which those with more than one row are doubled somewhere in the shop."""

    rows: dict[str, list[Row]]
    next: str | None


class Lists:
    """Readings of one channel's variants. Every method raises `ShopUnavailable`."""

    def __init__(self, session: VendureSession) -> None:
        self._session = session

    def page(self, fields: str, page: str | None) -> PageRead:
        """Read the next 500 variants by id, each with ``fields``; ``page`` is None or what the page before gave."""
        rows, token = self._page_at(fields, page)
        others = {"id": {"notIn": [row.id for row in rows]}}
        skus = [row.sku for row in rows]
        grouped = by_key([*rows, *self._having("", skus, lambda part: {**others, **_spelt(part)}, chunk=PAGE)])
        return PageRead({key: grouped[key] for key in dict.fromkeys(map(key_of, skus))}, token)

    def find(self, fields: str, wanted: Sequence[Wanted]) -> dict[str, list[Row]]:
        """Find variants by SKU without case, whatever the database's collation does.

        First the likely spellings by ``in``; what is not found so, by ``regex``, which ignores case on SQLite and
        PostgreSQL, and on MySQL as its collation does. A stranger spelling ("Abc") beside a likely one ("ABC") is
        not seen here; so are two of them on different pages of `page`.
        """
        codes = {w.key: w.code for w in wanted if w.key}
        found = by_key(self._having(fields, list(codes.values()), _spelt, chunk=100))
        missing = [code for key, code in codes.items() if key not in found]
        found |= by_key(self._having(fields, missing, _alike, chunk=20))
        return {key: rows for key, rows in found.items() if key in codes}

    def by_id(self, fields: str, ids: Sequence[str]) -> dict[str, Row]:
        """Read variants by id, 500 a request; deleted ones and those of other channels are missing."""
        parts = chunks(list(dict.fromkeys(ids)), PAGE)
        return {row.id: row for part in parts for row in self.some(fields, {"filter": {"id": {"in": part}}})[0]}

    def some(
        self, fields: str, options: Mapping[str, object], *, skip: int = 0, take: int | None = None
    ) -> tuple[list[Row], int]:
        """Read variants that are not deleted, by id: what was asked for, and how many there are in all."""
        window = {"sort": {"id": "ASC"}, "skip": skip, "take": take or PAGE}
        data = self._session.ask(_LIST.format(fields), {"o": {**options, **window}})
        try:
            listed = data["productVariants"]
            rows = [Row(str(raw["id"]), str(raw["sku"]), raw) for raw in listed["items"]]
            return rows, int(listed["totalItems"])
        except (KeyError, TypeError, ValueError) as error:
            raise not_vendure("no list of variants in it") from error

    def _page_at(self, fields: str, page: str | None) -> tuple[list[Row], str | None]:
        """Read from a position on, with the last variant of the page before as an anchor: ``position:id``.

        Ids grow, so what is new comes last. If the anchor is not where it was, variants before it were deleted and
        the others moved up: then a whole page is read again, which is harmless. Only more than a page of deletions
        between two requests can hide a variant from this pass; the next one sees it.
        """
        position, _, anchor = (page or "0:").partition(":")
        at = int(position)
        rows, total = self.some(fields, {}, skip=max(at - 1, 0))
        if at and rows and rows[0].id == anchor:
            rows = rows[1:]
        elif at:
            at = max(at - PAGE, 0)
            rows, total = self.some(fields, {}, skip=at)
        at += len(rows)
        return rows, f"{at}:{rows[-1].id}" if rows and at < total else None

    def _having(
        self, fields: str, codes: Sequence[str], question: Callable[[Sequence[str]], dict[str, object]], *, chunk: int
    ) -> list[Row]:
        """Read all variants that answer a question about some codes, so many codes at a time."""
        found: list[Row] = []
        for part in chunks(codes, chunk):
            some, total = self.some(fields, {"filter": question(part)})
            while len(some) < total:
                more, total = self.some(fields, {"filter": question(part)}, skip=len(some))
                if not more:
                    break
                some += more
            found += some
        return found


def doubled(rows: Sequence[Row]) -> Rejected:
    """Say why a key cannot be addressed: several variants have its SKU, or it has none."""
    ids = ", ".join(row.id for row in rows[:5])
    if not rows[0].sku.strip():
        return Rejected(f"Variants without a SKU: {ids}.", "Give each in Vendure the code of its card in POHODA.")
    reason = f"The shop has this SKU {len(rows)} times: variants {ids}."
    return Rejected(reason, "Give each variant in Vendure a SKU of its own, or delete the superfluous ones.")


def by_key(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows by the key of their SKU; a row that was read twice counts once, as it was read first."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(key_of(row.sku), {}).setdefault(row.id, row)
    return {key: list(same.values()) for key, same in found.items()}


def chunks(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    """Cut a sequence into pieces of at most ``size``."""
    return (items[at : at + size] for at in range(0, len(items), size))


def understood(what: str, read: Callable[[], T]) -> T:
    """Take something from an answer; an answer of another shape is `ShopUnavailable`."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError) as error:
        raise not_vendure(f"no {what} in it") from error


def _spelt(codes: Sequence[str]) -> dict[str, object]:
    spellings = {s for code in codes for c in (code, code.strip()) for s in (c, c.upper(), c.lower(), c.title())}
    return {"sku": {"in": sorted(spellings)}}


def _alike(codes: Sequence[str]) -> dict[str, object]:
    return {"_or": [{"sku": {"regex": pattern(code.strip())}} for code in codes]}


def pattern(code: str) -> str:
    """Ask for more than is wanted, for the dialects agree on little and Python folds: all but ASCII letters and
    digits becomes ``.``; of what does not fit into the 100 characters that Vendure takes, the beginning.
    """
    text = "".join(c if c.isascii() and c.isalnum() else "." for c in code)
    return f"^ *{text} *$" if len(text) <= 90 else f"^ *{text[:90]}"
