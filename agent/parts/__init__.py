"""The parts of one shop, made of its configuration: the only package that names every class.

Each target has an adapter of its own, and a source of its own (one for both targets of a table that collects things):
two may look at POHODA at different paces, and their calls do not wait for each other. What they share is the shop's
pace, its breaker, its state file, and POHODA's lock.
"""

from agent.parts.shops import make_shop
from agent.parts.sources import (
    check_pohoda,
    make_directory,
    make_receiver,
    make_source,
    open_pohoda,
    open_source,
    source_of,
)
from agent.parts.targets import make_quantities, make_target

__all__ = [
    "check_pohoda",
    "make_directory",
    "make_quantities",
    "make_receiver",
    "make_shop",
    "make_source",
    "make_target",
    "open_pohoda",
    "open_source",
    "source_of",
]
