"""Stories of fifty orders of a Vendure: what is done with each in POHODA, and where it must have come in the shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.demo.office import Office

OLD = "2026-01-15"
"""Day of orders that are too old to be spoken of."""
PAID, SENT, DONE, GONE = "PaymentSettled", "Shipped", "Delivered", "Cancelled"
PARTLY = "PartiallyShipped"
_PARCEL = "UPDATE OBJ SET VPrZasilka = 'DR' || ID, VPrDopravce = 'PPL' WHERE ID = ?"

Step = Callable[["Order", Office], object]
"""What a person does with an order in POHODA."""


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of an order, one step a wave; ``states``: those after its payment was authorized, at the end."""

    steps: Sequence[Step]
    states: Sequence[str]
    parcels: int = 0
    """How many fulfilments it has at the end."""
    rows: Sequence[str] = ("whole",)
    """Its orders in POHODA: ``whole``, or the ``first`` line, or the ``others``."""
    date: str | None = None
    paid: bool = True
    untold: bool = False
    """The shop is not told how many pieces POHODA has transferred."""


@dataclass(slots=True)
class Order:
    """An order of the shop, by its code; pieces by code of the card; ``rows`` are its ``OBJ.ID``."""

    code: str
    pieces: Mapping[str, int]
    name: str
    rows: list[int] = field(default_factory=list)

    @property
    def story(self) -> Story:
        """What becomes of it."""
        return STORIES[self.name][1]

    def write(self, office: Office) -> None:
        """Write it in POHODA."""
        (one, *_) = self.pieces
        lots = {"whole": self.pieces, "first": {one: self.pieces[one]}}
        lots["others"] = {code: pieces for code, pieces in self.pieces.items() if code != one}
        self.rows = [office.orders.write(self.code, lots[lot], date=self.story.date) for lot in self.story.rows]

    def step(self, office: Office, wave: int) -> None:
        """Do what is to be done in a wave."""
        if wave < len(self.story.steps):
            self.story.steps[wave](self, office)


def transfer(order: Order, office: Office) -> None:
    """Přeneseno."""
    for row in order.rows:
        office.orders.transfer(row)


def execute(order: Order, office: Office) -> None:
    """Vyřízeno."""
    for row in order.rows:
        office.orders.execute(row)


def send(order: Order, office: Office) -> None:
    """Vyřízeno, with the number of the parcel and the carrier."""
    for row in order.rows:
        with office.orders.hand.saving() as db:
            db.execute(_PARCEL, (row,))
    execute(order, office)


def cancel(order: Order, office: Office) -> None:
    """Storno."""
    for row in order.rows:
        office.orders.cancel(row)


def part(order: Order, office: Office) -> None:
    """Transfer one piece of the first line."""
    office.orders.transfer(order.rows[0], {next(iter(order.pieces)): 1})


def execute_one(order: Order, office: Office) -> None:
    """Vyřízeno, of the first row only."""
    office.orders.execute(order.rows[0])


def drop_one(order: Order, office: Office) -> None:
    """Storno of the first row, Vyřízeno of the second."""
    office.orders.cancel(order.rows[0])
    office.orders.execute(order.rows[1])


def wait(order: Order, office: Office) -> None:
    """Do nothing in this wave."""


STORIES: Mapping[str, tuple[int, Story]] = {
    "executed": (7, Story((execute,), (PAID, SENT, DONE), 1)),
    "sent": (3, Story((send,), (PAID, SENT, DONE), 1)),
    "executed later": (3, Story((wait, execute), (PAID, SENT, DONE), 1)),
    "transferred": (4, Story((transfer,), (PAID, SENT), 1)),
    "transferred, executed": (5, Story((transfer, execute), (PAID, SENT, DONE), 1)),
    "partly": (3, Story((part,), (PAID, PARTLY), 1)),
    "partly twice": (3, Story((part, part), (PAID, PARTLY), 2)),
    "partly, executed": (4, Story((part, execute), (PAID, PARTLY, "PartiallyDelivered", DONE), 2)),
    "partly, transferred": (2, Story((part, transfer), (PAID, PARTLY, SENT), 2)),
    "cancelled": (4, Story((cancel,), (PAID, GONE))),
    "transferred, cancelled": (1, Story((transfer, cancel), (PAID, SENT, GONE), 1, untold=True)),
    "two rows": (2, Story((execute_one, execute), (PAID, PARTLY, "PartiallyDelivered", DONE), 2, ("first", "others"))),
    "one of two cancelled": (1, Story((drop_one,), (PAID, SENT, DONE), 1, ("whole", "whole"))),
    "unpaid": (2, Story((execute,), (PAID, SENT, DONE), 1, paid=False)),
    "sent by hand": (1, Story((transfer, execute), (PAID, SENT, DONE), 1)),
    "cancelled by hand": (1, Story((execute,), (PAID, GONE), untold=True)),
    "old": (2, Story((execute,), (PAID,), date=OLD, untold=True)),
    "old, cancelled": (1, Story((wait, cancel), (PAID,), date=OLD)),
    "written only": (1, Story((), (PAID,))),
}
"""Name → how many orders have it, and how it goes."""
