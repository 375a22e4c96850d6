"""Vendure: a card (name, texts, tax, visibility, custom fields) as a product and its variant hold it. No I/O.

* A product with one variant and no options **is** the card: name and "enabled" are kept equal in both, and the value
  says so only when both agree. One with options or several variants belongs to several cards: of those only what
  lies in the variant is read and written (its name, "enabled", tax category, custom fields of ProductVariant).
* Texts are those of the configured language, taken from ``translations``: the plain fields of the API fall back to
  other languages without saying so. Only that language is written; the shop keeps the others (measured), and HTML
  exactly as it was sent, scripts included.
* A product without our language gets its name and slug copied there: the shop demands both of a translation, and a
  description, which may be empty.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.events import Value
from agent.shops.vendure_lists import Row
from agent.shops.vendure_setup import ALWAYS, CUSTOM, Custom, SetUp, plain

_MARK = re.compile(r"pohoda-[0-9a-f]{24}(-\d+)?")
MARKS = ("new", "clearance", "action", "recommended", "discount", "preparing")
_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("name", "description", "vat", "short_description", "ean"), str),
    **dict.fromkeys(("unit", "weight", "availability"), str),
    "marks": list,
    "visible": bool,
}
LONGEST_NAME = 255
"""What the columns of MySQL and PostgreSQL hold."""


def fields(set_up: SetUp) -> str:
    """Write what is to be asked of a variant: custom fields are asked only where they are defined."""
    own, other = (_custom_fields(set_up, owner) for owner in ("variant", "product"))
    return (
        f"enabled taxCategory {{ id }} options {{ id }} {own[0]} translations {{ languageCode name {own[1]} }}"
        f" product {{ id enabled variants {{ id }} {other[0]}"
        f" translations {{ languageCode name slug description {other[1]} }} }}"
    )


def is_whole(row: Row) -> bool:
    """Tell whether the variant is all of its product."""
    return len(row.said["product"]["variants"]) == 1 and not row.said["options"]


def value(row: Row, set_up: SetUp) -> dict[str, Value]:
    """Say every field of the card that this variant (and its product, if it is all of it) holds."""
    variant, product = row.said, row.said["product"]
    whole = is_whole(row)
    names = [_text(variant, set_up, "name"), _text(product, set_up, "name")][: 1 + whole]
    held: dict[str, Value] = {
        "name": names[0] if len(set(names)) == 1 else " / ".join(names),
        "visible": bool(variant["enabled"] and (product["enabled"] or not whole)),
        "vat": set_up.rate(str(variant["taxCategory"]["id"])),
    }
    if whole:
        held["description"] = _text(product, set_up, "description")
    for custom in set_up.customs:
        if custom.owner == "variant" or whole:
            held[custom.field] = _custom_value(custom, variant if custom.owner == "variant" else product, set_up)
    return held


def bad(wanted: Value) -> str:
    """Say why a value is none of the contract's; empty when it is one."""
    if not isinstance(wanted, dict):
        return "not a card but " + type(wanted).__name__
    for name, content in wanted.items():
        if name not in ALWAYS | set(CUSTOM):
            return f"{name}: not a field of a card"
        if not isinstance(content, _TYPES[name]):
            return f"{name}: not of the type {_TYPES[name].__name__}"
    title = str(wanted.get("name", "x"))
    if not title.strip() or len(title) > LONGEST_NAME:
        return f"name: empty, or longer than {LONGEST_NAME} characters"
    return ""


@dataclass(slots=True)
class Inputs:
    """What is to be written so that a card holds its value; empty parts need no write."""

    variant: dict[str, Any] = field(default_factory=dict)
    product: dict[str, Any] = field(default_factory=dict)
    impossible: str = ""
    """Why it cannot be: a rate that the shop does not know."""


def changes(wanted: Mapping[str, Any], row: Row, set_up: SetUp, *, key: str) -> Inputs:
    """Compare a value with what is held and write the difference as inputs of the two mutations.

    A product that was left half-made keeps a name of ours in its slug (`mark`): it gets one from its name.
    """
    held, whole = value(row, set_up), is_whole(row)
    differing = {name: wanted[name] for name in wanted if name in held and held[name] != wanted[name]}
    inputs = _inputs(differing, set_up, whole=whole)
    product = row.said["product"]
    slug = _text(product, set_up, "slug")
    if whole and _MARK.fullmatch(slug) and slug.startswith(mark(key)):
        _translation(inputs.product, set_up)["slug"] = slug_of(
            str(wanted.get("name") or _text(product, set_up, "name"))
        )
    if "translations" in inputs.product and not _mine(product, set_up):
        first = product["translations"][0]
        for part in ("name", "slug"):
            _translation(inputs.product, set_up).setdefault(part, first[part])
        _translation(inputs.product, set_up).setdefault("description", "")
    if "translations" in inputs.variant and not _mine(row.said, set_up):
        _translation(inputs.variant, set_up).setdefault("name", row.said["translations"][0]["name"])
    return inputs


def creation(wanted: Mapping[str, Any], set_up: SetUp, *, code: str) -> Inputs:
    """Write a new card's inputs: what has no value gets the code as its name, and is not shown in the shop.

    Without a price it would be sold for nothing, so what nobody asks to be visible is left for a person to show.
    """
    inputs = _inputs({"name": code, "description": "", "visible": False, **wanted}, set_up, whole=True)
    name = _translation(inputs.product, set_up)["name"]
    _translation(inputs.product, set_up).update({"slug": slug_of(name)})
    inputs.variant |= {"sku": code, "price": 0}
    return inputs


def mark(key: str) -> str:
    """Make the slug that a product has until its variant is there: by it a half-made one is found again."""
    return f"pohoda-{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}"


def slug_of(name: str) -> str:
    """Make a slug of a name; the shop makes it unique by adding a number."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:100].strip("-") or "zbozi"


def _inputs(wanted: Mapping[str, Any], set_up: SetUp, *, whole: bool) -> Inputs:
    inputs = Inputs()
    targets = [inputs.variant, inputs.product][: 1 + whole]
    for part in targets:
        if "name" in wanted:
            _translation(part, set_up)["name"] = wanted["name"]
        if "visible" in wanted:
            part["enabled"] = wanted["visible"]
    if "description" in wanted and whole:
        _translation(inputs.product, set_up)["description"] = wanted["description"]
    if "vat" in wanted:
        inputs.variant["taxCategoryId"] = set_up.category(wanted["vat"])
        if inputs.variant["taxCategoryId"] is None:
            inputs.impossible = f"vat: the shop has no tax category with {wanted['vat']} %"
    for custom in set_up.customs:
        if custom.field in wanted and (custom.owner == "variant" or whole):
            part = inputs.variant if custom.owner == "variant" else inputs.product
            place = _translation(part, set_up) if custom.localized else part
            try:
                place.setdefault("customFields", {})[custom.name] = _custom_input(custom, wanted[custom.field])
            except InvalidOperation:
                inputs.impossible = f"{custom.field}: {str(wanted[custom.field])[:50]} is not a decimal number"
    return inputs


def _custom_input(custom: Custom, content: Any) -> object:  # noqa: ANN401 - of the field's type
    if custom.field == "marks":
        return list(content) if custom.list else ",".join(content)
    return float(Decimal(content)) if custom.type == "float" else content


def _custom_value(custom: Custom, said: Mapping[str, Any], set_up: SetUp) -> Value:
    holder = _mine(said, set_up) if custom.localized else said
    content = ((holder or {}).get("customFields") or {}).get(custom.name)
    if custom.field == "marks":
        words = content if custom.list else str(content or "").split(",")
        return list(sorted(str(word) for word in words or () if word))  # noqa: C413 - a list of another type to mypy
    if custom.field == "weight":
        try:
            return plain(Decimal(str(content or 0)))
        except InvalidOperation:
            return str(content)
    return "" if content is None else str(content)


def _custom_fields(set_up: SetUp, owner: str) -> Sequence[str]:
    """Write the questions for custom fields: the common ones, and those that are kept per language."""
    names = [[c.name for c in set_up.customs if c.owner == owner and c.localized == local] for local in (False, True)]
    return [f"customFields {{ {' '.join(some)} }}" if some else "" for some in names]


def _mine(said: Mapping[str, Any], set_up: SetUp) -> Mapping[str, Any] | None:
    return next((t for t in said["translations"] if t["languageCode"] == set_up.language), None)


def _text(said: Mapping[str, Any], set_up: SetUp, name: str) -> str:
    return str((_mine(said, set_up) or {}).get(name) or "")


def _translation(part: dict[str, Any], set_up: SetUp) -> dict[str, Any]:
    """The translation of our language in an input, made if it is not there."""
    made: dict[str, Any] = part.setdefault("translations", [{"languageCode": set_up.language}])[0]
    return made
