"""Vendure: which categories, parameters, manufacturer and suppliers a card has, as facet values of its variant.

* Of categories all values of our facet are ours. Of parameters the facets that have links are ours, with all their
  values; of suppliers the linked values alone. A product has one manufacturer: ours takes the place of any other.
* Of a firm Vendure holds the name: a supplier's code of the goods and which one is the default have no place, and are
  not confirmed.
* What is asked about is told in the words of the question where the links say that it is just that; else in the shop's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from agent.events import Value, Wanted
from agent.shops.vendure_facet_lists import categories_facet, folded, has_code
from agent.shops.vendure_facets import FIRMS, is_ours, is_value
from agent.shops.vendure_labels import Kept, Label, Labels
from agent.shops.vendure_lists import Lists
from agent.shops.vendure_named import text_of
from agent.shops.vendure_session import VendureSession
from agent.shops.vendure_tree import ids_in, key_in
from agent.targets.names import firm_key, term_key, tidy


def product_categories(
    session: VendureSession, lists: Lists, *, language: str, lock: AbstractContextManager[Any]
) -> Labels:
    """The target ``categories.products``. ``lock`` is the one of all adapters of this shop.

    Vendure knows no main category: it is told as it was asked about.
    """
    facet = [""]

    def ready() -> None:
        facet[0] = facet[0] or categories_facet(session, language)

    def is_ours(label: Label) -> bool:
        return label.facet == facet[0]

    def held(asked: Wanted, labels: Sequence[Label]) -> Value:
        return _held_set(asked, [label for label in labels if is_ours(label)])

    kept = Kept("categories", "categories", _bad_set, _wanted_marks, lambda _: is_ours, held, ready)
    return Labels(session, lists, kept, language=language, lock=lock)


def parameters(session: VendureSession, lists: Lists, *, language: str, lock: AbstractContextManager[Any]) -> Labels:
    """The target ``parameters``. ``lock`` is the one of all adapters of this shop."""
    kept = Kept("parameters", "parameters.terms", _bad_parameters, _wanted_terms, _in_our_parameters, _held_parameters)
    return Labels(session, lists, kept, language=language, lock=lock)


def suppliers(session: VendureSession, lists: Lists, *, language: str, lock: AbstractContextManager[Any]) -> Labels:
    """The target ``suppliers``. ``lock`` is the one of all adapters of this shop."""
    kept = Kept("suppliers", "suppliers.firms", _bad_suppliers, _wanted_firms, _our_firms, _held_suppliers)
    return Labels(session, lists, kept, language=language, lock=lock)


# -------------------------------------------------------------------------------------------------- parameters


def _bad_parameters(value: Value) -> str:
    if not isinstance(value, dict):
        return "not parameters but " + type(value).__name__
    for name, values in value.items():
        if not isinstance(values, list) or not all(isinstance(each, str) and tidy(each) for each in values):
            return f"{name[:60]}: not a list of texts"
    return ""


def _pairs(value: Value) -> Iterator[tuple[str, str]]:
    for name, values in value.items() if isinstance(value, dict) else ():
        for each in values if isinstance(values, list) else ():
            yield name, str(each)


def _wanted_terms(asked: Wanted) -> Mapping[str, str]:
    return {asked.links[term_key(name, each)]: f"{name}: {each}" for name, each in _pairs(asked.value)}


def _in_our_parameters(asked: Wanted) -> Callable[[Label], bool]:
    facets = {link for key, link in asked.links.items() if not is_value(key)}
    return lambda label: label.facet in facets


def _held_parameters(asked: Wanted, labels: Sequence[Label]) -> Value:
    """The value as it was asked about, if the shop holds just that; else what it holds, in its words."""
    ours = [label for label in labels if _in_our_parameters(asked)(label)]
    links = {asked.links.get(term_key(name, each), "") for name, each in _pairs(asked.value)}
    if isinstance(asked.value, dict) and links == {label.id for label in ours}:
        return asked.value
    spelled = {asked.links.get(term_key(name, each), ""): (name, each) for name, each in _pairs(asked.value)}
    found: dict[str, list[Value]] = {}
    for label in ours:
        name, each = spelled.get(label.id, (tidy(label.facet_name), tidy(label.name)))
        found.setdefault(name, []).append(each)
    return {name: found[name] for name in sorted(found)}


# --------------------------------------------------------------------------------------------------- suppliers


def _bad_suppliers(value: Value) -> str:
    if not isinstance(value, dict) or not value.keys() <= {"manufacturer", "suppliers"}:
        return "not a manufacturer and suppliers"
    if not isinstance(value.get("manufacturer"), str | None):
        return "manufacturer: not a text"
    suppliers = value.get("suppliers", [])
    if not isinstance(suppliers, list) or not all(text_of(each, "name") for each in suppliers):
        return "suppliers: one has no name"
    return ""


def _firm_keys(value: Value) -> dict[str, str]:
    """Key of a firm → its name, the manufacturer first."""
    if not isinstance(value, dict):
        return {}
    maker, suppliers = text_of(value, "manufacturer"), value.get("suppliers")
    found = {firm_key("manufacturer", maker): maker} if maker else {}
    for each in suppliers if isinstance(suppliers, list) else ():
        found.setdefault(firm_key("supplier", text_of(each, "name")), text_of(each, "name"))
    return found


def _wanted_firms(asked: Wanted) -> Mapping[str, str]:
    return {asked.links[key]: key for key in _firm_keys(asked.value)}


def _kinds(asked: Wanted) -> dict[str, str]:
    """The facet values that are firms of ours: id → kind."""
    return {link: key.partition(": ")[0] for key, link in asked.links.items()}


def _our_firms(asked: Wanted) -> Callable[[Label], bool]:
    """Ours of the kinds that the value speaks of; and every manufacturer, if it names one: there is only one."""
    kinds = _kinds(asked)
    fields = {"manufacturer": "manufacturer", "supplier": "suppliers"}
    value = asked.value if isinstance(asked.value, dict) else {}
    one_maker = bool(value.get("manufacturer"))

    def ours(label: Label) -> bool:
        kind = kinds.get(label.id, "")
        return fields.get(kind, "") in value or (one_maker and _is_maker(label))

    return ours


def _held_suppliers(asked: Wanted, labels: Sequence[Label]) -> Value:
    """The names of our suppliers and of the manufacturer; of another's manufacturer where POHODA has one, too."""
    kinds = _kinds(asked)
    spelled = {asked.links.get(key, ""): name for key, name in _firm_keys(asked.value).items()}
    names = {label.id: spelled.get(label.id, tidy(label.name)) for label in labels}
    fields = asked.value.keys() if isinstance(asked.value, dict) else {"manufacturer", "suppliers"}
    nobodys = isinstance(asked.value, dict) and not asked.value.get("manufacturer")
    made: dict[str, Value] = {}
    if "manufacturer" in fields:
        makers = [
            names[label.id]
            for label in labels
            if kinds.get(label.id) == "manufacturer" or (_is_maker(label) and not nobodys)
        ]
        made["manufacturer"] = " / ".join(makers) or None
    if "suppliers" in fields:
        ours = {label.id for label in labels if kinds.get(label.id) == "supplier"}
        order = [link for link in spelled if link in ours] + [
            label.id for label in labels if label.id in ours - spelled.keys()
        ]
        made["suppliers"] = [{"name": names[link]} for link in order]
    return made


def _is_maker(label: Label) -> bool:
    known = FIRMS["manufacturer"]
    called = folded(label.facet_name) == folded(known.name) and not is_ours(label.facet_code)
    return called or has_code(label.facet_code, known.code)


# -------------------------------------------------------------------------------------------------- categories


def _bad_set(value: Value) -> str:
    there = value.get("categories") if isinstance(value, dict) else None
    return "" if isinstance(there, list) and all(isinstance(key, str) for key in there) else "not a set of categories"


def _set(value: Value) -> list[str]:
    there = value.get("categories") if isinstance(value, dict) else None
    return [str(key) for key in there] if isinstance(there, list) else []


def _wanted_marks(asked: Wanted) -> Mapping[str, str]:
    """Raises `KeyError` for a category that has no facet value yet, too."""
    found = {}
    for key in _set(asked.value):
        _, mark = ids_in(asked.links[key])
        if not mark:
            raise KeyError(key)
        found[mark] = f"category {key}"
    return found


def _held_set(asked: Wanted, labels: Sequence[Label]) -> Value:
    """Keys by the links; of what has none, by the code of the facet value."""
    keys = {ids_in(link)[1]: key for key, link in asked.links.items()}
    found = {keys.get(label.id) or key_in(label.code) for label in labels} - {""}
    main = asked.value.get("main") if isinstance(asked.value, dict) else None
    return {"categories": [*sorted(found)], "main": main if main in found else None}
