"""Answers as text: XML by joining strings (fast, and byte for byte what the shop sends), JSON by orjson.

Recorded traps that are kept: XML puts every value into CDATA; a link of a zero id is left out; JSON of a record that
was not asked for with ``display`` leaves out everything empty or zero; an empty list is ``[]``; in a shop with one
language a text is a plain value (from the shop's public source).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent.demo.prestashop.errors import WebserviceError
from agent.demo.prestashop.schema import Association, Cell, Field, Part, Resource

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")


@dataclass(frozen=True, slots=True)
class Entity:
    """One record to show: its id as it is shown, the wanted values, and its associations (None: not wanted)."""

    resource: Resource
    id: Cell
    values: Mapping[str, Cell]
    """By field name, in the order of the resource's fields; holds ``id`` itself when that is wanted."""
    links: Mapping[str, Sequence[Part]] | None


@dataclass(frozen=True, slots=True)
class Look:
    """Where links point to and which languages there are."""

    url: str
    languages: tuple[int, ...]


def document(content: str) -> bytes:
    """Wrap content into the root that every XML answer has."""
    return f"{_HEAD}{content}</prestashop>\n".encode()


def errors_xml(problems: Iterable[WebserviceError]) -> bytes:
    """Errors as XML."""
    items = "".join(
        f"<error>\n<code>{_cdata(one.code)}</code>\n<message>{_cdata(one.message)}</message>\n</error>\n"
        for one in problems
    )
    return document(f"<errors>\n{items}</errors>\n")


def errors_json(problems: Iterable[WebserviceError]) -> bytes:
    """Errors as JSON."""
    return _json({"errors": [{"code": one.code, "message": one.message} for one in problems]})


def ids_xml(look: Look, resource: Resource, ids: Iterable[int]) -> bytes:
    """A list without ``display``: links only."""
    name, node = resource.name, resource.node
    items = "".join(f'<{node} id="{one}" xlink:href="{look.url}/{name}/{one}"/>\n' for one in ids)
    return document(f"<{name}>\n{items}</{name}>\n")


def list_xml(look: Look, resource: Resource, entities: Iterable[Entity]) -> bytes:
    """A list with ``display``."""
    items = "".join(_entity_xml(look, one) for one in entities)
    return document(f"<{resource.name}>\n{items}</{resource.name}>\n")


def records_xml(look: Look, entities: Iterable[Entity]) -> bytes:
    """One record, or all the records of a save: side by side, without a list around them."""
    return document("".join(_entity_xml(look, one) for one in entities))


def ids_json(resource: Resource, ids: Sequence[int]) -> bytes:
    """A list without ``display``: ids only."""
    return _json({resource.name: [{"id": one} for one in ids]} if ids else [])


def list_json(look: Look, resource: Resource, entities: Sequence[Entity]) -> bytes:
    """A list with ``display``: zeros stay."""
    items = [_entity_json(look, one, sparse=False) for one in entities]
    return _json({resource.name: items} if items else [])


def record_json(look: Look, entity: Entity) -> bytes:
    """One record without ``display``: what is empty or zero is left out."""
    return _json({entity.resource.node: _entity_json(look, entity, sparse=True)})


def schema_xml(look: Look, resource: Resource, kind: str) -> bytes:
    """What ``schema=synopsis`` or ``schema=blank`` answers (blank was not recorded)."""
    full = kind == "synopsis"
    lines = [] if full else [f"\t<id>{_cdata('')}</id>\n"]
    for one in resource.fields:
        details = _synopsis_details(one) if full else ""
        lines.append(f"\t<{one.name}{details}>{_blank_content(look, one, full=full)}</{one.name}>\n")
    if resource.associations:
        parts = "".join(_association_schema(look, one, full=full) for one in resource.associations)
        lines.append(f"<associations>\n{parts}</associations>\n")
    return document(f"<{resource.node}>\n{''.join(lines)}</{resource.node}>\n")


def index_xml(look: Look, shop_name: str, rights: Iterable[tuple[Resource, frozenset[str]]]) -> bytes:
    """The root: what this key may do; resources of which it may do nothing are not named."""
    parts = []
    for resource, methods in rights:
        if not methods:
            continue
        href = f"{look.url}/{resource.name}"
        granted = " ".join(f'{one.lower()}="{str(one in methods).lower()}"' for one in METHODS)
        parts.append(
            f'<{resource.name} xlink:href="{href}" {granted}>\n'
            f'<description xlink:href="{href}" {granted}>\n{resource.description}</description>\n'
            f"{_schemas(href) if resource.fields else ''}</{resource.name}>\n"
        )
    return document(f'<api shopName="{shop_name}">\n{"".join(parts)}</api>\n')


def _schemas(href: str) -> str:
    return "".join(f'<schema xlink:href="{href}?schema={kind}" type="{kind}"/>\n' for kind in ("blank", "synopsis"))


def _entity_xml(look: Look, entity: Entity) -> str:
    node = entity.resource.node
    fields = entity.resource.by_name
    lines = [f"<{node}>\n"]
    for name, value in entity.values.items():
        if name == "id":
            lines.append(f"\t<id>{_cdata(value)}</id>\n")
            continue
        one = fields[name]
        if one.i18n:
            lines.append(f"\t<{name}>{_languages_xml(look, value)}</{name}>\n")
            continue
        link = f' xlink:href="{look.url}/{one.link}/{value}"' if one.link and value not in _NO_LINK else ""
        mark = ' notFilterable="true"' if one.computed else ""
        lines.append(f"\t<{name}{link}{mark}>{_cdata(value)}</{name}>\n")
    if entity.links is not None and entity.resource.associations:
        parts = [_association_xml(look, one, entity.links.get(one.name, ())) for one in entity.resource.associations]
        lines.append(f"<associations>\n{''.join(parts)}</associations>\n")
    lines.append(f"</{node}>\n")
    return "".join(lines)


_NO_LINK: tuple[Cell, ...] = (None, "", "0", 0, False)


def _languages_xml(look: Look, value: Cell) -> str:
    if isinstance(value, dict):
        return "".join(
            f'<language id="{one}" xlink:href="{look.url}/languages/{one}">{_cdata(value.get(one))}</language>'
            for one in look.languages
        )
    return "".join(f'<language id="{one}">{_cdata(value)}</language>' for one in look.languages)


def _association_head(one: Association) -> str:
    return f'{one.name} nodeType="{one.node}" ' + ('virtualEntity="true"' if one.virtual else f'api="{one.api}"')


def _association_xml(look: Look, one: Association, entries: Sequence[Part]) -> str:
    head = _association_head(one)
    if not entries:
        return f"<{head}/>\n"
    parts = [f"<{head}>\n"]
    for entry in entries:
        href = "" if one.virtual else f' xlink:href="{look.url}/{one.api}/{entry["id"]}"'
        parts.append(f"\t<{one.node}{href}>\n")
        for name, resource in one.fields.items():
            if name in entry:
                link = f' xlink:href="{look.url}/{resource}/{entry[name]}"' if resource else ""
                parts.append(f"\t<{name}{link}>{_cdata(entry[name])}</{name}>\n")
        parts.append(f"\t</{one.node}>\n")
    parts.append(f"</{one.name}>\n")
    return "".join(parts)


def _association_schema(look: Look, one: Association, *, full: bool) -> str:
    parts = [f"<{_association_head(one)}>\n\t<{one.node}>\n"]
    for name, resource in one.fields.items():
        link = f' xlink:href="{look.url}/{resource}/"' if resource and full else ""
        marks = ' required="true"' if name in one.required and full else ""
        marks += ' read_only="true" readOnly="true"' if name in one.read_only and full else ""
        parts.append(f"\t<{name}{link}{marks}>{_cdata('')}</{name}>\n")
    parts.append(f"\t</{one.node}>\n</{one.name}>\n")
    return "".join(parts)


def _synopsis_details(one: Field) -> str:
    marks = ' notFilterable="true"' if one.computed else ""
    marks += ' read_only="true"' if one.read_only else ""
    marks += ' required="true"' if one.required else ""
    marks += f' maxSize="{one.max_size}"' if one.max_size else ""
    marks += f' format="{one.format}"' if one.format else ""
    return marks + (' readOnly="true"' if one.read_only else "")


def _blank_content(look: Look, one: Field, *, full: bool) -> str:
    if not one.i18n:
        return _cdata("")
    if not full:
        return "".join(f'<language id="{language}">{_cdata("")}</language>' for language in look.languages)
    return "".join(
        f'<language id="{language}" xlink:href="{look.url}/languages/{language}" format="isUnsignedId" >'
        f"{_cdata('')}</language>"
        for language in look.languages
    )


def _entity_json(look: Look, entity: Entity, *, sparse: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in entity.values.items():
        if isinstance(value, dict):
            if len(look.languages) == 1:
                shown[name] = value.get(look.languages[0])
            else:
                shown[name] = [{"id": one, "value": value.get(one)} for one in look.languages]
        elif not sparse or value not in _NO_LINK:
            shown[name] = value
    if entity.links is not None:
        links = {name: entries for name, entries in entity.links.items() if entries}
        if links:
            shown["associations"] = links
    return shown


def _cdata(value: Cell) -> str:
    if value is None or value is False:
        return "<![CDATA[]]>"
    text = str(value)
    if "]]>" in text:
        text = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def _json(content: object) -> bytes:
    return orjson.dumps(content).replace(b"/", b"\\/")  # PHP escapes slashes; outside of texts JSON has none
