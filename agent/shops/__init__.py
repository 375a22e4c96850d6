"""The Shop contract: what dispatch may ask of an e-shop, and what it gets back.

Every shop kind is one file beside this one; `tests/contract` runs one suite against all of them.

* An adapter contains **no retry, no sleep, no logging, no threads, and no knowledge of the outbox**. Dispatch retries,
  probes, bisects, reads back and remembers; an adapter translates one call into HTTP and the answer into outcomes.
* ``deliver`` returns one outcome per item, in the order given. It raises **only if certainly nothing was applied**:
  `ShopUnavailable` (wait, no attempt counted) or `BatchRefused` (bisect). Everything that was sent without a clear
  answer is `Unclear`: a break, a timeout, any 5xx, an answer that is not what the API speaks (a maintenance page).
* The value in ``Done.confirmed`` is the one the **shop says** it holds, not the one that was sent, in the same form;
  where the two differ dispatch takes the answer as unclear and reads back.
* Reads (``read``, ``read_page``, ``find``, ``probe``, ``check``) have no effect; when one fails, for whatever reason,
  it raises `ShopUnavailable`.
* Codes are compared stripped and case-folded (`agent.events.key_of`), whatever the shop's own collation does.
* Where a target creates (products), an item without a link is to be created, with the code of the event; it answers
  `Done` with the new link. An adapter never looks whether it is there already: dispatch has asked ``find`` before, and
  asks again after an unclear answer. A link may change with any `Done` (pictures), and is stored anew.
* A link is an opaque text of the adapter's own making; it is stored and handed back, nobody else looks inside. Behind
  a ``#`` an adapter may remember something about the thing: a link that differs only there still leads to the same one.
* Nothing secret or personal goes into an outcome or an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.events import Held, Outcome, Owed, Page, Rejected, Wanted


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the ``check`` command about a shop: good, or bad with a remedy, or worth knowing."""

    verdict: Literal["ok", "warning", "error"]
    subject: str
    text: str
    hint: str = ""


class Shop(Protocol):
    """One configured e-shop, as dispatch sees it."""

    kind: str
    """The name of the adapter, as in ``[shop] kind``."""
    quantity: Literal["saleable", "physical"]
    """What its stock number means: *saleable* is already less the shop's own orders (PrestaShop, WooCommerce);
    of a *physical* one (Vendure ``stockOnHand``, Shoptet ``realStock``) the shop subtracts them itself."""

    price_form: Literal["net", "gross"]
    """Which price the shop stores: without VAT, or with it."""
    price_places: int
    """Decimal places of its prices."""

    def probe(self) -> None:
        """Make one cheap authorised read. Raises `ShopUnavailable` when the shop does not answer sensibly."""

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        """Write the values; one outcome per item, in order. Every item has a link, except where the target creates."""

    def read(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what the shop holds for these keys now (each has a link). Keys that are gone are missing."""

    def read_page(self, target: str, page: str | None) -> Page:
        """Read everything, a page at a time: ``page`` is None for the first, then what the page before gave as next.

        A page token stays valid after a restart of either side.
        """

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look things up by their natural key. A key that the shop does not know is missing from the answer;

        one that cannot be addressed (known twice, a parent of variants) is `Rejected` with a hint.
        """

    def check(self) -> list[Finding]:
        """Examine the set-up for the ``check`` command: version, rights, settings. Never raises for the shop's sake."""

    def close(self) -> None:
        """Let go of connections. May be called from another thread while a call is under way."""
