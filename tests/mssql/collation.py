"""Czech_CI_AS in small: case is ignored, accents count, spaces at the end do not, ``ch`` lies between h and i.

č, ř, š and ž are letters of their own; other accents decide only between words that are equal without them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

Key: TypeAlias = tuple[tuple[float, ...], str]

_OWN = {"č": ord("c") + 0.5, "ř": ord("r") + 0.5, "š": ord("s") + 0.5, "ž": ord("z") + 0.5, "ch": ord("h") + 0.5}
_PLAIN = str.maketrans("áäďéěëíľĺňóöôťúůüý", "aadeeeillnoootuuuy")
_LETTERS = re.compile("ch|.", re.DOTALL)


@lru_cache(maxsize=1 << 18)
def key(text: str) -> Key:
    """What two texts are compared and sorted by."""
    folded = text.rstrip(" ").lower()
    letters = _LETTERS.findall(folded)
    return tuple(_OWN.get(each) or float(ord(each.translate(_PLAIN))) for each in letters), folded


def like(pattern: str, text: str) -> bool:
    """LIKE with ``%`` and ``_``."""
    escaped = re.escape(pattern.lower()).replace("%", ".*").replace("_", ".")
    return re.fullmatch(escaped, text.lower(), re.DOTALL) is not None
