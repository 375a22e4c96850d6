"""Vendure: things that exist once and are known by name (parameters, their values, firms): found, looked at, created.

What has a link **is** the thing, whatever the shop's owner calls it by now, for nothing of these is ever renamed or
deleted by the agent. Of several things of one name the oldest that no other key has is taken. Values of one facet are
created together, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Value, Wanted
from agent.shops.vendure_calls import Calls, Unit
from agent.shops.vendure_card import slug_of
from agent.shops.vendure_facet_lists import LONGEST_NAME, create_values, folded
from agent.targets.names import tidy

_CORRECT = "Correct it in POHODA; nothing was sent."


class Named(Protocol):
    """A facet, or a facet value."""

    @property
    def id(self) -> str:
        """The shop's."""

    @property
    def name(self) -> str:
        """In our language."""


def text_of(value: Value, field: str) -> str:
    """A field of a value, without spaces too many; empty where it is none."""
    text = value.get(field) if isinstance(value, dict) else None
    return tidy(text) if isinstance(text, str) else ""


def bad(value: Value, *fields: str) -> Rejected | None:
    """Refuse what is not a thing with a name that the shop can hold; ``fields`` must be texts, too."""
    for field in ("name", *fields):
        text = text_of(value, field)
        if not text or len(text) > LONGEST_NAME:
            return Rejected(f"{field}: empty, or longer than {LONGEST_NAME} characters", _CORRECT)
    return None


def match(wanted: Sequence[Wanted], things: Sequence[Named], is_kind: Callable[[str], bool]) -> dict[str, Held]:
    """Give to each wanted one the oldest thing of its name; ``things`` come by age.

    ``is_kind`` tells which keys of `Wanted.links` have links of this kind: a facet and a value may have one id.
    """
    by_name: dict[str, list[Named]] = {}
    for thing in things:
        by_name.setdefault(folded(thing.name), []).append(thing)
    found: dict[str, Held] = {}
    given: set[str] = set()
    owners: dict[str, str] = {}
    for one in wanted:
        owners = owners or {link: key for key, link in one.links.items() if is_kind(key)}
        for thing in by_name.get(folded(text_of(one.value, "name")), ()):
            if thing.id not in given and owners.get(thing.id, one.key) == one.key:
                given.add(thing.id)
                found[one.key] = held(one, thing.id, thing.name)
                break
    return found


def held(one: Wanted, link: str, name: str) -> Held:
    """Say a thing in the form of the value, by the name that the shop's owner may have given it."""
    asked = one.value if isinstance(one.value, dict) else {}
    return Held(key=one.key, code=one.code, link=link, value={**asked, "name": tidy(name)})


def as_linked(one: Wanted, link: str, name: str) -> Held:
    """Say a thing that has a link: it is what was asked for, by whatever name."""
    return Held(one.key, one.code, link, one.value) if isinstance(one.value, dict) else held(one, link, name)


def looked_at(item: Owed, there: Mapping[str, str]) -> Outcome:
    """The outcome of an item with a link: nothing to do, or nothing there any more."""
    said = f"{text_of(item.event.value, 'name')[:60]}: {item.link}"
    if item.event.key in there:
        return Done(item.link, item.event.value, Exchange(said, "nothing to do"))
    return Rejected("It is not in the shop any more.", "It is looked up by its name.", Exchange(said), link_lost=True)


def creation(calls: Calls, language: str, facet: Callable[[], str], items: Mapping[int, Owed]) -> Unit:
    """Create the values (by their places in the call) of one facet, which is looked up or made first."""

    def deliver() -> Sequence[Outcome]:
        names = [text_of(item.event.value, "name") for item in items.values()]
        made = create_values(calls, language, facet(), [(slug_of(name), name) for name in names])
        return [
            Done(one.id, item.event.value, Exchange(f"facet value {one.name[:60]}", f"created {one.id}"))
            if folded(one.name) == folded(text_of(item.event.value, "name"))
            else Done(one.id, held(item.wanted, one.id, one.name).value)
            for one, item in zip(made, items.values(), strict=True)
        ]

    return Unit(list(items), deliver)
