"""An honest fake of the PrestaShop 9 webservice over real HTTP, for the demo, the tests and the benchmarks.

It is held against recordings of the real shop (`tests/contract/test_prestashop_recordings.py`) and computes every
answer from what it holds. It knows products with their pictures, combinations and stock rows; categories, features,
manufacturers and suppliers (`things`); orders with their states (`buying`); and what a shop is set up with. A resource
is a description beside its rules; `resources` lists all of the ones, `catalogue.RULES` all of the others.
`shop.FakePrestaShop` is the way in.
"""

from agent.demo.prestashop.faults import ABSURD, Fault, Faults
from agent.demo.prestashop.ledger import Creation, StateChange, Upload, Write
from agent.demo.prestashop.shop import DEMO_KEY, FakePrestaShop

__all__ = ["ABSURD", "DEMO_KEY", "Creation", "FakePrestaShop", "Fault", "Faults", "StateChange", "Upload", "Write"]
