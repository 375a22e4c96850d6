"""The view ``stock``: quantities of cards in the chosen stores (``SKz``: a row per card and store; ``sSklad``).

Which cards count: see `cards`. The fingerprint covers only what the value hangs on: code, store, tick, stock,
and the column that ``deduct`` names; a new name of a card is no change of its quantity.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sqlalchemy import func, null, select

from agent.sources import SourceFinding
from agent.sources.columns import MARK, Catalogue
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.views.cards import chosen_stores, code_of, goods, store_names

DEDUCTED = {"none": None, "reservations": "Rezer", "received-orders": "ObjedP"}
"""Setting ``deduct`` → the column of SKz that it subtracts."""
_OPTIONAL = {
    "Template": "template cards are not told apart",
    "RelSkTyp": "services and sets are not told apart",
    "Nazev": "names are not shown",
    "DatSave": "row_version = modified-at is not possible",
}


class StockRow(NamedTuple):
    """One card in one store. Quantities are as the driver gave them, whatever they are: the target judges them."""

    id: int
    code: str
    name: str
    store: str
    """Code of the store (``sSklad.IDS``), stripped."""
    stock: object
    """``SKz.StavZ``, pieces; may be fractional, negative, NULL."""
    reserved: object
    """``SKz.Rezer``."""
    ordered: object
    """``SKz.ObjedP``: received orders."""
    internet: bool
    """``SKz.IObchod``: the tick "Internet"."""


@dataclass(frozen=True, slots=True)
class StockView:
    """The settings: codes of the chosen stores (none: all), what is deducted, types of cards (``RelSkTyp``)."""

    stores: tuple[str, ...] = ()
    deduct: str = "none"
    card_types: tuple[int, ...] = (1,)

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[StockRow]:
        """Look up columns and stores. Raises `SourceUnavailable`."""
        cards = catalogue.need(reader, "SKz", self._needed())
        names = store_names(reader, catalogue)
        chosen = chosen_stores(names, self.stores)
        deducted = DEDUCTED[self.deduct]
        relevant = ["ID", "IDS", "RefSklad", "IObchod", "StavZ", *([deducted] if deducted else [])]
        movements, lines = catalogue.find(reader, "SKzPoh"), catalogue.find(reader, "OBJpol")
        hints = [each["ID"] for each in (movements, lines) if each is not None and each.has("ID")]
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=cards,
                narrow=tuple(cards[name] for name in relevant),
                extra=tuple(cards[n] if cards.has(n) else null().label(n) for n in ("Nazev", "Rezer", "ObjedP")),
                within=goods(cards, chosen, self.card_types),
            ),
            digests=partial(digests, quantities=len(relevant) - 4),
            row=partial(_row, names=names, extra=len(relevant)),
            offered=_offered,
            hints=tuple(hints),
            witness=hints[0] if movements is not None and hints else None,
        )

    def settings(self) -> str:
        """A digest of what decides which rows and columns count."""
        stores = sorted(store.strip().casefold() for store in self.stores)
        return hashlib.blake2b(repr((stores, self.deduct, sorted(self.card_types))).encode(), digest_size=8).hexdigest()

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """Columns and stores found, rows without a code. Raises `SourceUnavailable`."""
        cards = catalogue.need(reader, "SKz", self._needed())
        found = [
            SourceFinding("warning", f"SKz.{name}", f"The column is missing: {what}.")
            for name, what in _OPTIONAL.items()
            if not (cards.has(name) or cards.has(MARK))
        ]
        names = store_names(reader, catalogue)
        chosen = chosen_stores(names, self.stores)
        listed = ", ".join(sorted(names[each] for each in (names if chosen is None else chosen)))
        found.append(SourceFinding("ok", "stores", f"{'all' if chosen is None else 'chosen'}: {listed}"))
        blank = func.ltrim(func.rtrim(func.coalesce(cards["IDS"], ""))) == ""
        without = reader.scalar(select(func.count()).select_from(cards.clause).where(blank))
        if without:
            text = f"{without} cards have no code (SKz.IDS) and are ignored."
            found.append(SourceFinding("warning", "codes", text, "Give them codes in POHODA if the shop sells them."))
        rows = select(func.count()).select_from(cards.clause).where(goods(cards, chosen, self.card_types))
        ticked = reader.scalar(rows.where(func.coalesce(cards["IObchod"], 0) != 0))
        verdict, hint = ("ok", "") if ticked else ("warning", "Tick Internet on the cards that the shop sells.")
        text = f"{reader.scalar(rows)} rows in the chosen stores, {ticked} with the tick Internet."
        return [*found, SourceFinding(verdict, "cards", text, hint)]

    def _needed(self) -> list[str]:
        deducted = DEDUCTED.get(self.deduct)
        return ["ID", "IDS", "RefSklad", "StavZ", "IObchod", *([deducted] if deducted else [])]


def digests(rows: Sequence[Raw], *, quantities: int) -> dict[int, bytes]:
    """Fingerprint rows of (id, code, store, tick, quantity…): 8 bytes each, equal for equal values of any type.

    NULL and 0 are one, so are 5, 5.0 and Decimal 5, and spaces around a code; upper and lower case are not.
    0.7 µs a row: the numbers are packed as doubles, which also makes the types equal.
    """
    pack, blake2b = struct.Struct(f"<q?{quantities}d").pack, hashlib.blake2b
    try:
        narrow = rows if not rows or len(rows[0]) == 4 + quantities else [raw[: 4 + quantities] for raw in rows]
        if quantities == 1:
            return {
                row: blake2b(pack(store or 0, tick, one or 0.0) + name.encode(), digest_size=8).digest()
                for row, code, store, tick, one in narrow
                if (name := code.strip())
            }
        return {
            row: blake2b(pack(store or 0, tick, one or 0.0, two or 0.0) + name.encode(), digest_size=8).digest()
            for row, code, store, tick, one, two in narrow
            if (name := code.strip())
        }
    except (AttributeError, TypeError, ValueError, OverflowError, struct.error):
        pass  # something that is no number or no text: row by row, below
    return {raw[0]: _digest(raw, pack, quantities) for raw in rows if code_of(raw)}


def _digest(raw: Raw, pack: Callable[..., bytes], quantities: int) -> bytes:
    values = raw[4 : 4 + quantities]
    try:
        packed = pack(raw[2] or 0, raw[3], *(value or 0.0 for value in values))
    except (TypeError, ValueError, OverflowError, struct.error):
        packed = repr((raw[2], bool(raw[3]), values)).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(packed + code_of(raw).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _row(raw: Raw, *, names: dict[int, str], extra: int) -> StockRow:
    name, reserved, ordered = raw[extra : extra + 3]
    return StockRow(
        id=raw[0],
        code=code_of(raw),
        name=str(name or ""),
        store=names.get(raw[2], f"#{raw[2]}"),
        stock=raw[4],
        reserved=reserved,
        ordered=ordered,
        internet=_offered(raw),
    )


def _offered(raw: Raw) -> bool:
    return bool(raw[3])
