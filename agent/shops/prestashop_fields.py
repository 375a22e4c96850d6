"""Products of POHODA in the words of PrestaShop, and back: which field is kept where.

| field | product | combination |
|---|---|---|
| name, description | the same, per language | – |
| short_description, availability | description_short, available_now, per language | – |
| ean | ean13 | ean13 |
| unit, weight | unity, weight | – (its weight is an impact on the product's: left alone) |
| vat | id_tax_rules_group, found by its rate in the shop's country | – (the product's) |
| marks | ``action`` → on_sale | – |
| visible | active; also visibility, where that hides the product everywhere | – (cannot be hidden) |

* Of the marks PrestaShop keeps ``action`` only. "New" is a matter of the product's age there, and the others have no
  place. `MARKS` and `FIELDS` tell the caller what to offer.
* **What has no place is confirmed as it was sent**: marks that cannot be kept, all but the EAN of a combination, places
  of a weight beyond the sixth. To deny it would send the product for ever; to refuse it would keep the rest from it. A
  reading tells what is kept, no more: there such a field is missing, and such a mark is not named.
* Texts are sent in every language of the product, for a language left out is stored empty (recorded); on an update the
  other languages get back what they hold.
* Characters that XML cannot carry are refused: sent without them the text would never be confirmed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from xml.sax.saxutils import escape

from agent.events import Value

MARKS = frozenset({"action"})
_TEXTS = {
    "name": "name",
    "description": "description",
    "short_description": "description_short",
    "availability": "available_now",
}
_PLAIN = {"ean": "ean13", "unit": "unity", "weight": "weight"}
FIELDS = frozenset({*_TEXTS, *_PLAIN, "vat", "marks", "visible"})
COMBINATION_FIELDS = frozenset({"ean"})
PRODUCT_DISPLAY = (
    "id,reference,id_tax_rules_group,weight,ean13,on_sale,unity,active,visibility"
    ",name,description,description_short,available_now"
)
COMBINATION_DISPLAY = "id,id_product,ean13"
_PRESET = {
    "state": "1",  # else the administration does not show it
    "product_type": "standard",
    "minimal_quantity": "1",
    "price": "0",
    "available_for_order": "0",
    "show_price": "0",
    "condition": "new",
    "visibility": "both",
}
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SLUG = 128

Row = Mapping[str, object]
"""One record of a JSON list."""


class Unfit(Exception):
    """A value that PrestaShop cannot keep; the text names the field, ``hint`` says what to try."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def node(name: str, text: str) -> str:
    """One plain element. Raises `Unfit` for characters that XML does not have."""
    if _UNSPEAKABLE.search(text):
        raise Unfit(
            f"{name}: holds a character that XML cannot carry.", "Delete the character from the card in POHODA."
        )
    return f"<{name}>{escape(text)}</{name}>"


def speakable(text: str) -> str:
    """A text of the shop's own without characters that XML does not have: it must be sent back as far as it can be."""
    return _UNSPEAKABLE.sub("", text)


def texts(name: str, by_language: Mapping[int, str]) -> str:
    """One element with its text in every language. Raises `Unfit`."""
    parts = "".join(
        node("language", text).replace("<language>", f'<language id="{one}">', 1) for one, text in by_language.items()
    )
    return f"<{name}>{parts}</{name}>"


def differing(value: Mapping[str, Value], row: Row, language: int, group: Callable[[str, int], int]) -> list[str]:
    """Make the elements of an update of a product: only fields of the value that differ from what the shop holds.

    ``group`` finds the tax rule group of a rate; it is given the present group, too. Raises `Unfit`.
    """
    wanted = dict(value)
    made = []
    for field, name in _TEXTS.items():
        held = languages(row.get(name), language)
        if field in wanted and held.get(language) != wanted[field]:
            others = {one: speakable(text) for one, text in held.items()}
            made.append(texts(name, others | {language: text_of(wanted, field)}))
    for field, name in _PLAIN.items():
        if field in wanted and plain_value(field, row.get(name)) != _plain(wanted, field):
            made.append(node(name, _plain(wanted, field)))
    if "vat" in wanted:
        present = number(row.get("id_tax_rules_group"))
        chosen = group(text_of(wanted, "vat"), present)
        if chosen != present:
            made.append(node("id_tax_rules_group", str(chosen)))
    made += _switches(wanted, row)
    return made


def _switches(wanted: Mapping[str, Value], row: Row) -> list[str]:
    made = []
    if "marks" in wanted and ("action" in marks_of(wanted)) != on(row.get("on_sale")):
        made.append(node("on_sale", str(int("action" in marks_of(wanted)))))
    if "visible" in wanted:
        if bool(wanted["visible"]) != on(row.get("active")):
            made.append(node("active", str(int(bool(wanted["visible"])))))
        if wanted["visible"] and row.get("visibility") == "none":
            made.append(node("visibility", "both"))
    return made


def creation(value: Mapping[str, Value], code: str, everywhere: Sequence[int], *, group: int, home: int) -> str:
    """Make the ``product`` of a POST: the fields of the value, and what PrestaShop needs beside them.

    The texts go into every language. A new product is not for sale and shows no price until its price comes
    (`prestashop_prices`): a price is required, there is none yet, and nobody shall buy for 0. Raises `Unfit`.
    """
    if not value.get("name"):
        raise Unfit("name: a product cannot be created without its name.", "Keep name among the fields of products.")
    name = text_of(value, "name")
    parts = [
        node("id_category_default", str(home)),
        node("id_tax_rules_group", str(group)),
        node("reference", code),
        *(node(name, preset) for name, preset in _PRESET.items()),
        node("active", str(int(bool(value.get("visible", True))))),
        node("on_sale", str(int("action" in marks_of(value)))),
    ]
    parts += [node(_PLAIN[field], _plain(value, field)) for field in _PLAIN if field in value]
    parts.append(texts("link_rewrite", dict.fromkeys(everywhere, slug(name) or slug(code) or "produkt")))
    for field, element in _TEXTS.items():
        if field in value:
            parts.append(texts(element, dict.fromkeys(everywhere, text_of(value, field))))
    parts.append(f"<associations><categories><category><id>{home}</id></category></categories></associations>")
    return f"<product>{''.join(parts)}</product>"


def value_of(row: Row, language: int, rates: Mapping[int, str]) -> dict[str, Value]:
    """Read all fields out of a product; ``rates`` are those of the tax rule groups (none: no tax)."""
    value: dict[str, Value] = {
        field: languages(row.get(name), language).get(language, "") for field, name in _TEXTS.items()
    }
    value |= {field: plain_value(field, row.get(name)) for field, name in _PLAIN.items()}
    value["vat"] = rates.get(number(row.get("id_tax_rules_group")), "0")
    value["marks"] = ["action"] if on(row.get("on_sale")) else []
    value["visible"] = on(row.get("active")) and row.get("visibility") != "none"
    return value


def confirmed(sent: Mapping[str, Value], held: Mapping[str, Value]) -> dict[str, Value]:
    """Of what the shop holds the fields that were sent; what has no place there as it was sent."""
    value = {field: held.get(field, part) for field, part in sent.items()}
    if "marks" in held and "marks" in sent:
        value["marks"] = [*sorted((set(marks_of(sent)) - MARKS) | (set(marks_of(held)) & MARKS))]
    if "weight" in held and "weight" in sent and six_places(text_of(sent, "weight")) == held["weight"]:
        value["weight"] = sent["weight"]
    return value


def checked(value: Value) -> dict[str, Value]:
    """Take a value of the target ``products`` for what it is. Raises `Unfit`, which names the field."""
    if not isinstance(value, dict):
        raise Unfit("products: not a set of fields.", "This is a fault of the agent: report it.")
    for field, part in value.items():
        right = isinstance(part, bool) if field == "visible" else isinstance(part, list if field == "marks" else str)
        if field not in FIELDS or not right:
            raise Unfit(f"{field}: not a field of products, or of a wrong type.", "Correct the fields of products.")
    return value


def text_of(value: Mapping[str, Value], field: str) -> str:
    """A field that is a text."""
    return str(value[field])


def marks_of(value: Mapping[str, Value]) -> list[str]:
    """The marks of a value; none where they are not kept in sync."""
    marks = value.get("marks")
    return [str(mark) for mark in marks] if isinstance(marks, list) else []


def languages(held: object, language: int) -> dict[int, str]:
    """A text by language; in a shop with one language it comes without its number."""
    if not isinstance(held, list):
        return {language: str(held or "")}
    found = {number(part.get("id")): str(part.get("value") or "") for part in held if isinstance(part, dict)}
    return {language: ""} | found if 0 not in found else found


def plain_value(field: str, held: object) -> str:
    """A plain field in the form of the contract."""
    return canonical(str(held or "0")) if field == "weight" else str(held or "")


def _plain(value: Mapping[str, Value], field: str) -> str:
    return six_places(text_of(value, field)) if field == "weight" else text_of(value, field)


def six_places(number_text: str) -> str:
    """Round a canonical decimal as the shop's columns do."""
    return canonical(str(round(Decimal(canonical(number_text)), 6)))


def canonical(number_text: str) -> str:
    """Write a decimal without exponent and without zeros at its end; what is no number becomes 0."""
    try:
        exact = Decimal(number_text.strip())
    except InvalidOperation:
        return "0"
    if not exact.is_finite() or not exact:
        return "0"
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(held: object) -> int:
    """An id out of JSON, which comes as a number or as a text; 0 for none."""
    if isinstance(held, str):
        return int(held) if held.isascii() and held.isdigit() and len(held) <= 20 else 0
    return held if isinstance(held, int) and not isinstance(held, bool) else 0


def on(held: object) -> bool:
    """A flag out of JSON: 1 as a number or as a text."""
    return number(held) == 1


def slug(name: str) -> str:
    """Make the name of an address: ``Žluťoučký kůň 3 %`` → ``zlutoucky-kun-3``; at most 128 characters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG].strip("-")
