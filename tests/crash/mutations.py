"""Broken builds: mistakes that lose money. The crash test must catch each of them, or it proves nothing.

A build is a copy of the code with a place or two changed; the changes must apply, or the test fails.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.crash.child import ROOT

MUTATIONS: dict[str, list[tuple[str, str, str]]] = {
    "cursor-before-commit": [
        (
            "agent/ingest.py",
            '            failpoint.reach("before-ingest-commit")\n',
            (
                "            with self.state.write() as early:\n"
                "                cursors.remember(early, self.source.name, present.seen, present.gone)\n"
                '            failpoint.reach("before-ingest-commit")\n'
            ),
        )
    ],
    "settle-before-answer": [
        (
            "agent/dispatch.py",
            "        outcomes, found = self._deliver(batch)\n",
            (
                "        early = [settle.Settled(row.id, row.target, row.key, confirmed=row.value) for row in batch]\n"
                "        with self.state.write() as db:\n"
                "            settle.delivered(db, early, now=now)\n"
                "        outcomes, found = self._deliver(batch)\n"
            ),
        )
    ],
    "shadow-while-pending": [
        (
            "state/outbox.py",
            "        if old is None and not entry.force",
            "        if not entry.force",
        )
    ],
    "create-without-a-look": [
        (
            "agent/dispatch.py",
            "self._look_for(standing.unknown(batch))",
            "self._look_for([] if self.target.creates else standing.unknown(batch))",
        )
    ],
    "upload-without-a-look": [
        (
            "agent/dispatch.py",
            "        held = self.shop.read(self.target.name, wanted) if wanted else {}\n",
            "        held: dict[str, Held] = {}\n",
        ),
        (
            "agent/readback.py",
            "        tried = shadows.tried(db, target.thing, list(links)) if own else {}\n",
            "        tried: dict[str, str] = {}\n",
        ),
        (
            "agent/shops/prestashop_images.py",
            "        order = [one for one in now.ids if one not in foreign]\n",
            (
                "        ours = {sha: one for sha, one in link.ours.items() if one in now.ids}\n"
                "        foreign = set(link.foreign)\n"
                "        order = [one for one in now.ids if one not in foreign]\n"
            ),
        ),
    ],
    "place-before-rows": [
        (
            "agent/intake.py",
            '        failpoint.reach("before-intake-commit")\n',
            ('        self._commit(replace(taken, items=()), now)\n        failpoint.reach("before-intake-commit")\n'),
        )
    ],
    "category-without-a-look": [
        (
            "agent/dispatch.py",
            "self._look_for(standing.unknown(batch))",
            "self._look_for([] if self.target.name == 'categories' else standing.unknown(batch))",
        )
    ],
    "term-without-a-rest": [
        (
            "agent/answers.py",
            "    late = now + 10 * timeout\n",
            "    late = now + (0 if target.thing == 'term' else 10) * timeout\n",
        )
    ],
    "state-without-a-look": [
        (
            "agent/shops/prestashop_orders.py",
            "            if orders.is_due(part, job.wish, states):\n",
            "            if True:\n",
        )
    ],
    "stock-not-read-again": [
        ("agent/answers.py", "    if not codes:\n        return\n", "    if codes or True:\n        return\n")
    ],
}
"""Name -> changes as (file, text, text that replaces it)."""


def build(name: str, folder: Path) -> Path:
    """Copy the code into a folder and break it; returns the folder. Raises `LookupError` if the place is gone."""
    for package in ("agent", "state", "config"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in MUTATIONS[name]:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise LookupError(f"{name}: the place to break stands {text.count(old)} times in {file}")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder
