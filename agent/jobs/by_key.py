"""What a shop holds of things that no page of its own tells: asked by their links, and without one by their names.

A shop does not say which of its categories is which one of POHODA's: the links in the state file do. Things without a
link are looked up as dispatch would before it creates them: those first whose parents are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.events import Held, Rejected, Value, Wanted
from agent.shops import Shop
from agent.targets import Naming, Target

AT_ONCE = 100
"""Keys asked for in one call."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Links of the state file: of the target's own things, and of those that its values name."""

    own: Mapping[str, str]
    named: Mapping[str, str]


def ask(
    shop: Shop,
    target: Target,
    wants: Mapping[str, tuple[str, Value]],
    linked: Linked,
    *,
    progress: Callable[[str], None] = lambda _text: None,
) -> tuple[dict[str, Held], dict[str, Rejected]]:
    """Read what the shop holds of these keys (key → code, value): what is there, and what cannot be addressed.

    Raises `ShopUnavailable`.
    """
    held: dict[str, Held] = {}
    problems: dict[str, Rejected] = {}
    links = dict(linked.named)
    known = [Wanted(key, *_said(wants[key], linked.own[key], links)) for key in wants if key in linked.own]
    for some in _cut(known):
        held |= shop.read(target.name, some)
        progress(f"shop: {len(held)} of {len(wants)}")
    left = {key for key in wants if key not in linked.own}
    tree = isinstance(target, Naming) and target.namer == target.name  # else what is named may come later
    while ready := [key for key in sorted(left) if not tree or _needs(target, wants[key][1]) <= links.keys()]:
        for some in _cut([Wanted(key, *_said(wants[key], None, links)) for key in ready]):
            for key, answer in shop.find(target.name, some).items():
                if isinstance(answer, Rejected):
                    problems[key] = answer
                else:
                    held[key] = answer
                    if tree:
                        links[key] = answer.link
            progress(f"shop: {len(held)} of {len(wants)}")
        left -= set(ready)
    return held, problems


def _said(
    want: tuple[str, Value], link: str | None, links: Mapping[str, str]
) -> tuple[str, str | None, Value, Value, Mapping[str, str]]:
    return want[0], link, None, want[1], links


def _needs(target: Target, value: Value) -> set[str]:
    return set(target.needs(value)) if isinstance(target, Naming) and value is not None else set()


def _cut(wanted: Sequence[Wanted]) -> list[Sequence[Wanted]]:
    return [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)]
