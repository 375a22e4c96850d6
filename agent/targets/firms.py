"""The target ``suppliers.firms``: manufacturers and suppliers themselves, which exist once in a shop.

They are collected from the cards, known by name alone, and never renamed or deleted: a shop's owner gives them logos
and texts that would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.events import Value
from agent.targets import GuardCount
from agent.targets.names import firm_key
from agent.targets.suppliers import SupplierSettings, named, said

_BATCH = 20


@dataclass(frozen=True, slots=True)
class Firms:
    """The target. Rows are those of `suppliers`, of one card."""

    settings: SupplierSettings
    name: str = "suppliers.firms"
    thing: str = "firm"
    creates: bool = True
    creator: str = ""

    def things(self, rows: Sequence[Any]) -> dict[str, tuple[str, Value]]:
        """Key → (name for people, value) of every firm that this card names. Raises `Unusable`."""
        firms = named(said(rows, self.settings))
        return {firm_key(kind, name): (name, {"kind": kind, "name": name}) for kind, name in firms}

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract
        """None: values come from `things`."""
        return None

    def absent(self) -> Value:
        """None: a firm that no card names any more stays in the shop."""
        return None

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether it is the same firm: of this kind, by its name without regard to case."""
        return _key(sent) == _key(confirmed)

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call."""
        return _BATCH

    def counts(self, old: Value, new: Value) -> bool:  # noqa: ARG002 - the contract
        """Nothing gets worse by one more."""
        return False

    def guard(self, count: GuardCount) -> str:  # noqa: ARG002 - the contract
        """Nothing is held."""
        return ""

    def fingerprint(self) -> str:
        """A digest of what forms the values."""
        return self.settings.digest()


def _key(value: Value) -> object:
    return firm_key(str(value.get("kind")), str(value.get("name"))) if isinstance(value, dict) else value
