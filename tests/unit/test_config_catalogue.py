"""Configurations of products, prices and pictures: what must be said, and what one table needs of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import Config, load
from agent.errors import ConfigError

SOUND = """\
[shop]
name = "eshop"
kind = "prestashop"
url = "https://shop.example"
key = "secret"

[state]
file = "state.db"

[pohoda]
database = "pohoda.db"
documents = "Dokumenty/Firma"

[targets.products]
fields = ["name", "visible"]
stores = ["HLAVNI", "PRODEJNA"]
create = true

[targets.prices]
round = "1"

[targets.images]
existing = "keep"
"""


def write(folder: Path, before: str = "", after: str = "", name: str = "eshop.toml") -> Path:
    assert before in SOUND
    path = folder / name
    path.write_text(SOUND.replace(before, after, 1), encoding="utf-8")
    return path


def sound(folder: Path, before: str = "", after: str = "") -> Config:
    (config,) = load([write(folder, before, after)], {})
    return config


def problems(*paths: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(paths, {})
    return caught.value.problems


def test_the_three_targets_need_no_quantities(tmp_path: Path) -> None:
    config = sound(tmp_path)
    assert config.targets.enabled() == ["products", "prices", "images"]
    assert config.pohoda.documents == tmp_path / "Dokumenty" / "Firma"


def test_what_is_left_out_has_the_documented_default(tmp_path: Path) -> None:
    targets = sound(tmp_path, 'round = "1"\n').targets
    assert targets.products is not None
    assert targets.prices is not None
    assert targets.images is not None
    assert (targets.products.texts_from, targets.products.when_gone, targets.products.poll) == ("", None, 5.0)
    assert (targets.prices.level, targets.prices.round, targets.prices.price_drop_guard) == ("", "none", 0.30)
    assert (targets.prices.poll, targets.images.poll, targets.images.existing) == (1.0, 10.0, "keep")
    rates = sound(tmp_path).pohoda.vat_rates
    assert (rates.high, rates.low, rates.third) == (21, 12, None)


def test_the_rates_of_another_country_are_a_table(tmp_path: Path) -> None:
    rates = sound(tmp_path, "[targets.prices]", "[pohoda.vat_rates]\nhigh = 23\nlow = 19\nthird = 5\n[targets.prices]")
    assert (rates.pohoda.vat_rates.high, rates.pohoda.vat_rates.third) == (23, 5)


def test_a_documents_folder_of_its_own_place_stays_there(tmp_path: Path) -> None:
    config = sound(tmp_path, '"Dokumenty/Firma"', f"'{tmp_path / 'x' / '..' / 'Obrázky'}'")
    assert config.pohoda.documents == tmp_path / "Obrázky"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('fields = ["name", "visible"]\n', "", 'targets.products.fields: is missing. Say what is overwritten'),
        ('["name", "visible"]', "[]", "targets.products.fields: must not be empty."),
        ('["name", "visible"]', '"name"', "targets.products.fields: write a list"),
        ('["name", "visible"]', '["name", "nazev"]', "products.fields.1: Input should be 'name', 'description'"),
        ('["name", "visible"]', '["ean"]', 'targets.products.create: a product cannot be created without a name'),
        ("create = true", 'create = false\nwhen_gone = "delete"', "when_gone: Input should be 'hide' or 'keep'"),
        ("create = true", 'texts_from = "JINY"', "texts_from: is not among stores: HLAVNI, PRODEJNA."),
        ('key = "secret"', 'key = "secret"\nlanguage = "Czech language"', "shop.language: write the code of a"),
        ('key = "secret"', 'key = "secret"\ncountry = "Česko"', "shop.country: write the two letters of the country"),
        ('key = "secret"', 'key = "secret"\nprices = "net"', "shop.prices: is not a key of this table."),
        ("create = true", "creat = true", "Did you mean 'create'?"),
        ('[targets.prices]\nround = "1"\n', "", "targets.products.create: without prices a new product would be sold"),
        ('round = "1"', "enabled = false", "targets.products.create: without prices a new product would be sold"),
        ('round = "1"', "round = 1", "targets.prices.round: Input should be 'none', '0.01', '0.1' or '1'"),
        ('round = "1"', 'price_drop_guard = "0%"', "price_drop_guard: write a share between 0% and 100%"),
        ('round = "1"', 'stores = ["A"]\nprices_from = "B"', "prices_from: is not among stores: A."),
        ('round = "1"', 'source = "exports"', "targets.prices.source: Input should be 'database' or 'export'"),
        ('round = "1"', 'source = "export"', "pohoda.export_directory: is missing"),
        ('round = "1"', 'source = "export"\nlevel = "VIP"', 'add level_prices = "net" or "gross"'),
        ('round = "1"', 'level = "VIP"\nlevel_prices = "net"', "is for an export only"),
        ('existing = "keep"', 'existing = "remove"', "existing: Input should be 'leave' or 'keep'"),
        ('documents = "Dokumenty/Firma"\n', "", "pohoda.documents: is missing, and [targets.images] needs it."),
        ('"Dokumenty/Firma"', "3", "pohoda.documents: write a text in quotes"),
        ('"Dokumenty/Firma"', '"x"\nvat_rates = { high = 210 }', "pohoda.vat_rates.high: Input should be less"),
        ('"Dokumenty/Firma"', '"x"\nvat_rates = { hihg = 21 }', "Did you mean 'high'?"),
        ('"Dokumenty/Firma"', '"x"\nvat_rates = { high = "21" }', "pohoda.vat_rates.high: write a number"),
    ],
)  # fmt: skip # one line per mistake
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path: Path, before: str, after: str, said: str) -> None:
    told = problems(write(tmp_path, before, after))
    assert any(said in one for one in told), told


def test_hiding_what_could_not_be_shown_again_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, 'fields = ["name", "visible"]', 'fields = ["name"]\nwhen_gone = "hide"')
    assert any('add "visible" to fields' in one for one in problems(path))


def test_pictures_that_are_switched_off_need_no_folder(tmp_path: Path) -> None:
    path = write(tmp_path, 'documents = "Dokumenty/Firma"\n')
    path.write_text(path.read_text(encoding="utf-8").replace('existing = "keep"', "enabled = false"), encoding="utf-8")
    (config,) = load([path], {})
    assert config.targets.enabled() == ["products", "prices"]


def test_two_files_must_not_write_the_same_prices_of_one_shop(tmp_path: Path) -> None:
    first, second = write(tmp_path), write(tmp_path, '"state.db"', '"other.db"', name="second.toml")
    told = problems(first, second)
    assert [text.split(": ")[1].split(" of ")[0] for text in told] == [
        "the target products",
        "the target prices",
        "the target images",
    ]
