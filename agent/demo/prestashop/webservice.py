"""One request in, one answer out: keys and rights, addresses, methods, formats. No sockets here.

Recorded: without a key plain text; an unknown key errors 20 and 21, one of wrong length 18; a method that this key
lacks 405 with 25, one that nobody has 405 with 101; an unknown record is 404 with an empty body on GET, error 92 on a
write, 87 on DELETE; ``/api/`` as JSON is an empty 500; ``Local-Content-Sha1`` gives 304; If-Match is ignored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from agent.demo.prestashop import gallery, render
from agent.demo.prestashop.errors import CrashError, WebserviceError, closest
from agent.demo.prestashop.filters import read_display, read_listing, select
from agent.demo.prestashop.images import IMAGES, Reply
from agent.demo.prestashop.render import Entity, Look
from agent.demo.prestashop.schema import Cell, Resource
from agent.demo.prestashop.store import Store, Table
from agent.demo.prestashop.writes import save

KEY_LENGTH = 32
ALL = frozenset(render.METHODS)
READ_ONLY = frozenset({"GET", "HEAD"})
_XML = "text/xml;charset=utf-8"
_HTML = ("content-type", "text/html; charset=utf-8")
_REALM = (
    'Basic realm="Welcome to PrestaShop Webservice, please enter the authentication key as the login. '
    'No password required."'
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent; names of headers in lower case."""

    method: str
    target: str
    """Path and query as they came."""
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> tuple[str, ...]:
        """Parts of the path after ``/api``."""
        parts = [unquote(one) for one in urlsplit(self.target).path.split("/") if one]
        return tuple(parts[1:] if parts[:1] == ["api"] else ("", *parts))

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded; of doubled names the last one, as PHP does."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def writes(self) -> bool:
        """Tell whether it may have an effect."""
        return self.method not in {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Webservice:
    """The shop's interface over a store. ``keys`` are key → resource → methods; ``*`` stands for every resource."""

    store: Store
    keys: dict[str, dict[str, frozenset[str]]]
    url: str = ""
    """Where links in answers point to, such as ``http://127.0.0.1:8080/api``."""
    shop_name: str = "Demo"
    version: str = "9.1.4"

    def answer(self, request: Request, *, only_first: int | None = None) -> Answer:
        """Answer a request; a write has had its effect when this returns. Holds the store's lock meanwhile."""
        query = request.query
        as_json = _wants_json(request, query)
        key = _key(request, query)
        if key is None:
            return Answer(
                401,
                (_HTML, ("www-authenticate", _REALM)),
                b"401 Unauthorized",
            )
        problems = self._key_problems(key)
        if problems:
            return self._errors(problems, as_json=as_json, denied=True)
        try:
            with self.store.lock:
                return self._conditional(
                    request, self._dispatch(request, query, key, as_json=as_json, only_first=only_first)
                )
        except WebserviceError as problem:
            return self._errors([problem], as_json=as_json)
        except CrashError:
            return Answer(500, (_HTML,))

    def unauthorized(self, request: Request) -> Answer:
        """Answer as if the key had just been switched off."""
        problem = WebserviceError(401, 20, "Authentification key is not active")
        return self._errors([problem], as_json=_wants_json(request, request.query), denied=True)

    def _key_problems(self, key: str) -> list[WebserviceError]:
        if len(key) != KEY_LENGTH:
            return [WebserviceError(401, 18, "Invalid authentication key format")]
        if key not in self.keys:
            return [
                WebserviceError(401, 20, "Authentification key is not active"),
                WebserviceError(401, 21, "No permission for this authentication key"),
            ]
        return []

    def _rights(self, key: str, resource: str) -> frozenset[str]:
        rights = self.keys[key]
        return rights.get(resource, rights.get("*", frozenset()))

    def _dispatch(
        self,
        request: Request,
        query: dict[str, str],
        key: str,
        *,
        as_json: bool,
        only_first: int | None,
    ) -> Answer:
        path = request.path
        method = query.get("ps_method", "POST").upper() if request.method == "POST" else request.method
        if not path:
            return self._index(key, as_json=as_json)
        resource = self._resource(path[0])
        if method not in self._rights(key, resource.name):
            raise WebserviceError(
                405,
                25,
                f"Method {method} is not allowed for the resource {resource.name} with this authentication key",
            )
        if method in resource.forbidden:
            raise WebserviceError(405, 101, f"Method {method} is not allowed for the resource {resource.name}")
        if resource is IMAGES:
            return self._images(request, path[1:], method, only_first=only_first)
        row = path[1] if len(path) > 1 else ""
        if method in {"GET", "HEAD"}:
            return self._read(resource, row, query, as_json=as_json)
        if method == "DELETE":
            return self._delete(resource, row, query)
        entities = save(self.store, resource, method, request.body, only_first=only_first)
        return self._records(entities, query, 201 if method == "POST" else 200, as_json=as_json)

    def _resource(self, name: str) -> Resource:
        resource = self.store.resources.get(name)
        if resource is None:
            names = sorted(self.store.resources)
            listed = ", ".join(f'"{one}"' for one in names)
            raise WebserviceError(
                400,
                27,
                f'Resource of type "{name}" does not exists. Did you mean: "{closest(name, names)}"? '
                f"The full list is: {listed}",
            )
        return resource

    def _index(self, key: str, *, as_json: bool) -> Answer:
        if as_json:
            return Answer(500, (_HTML,))
        rights = [(one, self._rights(key, name)) for name, one in sorted(self.store.resources.items())]
        return self._content(render.index_xml(self._look, self.shop_name, rights), 200, as_json=False)

    def _read(self, resource: Resource, row: str, query: dict[str, str], *, as_json: bool) -> Answer:
        table = self.store.tables[resource.name]
        kind = query.get("schema", "")
        if kind and not row:
            if kind not in {"synopsis", "blank"}:
                raise WebserviceError(400, 28, "Please select a schema of type 'synopsis' or 'blank'")
            return self._content(render.schema_xml(self._look, resource, kind), 200, as_json=False)
        if row:
            row_id = int(row) if row.isdecimal() else 0
            if row_id not in table.rows:
                return Answer(404, (("psws-version", self.version),))
            display = read_display(resource, query)
            return self._records([self._view(table, row_id, display)], query, 200, as_json=as_json)
        listing = read_listing(resource, query)
        ids = select(self.store, table, listing)
        if listing.display is None:
            body = render.ids_json(resource, ids) if as_json else render.ids_xml(self._look, resource, ids)
        else:
            entities = [self._view(table, one, listing.display) for one in ids]
            shape = render.list_json if as_json else render.list_xml
            body = shape(self._look, resource, entities)
        return self._content(body, 200, as_json=as_json)

    def _view(self, table: Table, row_id: int, display: tuple[str, ...] | None) -> Entity:
        resource = table.resource
        whole_record = display is None or display == ("full",)
        names = None if whole_record else set(display or ())
        values: dict[str, Cell] = {"id": row_id} if names is None or "id" in names else {}
        for one in resource.fields:
            if names is None or one.name in names:
                values[one.name] = self.store.value(table, row_id, one)
        links = None
        if whole_record:
            links = {one.name: self.store.entries(table, row_id, one.name) for one in resource.associations}
        return Entity(resource, row_id, values, links)

    def _delete(self, resource: Resource, row: str, query: Mapping[str, str]) -> Answer:
        table = self.store.tables[resource.name]
        asked = [row] if row else re.findall(r"\d+", query.get("id", ""))
        ids = [int(one) for one in asked if one.isdecimal()]
        missing = [one for one in asked if not one.isdecimal() or int(one) not in table.rows]
        if missing or not ids:
            raise WebserviceError(404, 87, f"Id(s) not exists: {', '.join(missing)}")
        for row_id in dict.fromkeys(ids):
            if row_id in table.rows:  # else it went with another one of the list
                self.store.rules[resource.name].removing(self.store, row_id)
                table.remove(row_id)
        return Answer(200, (("psws-version", self.version),))

    def _images(self, request: Request, path: tuple[str, ...], method: str, *, only_first: int | None) -> Answer:
        spoken = "plain PUT" if request.method == "PUT" else method
        asked = gallery.Asked(spoken, path, request.headers.get("content-type", ""), request.body)
        try:
            reply = gallery.serve(self.store, self._look, asked, record_only=only_first is not None)
            digested = reply.body
        except WebserviceError as problem:
            reply = Reply(problem.status, _XML, render.errors_xml([problem]))
            digested = b""  # recorded: the sum of nothing
        headers = [("content-type", reply.kind)] if reply.kind else []
        headers.append(("psws-version", self.version))
        if reply.status != 404:
            headers.append(("content-sha1", hashlib.sha1(digested, usedforsecurity=False).hexdigest()))
        return Answer(reply.status, tuple(headers), reply.body)

    def _records(self, entities: list[Entity], query: Mapping[str, str], status: int, *, as_json: bool) -> Answer:
        if not as_json:
            body = render.records_xml(self._look, entities)
        elif "display" in query:
            body = render.list_json(self._look, entities[0].resource, entities) if entities else b"[]"
        elif entities:
            # every record overwrites the one before in the shop's own code: of several only the last one is shown
            body = render.record_json(self._look, entities[-1])
        else:
            body = b"[]"
        return self._content(body, status, as_json=as_json)

    @property
    def _look(self) -> Look:
        return Look(self.url, self.store.languages)

    def _content(self, body: bytes, status: int, *, as_json: bool) -> Answer:
        digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        kind = "application/json" if as_json else "text/xml;charset=utf-8"
        return Answer(status, (("content-type", kind), ("psws-version", self.version), ("content-sha1", digest)), body)

    def _errors(self, problems: list[WebserviceError], *, as_json: bool, denied: bool = False) -> Answer:
        body = render.errors_json(problems) if as_json else render.errors_xml(problems)
        headers = [("content-type", "application/json" if as_json else "text/xml;charset=utf-8")]
        if denied:
            headers.append(("www-authenticate", _REALM))
        headers.append(("psws-version", "0" if denied else self.version))
        return Answer(problems[0].status, tuple(headers), body)

    @staticmethod
    def _conditional(request: Request, answer: Answer) -> Answer:
        theirs = request.headers.get("local-content-sha1", "")
        if theirs and ("content-sha1", theirs) in answer.headers:
            return Answer(304, tuple(one for one in answer.headers if one[0] != "content-type"))
        return answer


def _wants_json(request: Request, query: Mapping[str, str]) -> bool:
    wanted = query.get("output_format") or query.get("io_format") or request.headers.get("output-format", "")
    return wanted.upper() == "JSON"


def _key(request: Request, query: Mapping[str, str]) -> str | None:
    """Find the key: user of Basic, else ``ws_key``; None when there is none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(token, validate=True).decode("utf-8", "replace").partition(":")[0]
        except binascii.Error:
            return ""
    return query.get("ws_key")
