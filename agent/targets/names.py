"""Names of things that exist once in a shop and that many cards name: parameters, their values, manufacturers.

POHODA and the shops know them by name only, so their keys are made of names: stray white space dropped, compared
without regard to case; diacritics count (Barva is BARVA, and not Bárva).
"""

from __future__ import annotations

from agent.events import key_of


def tidy(text: object) -> str:
    """A name without white space at its ends and with single spaces; empty for none."""
    return " ".join(str(text or "").split())


def term_key(name: str, value: str | None = None) -> str:
    """The key of a parameter, or of one of its values.

    A sign of equality in a parameter's name is doubled, so that no two pairs of names have one key.
    """
    parameter = key_of(tidy(name)).replace("=", "==")
    return parameter if value is None else f"{parameter} = {key_of(tidy(value))}"


def firm_key(kind: str, name: str) -> str:
    """The key of a manufacturer or supplier (``kind``): a firm may be both, and is two things in a shop then."""
    return f"{kind}: {key_of(tidy(name))}"
