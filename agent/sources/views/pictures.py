"""The view ``pictures``: the pictures of cards in the chosen stores (``SkRefObraz``), and their files.

A row is one picture; its key is the code of its card (``SKz.IDS``), so the two tables are joined. A card without
pictures has no row: one whose last picture was removed is told by its rows that are gone, and one that never had any is
never told. SkRefObraz has no date, so the columns are compared.

The fingerprint also covers the file behind the name, by size and time: an exchanged file and one that was missing and
appears are changes, though nothing moved in the database. So no digest over a whole chunk can stand for its rows
(``volatile``), and chunks are small, for the files of changed rows are hashed before the second read takes its lock
(``warm``). Files of cards without the tick "Internet" are not looked at.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import and_, func, literal_column, null, select

from agent.errors import Unusable
from agent.sources import SourceFinding
from agent.sources.columns import Catalogue, TableColumns
from agent.sources.documents import Documents
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows import PictureRow
from agent.sources.views import exact
from agent.sources.views.cards import chosen_stores, code_of, goods, store_names

CHUNK = 200
"""Rows of one read of a pass: that many files may have to be hashed. To be given to `PohodaTable` as ``chunk``."""
_NEEDED = ("ID", "RefAg", "Soubor")
_OPTIONAL = {
    "Popis": "pictures have no alternative text",
    "Vychozi": "the first picture in order is the default one",
    "OrderFld": "pictures are ordered as they were added",
}
_KINDS = (exact.text, exact.text, exact.tick, exact.number)
_FILE, _ALT, _DEFAULT, _ORDER = range(4, 8)


@dataclass(frozen=True, slots=True)
class PicturesView:
    """The settings: codes of the chosen stores (none: all) and types of cards; and where the files are."""

    documents: Documents
    stores: tuple[str, ...] = ()
    card_types: tuple[int, ...] = (1,)

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[PictureRow]:
        """Look up columns and stores. Raises `SourceUnavailable`."""
        pictures, cards = self._tables(reader, catalogue)
        names = store_names(reader, catalogue)
        columns = [pictures[name] if pictures.has(name) else null().label(name) for name in ("Soubor", *_OPTIONAL)]
        movements = catalogue.find(reader, "SKzPoh")
        counted = movements is not None and movements.has("ID")
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=pictures,
                narrow=(pictures["ID"], cards["IDS"], cards["RefSklad"], cards["IObchod"], *columns),
                extra=(),
                within=and_(
                    pictures["Soubor"].is_not(None),
                    pictures["Soubor"] != literal_column("''"),
                    goods(cards, chosen_stores(names, self.stores), self.card_types),
                ),
                joined=pictures.clause.outerjoin(cards.clause, pictures["RefAg"] == cards["ID"]),
            ),
            digests=partial(exact.digests, kinds=_KINDS, more=self._sign),
            row=partial(_row, names=names, documents=self.documents),
            offered=_offered,
            hints=(pictures["ID"],),
            witness=movements["ID"] if movements is not None and counted else cards["ID"],
            volatile=True,
            warm=self._warm,
        )

    def settings(self) -> str:
        """A digest of what decides which rows and columns count."""
        stores = sorted(store.strip().casefold() for store in self.stores)
        return hashlib.blake2b(repr((stores, sorted(self.card_types))).encode(), digest_size=8).hexdigest()

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """Columns and the folder found, and how many pictures there are. Raises `SourceUnavailable`."""
        pictures, cards = self._tables(reader, catalogue)
        chosen = chosen_stores(store_names(reader, catalogue), self.stores)
        found = [
            SourceFinding("warning", f"SkRefObraz.{name}", f"The column is missing: {what}.")
            for name, what in _OPTIONAL.items()
            if not pictures.has(name)
        ]
        if pictures.row_version is not None:
            text = "By the rowversion column of SkRefObraz, exchanged files and ticks are found by the full pass only."
            found.append(SourceFinding("warning", "pictures", text, 'Set row_version = "fingerprint".'))
        rows = (
            select(func.count())
            .select_from(pictures.clause.outerjoin(cards.clause, pictures["RefAg"] == cards["ID"]))
            .where(goods(cards, chosen, self.card_types))
        )
        ticked = reader.scalar(rows.where(func.coalesce(cards["IObchod"], 0) != 0))
        text = (
            f"{reader.scalar(rows)} pictures of cards in the chosen stores, {ticked} of cards with the tick Internet."
        )
        return [*found, SourceFinding("ok", "pictures", text), *self.documents.check()]

    def _tables(self, reader: Reader, catalogue: Catalogue) -> tuple[TableColumns, TableColumns]:
        pictures = catalogue.need(reader, "SkRefObraz", _NEEDED)
        return pictures, catalogue.need(reader, "SKz", ["ID", "IDS", "RefSklad", "IObchod"])

    def _sign(self, raw: Raw) -> str:
        return self.documents.sign(_name(raw)) if _offered(raw) else ""

    def _warm(self, rows: Sequence[Raw]) -> None:
        """Read and hash the files of changed rows; what is wrong with one is told by the second read."""
        for raw in rows:
            if _offered(raw):
                with contextlib.suppress(Unusable):
                    self.documents.picture(_name(raw))


def _row(raw: Raw, *, names: Mapping[int, str], documents: Documents) -> PictureRow:
    sha, trouble, hint = "", "", ""
    if _offered(raw):
        try:
            sha = documents.picture(_name(raw)).sha
        except Unusable as error:
            trouble, hint = str(error).removeprefix(f"{error.field}: "), error.hint
    return PictureRow(
        id=raw[0],
        code=code_of(raw),
        store=names.get(raw[2], f"#{raw[2]}"),
        internet=_offered(raw),
        file=_name(raw),
        alt=raw[_ALT],
        default=bool(exact.tick(raw[_DEFAULT])),
        order=raw[_ORDER],
        sha=sha,
        trouble=trouble,
        hint=hint,
    )


def _name(raw: Raw) -> str:
    return str(raw[_FILE] or "").strip()


def _offered(raw: Raw) -> bool:
    return bool(raw[3])
