"""The contract on bad days: refusals, lost answers, maintenance pages, a shop that is closed under a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from agent.errors import ShopUnavailable
from agent.events import Unclear
from agent.shops.http import MAX_RETRY_AFTER as LONGEST
from tests.contract.world import (
    Q,
    World,
    everything_spoiled,
    holds,
    owe,
    spoil,
    things,
    values,
    want,
    writes,
)
from tests.fault_server import (
    FAULTS_AFTER_APPLYING,
    Fault,
    answer,
    hang_after_apply,
    instead,
    late_apply,
    never_apply,
)

MAINTENANCE = b"<!doctype html><html><body><h1>Back soon &mdash; we are improving our shop</h1></body></html>"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("retry-after: 7", (7, 7)),
        (f"retry-after: {format_datetime(datetime.now(UTC) + timedelta(hours=9), usegmt=True)}", (LONGEST, LONGEST)),
        (f"retry-after: {format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)}", (0, 0)),
        ("retry-after: -5", (0, 0)),
        ("retry-after: 315360000", (LONGEST, LONGEST)),
        ("retry-after: later", None),
        ("x-nothing: 1", None),
    ],
)
def claim_a_429_waits_as_long_as_it_says(world: World, said: str, seconds: tuple[float, float] | None) -> None:
    with closing(world.shop()) as shop:
        held, other = things(world, shop, 1, 1)
        spoil(world, instead(answer(429, b"slow down", said)))
        with pytest.raises(ShopUnavailable) as caught:
            shop.deliver(Q, [owe(held, 2), owe(other, 3)])
        after = caught.value.retry_after
        assert after is None if seconds is None else after is not None and seconds[0] <= after <= seconds[1]
        assert (holds(world, held), holds(world, other)) == (1, 1)
        assert values(shop.deliver(Q, [owe(held, 2)])) == [2]


@pytest.mark.parametrize("status", [401, 403])
def claim_a_denied_write_was_not_applied(world: World, status: int) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        spoil(world, *[instead(answer(status, b"no"))] * 4)  # an adapter may sign in anew and try again
        with pytest.raises(ShopUnavailable) as caught:
            shop.deliver(Q, [owe(held, 2)])
        world.proxy.clear()
        assert caught.value.denied
        assert caught.value.hint
        assert holds(world, held) == 1


def claim_a_wrong_secret_is_said_by_every_call_and_shown_by_none(world: World) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
    wrong = "WR0NG" * 7
    with closing(world.shop(secret=wrong)) as shop:
        calls: list[Callable[[], object]] = [
            shop.probe,
            lambda: shop.deliver(Q, [owe(held, 2)]),
            lambda: shop.read(Q, [want(held)]),
            lambda: shop.read_page(Q, None),
            lambda: shop.find(Q, [want(held)]),
        ]
        for call in calls:
            with pytest.raises(ShopUnavailable) as caught:
                call()
            assert wrong not in str(caught.value) + repr(caught.value) + caught.value.hint
        findings = shop.check()
        assert [finding.hint for finding in findings if finding.verdict == "error"]
        assert wrong not in repr(findings)
    assert holds(world, held) == 1


@pytest.mark.parametrize(("_name", "fault"), FAULTS_AFTER_APPLYING, ids=[name for name, _ in FAULTS_AFTER_APPLYING])
def claim_an_answer_that_is_lost_after_applying_is_unclear(world: World, _name: str, fault: Fault) -> None:
    with closing(world.shop()) as shop, closing(world.shop(timeout=1.0)) as hasty:
        some = things(world, shop, 1, 2, 3)
        hasty.probe()  # signs in, where that is needed
        hasty.read(Q, [want(some[0])])
        spoil(world, fault)
        before = writes(world)
        outcomes = hasty.deliver(Q, [owe(held, 30 + n) for n, held in enumerate(some)])
        assert [type(outcome) for outcome in outcomes] == [Unclear] * 3
        assert writes(world) == before + 1  # an adapter never tries a write again
        assert [holds(world, held) for held in some] == [30, 31, 32]
        back = shop.read(Q, [want(held) for held in some])
        assert [back[held.key].value for held in some] == [30, 31, 32]
        assert world.secret not in repr(outcomes)


def claim_a_write_that_never_arrived_is_unclear_and_can_be_sent_again(world: World) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        spoil(world, never_apply)
        (outcome,) = shop.deliver(Q, [owe(held, 2)])
        assert isinstance(outcome, Unclear)
        assert holds(world, held) == 1
        assert values(shop.deliver(Q, [owe(held, 2)])) == [2]


def claim_an_old_write_that_lands_late_is_seen_by_a_reading(world: World) -> None:
    """Why dispatch reads an unclear key once more after a while: the newer value is overwritten behind its back."""
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        spoil(world, late_apply(0.4))
        (outcome,) = shop.deliver(Q, [owe(held, 2)])
        assert isinstance(outcome, Unclear)
        assert values(shop.deliver(Q, [owe(held, 3)])) == [3]
        while world.proxy.late:
            world.proxy.late.pop().join()
        assert shop.read(Q, [want(held)])[held.key].value == 2
        assert values(shop.deliver(Q, [owe(held, 3)])) == [3]
        assert holds(world, held) == 3


@pytest.mark.parametrize("body", [MAINTENANCE, b"", b"{}", b"[]", b"null", b"<prestashop/>", b"\x00\xff\xfe" * 10])
def claim_a_200_that_is_not_the_api_proves_nothing(world: World, body: bytes) -> None:
    with closing(world.shop()) as shop:
        held, other = things(world, shop, 1, 1)
        spoil(world, instead(answer(200, body, "content-type: text/html")))
        outcomes = shop.deliver(Q, [owe(held, 2), owe(other, 3)])
        assert [type(outcome) for outcome in outcomes] == [Unclear, Unclear]
        assert (holds(world, held), holds(world, other)) == (1, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def claim_every_5xx_leaves_a_write_unclear(world: World, status: int) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        spoil(world, instead(answer(status, b"")))
        (outcome,) = shop.deliver(Q, [owe(held, 2)])
        assert isinstance(outcome, Unclear)


@pytest.mark.parametrize(
    "said", [answer(200, MAINTENANCE), answer(503, b"", "retry-after: 9"), answer(500), answer(200, b"null")]
)
def claim_every_reading_of_a_shop_in_trouble_waits(world: World, said: bytes) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        calls: list[Callable[[], object]] = [
            shop.probe,
            lambda: shop.read(Q, [want(held)]),
            lambda: shop.read_page(Q, None),
            lambda: shop.find(Q, [want(held)]),
        ]
        with everything_spoiled(world, instead(said)):
            for call in calls:
                with pytest.raises(ShopUnavailable) as caught:
                    call()
                assert world.secret not in str(caught.value)
            assert any(finding.verdict == "error" for finding in shop.check())
        assert shop.read(Q, [want(held)])[held.key].value == 1


def claim_closing_ends_a_write_under_way_as_unclear(world: World) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        shop.close()
    shop = world.shop(timeout=15.0)
    shop.read(Q, [want(held)])
    spoil(world, hang_after_apply)
    before = writes(world)

    def close_when_it_hangs() -> None:
        while writes(world) == before:
            time.sleep(0.01)
        time.sleep(0.1)
        shop.close()

    closer = threading.Thread(target=close_when_it_hangs, daemon=True)
    closer.start()
    started = time.monotonic()
    outcomes = shop.deliver(Q, [owe(held, 2)])
    assert [type(outcome) for outcome in outcomes] == [Unclear]
    assert time.monotonic() - started < 5
    closer.join()
