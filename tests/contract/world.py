"""What the claims of the contract need: the `World` of a shop kind, and words to say a claim shortly.

`World` is the least; a kind that serves more adds the methods of `CatalogueWorld`, `NamedWorld` or `OrderWorld`. What a
kind honestly cannot do is a property of its world, so that a claim says what holds there instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from agent.errors import BatchRefused
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Untried, Value, Wanted, key_of
from agent.shops import Shop
from tests.fault_server import (
    Fault,
    FaultProxy,
)

Q = "quantities"
_numbers = itertools.count(1)


class World(Protocol):
    """One running shop of a kind, with a proxy in front of it that spoils **writes**."""

    proxy: FaultProxy
    secret: str
    """What must never be seen in an error."""
    smallest: int
    """The least quantity that the shop takes."""
    unknown_link: str
    """A link of the right form to nothing."""

    def shop(
        self, *, timeout: float = 5.0, secret: str | None = None, pictures: Callable[[str], bytes] | None = None
    ) -> Shop:
        """Make a fresh adapter that talks to the shop through the proxy; ``secret`` replaces the right one.

        ``pictures`` gives the bytes of a picture by its sha (a kind that serves the target ``images`` hands it on).
        """

    def add(self, *things: tuple[str, int]) -> None:
        """Create products: code and quantity. A code may be there already."""

    def remove(self, code: str) -> None:
        """Delete a product."""

    def sell(self, code: str, pieces: int) -> None:
        """Lower what the shop holds, as a customer does."""

    def everything(self) -> list[tuple[str, int]]:
        """All codes that a quantity can be written to, with what the shop holds; a doubled code comes twice."""


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One picture of a product, as the shop holds it."""

    id: str
    """The shop's own id of it (of the file: an upload that came twice has two ids)."""
    alt: str | None
    """Its alternative text in the configured language; None where the shop cannot keep one."""
    default: bool
    """Whether it is the one that lists show."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One product as the shop holds it, read without the adapter."""

    fields: Mapping[str, Value]
    """The values of the target ``products`` that this kind can keep (`CatalogueWorld.fields`), in the contract's form;
    HTML as the shop stores it."""
    price: str
    """What the shop stores, in its own form (net or gross), as a canonical decimal."""
    pictures: tuple[SeenPicture, ...]
    """In the order of the shop."""
    other_names: tuple[str, ...]
    """Its names in the languages that are not the configured one; () in a shop with one language."""


@runtime_checkable
class CatalogueWorld(World, Protocol):
    """What a kind that also serves ``products``, ``prices`` and ``images`` adds; claims in `catalogue_suite`.

    `World.add` makes products that the claims then work on, and its proxy must spoil **every** write: creations,
    updates, uploads, removals.
    """

    fields: frozenset[str]
    """Which fields of the target ``products`` the shop can keep."""
    vat_rates: tuple[str, str]
    """Two rates (canonical, such as "21") that the shop knows."""
    marks: tuple[str, ...]
    """Which words of the field ``marks`` the shop can keep; () when ``marks`` is not among the fields."""

    def seen(self, code: str) -> list[Seen]:
        """Read all products with this code (without case): two where a creation was doubled."""

    def translate(self, code: str, name: str) -> None:
        """Give the product a name in a language that is not the configured one; nothing in a shop with one."""

    def add_picture(self, code: str) -> str:
        """Add a picture as a person does in the administration; returns its `SeenPicture.id`."""


@dataclass(frozen=True, slots=True)
class SeenCategory:
    """One category as the shop holds it, read without the adapter."""

    name: str
    """In the configured language, spaces and all."""
    parent: str
    """The shop's id of the category above; that of the shop's own root may be any text."""
    visible: bool
    description: str
    picture: bool


@dataclass(frozen=True, slots=True)
class SeenFirms:
    """What a product says of its firms, whoever said it; names as the shop spells them."""

    manufacturer: str | None
    suppliers: Mapping[str, str]
    """Name → its own code of the goods ("" where there is none, or the kind keeps none)."""
    default: str | None
    """The default supplier; None where there is none, or the kind keeps none."""


@runtime_checkable
class NamedWorld(World, Protocol):
    """What a kind adds that also serves categories, parameters and suppliers.

    Claims in `named_suite`, `category_suite` and `card_suite`. The methods beginning with "add", "rename", "remove",
    "move", "put" and "give" are the shop's owner at work in the administration.
    """

    keeps_order: bool
    """Whether the order of categories can be set."""
    keeps_main: bool
    """Whether a product has a main category."""
    keeps_codes: bool
    """Whether a supplier's own code of the goods, and which supplier is the default, are kept."""
    remembers_categories: bool
    """Whether products keep what they have of a category that the owner deleted, and come back with it."""
    refused: Mapping[str, tuple[str, ...]]
    """Target → names that this kind refuses beside empty and endless ones."""

    def shop(
        self,
        *,
        timeout: float = 5.0,
        secret: str | None = None,
        pictures: Callable[[str], bytes] | None = None,
        root: str = "",
    ) -> Shop:
        """As in `World`; ``root`` is the id of the category below which ours are (empty: the shop's home)."""

    def home(self) -> str:
        """The id of the shop's home: the parent of the categories that stand at the top."""

    def categories(self) -> dict[str, SeenCategory]:
        """All categories, those of the owner and of other claims among them, by the shop's id."""

    def children(self, category: str) -> list[str]:
        """Ids of the categories right below one, in the order of the shop."""

    def category_in(self, link: str) -> str:
        """The shop's id of the category that a link leads to."""

    def link_to_category(self, category: str) -> str:
        """A link of the adapter's form to a category that it never made."""

    def add_category(self, name: str, parent: str = "", *, visible: bool = True) -> str:
        """Make a category, at the top unless below another; its id."""

    def rename_category(self, category: str, name: str) -> None:
        """Call a category something else."""

    def translate_category(self, category: str, name: str) -> None:
        """Give a category a name in a language that is not the configured one."""

    def translation_of(self, category: str) -> str:
        """The name of a category in that language; empty for none."""

    def move_category(self, category: str, parent: str) -> None:
        """Put a category below another one."""

    def remove_category(self, category: str) -> None:
        """Delete a category."""

    def categories_of(self, code: str) -> set[str]:
        """Ids of the categories that show a product."""

    def main_of(self, code: str) -> str:
        """Id of the main category of a product; empty where the kind has none."""

    def put_into(self, code: str, category: str) -> None:
        """Let a category show a product, beside those that show it already."""

    def terms(self) -> list[tuple[str, str]]:
        """All parameters as (name, ""), and their values as (name, value), doubles and all."""

    def add_term(self, parameter: str, value: str = "") -> None:
        """Make a parameter; or a value of one that is there, spelt just so."""

    def rename_term(self, parameter: str, value: str, name: str) -> None:
        """Spell a parameter (``value`` empty) or a value differently."""

    def remove_term(self, parameter: str, value: str = "") -> None:
        """Delete a parameter or a value."""

    def parameters_of(self, code: str) -> dict[str, list[str]]:
        """All parameters of a product, whoever gave them: name → values, sorted."""

    def give_parameter(self, code: str, parameter: str, value: str) -> None:
        """Give a product a value that is there, beside what it has."""

    def firms(self) -> list[tuple[str, str]]:
        """All manufacturers and suppliers: kind and name, doubles and all."""

    def add_firm(self, kind: str, name: str) -> None:
        """Make a manufacturer or a supplier."""

    def rename_firm(self, kind: str, name: str, new: str) -> None:
        """Call a firm something else."""

    def remove_firm(self, kind: str, name: str) -> None:
        """Delete a firm."""

    def firms_of(self, code: str) -> SeenFirms:
        """What a product says of its firms."""

    def give_firm(self, code: str, kind: str, name: str) -> None:
        """Give a product a firm that is there: as its manufacturer, or as one more supplier."""


@runtime_checkable
class OrderWorld(World, Protocol):
    """What a kind adds that also serves ``order_states``; claims in `order_suite`.

    Orders are placed by customers (`buy`); the owner may bring them further by hand (`bring`).
    """

    begun: str
    """The state of a new order that is paid."""
    partly: str
    """The state of an order of which a part was sent."""
    sent: str
    """The state of an order that was sent."""
    delivered: str
    """The state of an order that arrived: the shop counts it as an end."""
    cancelled: str
    """The state of an order that was cancelled: another end."""

    def buy(self, lines: Mapping[str, int]) -> str:
        """Place an order of pieces by code; its number, as customers see it."""

    def bring(self, number: str, state: str) -> None:
        """Bring an order into a state by hand."""

    def state_of(self, number: str) -> str:
        """The state in which an order is."""

    def states_of(self, number: str) -> list[str]:
        """Every state that an order was brought into since it was begun, `begun` first, doubles and all."""

    def tracking_of(self, number: str) -> str:
        """The tracking number that the customer sees; empty for none."""

    def saleable(self, code: str) -> int:
        """Pieces that customers can still buy."""


def code() -> str:
    """A code that nobody else uses."""
    return f"Zbo-{next(_numbers):05}"


def things(world: World, shop: Shop, *quantities: int) -> list[Held]:
    """Create one product per quantity and look them up."""
    codes = [code() for _ in quantities]
    world.add(*zip(codes, quantities, strict=True))
    found = shop.find(Q, [Wanted(key_of(each), each) for each in codes])
    assert [held_of(found[key_of(each)]).value for each in codes] == list(quantities)
    return [held_of(found[key_of(each)]) for each in codes]


def held_of(found: Held | Rejected) -> Held:
    assert isinstance(found, Held), found
    return found


def owe(held: Held, value: Value) -> Owed:
    return Owed(Event(Q, held.key, value, held.code), held.link)


def want(held: Held) -> Wanted:
    return Wanted(held.key, held.code, held.link)


def holds(world: World, held: Held) -> int:
    return dict(world.everything())[held.code]


def values(outcomes: Sequence[Outcome]) -> list[Value]:
    """What the shop confirmed; every outcome must be `Done`."""
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return [outcome.confirmed for outcome in outcomes if isinstance(outcome, Done)]


def writes(world: World) -> int:
    return sum(world.proxy.spoils(request) for request in world.proxy.requests)


def spoil(world: World, *faults: Fault) -> None:
    world.proxy.next(*faults)


@contextmanager
def everything_spoiled(world: World, fault: Fault) -> Iterator[None]:
    """Let a fault hit every request, reads included."""
    usual, world.proxy.spoils = world.proxy.spoils, lambda _: True
    world.proxy.next(*[fault] * 100)
    try:
        yield
    finally:
        world.proxy.clear()
        world.proxy.spoils = usual


def shop_said(shop: Shop, owed: Sequence[Owed]) -> list[Outcome]:
    """Deliver; a batch that was refused as a whole counts as untried."""
    try:
        return shop.deliver(Q, owed)
    except BatchRefused:
        return [Untried()] * len(owed)


def settle(shop: Shop, owed: Sequence[Owed]) -> list[Outcome]:
    """Do what dispatch does: send what is untried again, in halves when the batch as a whole was refused."""
    final: list[Outcome] = [Untried()] * len(owed)
    size = len(owed)
    for _ in range(4 * len(owed)):
        left = [n for n, outcome in enumerate(final) if isinstance(outcome, Untried)][:size]
        if not left:
            return final
        said = shop_said(shop, [owed[n] for n in left])
        size = max(size // 2, 1) if all(isinstance(outcome, Untried) for outcome in said) else len(owed)
        for n, outcome in zip(left, said, strict=True):
            final[n] = outcome
    raise AssertionError(f"never settled: {final}")
