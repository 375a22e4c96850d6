"""What the fake shop remembers: one table per resource, in memory, behind one lock.

A row holds only what differs from the field's zero, so that 50,000 products take little time and memory. The lock is
re-entrant and is held for one whole request, as a transaction would be; nobody may wait for a client while holding it.
"""

from __future__ import annotations

import threading
import unicodedata
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.demo.prestashop.images import Picture, Shelf
from agent.demo.prestashop.schema import Cell, Entry, Field, Part, Resource, stored

Row: TypeAlias = dict[str, Cell]


def fold(text: str) -> str:
    """Make two texts equal that the shop's database takes for equal.

    MariaDB's ``utf8mb4_*_ci`` collations ignore case, accents and trailing spaces; case was recorded.
    """
    text = text.rstrip(" ")
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


class Table:
    """The rows of one resource by id, with the indexes that its description asks for."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.rows: dict[int, Row] = {}
        self.links: dict[int, Mapping[str, list[Entry]]] = {}
        self.next_id = 1
        self._ids: list[int] = []
        self._index: dict[str, dict[Cell, list[int]]] = {name: {} for name in resource.indexed}

    def insert(self, row: Row, row_id: int | None = None) -> int:
        """Add a row of stored values under the next id (or a given free one); returns the id."""
        row_id = self.next_id if row_id is None else row_id
        if row_id in self.rows:
            raise ValueError(f"{self.resource.name} {row_id} is there already")
        if row_id >= self.next_id:
            self._ids.append(row_id)
            self.next_id = row_id + 1
        else:
            insort(self._ids, row_id)
        self.rows[row_id] = row
        for name, index in self._index.items():
            index.setdefault(self._key(row, name), []).append(row_id)
        return row_id

    def change(self, row_id: int, values: Mapping[str, Cell]) -> None:
        """Store new values into a row."""
        row = self.rows[row_id]
        moved = [name for name in self._index if name in values]
        for name in moved:
            self._index[name][self._key(row, name)].remove(row_id)
        row.update(values)
        for name in moved:
            insort(self._index[name].setdefault(self._key(row, name), []), row_id)

    def remove(self, row_id: int) -> None:
        """Delete a row that is there."""
        row = self.rows.pop(row_id)
        self.links.pop(row_id, None)
        del self._ids[bisect_left(self._ids, row_id)]
        for name, index in self._index.items():
            index[self._key(row, name)].remove(row_id)

    def ids(self) -> Sequence[int]:
        """All ids, ascending; not to be changed."""
        return self._ids

    def indexed(self, name: str) -> bool:
        """Tell whether `find` answers for this field."""
        return name in self._index

    def find(self, name: str, value: Cell) -> list[int]:
        """Ids of the rows whose indexed field equals the value, ascending."""
        return self._index[name].get(fold(value) if isinstance(value, str) else _hashable(value), [])

    def _key(self, row: Row, name: str) -> Cell:
        value = row.get(name, self.resource.by_name[name].zero)
        return fold(value) if isinstance(value, str) else _hashable(value)


def _hashable(value: Cell) -> float | str | None:
    if isinstance(value, dict):
        raise TypeError("a text in languages is not indexed")
    return value


def _nothing(_store: Store, _row: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What a resource does beyond keeping values. All functions are called under the store's lock."""

    computed: Mapping[str, Callable[[Store, int], Cell]] = field(default_factory=dict)
    """Fields made up on reading."""
    listed: Mapping[str, Callable[[Store, int], Sequence[Part]]] = field(default_factory=dict)
    """Associations made up on reading; what is written into them is not kept."""
    setters: Mapping[str, Callable[[Store, int, Cell], Row]] = field(default_factory=dict)
    """Fields that are written each in a way of its own; returns what the answer shows otherwise than it is kept."""
    loaded: frozenset[str] = frozenset()
    """Fields that the answer to a change shows as they were before it (recorded)."""
    preparing: Callable[[Store, Row], None] = lambda _store, _raw: None
    """Before the validation of a new record: may fill in what was not sent."""
    saving: Callable[[Store, int, Row], None] = lambda _store, _row, _raw: None
    """After the validation, before anything is kept: may refuse. The row is 0 for a new record."""
    assign: Mapping[str, Callable[[Store, int, list[Entry]], None]] = field(default_factory=dict)
    """Associations that are kept in a way of their own."""
    created: Callable[[Store, int], None] = _nothing
    written: Callable[[Store, int, Set[str]], None] = lambda _store, _row, _names: None
    """After a save, with the names of the fields that it stored."""
    removing: Callable[[Store, int], None] = _nothing
    """Before a row goes."""


class Store:
    """All tables of one fake shop."""

    def __init__(
        self,
        resources: Mapping[str, Resource],
        rules: Mapping[str, Rules],
        *,
        languages: tuple[int, ...] = (1, 2),
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self.lock = threading.RLock()
        self.languages = languages
        self.resources = resources
        self.tables = {name: Table(one) for name, one in resources.items()}
        self.rules = {name: rules.get(name, Rules()) for name in resources}
        self.numbers: Counter[str] = Counter()
        """The last number of each series that was given away: of invoices, of delivery slips."""
        self.faces: dict[tuple[str, int], Picture] = {}
        """The one picture that a category, manufacturer or supplier has: resource, id → picture."""
        self.positions: dict[int, dict[int, int]] = {}
        """Category → product → position in it."""
        self.on_quantity: Callable[[int, str, int], None] = lambda _row, _reference, _quantity: None
        """Called under the lock after a client wrote the quantity of a stock row: row, reference, quantity."""
        self.on_created: Callable[[str, int], None] = lambda _resource, _row: None
        """Called under the lock after a client created a record: resource, row."""
        self.on_state: Callable[[int, str, int], None] = lambda _order, _reference, _state: None
        """Called under the lock after a client brought an order into a state: order, reference, state."""
        self.on_upload: Callable[[int, int, bytes], None] = lambda _image, _product, _data: None
        """Called under the lock after a picture was uploaded: its id, its product, the bytes as they came."""
        self.shelf = Shelf()
        self.clock = clock

    def now(self) -> str:
        """The shop's local time, as it writes it."""
        return self.clock().strftime("%Y-%m-%d %H:%M:%S")

    def value(self, table: Table, row_id: int, one: Field) -> Cell:
        """One stored or computed value."""
        compute = self.rules[table.resource.name].computed.get(one.name)
        if compute is not None:
            return compute(self, row_id)
        value = table.rows[row_id].get(one.name)
        if one.i18n:
            known = value if isinstance(value, dict) else {}
            return {language: known.get(language) or "" for language in self.languages}
        return one.zero if value is None else value

    def entries(self, table: Table, row_id: int, name: str) -> Sequence[Part]:
        """The items of an association of a row."""
        listed = self.rules[table.resource.name].listed.get(name)
        if listed is not None:
            return listed(self, row_id)
        return table.links.get(row_id, {}).get(name, [])

    def assign(self, table: Table, row_id: int, name: str, entries: list[Entry]) -> None:
        """Replace an association of a row as a whole, as the shop does."""
        rules = self.rules[table.resource.name]
        if name in rules.assign:
            rules.assign[name](self, row_id, entries)
        elif name not in rules.listed:
            self.link(table, row_id, name, entries)

    @staticmethod
    def link(table: Table, row_id: int, name: str, entries: list[Entry]) -> None:
        """Keep the items of an association as they are."""
        # a new dict: bulk seeding lets rows share one
        table.links[row_id] = {**table.links.get(row_id, {}), name: entries}

    def seed(
        self,
        resource: str,
        row_id: int | None,
        values: Mapping[str, Cell],
        links: Mapping[str, Iterable[Entry]] | None = None,
    ) -> int:
        """Put a row in as it stands in the database, without validation and side effects; returns its id."""
        with self.lock:
            table = self.tables[resource]
            fields = table.resource.by_name
            row: Row = {
                name: stored(fields[name], value, self.languages)
                for name, value in values.items()
                if not fields[name].computed
            }
            made = table.insert(row, row_id)
            listed = self.rules[resource].listed
            if links:
                table.links[made] = {name: list(entries) for name, entries in links.items() if name not in listed}
            return made
