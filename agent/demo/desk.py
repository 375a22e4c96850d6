"""Who else is at work in the demo's morning: the keeper of the range, and the shop's customers with POHODA's office.

The keeper moves categories, changes parameters and suppliers. Customers order in the shop, whose stock falls at once;
the office takes their orders over, reserves the pieces, and transfers, executes or cancels the orders later. So POHODA
stays the truth about quantities at each moment that counts: what was ordered is reserved there, too.

Little is taken away, for the guards would hold it if the demo ran for an hour: few categories are deleted, none with
many cards, no card loses its last parameter, and one order in eight is cancelled.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.demo.internet import FIRMS
from agent.demo.office import Office
from agent.demo.scene import Scene
from agent.events import key_of

DELETED = 2
"""So many categories are deleted in one demo."""
FEW = 12
"""A card is in no more categories than this, and a category with more cards is not deleted."""
LEAST = 6
"""Customers buy what there is so much of, on both sides."""
_NEEDED = 3
"""Orders that go on at once."""
_WAYS: tuple[tuple[str, ...], ...] = (
    ("transfer", "execute"),
    ("part", "transfer", "execute"),
    ("cancel",),
    ("execute",),
    ("part", "execute"),
    ("transfer",),
    ("part",),
    (),
)
"""What becomes of one order after another."""


class RangeDesk:
    """Categories, parameters, manufacturers and suppliers, one piece of work after another."""

    def __init__(self, on: Scene, office: Office) -> None:
        self._on = on
        self._office = office
        self._chance = random.Random(9)  # noqa: S311 - plausible work, not secrets
        self._next = self._deleted = 0
        self._works: list[Callable[[], None]] = [
            self._rename,
            self._new_value,
            self._supplier,
            self._place,
            self._move,
            self._value,
            self._maker,
            self._new_category,
            self._new_parameter,
            self._less,
            self._turn,
            self._place,
            self._delete,
            self._value,
            self._describe,
        ]

    def step(self) -> None:
        """The next piece of work."""
        work = self._works[self._next % len(self._works)]
        self._next += 1
        work()

    def _count(self, *targets: str) -> None:
        for target in targets:
            self._on.changes[target] += 1

    def _category(self) -> int:
        return self._chance.choice(self._office.tree.categories())

    def _rename(self) -> None:
        self._office.tree.rename(self._category(), f"Sortiment č. {self._next}")
        self._count("categories")

    def _move(self) -> None:
        """Below a category that is not below itself, or to the top."""
        tree, category = self._office.tree, self._category()
        others = [one for one in tree.categories() if one not in tree.branch(category)]
        tree.rename(category, f"Přesunuto č. {self._next}")  # no two of one name come to lie side by side
        tree.move(category, self._chance.choice([None, *others]))
        self._count("categories")

    def _turn(self) -> None:
        category = self._category()
        self._office.tree.hide(category, visible=self._chance.random() < 0.5)
        self._office.tree.picture(category)
        self._count("categories")

    def _describe(self) -> None:
        text = self._chance.choice(("Nový popis\r\nna dvou řádcích & víc", f"<p>Popis <b>{self._next}</b></p>", None))
        self._office.tree.describe(self._category(), text)
        self._count("categories")

    def _new_category(self) -> None:
        tree = self._office.tree
        made = tree.add(f"Novinky č. {self._next}", self._category(), description="Právě přišlo.", picture=True)
        card = self._office.card()
        tree.put(card, [*tree.of(card), made])
        self._count("categories", "categories.products")

    def _delete(self) -> None:
        """A category at the end of a branch, with few cards."""
        tree = self._office.tree
        for category in reversed(tree.categories()):
            if self._deleted < DELETED and tree.branch(category) == [category] and len(tree.cards(category)) <= FEW:
                tree.delete(category)
                self._deleted += 1
                self._count("categories")
                return
        self._describe()

    def _place(self) -> None:
        tree, card = self._office.tree, self._office.card()
        there = tree.of(card)[-FEW:]
        kept = there[1:] if len(there) > 1 else there
        tree.put(card, list(dict.fromkeys([*kept, self._category()])))
        self._count("categories.products")

    def _value(self) -> None:
        name, value = self._chance.choice(_VALUES)
        self._office.parameters.set(self._office.card(), name, value)
        self._count("parameters")

    def _new_value(self) -> None:
        """Two colours at once, of which nobody heard before: the list grows."""
        self._office.parameters.set(self._office.card(), "Barva", ["modrá", f"odstín č. {self._next}"])
        self._count("parameters", "parameters.terms")

    def _new_parameter(self) -> None:
        name = f"Vlastnost č. {self._next}"
        self._office.parameters.define(name, 5, unit="mm")
        self._office.parameters.set(self._office.card(), name, self._next + 0.5)
        self._count("parameters", "parameters.terms")

    def _less(self) -> None:
        """Take a parameter or a supplier off a card that has several."""
        parameters, firms, card = self._office.parameters, self._office.firms, self._office.card()
        if len(there := parameters.of(card)) > 1:
            parameters.remove(card, self._chance.choice(there))
            self._count("parameters")
        elif there := firms.of(card):
            firms.remove(card, there[0])
            self._count("suppliers")

    def _supplier(self) -> None:
        card, new = self._office.card(), self._chance.random() < 0.5
        firm = f"Dodavatel č. {self._next}" if new or self._next < len(self._works) else self._chance.choice(FIRMS)
        self._office.firms.add(card, firm, code=f"OBJ-{self._next}", default=self._chance.random() < 0.5)
        self._count("suppliers", "suppliers.firms")

    def _maker(self) -> None:
        self._office.firms.maker(self._office.card(), f"Výrobce  č. {self._next}")
        self._count("suppliers", "suppliers.firms")


_VALUES: tuple[tuple[str, str | float | bool | dt.date], ...] = (
    ("Materiál", "ořech"),
    ("Délka", 47.25),
    ("Skládací", True),
    ("Kusů v balení", 25),
    ("Doporučená cena", 12345.6),
    ("V nabídce od", dt.date(2026, 12, 1)),
)


@dataclass(slots=True)
class OrderDesk:
    """Customers who buy, and the office that takes their orders over and goes on with them."""

    on: Scene
    office: Office
    _chance: random.Random = field(default_factory=lambda: random.Random(11))  # noqa: S311 - as above
    _bought: list[tuple[str, Mapping[str, int]]] = field(default_factory=list)
    _under_way: dict[int, list[str]] = field(default_factory=dict)
    _taken: int = 0

    def __post_init__(self) -> None:
        for order in self.office.orders.open():  # those that are waiting since before
            self._begin(order)

    def step(self) -> None:
        """Take over what was bought; a step with an order; and somebody buys, while the shop is open."""
        self.take_over()
        self._go_on()
        if not self.on.shop.down:
            self._buy()

    def take_over(self) -> None:
        """Write the shop's orders into POHODA."""
        bought, self._bought = self._bought, []
        for number, lines in bought:
            order = self.office.orders.write(number, lines)
            self._follow(order)
            self._begin(order)

    def _begin(self, order: int) -> None:
        self._under_way[order] = [*_WAYS[self._taken % len(_WAYS)]]
        self._taken += 1

    def _buy(self) -> None:
        """One or two codes that are there, on both sides; two or three pieces, as nobody at the counter moves."""
        offered, there = self.on.quantities(), self.on.shop.quantities()
        codes = [code for code, have in there.items() if min(have, offered.get(key_of(code), 0)) >= LEAST]
        chosen = self._chance.sample(codes, min(len(codes), self._chance.randint(1, 2)))
        if chosen:
            lines = {code: self._chance.randint(2, 3) for code in chosen}
            self._bought.append((self.on.shop.orders.buy(lines), lines))

    def _go_on(self) -> None:
        """The next step of an order, for some of those that were begun first."""
        waiting = [order for order, ways in self._under_way.items() if ways][:_NEEDED]
        if not waiting:
            return
        order = self._chance.choice(waiting)
        self._do(order, self._under_way[order].pop(0))
        self.on.changes["order_states"] += 1
        self._follow(order)

    def _do(self, order: int, way: str) -> None:
        orders = self.office.orders
        if way == "part":
            orders.transfer(order, dict([next(self._one(order))]))
        elif way == "transfer":
            orders.transfer(order)
        elif way == "execute":
            orders.execute(order)
        else:
            orders.cancel(order)

    def _one(self, order: int) -> Iterator[tuple[str, int]]:
        return ((code, 1) for code in self.office.orders.outstanding(order))

    def _follow(self, order: int) -> None:
        """How the shop's quantities must follow it: reserved, or free again."""
        at = time.monotonic()
        expected = self.on.quantities()
        for key in {key_of(code) for code in self.office.orders.codes(order)}:
            self.on.changes["quantities"] += self.on.watch.committed(key, expected.get(key, 0), at)
