"""Products, prices and pictures from POHODA to the shop by the real agent: what is there, what is not, what changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.demo import goods, pohoda
from agent.demo.prestashop import FakePrestaShop
from tests.contract.prestashop_world import PrestaShopWorld
from tests.contract.world import Seen
from tests.fault_server import FaultProxy
from tests.scenario.stage import Stage

FIELDS = ["name", "description", "ean", "weight", "visible"]


class Catalogue:
    """A POHODA with texts, prices and pictures, and a shop that has every second of its cards."""

    def __init__(self, play: Stage) -> None:
        self.play = play
        self.documents = play.folder / "Dokumenty"
        play.database.unlink()
        for beside in play.folder.glob("pohoda.db-*"):
            beside.unlink()
        pohoda.create(play.database, stores=("HLAVNI",), cards=12, catalogue=True, documents=self.documents)
        play.sql(
            "UPDATE SKz SET IObchod = 1, Template = 0, RelSkTyp = 1, StavZ = 5, Rezer = 0, ObjedP = 0, RelDPHp = 2"
        )
        self.codes = [code.strip() for (code,) in play.sql("SELECT IDS FROM SKz ORDER BY ID")]
        play.shop.add_products((code, 1) for code in self.codes[::2])
        table = '\n[targets.{}]\npoll = "100ms"\n{}\n'
        more = {
            "products": f"fields = {FIELDS}\ncreate = true",
            "prices": 'price_drop_guard = "off"',
            "images": "",
        }
        config = play.configure(pohoda__documents=str(self.documents), quantities__zero_guard="off")
        text = config.read_text(encoding="utf-8")
        config.write_text(text + "".join(table.format(name, body) for name, body in more.items()), encoding="utf-8")

    def shown(self, code: str) -> Seen:
        (seen,) = PrestaShopWorld(self.play.shop, FaultProxy.__new__(FaultProxy)).seen(code)
        return seen

    def pictures(self, code: str) -> list[str]:
        """The files of a card, as POHODA orders them."""
        sql = (
            "SELECT p.Soubor FROM SkRefObraz p JOIN SKz k ON k.ID = p.RefAg WHERE k.IDS = ?"
            " ORDER BY p.Vychozi DESC, p.OrderFld, p.ID"
        )
        return [file for (file,) in self.play.sql(sql, code)]

    def differences(self) -> list[str]:
        """What differs between the two sides, by an independent reading of both."""
        found: list[str] = []
        stock = self.play.shop.quantities()
        for code, name, ean, net, pieces in self.play.sql("SELECT TRIM(IDS), Nazev, EAN, ProdejKc, StavZ FROM SKz"):
            seen = self.shown(code)
            sides = {
                "name": (seen.fields["name"], " ".join(name.split())),
                "ean": (seen.fields["ean"], ean or ""),
                "price": (float(seen.price), float(net)),
                "pictures": (len(seen.pictures), len(self.pictures(code))),
                "pieces": (stock[code], int(pieces)),
            }
            found += [
                f"{code} {what}: {there!r} for {here!r}" for what, (there, here) in sides.items() if there != here
            ]
        return found


@pytest.fixture
def catalogue(play: Stage) -> Catalogue:
    return Catalogue(play)


def test_everything_arrives_and_what_is_missing_is_created_once(catalogue: Catalogue) -> None:
    said = catalogue.play.once()
    assert said.code == 0, said.all
    assert catalogue.differences() == []
    assert sorted(catalogue.play.shop.quantities()) == sorted(catalogue.codes), "no code twice"
    assert catalogue.play.once().code == 0
    assert len(catalogue.play.shop.creations()) == 6
    uploads = len(catalogue.play.shop.uploads())
    assert uploads == sum(len(catalogue.pictures(code)) for code in catalogue.codes)


def test_changes_of_texts_prices_and_pictures_arrive_and_nothing_else_is_written(catalogue: Catalogue) -> None:
    play = catalogue.play
    assert play.once().code == 0
    uploads, creations = len(play.shop.uploads()), len(play.shop.creations())
    code = next(code for code in catalogue.codes if catalogue.pictures(code))
    play.sql("UPDATE SKz SET Nazev = 'Žluťoučký kůň', ProdejKc = 164.46, ProdejDPH = 199 WHERE IDS = ?", code)
    (card,) = play.sql("SELECT ID FROM SKz WHERE IDS = ?", code)[0]
    (catalogue.documents / "Obrázky" / "nový.png").write_bytes(goods.png(4711))
    play.sql("INSERT INTO SkRefObraz (RefAg, Soubor, Vychozi, OrderFld) VALUES (?, 'nový.png', 0, 99)", card)
    assert play.once().code == 0
    assert catalogue.differences() == []
    assert catalogue.shown(code).fields["name"] == "Žluťoučký kůň"
    assert (len(play.shop.uploads()) - uploads, len(play.shop.creations()) - creations) == (1, 0)


def test_a_picture_whose_file_is_missing_is_a_dead_letter_and_goes_when_the_file_appears(catalogue: Catalogue) -> None:
    play = catalogue.play
    code = next(code for code in catalogue.codes if catalogue.pictures(code))
    file = catalogue.documents / "Obrázky" / catalogue.pictures(code)[0]
    data = file.read_bytes()
    file.unlink()
    play.once()
    dead = play.cli("outbox", "list", "--dead", "--json").json
    assert [one["target"] for one in dead] == ["images"]
    assert str(file) in dead[0]["reason"]
    file.write_bytes(data)
    assert play.once().code == 0
    assert catalogue.differences() == []


def test_a_product_with_pictures_of_others_is_left_alone_until_both_are_wanted(catalogue: Catalogue) -> None:
    play = catalogue.play
    code = next(code for code in catalogue.codes[::2] if catalogue.pictures(code))
    foreign = PrestaShopWorld(play.shop, FaultProxy.__new__(FaultProxy)).add_picture(code)
    play.once()
    (dead,) = play.cli("outbox", "list", "--dead", "--json").json
    assert (dead["target"], dead["code"].strip()) == ("images", code)
    assert "existing" in dead["hint"]
    assert [picture.id for picture in catalogue.shown(code).pictures] == [foreign]
    text = play.config.read_text(encoding="utf-8")
    play.config.write_text(text.replace("[targets.images]", '[targets.images]\nexisting = "keep"'), encoding="utf-8")
    assert play.cli("outbox", "retry", "--target", "images", code).code == 0
    assert play.once().code == 0
    assert len(catalogue.shown(code).pictures) == 1 + len(catalogue.pictures(code))


def test_a_card_that_loses_its_tick_is_hidden_and_at_zero(catalogue: Catalogue) -> None:
    play = catalogue.play
    assert play.once().code == 0
    code = catalogue.codes[3]
    play.sql("UPDATE SKz SET IObchod = 0 WHERE IDS = ?", code)
    assert play.once().code == 0
    assert catalogue.shown(code).fields["visible"] is False
    assert play.shop.quantities()[code] == 0


def test_plan_of_products_and_prices_agrees_after_a_run(catalogue: Catalogue) -> None:
    play = catalogue.play
    before = {target: play.cli("plan", "--target", target, "--json").json for target in ("products", "prices")}
    assert all(plan["to_send"] for plan in before.values())
    assert play.once().code == 0
    for target in ("products", "prices"):
        assert play.cli("plan", "--target", target, "--json").json["differences"] == []


def test_a_state_file_that_knew_quantities_only_learns_the_rest(catalogue: Catalogue) -> None:
    play = catalogue.play
    whole = play.config.read_text(encoding="utf-8")
    play.config.write_text(whole.partition("[targets.products]")[0], encoding="utf-8")
    play.once()  # the codes that the shop does not have are dead letters
    play.config.write_text(whole, encoding="utf-8")
    play.once()  # which are tried again by a person, or by their next change
    with closing(sqlite3.connect(play.state)) as db:
        assert db.execute("SELECT count(*) FROM delivery WHERE status = 'pending'").fetchone() == (0,)
    assert play.cli("outbox", "retry", "--all").code == 0
    assert play.once().code == 0
    assert catalogue.differences() == []


def test_pictures_without_a_folder_are_a_problem_of_the_configuration(tmp_path: Path) -> None:
    with FakePrestaShop() as shop:
        play = Stage(tmp_path, shop)
        config = play.configure()
        config.write_text(config.read_text(encoding="utf-8") + "\n[targets.images]\n", encoding="utf-8")
        said = play.cli("check")
        assert said.code == 2
        assert "pohoda.documents" in said.err
