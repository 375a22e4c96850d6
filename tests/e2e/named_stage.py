"""Both sides of an end to end test of categories, parameters and firms; says every difference between them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.demo.office import Office

from .named_agent import Agent
from .named_owner import Owner
from .named_reading import MARKS, Reader, Reading
from .named_reckoning import Range, fold, reckon

APPLIED = 20.0
"""Seconds that Vendure's own jobs may take to put products into collections."""


@dataclass(slots=True)
class Stage:
    """Both sides, and what is known of them."""

    folder: Path
    agent: Agent
    owner: Owner
    office: Office
    reader: Reader
    base: str
    """The collection below which ours are."""
    begin: Reading
    """What the shop held before the agent came."""
    when_gone: str = "delete"
    expected: Range = field(default_factory=Range)
    places: dict[int, str] = field(default_factory=dict)
    """The collection that each category was at the last comparison: it stays the same one."""
    others: dict[int, frozenset[str]] = field(default_factory=dict)
    """Category → what its owner has in its collection beside ours."""
    marks: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """Product → what its owner has marked it with beside ours; of one that POHODA does not have: all."""
    ever: set[tuple[str, str]] = field(default_factory=set)
    """All facet values that POHODA or the owner ever named: what the shop may have."""
    dead: dict[tuple[str, str], str] = field(default_factory=dict)
    """Target and key of the dead letters that there must be, and words of each."""
    refused: set[int] = field(default_factory=set)
    """Categories whose deletion the shop must refuse."""

    def note(self) -> None:
        """Note what the shop must show from now on."""
        pictures = self.folder / "documents" / "Obrázky"
        self.expected = reckon(
            self.folder / "pohoda.db", pictures, self.expected, when_gone=self.when_gone, refused=self.refused
        )
        for card in self.expected.cards.values():
            self.ever |= _firms(card.manufacturer, card.suppliers) | card.parameters

    def assert_equal(self) -> None:
        """Wait for rest, then compare all of the shop with all of what it must show; every difference is listed."""
        self.note()
        self.agent.wait_for_rest()
        self.assert_shown()
        letters = self.agent.letters("dead")
        assert letters.keys() == self.dead.keys(), letters
        assert all(words in letters[letter] for letter, words in self.dead.items()), letters
        assert self.agent.letters("held") == {}

    def assert_shown(self) -> None:
        """Read the whole shop and compare it; its own jobs may still be at work."""
        end = time.monotonic() + APPLIED
        while True:
            reading = self.reader.read()
            wrong = list(self._differences(reading))
            if not wrong or time.monotonic() > end:
                break
            time.sleep(0.5)
        assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:100])
        self.places |= self._places(reading)

    def _differences(self, reading: Reading) -> Iterator[str]:
        yield from reading.doubled
        yield from (f"picture {name}: nobody shows it" for name in reading.unseen)
        yield from self._tree(reading)
        yield from self._owners(reading)
        yield from self._cards(reading)
        for name, values in reading.facets.items():
            if name != fold(MARKS):
                yield from (f"{name}: {one}: nobody ordered it" for one in values if (name, one) not in self.ever)
        for one in self.expected.cards.values():
            for name, value in one.parameters | _firms(one.manufacturer, one.suppliers):
                if value not in reading.facets.get(name, ()):
                    yield f"{name}: {value}: is not there"

    def _tree(self, reading: Reading) -> Iterator[str]:
        categories = self.expected.categories
        root = reading.nodes[self.base].path
        wanted = Counter(
            (root + self.expected.path(row), one.visible, one.description, one.picture, self._goods(row))
            for row, one in categories.items()
        )
        mine = [node for node in reading.nodes.values() if node.path[0] == root[0] and node.id not in self._not_ours()]
        held = Counter(
            (n.path, n.visible, n.description, n.picture, frozenset(sku.casefold() for sku in n.goods)) for n in mine
        )
        yield from (f"missing: {_said(one)}" for one in wanted - held)
        yield from (f"nobody ordered: {_said(one)}" for one in held - wanted)
        for above in {0, *categories}:
            below = [one for one in categories.values() if one.above == above and not one.gone]
            names = [one.name for one in sorted(below, key=lambda one: one.order)]
            path = root + (self.expected.path(above) if above else ())
            shown = sorted((n for n in mine if n.path[:-1] == path and n.path[-1] in names), key=lambda n: n.position)
            if len({n.above for n in shown}) == 1 and [n.path[-1] for n in shown] != names:
                yield f"order below {' > '.join(path)}: {[n.path[-1] for n in shown]}, not {names}"
        places = self._places(reading)
        for row in places.keys() & self.places.keys():
            if places[row] != self.places[row]:
                yield f"{self.expected.path(row)} was collection {self.places[row]}, and is {places[row]}"

    def _goods(self, category: int) -> frozenset[str]:
        ours = {key for key, card in self.expected.cards.items() if category in card.categories}
        return frozenset(ours | {sku.casefold() for sku in self.others.get(category, ())})

    def _places(self, reading: Reading) -> dict[int, str]:
        """Category → collection, of those whose path is not shared."""
        root = reading.nodes[self.base].path
        paths = Counter(node.path for node in reading.nodes.values())
        there = {node.path: node.id for node in reading.nodes.values() if paths[node.path] == 1}
        rows = self.expected.categories
        return {row: there[path] for row in rows if (path := root + self.expected.path(row)) in there}

    def _not_ours(self) -> Collection[str]:
        return {self.base, *self.owner.collections} - {*self.places.values()} - self.adopted()

    def adopted(self) -> set[str]:
        """Collections of the owner that had the name of a category below the root."""
        return {self.places[row] for row in self.others if row in self.places} | set(self.owner.given)

    def _owners(self, reading: Reading) -> Iterator[str]:
        for one, made in self.owner.collections.items():
            node = reading.nodes.get(one)
            if one in self.owner.given:
                continue
            if node is None:
                yield f"the owner's collection {made.name} is gone"
            elif (node.path[-1], node.above, node.visible, node.description) != (made.name, made.above, True, "ručně"):
                yield f"the owner's collection {made.name} was changed: {node}"
            elif node.goods != made.goods:
                yield f"the owner's collection {made.name} shows {sorted(node.goods)}, not {sorted(made.goods)}"

    def _cards(self, reading: Reading) -> Iterator[str]:
        for key, card in self.expected.cards.items():
            held = reading.cards.get(key)
            if held is None:
                yield f"{key}: is not there"
                continue
            wanted = card.parameters | _firms(card.manufacturer, card.suppliers) | self.marks.get(key, frozenset())
            shown = {mark for mark in held.marks if mark[0] != fold(MARKS)}
            if shown != wanted:
                yield f"{key}: {sorted(shown - wanted)} too many, {sorted(wanted - shown)} missing"
        for key, card_ in self.begin.cards.items():
            if key in self.expected.cards:
                continue
            now, marks = reading.cards.get(key), self.marks.get(key, frozenset())
            if (
                now is None
                or replace(now, marks=frozenset()) != replace(card_, marks=frozenset())
                or now.marks != marks
            ):
                yield f"{key}: was changed though POHODA does not offer it: {now}"


def _firms(manufacturer: str, suppliers: Collection[str]) -> frozenset[tuple[str, str]]:
    makers = {("výrobce", manufacturer)} if manufacturer else set()
    return frozenset(makers | {("dodavatel", supplier) for supplier in suppliers})


def _said(one: tuple[tuple[str, ...], bool, str, str, frozenset[str]]) -> str:
    path, visible, description, picture, goods = one
    return f"{' > '.join(path)} visible={visible} {description!r} {picture[:8]} {sorted(goods)}"
