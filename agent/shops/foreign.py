"""Pictures that a shop has and we did not send: what their product's pictures mean for ours."""

from __future__ import annotations

from agent.events import Rejected


def left_alone(count: int) -> Rejected:
    """The dead letter of a product that is not given pictures, for customers would see them beside those it has."""
    return Rejected(
        f"the product already has {count} pictures that were not sent by this agent",
        "Delete them in the shop to have POHODA's, or set [targets.images] existing = "
        '"keep" to show both; then: pohoda-agent outbox retry --all.',
    )
