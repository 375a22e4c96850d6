"""Names of files that stand in a database: which of them can be names within a folder at all.

The rules are those of Windows, on every system: what would be harmless here may not be where the folder lies, and a
name that Windows cannot have is a mistake in any case. Sources: Microsoft's "Naming Files, Paths, and Namespaces"
(reserved characters and device names, with and without an extension; dots and spaces at the end are dropped).
"""

from __future__ import annotations

import re
import unicodedata

from agent.errors import Unusable

COLUMN = "SkRefObraz.Soubor"
"""Table and column, for people; the XML export calls it ``stk:filepath``."""
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE
)
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*]')
_HINT = "Choose the picture again on the card in POHODA: the name of a file in the documents folder, without a path."
LONGEST = 255


def parts_of(name: str) -> tuple[str, ...]:
    """Split a name into folders and file. Raises `Unusable` when it leads elsewhere, or cannot be a name."""
    text = unicodedata.normalize("NFC", name).strip()
    parts = tuple(re.split(r"[\\/]", text))
    why = next(filter(None, map(_wrong, parts)), "") or ("is too long" if len(text) > LONGEST else "")
    if why:
        raise Unusable(COLUMN, f"{_shown(text)} {why}", hint=_HINT)
    return parts


def alike(name: str) -> str:
    """Fold a name so that spellings that differ by case or by composed letters are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _wrong(part: str) -> str:
    if part in {"", ".", ".."}:
        return "leads out of the documents folder" if part else "is no name within the documents folder"
    if ":" in part:
        return "names a drive or a part of another file"
    if _FORBIDDEN.search(part):
        return "has a sign in it that no file name can have"
    if part != part.rstrip(". "):
        return "ends with a dot or a space, which Windows would drop"
    return "is the name of a device in Windows" if _DEVICES.fullmatch(part) else ""


def _shown(text: str) -> str:
    """A name for people: short, and without signs that would do something to a screen."""
    clean = "".join(sign if sign.isprintable() else "�" for sign in text)
    return f"the name {clean[:80]!r}"
