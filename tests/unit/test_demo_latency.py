"""The demo's stopwatch: what it counts as accepted."""

from __future__ import annotations

from agent.demo.latency import Stopwatch, percentile


def test_a_change_is_accepted_by_the_first_write_of_its_value() -> None:
    watch = Stopwatch()
    assert watch.committed("a", 5, at=1.0)
    watch.written("a", 5, at=1.4)
    watch.written("a", 5, at=9.0)
    assert [round(taken, 3) for _, taken in watch.seconds] == [0.4]


def test_a_write_of_a_later_value_accepts_what_waited_with_it() -> None:
    watch = Stopwatch()
    watch.committed("a", 5, at=1.0)
    watch.committed("a", 4, at=1.5)
    watch.written("a", 4, at=2.0)
    assert sorted(round(taken, 3) for _, taken in watch.seconds) == [0.5, 1.0]
    assert watch.waiting() == 0


def test_a_write_of_an_older_value_does_not_accept_a_newer_change() -> None:
    watch = Stopwatch()
    watch.committed("a", 5, at=1.0)
    watch.committed("a", 4, at=1.5)
    watch.written("a", 5, at=1.7)
    assert watch.waiting() == 1


def test_a_write_that_comes_before_the_report_of_its_commit_counts() -> None:
    watch = Stopwatch()
    watch.written("a", 5, at=1.2)
    watch.committed("a", 5, at=1.0)
    assert [round(taken, 3) for _, taken in watch.seconds] == [0.2]


def test_a_write_before_the_commit_is_not_its_acceptance() -> None:
    watch = Stopwatch()
    watch.written("a", 5, at=0.9)
    watch.committed("a", 5, at=1.0)
    assert watch.waiting() == 1


def test_a_change_that_leaves_the_quantity_is_not_counted() -> None:
    watch = Stopwatch()
    watch.know({"a": 5})
    assert not watch.committed("a", 5, at=1.0)
    assert watch.waiting() == 0


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentile([], 0.5) == 0.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
