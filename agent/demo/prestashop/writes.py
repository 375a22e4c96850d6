"""POST, PUT and PATCH of one or more records in one XML body, one after the other.

Recorded: the id in the body counts, not the one in the address; the first error ends the call, what was done before
it stays done; a PUT blanks what it does not name; the answer shows the values as they were written, not as they are
kept (``121.5``, ids as texts in JSON). Errors 89, 90, 91 and 86 are from the shop's public source.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from agent.demo.prestashop.errors import WebserviceError
from agent.demo.prestashop.render import Entity
from agent.demo.prestashop.schema import Cell, Entry, Field, Resource, stored, whole
from agent.demo.prestashop.store import Row, Rules, Store, Table
from agent.demo.prestashop.validation import check


def save(store: Store, resource: Resource, method: str, body: bytes, *, only_first: int | None = None) -> list[Entity]:
    """Apply a body; returns the records as the answer shows them. Call under the store's lock.

    ``only_first`` ends after so many records without an error, as a PHP that dies in the middle does.
    """
    nodes = _nodes(body)
    _check_ids(method, nodes)
    return [_save_one(store, resource, method, node) for node in nodes[:only_first]]


def count_nodes(body: bytes) -> int:
    """How many records a body holds; 0 when it cannot be read."""
    try:
        return len(_nodes(body))
    except WebserviceError:
        return 0


def _nodes(body: bytes) -> list[etree._Element]:
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        original = body.decode("utf-8", "replace")
        raise WebserviceError(
            500,
            127,
            f"XML error : String could not be parsed as XML\nXML length : {len(body)}\nOriginal XML : {original}",
        ) from error
    return list(root.iterchildren("*"))  # elements only: no comments, no unresolved entities


def _check_ids(method: str, nodes: list[etree._Element]) -> None:
    ids = [text for node in nodes if (text := node.findtext("id") or "") != ""]
    if method == "POST":
        if ids:
            raise WebserviceError(400, 91, "id is forbidden when adding a new resource")
    elif len(set(map(whole, ids))) != len(ids):
        raise WebserviceError(400, 89, "id is duplicate in request")
    elif len(ids) != len(nodes):
        raise WebserviceError(400, 90, "id is required when modifying a resource")


def _save_one(store: Store, resource: Resource, method: str, node: etree._Element) -> Entity:
    table = store.tables[resource.name]
    children: dict[str, etree._Element] = {}
    for child in node.iterchildren("*"):
        children.setdefault(child.tag, child)
    row_id = 0 if method == "POST" else whole(children["id"].text)
    if method != "POST" and row_id not in table.rows:
        raise WebserviceError(404, 92, "Invalid ID")
    rules = store.rules[resource.name]
    before = {name: store.value(table, row_id, resource.by_name[name]) for name in rules.loaded if row_id}
    raw = _raw_values(resource, method, children)
    set_apart = {name: raw.pop(name) for name in rules.setters if name in raw}
    shown: Row = _set(store, rules, row_id, set_apart, children) if row_id else {}
    _fill_defaults(resource, raw)
    if method == "POST":
        rules.preparing(store, raw)
    check(resource, raw, store.languages[0])
    _stamp(store, resource, method, raw)
    rules.saving(store, row_id, raw)
    kept = {
        name: stored(resource.by_name[name], value, store.languages)
        for name, value in raw.items()
        if not resource.by_name[name].computed
    }
    if method == "POST":
        row_id = table.insert(kept)
        rules.created(store, row_id)
        store.on_created(resource.name, row_id)
        shown = _set(store, rules, row_id, set_apart, children)
    else:
        table.change(row_id, kept)
    rules.written(store, row_id, kept.keys())
    _assign_associations(store, table, row_id, children.get("associations"))
    shown_id = str(row_id) if method == "POST" else children["id"].text
    return _answer(store, table, row_id, shown_id, raw | before | shown, patched=method == "PATCH")


def _set(
    store: Store, rules: Rules, row_id: int, values: Mapping[str, Cell], children: Mapping[str, etree._Element]
) -> Row:
    """Hand values to the functions that set them; as in the shop at once, before anything else is looked at."""
    shown: Row = {}
    for name, value in values.items():
        if name in children:
            shown.update(rules.setters[name](store, row_id, value))
    return shown


def _raw_values(resource: Resource, method: str, children: Mapping[str, etree._Element]) -> dict[str, Cell]:
    raw: dict[str, Cell] = {}
    for one in resource.fields:
        child = children.get(one.name)
        if child is not None:
            if one.read_only:
                raise WebserviceError(
                    400,
                    93,
                    f'parameter "{one.name}" not writable. Please remove this attribute of this XML',
                )
            raw[one.name] = _texts(child) if one.i18n and child.find("language") is not None else child.text or ""
        elif method != "PATCH":
            if one.required and not one.i18n:  # a missing text in languages is found by the validation
                raise WebserviceError(400, 41, f'parameter "{one.name}" required')
            raw[one.name] = "" if one.i18n else None
    return raw


def _texts(child: etree._Element) -> dict[int, str | None]:
    return {whole(language.get("id")): language.text or "" for language in child.findall("language")}


def _fill_defaults(resource: Resource, raw: dict[str, Cell]) -> None:
    for name, value in raw.items():
        default = resource.by_name[name].default
        if default and value in {None, "", "0"}:
            raw[name] = default


def _stamp(store: Store, resource: Resource, method: str, raw: dict[str, Cell]) -> None:
    """Put in the times of adding and changing, for resources that have them."""
    now = store.now() if resource.by_name.keys() & {"date_add", "date_upd"} else ""
    if "date_upd" in resource.by_name:
        raw["date_upd"] = now
    if "date_add" in resource.by_name and method != "PATCH":
        raw["date_add"] = raw.get("date_add") or now


def _assign_associations(store: Store, table: Table, row_id: int, node: etree._Element | None) -> None:
    if node is None:
        return
    known = {one.name for one in table.resource.associations}
    for association in node.iterchildren("*"):
        if association.tag not in known:
            raise WebserviceError(400, 86, f'The association "{association.tag}" does not exists')
        entries: list[Entry] = [
            {part.tag: whole(part.text) for part in item.iterchildren("*")} for item in association.iterchildren("*")
        ]
        store.assign(table, row_id, association.tag, [entry for entry in entries if entry.get("id")])


def _answer(
    store: Store, table: Table, row_id: int, shown_id: str | None, raw: Mapping[str, Cell], *, patched: bool
) -> Entity:
    def shown(one: Field) -> Cell:
        if one.name in raw and not one.computed and not one.read_only:
            return raw[one.name]
        if one.name == "quantity" and not patched and one.computed:
            return None  # the shop's object was never loaded: recorded as empty after POST
        return store.value(table, row_id, one)

    values: dict[str, Cell] = {"id": shown_id}
    values.update((one.name, shown(one)) for one in table.resource.fields)
    links = {one.name: store.entries(table, row_id, one.name) for one in table.resource.associations}
    return Entity(table.resource, shown_id, values, links)
