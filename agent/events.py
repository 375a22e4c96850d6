"""The words that travel through the program: event, owed, link, outcome.

An event carries the **whole new value, never a delta**, so that a doubled, late or missing notice is harmless:
sending a value twice leaves the same value in the shop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

Value: TypeAlias = "int | float | str | bool | None | list[Value] | dict[str, Value]"
"""What JSON can hold. A quantity is an ``int`` of whole pieces."""


_NONE: Mapping[str, str] = MappingProxyType({})


def _none() -> Mapping[str, str]:
    return _NONE


def key_of(code: str) -> str:
    """Make the key of a stock card from its code (``SKz.IDS``): stripped and case-folded.

    Shops compare codes without case (measured: WooCommerce 7.9 and 11, PrestaShop 9), so two spellings are one key.
    """
    return code.strip().casefold()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing's whole present value, as a source saw it, free of any shop's notions."""

    target: str
    key: str
    value: Value
    code: str
    """The spelling of the key in POHODA, for people and for shops that compare with case."""
    source: str = ""
    """Which source saw it and with which row version: the first station of a trace."""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thing that a shop is asked about: by link where one is known, else by its code."""

    key: str
    code: str
    link: str | None = None
    tried: Value = None
    """What was being brought about when the last answer was lost, of things that must not be made twice (pictures)."""
    value: Value = None
    """What is to be brought about: categories, parameters and firms are found by the name that it says."""
    links: Mapping[str, str] = field(default_factory=_none, repr=False)
    """As in `Owed`."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An event that must reach the shop, with the link (the shop's id of the thing) when it is known."""

    event: Event
    link: str | None = None
    links: Mapping[str, str] = field(default_factory=_none, repr=False)
    """Links of the things of ours that values may name, by their keys: all categories, all parameters, all firms, and
    those values of parameters that this batch names. What a product has in the shop beside them is not ours."""
    tried: Value = None
    """What was sent last and got no answer, of things that exist once (categories); None where all was answered."""

    @property
    def wanted(self) -> Wanted:
        """The same thing as a question to the shop."""
        return Wanted(self.event.key, self.event.code, self.link, value=self.event.value, links=self.links)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said to the shop and what it answered, for one item; short, free of secrets and personal data."""

    request: str = ""
    answer: str = ""


NOTHING_SAID = Exchange()


@dataclass(frozen=True, slots=True)
class Done:
    """The shop has the value. ``confirmed`` is what the shop itself says it now holds."""

    link: str | None
    """None where there was one: the thing was deleted, and its link is forgotten."""
    confirmed: Value
    exchange: Exchange = NOTHING_SAID
    moved: tuple[str, ...] = ()
    """Codes whose stock the shop moved itself by this (an order that was cancelled): what it holds is not known now."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The shop (or the adapter, for a value no shop can hold) refused this item, definitely and without effect.

    ``link_lost`` tells that the thing behind the link is gone: the link is forgotten and looked up anew once.
    """

    reason: str
    hint: str
    exchange: Exchange = NOTHING_SAID
    link_lost: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """It was sent, and nobody can say whether it had an effect: a break, a timeout, any 5xx, an unreadable answer."""

    reason: str
    exchange: Exchange = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Untried:
    """It was certainly not applied, and nothing is known against it: it goes again at once, no attempt counted."""


Outcome: TypeAlias = Done | Rejected | Unclear | Untried


@dataclass(frozen=True, slots=True)
class Held:
    """What a shop says about one thing when asked: the value it holds now, and the link to it."""

    key: str
    code: str
    link: str
    value: Value


@dataclass(frozen=True, slots=True)
class Page:
    """One page of everything that a shop holds for a target; ``next`` is None on the last one.

    ``problems`` are keys that cannot be addressed (a code that the shop knows twice, a parent of variants).
    """

    items: tuple[Held, ...]
    next: str | None
    problems: tuple[tuple[str, Rejected], ...] = ()
