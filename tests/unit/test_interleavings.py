"""Random interleavings of everything that can happen to one shop, against the two promises.

At rest the shop holds what POHODA holds, for every code that it knows; and nothing older is sent after something newer
was confirmed, unless an unclear answer lay between. Hypothesis shrinks what breaks them to the shortest story.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.errors import ShopUnavailable, SourceUnavailable
from agent.events import Rejected, key_of
from agent.shops import in_flight
from state import targets
from tests.unit.memory_shop import Plan
from tests.unit.rig import TARGET, PowerCut, Rig, plugged

CODES = ("A", "B")
UNKNOWN = "Z"
"""A code that the shop does not know."""
PLANS: tuple[Plan, ...] = (
    "applied",
    "not applied",
    "late",
    "late",
    "untried",
    Rejected("no", "because"),
    ShopUnavailable("refused"),
    ShopUnavailable("slow down", retry_after=7.0),
    ShopUnavailable("not you", denied=True),
    RuntimeError("a bug in the adapter"),
)
POINTS = ("before-ingest-commit", "after-ingest-commit", "before-send", "after-send", "after-settle", "after-read-back")

codes = st.sampled_from(CODES)


class Rails(RuleBasedStateMachine):
    @initialize(
        batch=st.sampled_from([1, 2, 10]),
        chunk=st.sampled_from([1, 3, 100]),
        known=st.booleans(),
        working=st.booleans(),
    )
    def start(self, batch: int, chunk: int, known: bool, working: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.rig = Rig(self.folder, batch=batch, fast=True)
        self.plug = contextlib.ExitStack()
        self.plug.enter_context(plugged(self.rig))
        self.rig.source.chunk = chunk
        if working:  # the agent settles while the shop works
            self.rig.shop.during = in_flight.waiting
        self.history: dict[str, list[int]] = {key_of(code): [] for code in CODES}
        self.reached = {key_of(code): 0 for code in CODES}
        self.checked = 0
        self.late_since: float | None = None
        for number, code in enumerate(CODES):
            self.rig.shop.put(code, number)
            self.write(code, number)
        self.rig.source.set(UNKNOWN, 1)
        self.rig.take_in()  # a card that was never on offer would not be ours to set to 0
        if known:
            self.rig.settle()

    def write(self, code: str, pieces: int) -> None:
        self.rig.source.set(code, pieces)
        self.history[key_of(code)].append(pieces)

    @rule(code=codes, pieces=st.integers(0, 1))
    def a_value_changes(self, code: str, pieces: int) -> None:
        self.write(code, pieces)

    @rule(code=codes)
    def a_card_goes(self, code: str) -> None:
        if any(card.code == code for card in self.rig.source.cards.values()):
            self.rig.source.remove(code)
            self.history[key_of(code)].append(0)

    @rule(code=codes, pieces=st.lists(st.integers(0, 1), min_size=1, max_size=3))
    def a_value_changes_poll_by_poll(self, code: str, pieces: list[int]) -> None:
        for one in pieces:
            self.write(code, one)
            self.guarded(self.rig.take_in)

    @rule(code=codes, piece=st.integers(0, 1))
    def an_answer_is_lost_and_the_write_is_late(self, code: str, piece: int) -> None:
        self.rig.shop.plans[key_of(code)].append("late")
        self.write(code, piece)
        self.guarded(self.rig.run)

    @rule()
    def a_rest_ends(self) -> None:
        self.pass_time(2 * self.rig.timeout + 1)
        self.guarded(self.rig.run)

    @rule()
    def ingest(self) -> None:
        self.guarded(lambda: self.rig.ingest.step(self.rig.now))

    @rule()
    def dispatch(self) -> None:
        self.guarded(lambda: self.rig.dispatcher.step(self.rig.now))

    @rule(code=codes, plan=st.sampled_from(PLANS))
    def the_shop_will(self, code: str, plan: Plan) -> None:
        if len(self.rig.shop.plans[key_of(code)]) < 3:
            self.rig.shop.plans[key_of(code)].append(plan)

    @rule(code=codes, pieces=st.integers(0, 1))
    def a_value_changes_while_it_is_sent(self, code: str, pieces: int) -> None:
        def meanwhile() -> None:
            self.rig.shop.during = lambda: None
            self.write(code, pieces)
            self.guarded(lambda: self.rig.ingest.step(self.rig.now), plug=False)

        self.rig.shop.during = meanwhile

    @precondition(lambda self: self.rig.shop.late)
    @rule()
    def late_writes_land(self) -> None:
        self.rig.shop.land()
        self.late_since = None

    @rule(down=st.booleans())
    def the_shop_goes_down_or_up(self, down: bool) -> None:
        self.rig.shop.down = ShopUnavailable("down") if down else None

    @rule(point=st.sampled_from(POINTS))
    def the_power_will_go(self, point: str) -> None:
        self.rig.dies_at = point

    @rule()
    def restart(self) -> None:
        self.rig.restart()

    @rule(paused=st.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        with self.rig.state.write() as db:
            targets.pause(db, TARGET, paused=paused)

    @rule()
    def a_person_retries(self) -> None:
        self.rig.retry()

    @rule()
    def the_shop_is_read_anew(self) -> None:
        with self.rig.state.write() as db:
            targets.baseline(db, TARGET, "none")

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Let time pass. A late write lands within five timeouts, as every server's own limits make it."""
        if self.rig.shop.late and self.late_since is None:
            self.late_since = self.rig.now
        self.rig.now += seconds
        if self.late_since is not None and self.rig.now - self.late_since >= 5 * self.rig.timeout:
            self.rig.shop.land()
            self.late_since = None

    def guarded(self, act: object, *, plug: bool = True) -> None:
        assert callable(act)
        dies_at, self.rig.dies_at = self.rig.dies_at, self.rig.dies_at if plug else ""
        try:
            act()
        except PowerCut:
            self.rig.crash()
            dies_at = ""
        except SourceUnavailable:
            pass
        self.rig.dies_at = dies_at

    @invariant()
    def a_key_has_at_most_one_open_delivery_and_none_is_forgotten(self) -> None:
        rows = [row for row in self.rig.rows() if row["status"] in {"pending", "held"}]
        assert len({row["key"] for row in rows}) == len(rows)

    @invariant()
    def nothing_older_is_sent_after_something_newer(self) -> None:
        for key, value in self.rig.shop.sent[self.checked :]:
            history = self.history[key]
            later = [at for at in range(self.reached[key], len(history)) if history[at] == value]
            assert later, f"{key}: {value} is older than {history[self.reached[key]]}; {history}"
            self.reached[key] = later[0]
        self.checked = len(self.rig.shop.sent)

    def teardown(self) -> None:
        if not hasattr(self, "rig"):
            return
        try:
            self.come_to_rest()
        finally:
            self.plug.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def come_to_rest(self) -> None:
        rig = self.rig
        rig.dies_at, rig.shop.down, rig.shop.during = "", None, lambda: None
        for plans in rig.shop.plans.values():
            plans.clear()
        rig.shop.land()
        with rig.state.write() as db:
            targets.pause(db, TARGET, paused=False)
        rig.settle()
        rig.retry()
        rig.settle()
        for code in CODES:
            card = next((card for card in rig.source.cards.values() if card.code == code), None)
            assert rig.shop.held(code) == (card.pieces if card else 0), (code, rig.rows(), rig.shop.sent)
        self.nothing_older_is_sent_after_something_newer()
        assert list(rig.values("dead")) in ([], [key_of(UNKNOWN)])
        assert not rig.rows("pending")


Rails.TestCase.settings = settings(
    max_examples=400,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_at_rest_the_shop_holds_what_pohoda_holds = Rails.TestCase
