"""What a source saw becomes what is owed, in one commit with the cursor; and the guard that holds a flood of zeros."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.entries import to_json
from agent.errors import SourceUnavailable
from agent.events import Rejected
from agent.ingest import CHUNK, CURSOR_EVERY, FIRST, same
from agent.targets.products import Products, ProductSettings
from state import cursors, letters, outbox
from state.errors import StateFullError
from tests.unit.rig import TARGET, Card, PowerCut, Rig, plugged


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with plugged(Rig(tmp_path, fast=True)) as made:
        yield made


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Rig]:
    """Fifty cards of 5 pieces on both sides; the guard holds above 20 %."""
    with plugged(Rig(tmp_path, share=0.2, fast=True)) as made:
        made.start_with(**{f"K{number:02}": 5 for number in range(50)})
        yield made


def zero(rig: Rig, *numbers: int) -> None:
    for number in numbers:
        rig.source.set(f"K{number:02}", 0)


# taking in


def test_events_fingerprints_and_cursor_are_one_commit(rig: Rig) -> None:
    rig.source.set("A", 1)
    rig.dies_at = "before-ingest-commit"
    with pytest.raises(PowerCut):
        rig.ingest.step(rig.now)
    rig.crash()
    with rig.state.read() as db:
        assert cursors.cursor_of(db, "stock") is None
        assert cursors.seen_keys(db, "stock", ["a"]) == []
        assert len(outbox.open_keys(db, TARGET)) == 0
    rig.take_in()
    assert rig.values("pending") == {"a": "1"}


def test_a_source_may_forget_only_after_the_commit(rig: Rig) -> None:
    rig.source.set("A", 1)
    rig.dies_at = "after-ingest-commit"
    with pytest.raises(PowerCut):
        rig.ingest.step(rig.now)
    assert rig.source.committed_batches == []
    rig.crash()
    rig.take_in()
    assert len(rig.source.committed_batches) == 1
    assert [row["value"] for row in rig.rows(key="a")] == ["1"], "seen, so it is not taken in twice"


def test_the_value_is_the_one_of_the_second_read_and_so_is_the_fingerprint(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    rig.source.between = lambda: rig.source.set("A", 3)
    rig.ingest.step(rig.now)
    assert rig.values("pending") == {"a": "3"}
    rig.source.between = lambda: None
    rig.source.set("A", 2)
    rig.take_in()
    assert rig.values("pending") == {"a": "2"}, "a value that came and went is not missed"


def test_a_first_pass_is_bulk_and_later_changes_are_live(rig: Rig) -> None:
    rig.source.chunk = 2
    for code in "ABC":
        rig.source.set(code, 1)
    rig.take_in()
    assert {row["lane"] for row in rig.rows("pending")} == {outbox.BULK}
    rig.source.set("D", 1)
    rig.take_in()
    assert [row["lane"] for row in rig.rows("pending", "d") if row["key"] == "d"] == [outbox.LIVE]


def test_a_large_batch_goes_in_chunks_and_a_crash_between_them_neither_loses_nor_doubles(rig: Rig) -> None:
    count = 2 * CHUNK + 7
    for number in range(count):
        rig.source.cards[number + 1] = Card(f"K{number}", 1)
    rig.dies_at = "after-ingest-commit"
    with pytest.raises(PowerCut):
        rig.ingest.step(rig.now)
    rig.crash()
    assert len(rig.rows("pending")) == FIRST
    with rig.state.read() as db:
        assert cursors.cursor_of(db, "stock") is None, "it moves with the last chunk only"
    rig.source.read_keys.clear()
    rig.take_in()
    assert len(rig.source.read_keys) == count - FIRST
    assert len(rig.rows()) == count


def test_a_renamed_code_changes_the_old_and_the_new_key(rig: Rig) -> None:
    rig.start_with(A=4)
    rig.shop.put("B", 0)
    rig.source.cards[1] = Card("B", 4)
    rig.run()
    assert (rig.shop.held("A"), rig.shop.held("B")) == (0, 4)


def test_a_deleted_or_unticked_card_goes_to_zero_and_one_that_was_never_on_offer_is_left_alone(rig: Rig) -> None:
    rig.source.set("NEVER", 3, offered=False)
    rig.shop.put("NEVER", 9)
    rig.start_with(A=4, B=4)
    rig.source.remove("A")
    rig.source.set("B", 4, offered=False)
    rig.source.set("NEVER", 4, offered=False)
    rig.run()
    assert [rig.shop.held(code) for code in ("A", "B", "NEVER")] == [0, 0, 9]


def test_a_value_that_cannot_be_made_is_a_dead_letter_that_names_the_field(rig: Rig) -> None:
    rig.start_with(A=4, B=4)
    rig.source.set("A", "many")
    rig.source.set("B", 5)
    rig.run()
    row = rig.rows("dead")[0]
    assert (row["key"], row["reason"], row["hint"]) == ("a", "pieces: not a number", "Correct the card.")
    assert rig.shop.held("B") == 5
    rig.source.set("A", 6)
    rig.run()
    assert rig.shop.held("A") == 6


@pytest.mark.parametrize("value", [10**30, "\ud800", {"b": 1, "a": [10**30]}])
def test_equal_values_are_equal_texts_even_if_they_are_nonsense(value: object) -> None:
    assert to_json(value) == to_json(value)
    assert to_json({"b": 1, "a": 2}) == '{"a":2,"b":1}'


def test_a_source_that_is_down_takes_nothing_and_loses_nothing(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    rig.source.down = SourceUnavailable("down")
    with pytest.raises(SourceUnavailable):
        rig.ingest.step(rig.now)
    rig.source.down = None
    rig.run()
    assert rig.shop.held("A") == 2


def test_what_cannot_be_written_is_read_again_when_there_is_room(rig: Rig) -> None:
    rig.start_with(A=1)
    for number in range(2000):
        rig.source.cards[number + 10] = Card(f"K{number}", 1)
    with rig.state.read() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StateFullError):
        rig.ingest.step(rig.now)
    committed = len(rig.source.committed_batches)
    with rig.state.read() as db:
        db.execute(f"PRAGMA max_page_count={2**30}")
    rig.take_in()
    assert len(rig.source.committed_batches) == committed + 1
    assert len(rig.rows("pending")) == 2000


def test_an_idle_poll_writes_nothing_except_now_and_then_the_cursor(rig: Rig) -> None:
    rig.start_with(A=1)
    with rig.state.read() as db:
        before = db.total_changes
        for _ in range(30):
            rig.now += 1
            rig.ingest.step(rig.now)
        assert db.total_changes == before
        rig.now += CURSOR_EVERY
        rig.ingest.step(rig.now)
        assert db.total_changes == before + 1


def test_ingest_wakes_dispatch_after_a_commit(rig: Rig) -> None:
    woken: list[int] = []
    rig.start_with(A=1)
    rig.ingest.wake = lambda: woken.append(len(rig.rows("pending")))
    rig.source.set("A", 2)
    rig.ingest.step(rig.now)
    assert woken == [1]


def test_the_first_of_many_changes_are_on_their_way_before_the_last_are_taken_in(rig: Rig) -> None:
    woken: list[int] = []
    for number in range(4 * FIRST):
        rig.source.cards[number + 1] = Card(f"K{number}", 1)
    rig.ingest.wake = lambda: woken.append(len(rig.rows("pending")))
    rig.take_in()
    assert woken == [FIRST, 3 * FIRST, 4 * FIRST]


# what a person asked for


def test_what_is_asked_for_while_a_chunk_is_on_its_way_is_not_lost(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)

    def ask() -> None:
        with rig.state.write() as db:
            cursors.ask_reread(db, TARGET, [("a", "A")], lane=outbox.LIVE)

    rows = rig.source.rows
    asked: list[bool] = []

    class Asking:
        """The source, beside which a command asks for a key in the middle of a step."""

        def __getattr__(self, name: str) -> object:
            return getattr(rig.source, name)

        def rows(self, *given: object) -> object:
            if not asked:
                asked.append(True)
                ask()
            return rows(*given)  # type: ignore[arg-type]  # passed through

    rig.ingest.source = Asking()  # type: ignore[assignment]  # all but one method is the source's
    rig.ingest.step(rig.now)
    with rig.state.read() as db:
        assert cursors.rereads(db, TARGET, 10) == [("a", "A", outbox.LIVE)]


def test_many_keys_that_a_person_asked_for_are_read_without_waiting_for_the_next_poll(rig: Rig) -> None:
    rig.start_with(A=1)
    with rig.state.write() as db:
        asked = [(f"k{number}", f"K{number}") for number in range(CHUNK + 1)]
        cursors.ask_reread(db, TARGET, asked, lane=outbox.LIVE)
    assert rig.ingest.step(rig.now)
    rig.take_in()
    with rig.state.read() as db:
        assert cursors.rereads(db, TARGET, 10) == []


# the guard


def test_a_flood_of_zeros_waits_and_all_else_flows(guarded: Rig) -> None:
    rig = guarded
    zero(rig, *range(20))
    for number in range(20, 30):
        rig.source.set(f"K{number:02}", 6)
    rig.run()
    assert sorted(rig.shop.sent) == [(f"k{number}", 6) for number in range(20, 30)]
    held = rig.rows("held")
    assert len(held) == 20
    assert {row["reason"] for row in held} == {"20 of 50 would go to 0"}
    assert "outbox approve" in held[0]["hint"]


def test_a_few_zeros_go_at_the_end_of_their_pass(guarded: Rig) -> None:
    rig = guarded
    zero(rig, 1, 2)
    rig.run()
    assert sorted(rig.shop.sent) == [("k01", 0), ("k02", 0)]


def test_the_guard_judges_a_whole_pass_and_not_its_chunks(guarded: Rig) -> None:
    rig = guarded
    rig.source.chunk = 5
    zero(rig, *range(20))
    for _ in range(30):
        rig.ingest.step(rig.now)
        rig.send()
    assert rig.shop.sent == []
    assert len(rig.rows("held")) == 20


def test_four_percent_a_poll_do_not_slip_through_the_sliding_hour(guarded: Rig) -> None:
    rig = guarded
    for number in range(0, 30, 2):
        zero(rig, number, number + 1)
        rig.run()
        rig.now += 60
    assert len(rig.shop.sent) == 10, "a fifth of fifty, and then no more"
    assert len(rig.rows("held")) == 20
    rig.now += 3600
    rig.ingest.step(rig.now)
    assert len(rig.rows("held")) == 20, "what is held together is judged together, whatever the hour"


def test_what_was_counted_is_counted_once_however_often_it_is_seen(guarded: Rig) -> None:
    rig = guarded
    rig.shop.down = rig.shop.probe_down = None
    zero(rig, *range(8))
    rig.take_in()
    for spelling in range(3):
        for number in range(8):
            rig.source.cards[number + 1] = Card(f"K{number:02}" + " " * (spelling + 1), 0)
        rig.take_in()
    assert len(rig.values("pending")) == 8
    assert rig.values("held") == {}


def test_values_that_come_back_release_themselves_and_what_is_held_with_them(guarded: Rig) -> None:
    rig = guarded
    zero(rig, *range(20))
    rig.run()
    for number in range(15):
        rig.source.set(f"K{number:02}", 5)
    rig.run()
    assert rig.values("held") == {}
    assert [rig.shop.held(f"K{number:02}") for number in range(20)] == [5] * 15 + [0] * 5


def test_what_was_approved_no_longer_counts(guarded: Rig) -> None:
    rig = guarded
    zero(rig, *range(20))
    rig.run()
    rig.approve(*(f"k{number:02}" for number in range(15)))
    rig.run()
    assert rig.values("held") == {}, "five of fifty are no flood"
    zero(rig, 30, 31, 32, 33, 34)
    rig.run()
    assert rig.values("held") == {}
    zero(rig, 40)
    rig.run()
    assert rig.values("held") == {"k40": "0"}


def test_an_approval_is_for_the_zero_that_was_seen_and_not_for_all_that_follow(guarded: Rig) -> None:
    rig = guarded
    zero(rig, *range(20))
    rig.run()
    rig.shop.down = rig.shop.probe_down = None
    rig.approve()
    rig.source.set("K00", 3)
    rig.take_in()
    zero(rig, *range(20, 40))
    zero(rig, 0)
    rig.take_in()
    assert "k00" in rig.values("held")
    assert "k01" in rig.values("pending")


def test_held_rows_survive_a_restart(guarded: Rig) -> None:
    rig = guarded
    zero(rig, *range(20))
    rig.run()
    rig.crash()
    rig.run()
    assert len(rig.values("held")) == 20
    assert rig.shop.sent == []


def test_a_zero_is_counted_though_what_the_shop_holds_was_forgotten(guarded: Rig) -> None:
    rig = guarded
    for number in range(15):
        rig.source.set(f"K{number:02}", 0)
    rig.take_in()
    assert len(rig.rows("held")) == 15
    with rig.state.write() as db:
        letters.discard(db, TARGET, None, status="held", now=rig.now)
        cursors.ask_recompute(db, TARGET)
    rig.run()
    assert rig.shop.sent == []
    assert len(rig.rows("held")) == 15, "discarded means: do not send; and nobody has said that it may be sent now"


def test_dead_letters_that_go_to_zero_together_are_held(guarded: Rig) -> None:
    rig = guarded
    for number in range(15):
        rig.shop.plans[f"k{number:02}"].append(Rejected("no", "because"))
        rig.source.set(f"K{number:02}", 4)
    rig.run()
    assert len(rig.rows("dead")) == 15
    sent = len(rig.shop.sent)
    for number in range(15):
        rig.source.set(f"K{number:02}", 0)
    rig.run()
    assert len(rig.shop.sent) == sent
    assert len(rig.rows("held")) == 15


def test_a_code_that_the_shop_never_had_is_not_counted(guarded: Rig) -> None:
    rig = guarded
    for number in range(30):
        rig.source.set(f"NEW{number:02}", 0)
    rig.run()
    assert rig.rows("held") == []
    assert len(rig.rows("dead")) == 30


def test_what_is_asked_for_again_is_judged_as_a_whole(tmp_path: Path) -> None:
    with plugged(Rig(tmp_path, share=0.2, batch=100, fast=True)) as rig:
        rig.start_with(**{f"K{number:04}": 5 for number in range(1600)})
        for number in range(1200):
            rig.source.set(f"K{number:04}", 0)
        with rig.state.write() as db:
            keys = [(f"k{number:04}", f"K{number:04}") for number in range(1200)]
            cursors.ask_reread(db, TARGET, keys, lane=outbox.BULK)
        rig.run()
        assert rig.shop.sent == []
        assert len(rig.rows("held")) == 1200


def test_a_value_that_cannot_be_made_is_said(guarded: Rig, caplog: pytest.LogCaptureFixture) -> None:
    guarded.source.set("K01", "many")
    with caplog.at_level("WARNING"):
        guarded.take_in()
    (said,) = [record for record in caplog.records if "dead letter" in record.getMessage()]
    assert "pieces: not a number" in said.getMessage()
    assert (said.__dict__["key"], said.__dict__["hint"]) == ("k01", "Correct the card.")


def test_a_field_that_is_added_to_those_kept_in_sync_is_sent_though_the_rest_is_equal() -> None:
    products = Products(ProductSettings(fields=("name", "ean")))
    assert same(products, '{"ean": "8590000000001", "name": "A  b"}', '{"ean": "8590000000001", "name": "A b"}')
    assert same(products, '{"name": "A"}', '{"name": "A", "weight": "1"}')
    assert not same(products, '{"ean": "8590000000001", "name": "A"}', '{"name": "A"}')
