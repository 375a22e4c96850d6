"""The Target contract: how a value is made from rows, and when a change must wait for a person. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from agent.events import Value


@dataclass(frozen=True, slots=True)
class GuardCount:
    """What the guard counts over a sliding hour: keys that would get worse, and how many there are in all."""

    counted: int
    total: int


class Target(Protocol):
    """What is kept in sync. One file per target beside this one."""

    @property
    def name(self) -> str:
        """The word of the configuration: ``quantities``."""

    @property
    def thing(self) -> str:
        """What its links point to: quantities, prices and products share the links of ``product``."""

    @property
    def creates(self) -> bool:
        """Whether a thing that the shop does not have may be created (the setting ``create`` of products)."""

    @property
    def creator(self) -> str:
        """Name of the target that creates what this one's values belong to; empty where there is none."""

    def value(self, key: str, rows: Sequence[Any]) -> Value:
        """Compute the whole value of a key from all its rows.

        None means "not on offer": the key then goes to `absent`, provided it was on offer before.
        Raises `errors.Unusable` when a field cannot be made into a value.
        """

    def absent(self) -> Value:
        """The value of a key that is no longer on offer; None: the shop's thing is then left as it is."""

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether what the shop says it holds is what was sent, where equal things need not be equal JSON.

        Shops clean HTML, and tell of more fields than those that are kept in sync.
        """

    def batch_size(self, kind: str) -> int:
        """How many deliveries go in one call to a shop of this kind."""

    def counts(self, old: Value, new: Value) -> bool:
        """Tell whether the guard counts this change (a quantity that goes to 0, a price that drops).

        ``old`` is None where the shop has the thing and nobody knows its value: then the worst is to be thought.
        """

    def guard(self, count: GuardCount) -> str:
        """Judge a whole pass and the sliding hour: empty when all is well, else the reason to hold what was counted."""

    def fingerprint(self) -> str:
        """A digest of the settings that form the values: when it differs, all keys are computed again."""


@runtime_checkable
class Naming(Protocol):
    """A target whose values name things of the shop, which must be there before: a product's categories."""

    @property
    def names(self) -> str:
        """Kind of those things: ``category``, ``term``, ``firm``."""

    @property
    def namer(self) -> str:
        """Name of the target that creates them; it may be this one (a category below its parent)."""

    def needs(self, value: Value) -> Sequence[str]:
        """Keys of the things that a value names."""

    def nothing(self, value: Value) -> bool:
        """Tell whether a value names nothing: of what was never given anything, nothing has to be taken away."""


@runtime_checkable
class Collecting(Protocol):
    """A target whose keys are not its source's: what it keeps in sync is named by the rows of cards (parameters)."""

    def things(self, rows: Sequence[Any]) -> dict[str, tuple[str, Value]]:
        """Key → (name for people, value) of all that these rows name. Raises `errors.Unusable`."""
