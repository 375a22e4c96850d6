"""What the claims of the contract need: the `World` of a shop kind, and words to say a claim shortly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

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

    def shop(self, *, timeout: float = 5.0, secret: str | None = None) -> Shop:
        """Make a fresh adapter that talks to the shop through the proxy; ``secret`` replaces the right one."""

    def add(self, *things: tuple[str, int]) -> None:
        """Create products: code and quantity. A code may be there already."""

    def remove(self, code: str) -> None:
        """Delete a product."""

    def sell(self, code: str, pieces: int) -> None:
        """Lower what the shop holds, as a customer does."""

    def everything(self) -> list[tuple[str, int]]:
        """All codes that a quantity can be written to, with what the shop holds; a doubled code comes twice."""


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
