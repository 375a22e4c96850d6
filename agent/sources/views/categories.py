"""The view ``categories``: the tree of the e-shop's categories (``SkKat``), one row and one key per category.

The key is the id, for names change and siblings may share one: a renamed or moved category stays the same. Only the
columns of the configured fields are read, and a column of a chosen field must be there: read as empty, it would empty
the shop's. Each row is completed with its ancestors (see `category_tree`), read from the whole table once per
statement. The fingerprint covers the parent and whether the way to the top is broken, not the names of the ancestors:
those only make the path for people, so a renamed category changes itself and nothing below it.

The picture is a file of the documents folder, as in the view ``pictures``: its size and time belong to the fingerprint,
and files of changed rows are hashed before the second read takes its lock. By ``rowversion`` and ``modified-at``, a
file or an ancestor that went or came is found by the full pass.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, literal_column, null

from agent.errors import Unusable
from agent.sources import SourceFinding
from agent.sources.columns import MARK, Catalogue, TableColumns
from agent.sources.documents import Documents
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows_catalogue import CategoryRow
from agent.sources.views import exact
from agent.sources.views.category_tree import category_table, read_tree
from agent.sources.views.children import attach, witness

CHUNK = 500
"""Rows of one read of a pass: that many files may have to be hashed. To be given to `PohodaTable` as ``chunk``."""
_COLUMNS = {"description": "SText", "order": "Poradi", "visible": "Zobraz", "picture": "Obrazek"}
"""Field → its column of SkKat."""
FIELDS = tuple(_COLUMNS)


def _shown(visible: object) -> object:
    """NULL is neither shown nor hidden: what it means the target decides."""
    return None if visible is None else exact.tick(visible)


_KINDS = (exact.text, exact.text, exact.number, _shown, exact.text)
_NAME, _TEXT, _ORDER, _VISIBLE, _FILE, _PARENT, _WAY = range(4, 11)
"""Places in a raw row: the way is what `complete` puts there, the ancestors and what is wrong with them."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class CategoriesView:
    """The settings: where pictures are (None: they are not looked at), and fields (of `FIELDS`) beside the name."""

    documents: Documents | None = None
    fields: tuple[str, ...] = FIELDS

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[CategoryRow]:
        """Look up columns and the tree's own root. Raises `SourceUnavailable`."""
        table = self._table(reader, catalogue)
        root = read_tree(reader, table).root
        columns = [table[c] if self._wants(f) else null().label(c) for f, c in _COLUMNS.items()]
        named = func.ltrim(func.rtrim(func.coalesce(table["IDS"], literal_column("''")))) != literal_column("''")
        key = cast(table["ID"], String(20))  # SQL Server would fail to make a number of a key that is none
        narrow: tuple[ColumnElement[Any], ...]
        narrow = (table["ID"], key, null().label("store"), literal_column("1").label("offered"), table["IDS"])
        pictured = self._wants("picture")
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=table,
                narrow=(*narrow, *columns, table["RefNodeID"]),
                extra=(),
                within=named if root is None else and_(named, table["ID"] != literal_column(str(int(root)))),
            ),
            digests=partial(exact.digests, kinds=_KINDS, more=self._more),
            row=self._row,
            offered=_offered,
            hints=(),
            witness=witness(reader, catalogue),
            volatile=pictured,
            warm=self._warm if pictured else None,
            complete=partial(_complete, table=table),
        )

    def settings(self) -> str:
        """A digest of what decides which columns count."""
        chosen = sorted(field for field in _COLUMNS if self._wants(field))
        return hashlib.blake2b(repr(chosen).encode(), digest_size=8).hexdigest()

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """How many categories there are, and which have no name or no place. Raises `SourceUnavailable`."""
        table = self._table(reader, catalogue)
        tree = read_tree(reader, table)
        found = []
        here = [category for category in tree.names if tree.holds(category)]
        nameless = sum(not tree.names[row] for row in tree.names if row != tree.root)
        if nameless:
            text = f"{nameless} categories have no name (SkKat.IDS) and are ignored; what lies under them has no place."
            found.append(SourceFinding("warning", "categories", text, "Give them names in POHODA, or delete them."))
        broken = [(row, why) for row in here if (why := tree.trail(row, tree.parents[row])[1])]
        if broken:
            said = "; ".join(f"{tree.shown(row)}: {why}" for row, why in broken[:_NAMED])
            text = f"{len(broken)} categories have no place in the tree and are not transferred: {said}."
            found.append(SourceFinding("warning", "categories", text, "Choose another parent for them in POHODA."))
        if self._wants("picture") and table.row_version is not None and not table.has(MARK):
            text = "By the rowversion column of SkKat, exchanged files are found by the full pass only."
            found.append(SourceFinding("warning", "categories", text, 'Set row_version = "fingerprint".'))
        inner = "" if tree.root is None else f", and the tree's own root, {tree.shown(tree.root)}, which is left out"
        found.append(SourceFinding("ok" if here else "warning", "categories", f"{len(here)} categories{inner}."))
        return [*found, *(self.documents.check() if self.documents and self._wants("picture") else [])]

    def _table(self, reader: Reader, catalogue: Catalogue) -> TableColumns:
        return category_table(reader, catalogue, tuple(c for field, c in _COLUMNS.items() if self._wants(field)))

    def _wants(self, field: str) -> bool:
        return field in self.fields and (field != "picture" or self.documents is not None)

    def _more(self, raw: Raw) -> object:
        trail, broken = raw[_WAY]
        name = _file(raw)
        return [trail[0][0] if trail else 0, broken, self.documents.sign(name) if name and self.documents else ""]

    def _warm(self, rows: Sequence[Raw]) -> None:
        """Read and hash the files of changed rows; what is wrong with one is told by the second read."""
        for raw in rows:
            with contextlib.suppress(Unusable):
                self._sha(raw)

    def _sha(self, raw: Raw) -> str:
        name = _file(raw)
        return self.documents.picture(name).sha if name and self.documents else ""

    def _row(self, raw: Raw) -> CategoryRow:
        sha, trouble, hint = "", "", ""
        try:
            sha = self._sha(raw)
        except Unusable as error:
            trouble, hint = str(error).removeprefix(f"{error.field}: "), error.hint
        trail, broken = raw[_WAY]
        path = [name for _, name in reversed(trail)]
        return CategoryRow(
            id=raw[0],
            code=" / ".join([*path, " ".join(str(raw[_NAME] or "").split())]),
            name=raw[_NAME],
            description=raw[_TEXT],
            parent=trail[0][0] if trail else None,
            broken=broken,
            order=raw[_ORDER],
            visible=_shown(raw[_VISIBLE]) if self._wants("visible") else True,
            file=_file(raw),
            sha=sha,
            trouble=trouble,
            hint=hint,
        )


def _complete(reader: Reader, rows: Sequence[Raw], *, table: TableColumns) -> list[Raw]:
    """Put the ancestors behind each row: ((id, name), …), nearest first, and why they cannot be told."""
    tree = read_tree(reader, table)
    return attach(rows, _WAY, lambda raw: tree.trail(raw[0], raw[_PARENT] or 0))


def _file(raw: Raw) -> str:
    return str(raw[_FILE] or "").strip()


def _offered(_: Raw) -> bool:
    return True
