"""What the claims of the contract need: the `World` of a shop kind, and words to say a claim shortly."""

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
