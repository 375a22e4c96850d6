"""A part of an adapter: what it does for one target, where that shares nothing with the others but the connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.events import Held, Outcome, Owed, Rejected, Wanted


class Part(Protocol):
    """Three of the calls of `agent.shops.Shop`, for one target; the same rules hold."""

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Write the values."""

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what the shop holds; each item has a link."""

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look things up by their natural key."""
