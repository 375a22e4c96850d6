"""The target ``parameters.terms``: the parameters and their values themselves, which exist once in a shop.

They are collected from the cards: what no card on offer names is not made. They are known by name alone, so nothing is
ever renamed or deleted; one that is called otherwise in POHODA is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.events import Value, key_of
from agent.targets import GuardCount
from agent.targets.names import term_key, tidy
from agent.targets.parameters import ParameterSettings, said

_BATCH = 50


@dataclass(frozen=True, slots=True)
class Terms:
    """The target. Rows are those of `parameters`, of one card."""

    settings: ParameterSettings
    name: str = "parameters.terms"
    thing: str = "term"
    creates: bool = True
    creator: str = ""
    names: str = "term"
    namer: str = "parameters.terms"

    def things(self, rows: Sequence[Any]) -> dict[str, tuple[str, Value]]:
        """Key → (name for people, value) of every parameter and value that this card names. Raises `Unusable`."""
        found: dict[str, tuple[str, Value]] = {}
        for name, values in (said(rows, self.settings) or {}).items():
            found[term_key(name)] = (name, {"name": name})
            for value in values:
                found[term_key(name, value)] = (f"{name}: {value}", {"name": value, "of": name})
        return found

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract
        """None: values come from `things`."""
        return None

    def absent(self) -> Value:
        """None: what no card names any more stays in the shop."""
        return None

    def needs(self, value: Value) -> Sequence[str]:
        """A value needs its parameter; a parameter nothing."""
        of = value.get("of") if isinstance(value, dict) else None
        return [term_key(str(of))] if of else []

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether it is the same parameter or value: by its name, without regard to case."""
        return _folded(sent) == _folded(confirmed)

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call."""
        return _BATCH

    def nothing(self, value: Value) -> bool:  # noqa: ARG002 - the contract
        """A thing of the shop is never nothing."""
        return False

    def counts(self, old: Value, new: Value) -> bool:  # noqa: ARG002 - the contract
        """Nothing gets worse by one more."""
        return False

    def guard(self, count: GuardCount) -> str:  # noqa: ARG002 - the contract
        """Nothing is held."""
        return ""

    def fingerprint(self) -> str:
        """A digest of what forms the values."""
        return self.settings.digest()


def _folded(value: Value) -> object:
    if not isinstance(value, dict):
        return value
    return {name: key_of(tidy(text)) for name, text in value.items() if name in {"name", "of"}}
