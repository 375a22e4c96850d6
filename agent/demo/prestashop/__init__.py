"""An honest fake of the PrestaShop 9 webservice over real HTTP, for the demo, the tests and the benchmarks.

It is held against recordings of the real shop (`tests/contract/test_prestashop_recordings.py`) and computes every
answer from what it holds. It knows products with their pictures, combinations, stock rows, and what a shop is set up
with (languages, taxes, configuration); other resources are further descriptions in `resources` and, where they compute
something, rules in `catalogue`. `shop.FakePrestaShop` is the way in.
"""

from agent.demo.prestashop.faults import ABSURD, Fault, Faults
from agent.demo.prestashop.ledger import Creation, Upload, Write
from agent.demo.prestashop.shop import DEMO_KEY, FakePrestaShop

__all__ = ["ABSURD", "DEMO_KEY", "Creation", "FakePrestaShop", "Fault", "Faults", "Upload", "Write"]
