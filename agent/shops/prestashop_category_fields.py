"""Categories of POHODA in the words of PrestaShop, and back: name, parent, description, visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.events import Value
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_tree as trees
from agent.shops.prestashop_fields import Row, number

DISPLAY = "id,id_parent,active,name,description"


def creation(value: Mapping[str, Value], name: str, parent: int, everywhere: Sequence[int]) -> str:
    """Make the fields of a POST; ``active`` and an address in every language are required. Raises `Unfit`."""
    description = value.get("description")
    parts = [
        fields.node("id_parent", str(parent)),
        fields.node("active", str(int(value.get("visible") is not False))),
        fields.texts("name", dict.fromkeys(everywhere, name)),
        fields.texts("link_rewrite", dict.fromkeys(everywhere, fields.slug(name) or "kategorie")),
    ]
    if isinstance(description, str):
        parts.append(fields.texts("description", dict.fromkeys(everywhere, description)))
    return "".join(parts)


def differing(value: Mapping[str, Value], name: str, parent: int, row: Row, language: int) -> dict[str, str]:
    """Make the elements of a PATCH: what of the value differs from what the shop holds. Raises `Unfit`."""
    made: dict[str, str] = {}
    if number(row.get("id_parent")) != parent:
        made["id_parent"] = fields.node("id_parent", str(parent))
    if "visible" in value and bool(value["visible"]) != fields.on(row.get("active")):
        made["active"] = fields.node("active", str(int(bool(value["visible"]))))
    for field, text in (("name", name), ("description", value.get("description"))):
        held = fields.languages(row.get(field), language)
        if isinstance(text, str) and held.get(language) != text:
            others = {one: fields.speakable(each) for one, each in held.items()}
            made[field] = fields.texts(field, others | {language: text})
    return made


def value_of(row: Row, sha: str, links: Mapping[str, str], *, root: int, language: int) -> dict[str, Value]:
    """What the shop holds, in the form of the target, without the order."""
    above = number(row.get("id_parent"))
    key = next((key for key, one in trees.linked(links).items() if one == above), f"category {above} of the shop")
    return {
        "name": text_of(row, "name", language),
        "description": text_of(row, "description", language),
        "parent": None if above == root else key,
        "visible": fields.on(row.get("active")),
        "picture": {"sha": sha} if sha else None,
    }


def text_of(row: Row, field: str, language: int) -> str:
    """A text in our language."""
    return fields.languages(row.get(field), language).get(language, "")
