"""Which stock cards count at all: what every view over ``SKz`` shares (a row per card and store; ``sSklad``).

Decisions: stores are read first and cards filtered by ``RefSklad``, for a join would cost more than it tells. A store
that does not exist is an error with the list of those that do, never "no rows", which would set the shop to 0.
Templates, cards of other types (services, sets) and rows without a code are left out as if they were not there, so one
that becomes a template counts as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select

from agent.errors import SourceUnavailable
from agent.sources.columns import Catalogue, TableColumns
from agent.sources.reader import Raw, Reader


def store_names(reader: Reader, catalogue: Catalogue) -> dict[int, str]:
    """All stores: ``sSklad.ID`` → ``IDS``, stripped. Raises `SourceUnavailable`."""
    stores = catalogue.need(reader, "sSklad", ["ID", "IDS"])
    return {row: str(code or "").strip() for row, code in reader.all(select(stores["ID"], stores["IDS"]))}


def chosen_stores(names: dict[int, str], stores: Sequence[str]) -> list[int] | None:
    """Ids of the chosen stores; None: all. Raises `SourceUnavailable` for a code that no store has."""
    if not stores:
        return None
    by_code: dict[str, list[int]] = {}
    for store, code in names.items():
        by_code.setdefault(code.casefold(), []).append(store)
    unknown = [code for code in stores if code.strip().casefold() not in by_code]
    if unknown:
        there = ", ".join(sorted(names.values())) or "none"
        raise SourceUnavailable(
            f"POHODA has no store {', '.join(unknown)}.",
            hint=f"Set stores to some of: {there}. Nothing is sent until then.",
        )
    return [store for code in stores for store in by_code[code.strip().casefold()]]


def goods(cards: TableColumns, chosen: list[int] | None, card_types: Iterable[int]) -> ColumnElement[bool]:
    """The rows of SKz that count. Numbers are written out, not bound: they are ours, and parameters are for keys."""
    terms = [cards["IDS"].is_not(None), cards["IDS"] != literal_column("''")]
    if chosen is not None:
        terms.append(func.coalesce(cards["RefSklad"], literal_column("0")).in_(_numbers(chosen)))
    if cards.has("Template"):
        terms.append(or_(cards["Template"].is_(None), cards["Template"] == literal_column("0")))
    if cards.has("RelSkTyp"):
        terms.append(func.coalesce(cards["RelSkTyp"], literal_column("1")).in_(_numbers(card_types)))
    return and_(*terms)


def code_of(raw: Raw) -> str:
    """The code of a raw row, stripped; empty without one."""
    return str(raw[1] or "").strip()


def _numbers(numbers: Iterable[int]) -> list[ColumnElement[int]]:
    return [literal_column(str(int(number))) for number in numbers]
