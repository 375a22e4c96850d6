"""The target ``categories``: the tree of POHODA's agenda Kategorie (``SkKat``), below one category of the shop.

A category is known by its id, so a rename or a move is a change of the same one, and two siblings may have one name.
One that is gone in POHODA is hidden, deleted or kept, as ``when_gone`` says; the guard counts those. To hide needs
``visible`` among the fields: without it nothing is said about a category that is gone, for it could not be shown again
when it comes back. Whether a description is HTML POHODA does not say: it is, when it holds a tag of HTML.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.errors import Unusable
from agent.events import Value
from agent.targets import GuardCount
from agent.targets.texts import canonical, decimal_of, html_of, line_of

FIELDS = ("description", "picture", "order", "visible")
"""What can be kept in sync beside name and parent: the words of ``[targets.categories] fields``."""
GUARD_FROM = 3
"""The guard is silent below so many: trees are small, and a branch that went by mistake takes few."""
_BATCH = 20
_HINT = "Correct the category in POHODA (Kategorie)."
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|br|center|div|dd|dl|dt|em|figure|font|h[1-6]|hr|i|iframe|img|li|ol|p|pre|s|section"
    r"|small|span|strike|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""Tags that somebody who formats a text leaves in it; a note in angle brackets is none."""


@dataclass(frozen=True, slots=True)
class CategorySettings:
    """``[targets.categories]``: what the shop's owner decided about the tree."""

    root: str = ""
    """Id of the shop's category below which ours are; empty: the shop's home. Adapters read it; here it names the
    settings."""
    fields: tuple[str, ...] = FIELDS
    """Of `FIELDS`; what is not among them is never touched."""
    when_gone: Literal["hide", "delete", "keep"] = "hide"
    remove_guard: float | None = 0.20
    """Hold removals when more than this share of all categories would go; None: never."""


@dataclass(frozen=True, slots=True)
class Categories:
    """The target. Rows are `agent.sources.rows_catalogue.CategoryRow`; a key (``SkKat.ID`` as text) has one."""

    settings: CategorySettings
    name: str = "categories"
    thing: str = "category"
    creates: bool = True
    creator: str = ""
    names: str = "category"
    namer: str = "categories"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Make name, parent and the configured fields; None when it is gone.

        Raises `Unusable` that names the column: no name, a parent that does not lead to the top, a picture that cannot
        be sent.
        """
        if not rows:
            return None
        row = rows[0]
        name = line_of("SkKat.IDS", row.name)
        if not name:
            raise Unusable("SkKat.IDS", "the category has no name", hint=_HINT)
        made: dict[str, Value] = {"name": name, "parent": _parent(row)}
        return made | {field: _VALUES[field](row) for field in self.settings.fields}

    def absent(self) -> Value:
        """What becomes of a category that POHODA does not have any more; None: the shop's is left as it is."""
        gone = self.settings.when_gone
        if gone == "keep" or (gone == "hide" and "visible" not in self.settings.fields):
            return None
        return {"gone": gone}

    def needs(self, value: Value) -> Sequence[str]:
        """The parent must be in the shop before."""
        parent = value.get("parent") if isinstance(value, dict) else None
        return [str(parent)] if parent else []

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop holds what was sent, of the fields that both name; HTML may be spelled in another way.

        A picture is known by its hash: without one (None, or a hash of None) it is not ours. One that was to be hidden
        may be told of as ``gone`` or as a category that is not visible.
        """
        if not (isinstance(sent, dict) and isinstance(confirmed, dict)):
            return sent == confirmed
        if "gone" in sent:
            hidden = sent["gone"] == "hide" and (_is_gone(confirmed) or confirmed.get("visible") is False)
            return hidden or sent["gone"] == confirmed.get("gone")
        both = sent.keys() & confirmed.keys()
        return (
            not _is_gone(confirmed) and bool(both) and all(_alike(name, sent[name], confirmed[name]) for name in both)
        )

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call: 20, for each is read before and written by itself."""
        return _BATCH

    def nothing(self, value: Value) -> bool:  # noqa: ARG002 - the contract
        """A thing of the shop is never nothing."""
        return False

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts removals; to hide what is hidden already is none."""
        if not _is_gone(new):
            return False
        return old is None or not self.same(new, old)

    def guard(self, count: GuardCount) -> str:
        """Hold when 3 or more, and more than ``remove_guard`` of all categories, would be removed."""
        share = self.settings.remove_guard
        if share is None or count.counted < GUARD_FROM or count.counted <= share * count.total:
            return ""
        done = "deleted" if self.settings.when_gone == "delete" else "hidden"
        return f"{count.counted} of {count.total} categories would be {done}, more than {share:.0%} (remove_guard)"

    def fingerprint(self) -> str:
        """A digest of what forms the values, and of the place where they are; the guard does not."""
        mine = self.settings
        formed = (mine.root.strip(), sorted(mine.fields), mine.when_gone)
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


def _parent(row: Any) -> Value:  # noqa: ANN401 - rows of any source
    if row.broken:
        raise Unusable(
            "SkKat.RefNodeID",
            str(row.broken),
            hint="Move the category below another one, or to the top, in POHODA (Kategorie), and save it.",
        )
    return str(row.parent) if row.parent else None


def _description(row: Any) -> Value:  # noqa: ANN401 - as above
    formatted = isinstance(row.description, str) and bool(_TAG.search(row.description))
    return html_of("SkKat.SText", row.description, formatted=formatted)


def _picture(row: Any) -> Value:  # noqa: ANN401 - as above
    if not row.file:
        return None
    if row.trouble or not row.sha:
        raise Unusable("SkKat.Obrazek", row.trouble or f"the file {row.file} was not read", hint=row.hint)
    return {"sha": row.sha, "file": row.file}


def _visible(row: Any) -> Value:  # noqa: ANN401 - as above
    """NULL is visible: nobody said that it is not."""
    return row.visible is None or bool(row.visible)


_VALUES: dict[str, Callable[[Any], Value]] = {
    "description": _description,
    "picture": _picture,
    "order": lambda row: int(decimal_of("SkKat.Poradi", row.order)),
    "visible": _visible,
}


def _is_gone(value: Value) -> bool:
    return isinstance(value, dict) and "gone" in value


def _alike(name: str, sent: Value, confirmed: Value) -> bool:
    if name == "picture":
        return _sha(sent) == _sha(confirmed)
    if sent == confirmed:
        return True
    if not (isinstance(sent, str) and isinstance(confirmed, str)):
        return False
    if name == "description":
        return canonical(sent) == canonical(confirmed)
    return name == "name" and " ".join(sent.split()) == " ".join(confirmed.split())


def _sha(picture: Value) -> Value:
    return picture.get("sha") if isinstance(picture, dict) else None
