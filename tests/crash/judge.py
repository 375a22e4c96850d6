"""The verdict: what was lost, what went backwards, what was sent once more than needed. Knows nothing of the agent."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.crash.storm import CLEAR, Sent


@dataclass(frozen=True, slots=True)
class Verdict:
    """``lost``: keys whose final value differs; ``regressed``: version cards that went backwards; ``resends``: values

    sent again although the answer to the sending before was clear, or was cut short by a kill.
    """

    lost: int
    regressed: int
    resends: int
    examples: tuple[str, ...]


def judge(
    sent: Sequence[Sent],
    kills: Sequence[float],
    codes: Mapping[int, str],
    versioned: set[str],
    *,
    pohoda: Mapping[str, int],
    shop: Mapping[str, int],
) -> Verdict:
    """Compare the ends and walk through what was sent, in the order of arrival; ``kills`` are moments, ascending."""
    examples: list[str] = []
    lost = [code for code, value in pohoda.items() if shop.get(code) != value]
    examples += [f"lost: {code}: POHODA {pohoda[code]}, shop {shop.get(code)}" for code in lost[:5]]
    per_row: dict[int, list[Sent]] = {}
    for one in sent:
        per_row.setdefault(one.row, []).append(one)
    regressed = resends = 0
    for row, story in per_row.items():
        code = codes[row]
        if code not in versioned:
            continue
        backwards = _backwards(story, kills)
        if backwards:
            regressed += 1
            examples.append(f"regressed: {code}: {backwards}")
        resends += _resends(story)
        best = max((one.quantity for one in story if one.fault == "none"), default=None)
        if best is not None and shop.get(code, best) < best:
            regressed += 1
            examples.append(f"regressed: {code}: {best} was confirmed, the shop ends with {shop.get(code)}")
    return Verdict(len(lost), regressed, resends, tuple(examples[:10]))


def _backwards(story: Sequence[Sent], kills: Sequence[float]) -> str:
    """Find a value older than one confirmed before it, with nothing unclear (and no kill) between the two."""
    confirmed: int | None = None
    confirmed_at = 0.0
    for one in story:
        killed = bisect_left(kills, confirmed_at) != bisect_left(kills, one.at)
        if confirmed is not None and one.quantity < confirmed and not killed:
            return f"{one.quantity} sent after {confirmed} was confirmed"
        if one.fault == "none":
            confirmed, confirmed_at = max(one.quantity, confirmed or one.quantity), one.at
        elif one.fault not in CLEAR:
            confirmed = None
    return ""


def _resends(story: Sequence[Sent]) -> int:
    return sum(1 for before, after in pairwise(story) if before.quantity == after.quantity and before.fault == "none")
