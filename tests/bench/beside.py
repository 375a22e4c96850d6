"""Measuring the program beside the floor: interleaved, medians, with the floor against itself as control.

A round is floor, program, floor, or the same from behind, so that a machine that grows slower or faster does so for
both. Each floor of a round is compared with the other: their median is `aa`, and far from 1 nothing here means much.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

Timed: TypeAlias = Callable[[], dict[str, float]]
"""Does one round of the work; returns seconds per phase."""
NOISY = (0.9, 1.1)
TRIES = 3
CPU = "cpu"
"""The phase that holds processor seconds instead of real ones."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The rounds: for each phase seconds of the program, and of both floors. Phases of the program alone are kept."""

    ours: dict[str, list[float]] = field(default_factory=dict)
    floor: dict[str, list[float]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    """Ours / the mean of both floors, round by round."""
    controls: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, phase: str) -> float:
        """Time ours / floor."""
        return median(self.times[phase])

    def control(self, phase: str) -> float:
        """Time floor / floor."""
        return median(self.controls[phase])

    @property
    def aa(self) -> float:
        """The control that is furthest from 1; processor time is told, not judged."""
        return furthest([self.control(phase) for phase in self.controls if phase != CPU])

    def note(self, ours: dict[str, float], one: dict[str, float], other: dict[str, float]) -> None:
        """Add a round."""
        for phase, seconds in ours.items():
            self.ours.setdefault(phase, []).append(seconds)
            if phase in one:
                mean = (one[phase] + other[phase]) / 2
                self.floor.setdefault(phase, []).append(mean)
                self.times.setdefault(phase, []).append(seconds / mean)
                self.controls.setdefault(phase, []).append(one[phase] / other[phase])


def furthest(controls: list[float]) -> float:
    """The one that is furthest from 1, above or below."""
    return max(controls, key=lambda control: max(control, 1 / control))


def calm(aa: float) -> bool:
    """Tell whether the control lies where it must."""
    return NOISY[0] <= aa <= NOISY[1]


def compare(ours: Timed, one: Timed, other: Timed, *, rounds: int) -> Beside:
    """Measure in rounds, after one that does not count; repeated while the control is off, at most `TRIES` times."""
    for work in (one, ours, other):
        work()
    found = Beside()
    for _ in range(TRIES):
        found = Beside()
        for number in range(rounds):
            turn = (one, ours, other) if number % 2 == 0 else (other, ours, one)
            first, mine, last = (_in_peace(work) for work in turn)
            found.note(mine, *((first, last) if number % 2 == 0 else (last, first)))
        if calm(found.aa):
            break
    return found


def _in_peace(work: Timed) -> dict[str, float]:
    """Run without the garbage of whoever ran before."""
    gc.collect()
    return work()


def verdict(aa: float) -> list[str]:
    """Say so when the machine never came to rest."""
    return [] if calm(aa) else [f"The control stayed off ({aa:.2f}) {TRIES} times: this machine is too noisy to judge."]
