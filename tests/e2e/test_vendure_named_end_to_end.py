"""The whole way of categories, parameters and firms on a real Vendure: three levels of categories, parameters of every
type, manufacturers and suppliers, renamed, moved, hidden and deleted in POHODA; each time both sides are equal.

The agent is a process of its own; what the shop must show is reckoned, and what it shows is read, without it. The
shop's owner works in it by hand all the time, and nothing of his is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.demo import pohoda
from agent.demo.office import Office

from . import named_work as work
from .named_agent import TIMEOUT, Agent
from .named_owner import Owner
from .named_reading import MARKS, Reader
from .named_reckoning import STORES, fold
from .named_stage import Stage
from .vendure import USER, running_vendure

pytestmark = pytest.mark.timeout(900)  # the first run on a machine installs
CARDS = 100
"""Rows of SKz: about 70 codes, of which many lie in two stores."""
STRANGERS = ["Cizí-1", "CIZÍ 2", "cizi-3"]
"""Codes of products that POHODA has no card of."""
TARGETS = ("categories", "categories.products", "parameters.terms", "parameters", "suppliers.firms", "suppliers")
CONFIG = f"""\
[shop]
name = "e2e"
kind = "vendure"
url = "{{url}}"
user = "{USER}"
password = "${{{{SHOP_PASSWORD}}}}"
timeout = "{TIMEOUT:g}s"
[state]
file = "state.db"
[pohoda]
database = "pohoda.db"
documents = "documents"
[targets.products]
{{common}}
create = true
fields = ["name", "visible"]
[targets.prices]
{{common}}
[targets.categories]
{{common}}
root = "{{root}}"
when_gone = "{{when_gone}}"
[targets.parameters]
{{common}}
[targets.suppliers]
{{common}}
"""


def configure(stage: Stage) -> None:
    """Write the configuration."""
    common = f'stores = ["{STORES[0]}", "{STORES[1]}"]\npoll = "500ms"'
    text = CONFIG.format(url=stage.owner.server.url, common=common, root=stage.base, when_gone=stage.when_gone)
    (stage.folder / "eshop.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """POHODA with a range, a shop in which its owner has begun, and a configuration; the agent does not run."""
    documents = tmp_path / "documents"
    pohoda.create(tmp_path / "pohoda.db", cards=CARDS, seed=7, catalogue=True, documents=documents)
    with closing(Office(tmp_path / "pohoda.db", documents)) as office, running_vendure(tmp_path / "shop") as server:
        work.spell(office)
        owner, reader = Owner(server), Reader(server)
        owner.speak_czech()
        offered = pohoda.codes(tmp_path / "pohoda.db")[:4]
        server.create_products([*STRANGERS, offered[0].lower(), *offered[1:3]], quantity=5)
        base = owner.collection("Sortiment")
        made = Stage(tmp_path, Agent(tmp_path, len(TARGETS) + 2), owner, office, reader, base, reader.read())
        furnish(made, offered)
        configure(made)
        yield made
        made.agent.kill()


def furnish(stage: Stage, offered: list[str]) -> None:
    """Categories, facets and marks of the owner's: some under names that POHODA has, too."""
    owner = stage.owner
    owner.collection("Nářadí", of=[STRANGERS[0]])  # beside the root, under a name of ours
    (summer,) = owner.facet("Kampaň", ["Léto"])
    same = owner.collection("NÁŘADÍ ", stage.base, value=summer)
    owner.given.add(same)
    owner.facet("barva", ["ČERVENÁ", "fialová"])
    owner.facet("výrobce", ["kovo příbram"])
    for sku in (STRANGERS[0], STRANGERS[1], offered[0].lower()):
        owner.mark(sku, summer)
        stage.marks[sku.casefold()] = frozenset({("kampaň", "léto")})
    violet = owner.named("barva", "fialová")
    owner.mark(STRANGERS[0], violet)
    stage.marks[STRANGERS[0].casefold()] |= {("barva", "fialová")}
    stage.ever |= {("kampaň", "léto"), ("barva", "fialová"), ("barva", "červená"), ("výrobce", "kovo příbram")}
    stage.others[work.at(stage.office, "Nářadí")] = frozenset({STRANGERS[0], STRANGERS[1], offered[0].lower()})


# ---------------------------------------------------------------------------------------------------------- test


def test_both_sides_are_equal_after_a_range_was_renamed_moved_and_deleted_amid_a_kill(stage: Stage) -> None:
    with stage.agent.running():
        begin(stage)
        work_by_hand(stage)
        change(stage)
        retry(stage)
        delete_much(stage)
    hide_instead(stage)
    assert "Traceback" not in stage.agent.log()


def begin(stage: Stage) -> None:
    """The first synchronisation; the agent is killed while it creates categories and firms."""
    had = len(stage.begin.nodes)
    count = "SELECT count(*) FROM link WHERE thing IN ('category', 'term', 'firm') AND link IS NOT NULL"
    stage.note()
    stage.agent.wait_until(
        "nothing is created", lambda: stage.agent.open_work() < 1000 and stage.agent.ask(count)[0][0] > 25, 60
    )
    stage.agent.kill_amid(20)
    stage.assert_equal()
    assert stage.places[work.at(stage.office, "Nářadí")] in stage.owner.given
    assert len(stage.expected.categories) == 32
    assert {len(stage.expected.path(row)) for row in stage.expected.categories} == {1, 2, 3}
    assert len(stage.reader.read().nodes) == had + 2 + 31


def work_by_hand(stage: Stage) -> None:
    """The owner adds categories beside and below ours, marks, and a product in a category of ours: all stay."""
    owner, places, office = stage.owner, stage.places, stage.office
    gifts = owner.collection("Dárky", stage.base, of=[STRANGERS[2]])
    owner.move(gifts, stage.base, 1)
    mine = pohoda.codes(stage.folder / "pohoda.db")[5]
    owner.collection("Tipy", places[work.at(office, "Zahrada", "Zavlažování")], of=[mine])
    owner.collection("Výprodej", places[work.at(office, "Připravujeme", "Novinky", "Jaro")], of=[STRANGERS[1]])
    winter, pink = owner.values(owner.named("Kampaň"), ["Zima"]) + owner.values(owner.named("barva"), ["růžová"])
    owner.mark(mine, winter)
    stage.marks[mine.casefold()] = frozenset({("kampaň", "zima")})
    owner.mark(STRANGERS[2], pink, owner.named(MARKS, "Zahrada"))
    stage.marks[STRANGERS[2].casefold()] = frozenset({("barva", "růžová"), (fold(MARKS), "zahrada")})
    stage.others[work.at(office, "Zahrada")] = frozenset({STRANGERS[2]})
    stage.ever |= {("kampaň", "zima"), ("barva", "růžová")}
    stage.assert_equal()


def change(stage: Stage) -> None:
    """Everything changes; the agent is killed amid it, and more changes while it is away. Some cannot be sent."""
    office = stage.office
    spring = work.at(office, "Připravujeme", "Novinky", "Jaro")
    work.rebuild(office)
    tangled = work.entangle(office)
    work.sort_cards(office)
    work.label_otherwise(office, 0)
    office.tree.delete(spring)
    stage.refused = {spring}
    stage.note()
    stage.agent.wait_until("nothing to do", lambda: stage.agent.open_work() > 15, 60)

    def away() -> None:
        work.change_again(office)
        work.label_otherwise(office, 1)
        work.name_otherwise(office)
        stage.note()

    stage.agent.kill_amid(10, away)
    work.label_otherwise(office, 2)
    stage.dead = {("categories", str(spring)): "Move or delete those in Vendure"} | {
        ("categories", str(row)): "Move the category below another one" for row in tangled
    }
    stage.assert_equal()
    work.disentangle(office, tangled)
    for row in tangled:
        del stage.dead["categories", str(row)]
    stage.assert_equal()


def retry(stage: Stage) -> None:
    """What was in the way of a deletion is moved away by the owner: a retry deletes."""
    ((_, key),) = stage.dead
    (sale,) = [one for one, made in stage.owner.collections.items() if made.name == "Výprodej"]
    stage.owner.move(sale, stage.base, 0)
    stage.agent.command("outbox", "retry", "--all", "--target", "categories")
    stage.refused, stage.dead = set(), {}
    stage.assert_equal()
    assert int(key) not in stage.expected.categories


def delete_much(stage: Stage) -> None:
    """A branch with more than a fifth of the categories is deleted: nothing moves before it is approved."""
    office = stage.office
    (tips,) = [one for one, made in stage.owner.collections.items() if made.name == "Tipy"]
    stage.owner.move(tips, stage.base, 0)
    garden = work.at(office, "Zahrada")
    gone = {str(row) for row in office.tree.delete(garden)}
    assert len(gone) >= 8
    agent = stage.agent
    agent.wait_until("nothing is held", lambda: {k for t, k in agent.letters("held") if t == "categories"} == gone, 60)
    agent.wait_for_rest()
    assert {n.id for n in stage.reader.read().nodes.values()} >= {
        stage.places[int(key)] for key in gone if int(key) in stage.places
    }
    for target in ("categories", "categories.products"):
        agent.command("outbox", "approve", "--all", "--target", target)
    stage.marks[STRANGERS[2].casefold()] -= {(fold(MARKS), "zahrada")}  # what is marked with it goes with a category
    del stage.others[garden]
    stage.assert_equal()


def hide_instead(stage: Stage) -> None:
    """With when_gone = "hide" what is deleted in POHODA is hidden; at the end nothing is to be sent."""
    stage.when_gone = "hide"
    configure(stage)
    with stage.agent.running():
        stage.assert_equal()
        stage.office.tree.delete(work.at(stage.office, "Dílna & sklad", "Chemie"))
        stage.assert_equal()
        assert sum(one.gone for one in stage.expected.categories.values()) == 2
        for target in TARGETS:
            said = stage.agent.plan(target)
            assert (said["to_send"], said["differences"]) == (0, []), (target, said)
            assert said["equal"] == said["offered"], (target, said)
