"""One session with Vendure's admin API: sign-in, one GraphQL call, and what its answer means. Measured on 3.7.3.

* **Success is not HTTP 200.** A denial, an unknown id and bad input all come as 200 with ``errors``. An error is
  definite only if it names the mutation itself (a path of one step, or none for what GraphQL refuses beforehand);
  one from deeper comes after the commit. Every database error comes without a code: nobody can say.
* The shop takes 100 kB of JSON; beyond, it answers HTTP 500 without a word. The same call as a form (the "GraphQL
  multipart request", the way of uploads) may have 1 MB: so a large call goes as a form.
* A session outlives a restart and a kill of the shop (it is in its database, for a year), so a login is rare. A
  denial has no effect, so a call that is denied is made once more after a new login.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from agent.errors import ShopUnavailable
from agent.shops.http import Answer, ShopHttp

RIGHTS = (
    "Check [shop] api_key (or user and password); its role needs ReadCatalog and UpdateCatalog in this channel,"
    " CreateCatalog to create products or pictures, DeleteCatalog to remove pictures."
)
MOST_JSON = 90_000
"""Bytes of a call that goes as JSON; measured: 102,400 are the shop's limit."""
_LOGIN = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"
_DENIED = {"FORBIDDEN", "UNAUTHORIZED"}
_SET_UP = {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_REQUEST", "CHANNEL_NOT_FOUND"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, understood."""

    status: int
    """HTTP."""
    data: dict[str, Any] | None
    """None if it is no answer of a GraphQL API."""
    failed: bool = False
    code: str = ""
    """The ``extensions.code`` of the errors if the call had **certainly no effect**; else empty."""
    message: str = ""
    at: str = ""
    """The field of the document (its alias) that the only error names; empty when there are more, or none."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for a call's variable ``f.0.file`` (``CreateAssetInput``)."""

    name: str
    mime: str
    content: bytes


class VendureSession:
    """Calls to one channel of one Vendure server. No retry but the one after a login; thread-safe."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None,
        user: str | None,
        password: str | None,
        channel: str | None,
        timeout: float,
        pace: Callable[[], None],
    ) -> None:
        headers = {"content-type": "application/json"}
        if api_key:
            headers["vendure-api-key"] = api_key
        if channel:
            headers["vendure-token"] = channel
        self.http = ShopHttp(url.rstrip("/").removesuffix("/admin-api"), timeout=timeout, headers=headers, pace=pace)
        self._credentials = (user, password or "") if user and not api_key else None
        self._token = ""
        self._lock = threading.Lock()
        self.logins = 0
        """How often a session was begun."""

    def ask(self, document: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Call what has no effect: the data, or `ShopUnavailable` for whatever went wrong."""
        reply = self._call(document, variables or {}, self._read)
        if reply.failed or reply.data is None:
            raise not_vendure(reply.message)
        return reply.data

    def change(self, document: str, variables: Mapping[str, object]) -> Reply:
        """Call what has an effect. Raises `ShopUnavailable` if it certainly had none, and none but the set-up or the
        rights are to blame; `AnswerLost` if no answer came.
        """
        return self._call(document, variables, self._write)

    def upload(self, document: str, variables: Mapping[str, object], file: Upload) -> Reply:
        """`change` with a file beside the call."""
        return self._call(document, variables, lambda content: self._form(content, file))

    def _read(self, content: bytes) -> Answer:
        return self.http.read("admin-api", method="POST", content=content, headers=self._bearer())

    def _write(self, content: bytes) -> Answer:
        if len(content) > MOST_JSON:
            return self._form(content, None)
        return self.http.write("POST", "admin-api", content=content, headers=self._bearer())

    def _form(self, content: bytes, file: Upload | None) -> Answer:
        mime, body = form(content, file)
        headers = {"content-type": mime, "apollo-require-preflight": "true", **self._bearer()}
        return self.http.write("POST", "admin-api", content=body, headers=headers)

    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def _call(self, document: str, variables: Mapping[str, object], send: Callable[[bytes], Answer]) -> Reply:
        content = orjson.dumps({"query": document, "variables": variables})
        token = self._token or self._login("")
        reply = understand(send(content))
        if reply.code in _DENIED and self._credentials is not None:
            self._login(token)
            reply = understand(send(content))
        if reply.code in _DENIED:
            raise ShopUnavailable(f"The shop denies it: {reply.code}.", hint=RIGHTS, denied=True)
        if reply.code in _SET_UP or (reply.data is None and reply.status == 404):
            raise not_vendure(reply.message)
        return reply

    def _login(self, stale: str) -> str:
        """Begin a session unless another thread has replaced the stale one meanwhile. A login's effect is harmless."""
        with self._lock:
            if self._credentials is not None and self._token == stale:
                variables = dict(zip("up", self._credentials, strict=True))
                content = orjson.dumps({"query": _LOGIN, "variables": variables})
                answer = self.http.read("admin-api", method="POST", content=content)
                reply = understand(answer)
                if reply.data is None:
                    raise not_vendure(reply.message)
                if (reply.data.get("login") or {}).get("__typename") != "CurrentUser":
                    raise ShopUnavailable("The shop refuses the login.", hint=RIGHTS, denied=True)
                if not answer.headers.get("vendure-auth-token"):
                    hint = "Add 'bearer' to authOptions.tokenMethod of the shop, or use an API key."
                    raise ShopUnavailable("The shop gives no session token.", hint=hint, denied=True)
                self._token = answer.headers["vendure-auth-token"]
                self.logins += 1
            return self._token


def understand(answer: Answer) -> Reply:
    """Read an answer; never raises: what is not GraphQL has no ``data`` and is ``failed``."""
    try:
        body = orjson.loads(answer.body)
        data, errors = body.get("data"), body.get("errors") or []
        codes = {_code(error) for error in errors}
        message = "; ".join(str(error.get("message", ""))[:200] for error in errors[:3])
        applied = data is not None and any(value is not None for value in data.values())
    except (ValueError, AttributeError, TypeError, KeyError):
        return Reply(answer.status, None, failed=True, message=f"HTTP {answer.status}, not the answer of a GraphQL API")
    if not errors and (answer.status != 200 or data is None):
        return Reply(answer.status, None, failed=True, message=f"HTTP {answer.status} without data")
    code = codes.pop() if len(codes) == 1 and not applied else ""
    at = _place(errors[0]) if len(errors) == 1 and not applied else ""
    return Reply(answer.status, data or {}, bool(errors), code, f"{code}: {message}" if code else message, at)


def form(content: bytes, file: Upload | None) -> tuple[str, bytes]:
    """Write a call as a GraphQL multipart request: its content type (with the boundary) and its bytes.

    The boundary is a digest of what it parts, so that it cannot occur in it but by a collision.
    """
    boundary = f"part-{hashlib.sha256(content + (file.content if file else b'')).hexdigest()}"
    parts = [('name="operations"', content), ('name="map"', b'{"0":["variables.f.0.file"]}' if file else b"{}")]
    if file is not None:
        name = re.sub(r'[\x00-\x1f"\\/]', "_", file.name)
        parts.append((f'name="0"; filename="{name}"\r\ncontent-type: {file.mime}', file.content))
    body = bytearray()
    for head, data in parts:
        body += f"--{boundary}\r\ncontent-disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", bytes(body)


def not_vendure(what: str) -> ShopUnavailable:
    """Make the error for a read that was not answered as expected, or for a set-up that does not fit the shop."""
    return ShopUnavailable(
        f"The shop does not answer as Vendure's admin API does: {what}",
        hint="Check [shop] url (the address before /admin-api) and [shop] channel; tested with Vendure 3.7.",
    )


def _code(error: dict[str, Any]) -> str:
    deeper = len(error.get("path") or ()) > 1
    return "" if deeper else str((error.get("extensions") or {}).get("code", ""))


def _place(error: dict[str, Any]) -> str:
    path: list[object] = error.get("path") or []
    return str(path[0]) if len(path) == 1 else ""
