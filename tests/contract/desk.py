"""What the claims about categories, parameters, firms and orders share: the adapter beside the links of the core.

A `Desk` does what dispatch does with links: it hands on all of a kind of things, and of the values of parameters those
that a batch names; before something is created it is looked for.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import pytest

from agent.errors import BatchRefused
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops import Shop
from agent.targets import Naming, Target
from agent.targets.categories import Categories, CategorySettings
from agent.targets.firms import Firms
from agent.targets.order_states import OrderStates, OrderStateSettings
from agent.targets.parameters import Parameters, ParameterSettings
from agent.targets.product_categories import ProductCategories, ProductCategorySettings
from agent.targets.suppliers import Suppliers, SupplierSettings
from agent.targets.terms import Terms
from tests.contract.world import NamedWorld, World, code, held_of
from tests.fault_server import FAULTS_AFTER_APPLYING, Fault, drip_after_apply, hang_after_apply

C, CP, T, P, F, S, ORDERS = (
    "categories",
    "categories.products",
    "parameters.terms",
    "parameters",
    "suppliers.firms",
    "suppliers",
    "order_states",
)
TARGETS: Mapping[str, Target] = {
    C: Categories(CategorySettings(when_gone="delete")),
    CP: ProductCategories(ProductCategorySettings()),
    T: Terms(ParameterSettings()),
    P: Parameters(ParameterSettings()),
    F: Firms(SupplierSettings()),
    S: Suppliers(SupplierSettings()),
    ORDERS: OrderStates(OrderStateSettings(since=dt.date(2026, 1, 1))),
}
ROUNDS = 12
LOST = pytest.mark.parametrize(
    ("_name", "fault"),
    [(name, fault) for name, fault in FAULTS_AFTER_APPLYING if fault is not drip_after_apply],
    ids=[name for name, fault in FAULTS_AFTER_APPLYING if fault is not drip_after_apply],
)
"""Without the slowest, which goes the way of the second slowest and is in `bad_days`."""


def patience(fault: Fault) -> float:
    """Seconds that an adapter waits: few only where that is the fault."""
    return 2.0 if fault is hang_after_apply else 10.0


def lost_of(sorts: Mapping[str, object], *slow: str) -> pytest.MarkDecorator:
    """Parameters ``sort``, ``_name``, ``fault``: every sort with every fault, those that take their time as named."""
    cases = [
        pytest.param(sort, name, fault, id=f"{word}-{name}")
        for word, sort in sorts.items()
        for name, fault in FAULTS_AFTER_APPLYING
        if fault is not drip_after_apply and (fault is not hang_after_apply or word in slow)
    ]
    return pytest.mark.parametrize(("sort", "_name", "fault"), cases)


_numbers = itertools.count(1)


class Desk:
    """An adapter, and the links that the core would keep: by kind of thing, then by key."""

    def __init__(self, shop: Shop, links: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.shop = shop
        kinds = ("category", "term", "firm", "product", "order")
        self.links: dict[str, dict[str, str]] = {kind: dict((links or {}).get(kind, {})) for kind in kinds}
        self.tried: dict[str, Value] = {}
        """What was said of categories when the last answer was lost."""

    def link(self, target: str, spelt: str) -> str:
        """The link of a thing that is known."""
        return self.links[TARGETS[target].thing][key_of(spelt)]

    def forget(self, target: str, *spelt: str) -> None:
        """Lose the links of things, as a state file that was lost."""
        for each in spelt:
            del self.links[TARGETS[target].thing][key_of(each)]

    def owed(self, target: str, values: Mapping[str, Value]) -> list[Owed]:
        """What dispatch would hand to the adapter; values by code."""
        mine, named = self.links[TARGETS[target].thing], self._named(target, values)
        return [
            Owed(Event(target, key_of(each), value, each), mine.get(key_of(each)), named, self._tried(target, each))
            for each, value in values.items()
        ]

    def send(self, target: str, values: Mapping[str, Value]) -> list[Outcome]:
        """Deliver; links are neither looked up nor kept."""
        outcomes = self.shop.deliver(target, self.owed(target, values))
        for (each, value), outcome in zip(values.items(), outcomes, strict=True):
            if target == C and isinstance(outcome, Unclear):
                self.tried[key_of(each)] = value
            elif target == C and isinstance(outcome, Done):
                self.tried.pop(key_of(each), None)
        return outcomes

    def found(self, target: str, values: Mapping[str, Value]) -> dict[str, Held | Rejected]:
        """Look things up as if no link to them was known."""
        named = self._named(target, values)
        asked = [Wanted(key_of(each), each, value=value, links=named) for each, value in values.items()]
        return self.shop.find(target, asked)

    def look(self, target: str, values: Mapping[str, Value]) -> None:
        """Keep the links of what is found."""
        for key, held in (self.found(target, values) if values else {}).items():
            self.links[TARGETS[target].thing][key] = held_of(held).link

    def read(self, target: str, values: Mapping[str, Value]) -> dict[str, Value]:
        """What the shop says about things with links, by code; what is gone is missing."""
        asked = [item.wanted for item in self.owed(target, values)]
        held = self.shop.read(target, [item for item in asked if item.link])
        return {item.code: held[item.key].value for item in asked if item.key in held}

    def holds(self, target: str, values: Mapping[str, Value]) -> bool:
        """Tell whether a reading by links says what was sent."""
        there = self.read(target, values)
        return there.keys() == values.keys() and all(
            TARGETS[target].same(value, there[each]) for each, value in values.items()
        )

    def make(self, target: str, values: Mapping[str, Value]) -> list[Done]:
        """Look up what has no link, deliver, keep the links; all of it must be done and confirmed as it was sent."""
        mine = self.links[TARGETS[target].thing]
        self.look(target, {each: value for each, value in values.items() if key_of(each) not in mine})
        outcomes = done(self.send(target, values))
        for (each, value), outcome in zip(values.items(), outcomes, strict=True):
            assert TARGETS[target].same(value, outcome.confirmed), (value, outcome.confirmed)
            self.keep(target, each, outcome)
        return outcomes

    def settle(self, target: str, values: Mapping[str, Value]) -> dict[str, Outcome]:
        """Do what dispatch does on bad days: again what is unclear or untried, after a look; halves of what is refused.

        The last outcomes, by code.
        """
        left, size, final = dict(values), len(values), dict[str, Outcome]()
        for _ in range(ROUNDS):
            mine = self.links[TARGETS[target].thing]
            some = dict(itertools.islice(left.items(), size))
            self.look(target, {each: value for each, value in some.items() if key_of(each) not in mine})
            try:
                outcomes = self.send(target, some)
            except BatchRefused:
                size = max(size // 2, 1)
                continue
            size = len(values)
            for each, outcome in zip(some, outcomes, strict=True):
                final[each] = outcome
                if isinstance(outcome, Done):
                    assert TARGETS[target].same(values[each], outcome.confirmed), (values[each], outcome.confirmed)
                    self.keep(target, each, outcome)
                if not isinstance(outcome, Unclear | Untried):
                    del left[each]
            if not left:
                return final
        raise AssertionError(f"never settled: {final}")

    def keep(self, target: str, spelt: str, outcome: Done) -> None:
        """Remember a link, or forget it."""
        mine = self.links[TARGETS[target].thing]
        if outcome.link is None:
            mine.pop(key_of(spelt), None)
        else:
            mine[key_of(spelt)] = outcome.link

    def _tried(self, target: str, spelt: str) -> Value:
        return self.tried.get(key_of(spelt)) if target == C else None

    def _named(self, target: str, values: Mapping[str, Value]) -> dict[str, str]:
        judge = TARGETS[target]
        if not isinstance(judge, Naming):
            return {}
        named = {key for value in values.values() for key in judge.needs(value)} | {key_of(each) for each in values}
        return {
            key: link
            for key, link in self.links[judge.names].items()
            if judge.names != "term" or " = " not in key or key in named
        }


_standing: dict[tuple[int, float], Shop] = {}


def dismiss(world: World) -> None:
    """Close the adapters that claims shared, before the shop itself stops."""
    for place in [place for place in _standing if place[0] == id(world)]:
        _standing.pop(place).close()


@contextmanager
def desk(
    world: World,
    links: Mapping[str, Mapping[str, str]] | None = None,
    *,
    timeout: float = 10.0,
    pictures: Callable[[str], bytes] | None = None,
    root: str = "",
) -> Iterator[Desk]:
    """A desk; its adapter is new if it has a root or pictures of its own, else one for all, as in a running agent."""
    if not pictures and not root:
        place = id(world), timeout
        if place not in _standing:
            _standing[place] = world.shop(timeout=timeout)
        yield Desk(_standing[place], links)
        return
    assert isinstance(world, NamedWorld)
    with closing(world.shop(timeout=timeout, pictures=pictures, root=root)) as shop:
        yield Desk(shop, links)


def fresh(word: str = "Věc") -> str:
    """A name that nobody else uses."""
    return f"{word} {next(_numbers):04}"


def keys(count: int) -> list[str]:
    """Keys of categories that nobody else uses."""
    return [str(next(_numbers)) for _ in range(count)]


def done(outcomes: Sequence[Outcome]) -> list[Done]:
    """All of them, as what they must be."""
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Done)]


def refusal(outcome: Outcome | Held | None) -> Rejected:
    """A refusal that tells the person what to try."""
    assert isinstance(outcome, Rejected), outcome
    assert outcome.reason
    assert outcome.hint
    return outcome


def goods(world: World, count: int = 1) -> list[str]:
    """Products that are there; their codes."""
    codes = [code() for _ in range(count)]
    world.add(*((each, 10) for each in codes))
    return codes
