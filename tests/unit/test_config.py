"""Reading configurations: every problem at once, with file, key and remedy; no secret in any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.config import Config, find_configs, load
from agent.errors import ConfigError
from agent.settings import PrestaShopTable

SOUND = """\
[shop]
name = "eshop"
kind = "prestashop"
url = "https://shop.example"
key = "${SHOP_KEY}"

[state]
file = "state.db"

[pohoda]
database = "pohoda.db"

[targets.quantities]
deduct = "none"
"""
ENVIRONMENT = {"SHOP_KEY": "top-secret-key"}


def write(folder: Path, text: str = SOUND, name: str = "eshop.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sound(folder: Path, text: str = SOUND) -> Config:
    (config,) = load([write(folder, text)], ENVIRONMENT)
    return config


def problems(*paths: Path, environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(paths, ENVIRONMENT if environment is None else environment)
    assert caught.value.hint
    assert not any("top-secret-key" in text for text in (str(caught.value), *caught.value.problems))
    return caught.value.problems


def problem(folder: Path, before: str, after: str, *, environment: dict[str, str] | None = None) -> str:
    """Change one place of a sound file; returns the one problem that follows."""
    assert before in SOUND
    path = write(folder, SOUND.replace(before, after))
    (only,) = problems(path, environment=environment)
    assert only.startswith(f"{path}: ")
    return only.removeprefix(f"{path}: ")


def database_of(config: Config) -> str:
    assert config.pohoda.database is not None
    return config.pohoda.database.get_secret_value()


def test_a_sound_file_has_its_secret_from_the_environment(tmp_path: Path) -> None:
    config = sound(tmp_path)
    assert isinstance(config.shop, PrestaShopTable)
    assert config.shop.key.get_secret_value() == "top-secret-key"
    assert "top-secret-key" not in repr(config)
    assert "top-secret-key" in config.secrets()


def test_paths_are_relative_to_the_file_and_not_to_where_the_agent_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    path = write(Path("config"))
    (config,) = load([path], ENVIRONMENT)
    assert config.state.file == tmp_path / "config" / "state.db"
    assert database_of(config) == str(tmp_path / "config" / "pohoda.db")
    write(Path("config"), SOUND.replace('"pohoda.db"', '"sqlite:///pohoda.db"'))
    (config,) = load([path], ENVIRONMENT)
    assert database_of(config) == f"sqlite:///{tmp_path / 'config' / 'pohoda.db'}"
    write(Path("config"), SOUND.replace('"pohoda.db"', f"' {tmp_path / 'pohoda.db'} '"))
    (config,) = load([path], ENVIRONMENT)
    assert database_of(config) == str(tmp_path / "pohoda.db"), "spaces around it are no name"


def test_the_address_of_a_server_is_left_as_it_is_and_its_password_is_a_secret(tmp_path: Path) -> None:
    config = sound(tmp_path, SOUND.replace("pohoda.db", "mssql://reader:s3cret%2Fpass@server/StwPh_1"))
    assert database_of(config) == "mssql://reader:s3cret%2Fpass@server/StwPh_1"
    assert {"s3cret%2Fpass", "s3cret/pass"} <= set(config.secrets())
    assert "s3cret" not in repr(config)


SERVER = r"""[pohoda]
database = 'mssql://SERVER\POHODA'
ico = "01234567"
year = 2026
user = "reader"
password = "${SHOP_KEY}"
"""


def server(folder: Path, before: str = "", after: str = "") -> Path:
    """A file whose POHODA is on a SQL Server, with one place changed."""
    assert before in SERVER
    return write(folder, SOUND.replace('[pohoda]\ndatabase = "pohoda.db"\n', SERVER.replace(before, after)))


def test_a_named_instance_needs_no_name_of_a_database_beside_ico_and_year(tmp_path: Path) -> None:
    (config,) = load([server(tmp_path)], ENVIRONMENT)
    pohoda = config.pohoda
    assert (database_of(config), pohoda.user) == ("mssql://SERVER\\POHODA", "reader")
    assert (pohoda.ico, pohoda.year) == ("01234567", 2026)
    assert "top-secret-key" in config.secrets()
    assert "top-secret-key" not in repr(config)


def test_without_user_and_password_windows_logs_in(tmp_path: Path) -> None:
    (config,) = load([server(tmp_path, 'user = "reader"\npassword = "${SHOP_KEY}"\n')], ENVIRONMENT)
    assert (config.pohoda.user, config.pohoda.password) == (None, None)


def test_a_path_is_no_secret_for_an_error_should_show_it(tmp_path: Path) -> None:
    assert sound(tmp_path).secrets() == ["top-secret-key"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"01234567"', "12345678", "pohoda.ico: write the IČO in quotes, with its leading zeros"),
        ('"01234567"', '"1234567"', 'pohoda.ico: an IČO has 8 digits, leading zeros included: ico = "01234567".'),
        ('"01234567"', '"CZ1234567"', "pohoda.ico: an IČO has 8 digits"),
        ('"01234567"', '"١٢٣٤٥٦٧٨"', "pohoda.ico: an IČO has 8 digits"),
        ('"01234567"', "01234567", 'so does an IČO, "01234567"'),
        ("2026", "26", "pohoda.year: write the whole accounting year, such as year = 2026."),
        ("2026", '"2026"', "pohoda.year: write a whole number without quotes."),
        ("year = 2026\n", "", "pohoda.database: the address names no database. Write it behind a slash"),
        ('ico = "01234567"\n', "", "or set [pohoda] ico and year."),
        ('user = "reader"\n', "", "pohoda.database: there is a password, but no user. Name the user"),
        ('password = "${SHOP_KEY}"\n', "", 'pohoda.password: is missing. Add password = "${POHODA_PASSWORD}", or'),
        ('"reader"', '""', "pohoda.user: must not be empty."),
        ('user = "reader"', 'usr = "reader"', "Did you mean 'user'?"),
        ("mssql://SERVER", "mssql://", "pohoda.database: the"),
        ("POHODA'", "POHODA?drivr=FreeTDS'", 'Did you mean "driver"?'),
        (
            r"'mssql://SERVER\POHODA'",
            r'"mssql://SERVER\POHODA"',
            r"in single ones: 'D:\data\pohoda.db', 'mssql://SERVER",
        ),
        (r"'mssql://SERVER\POHODA'", '""', "pohoda.database: must not be empty."),
    ],
)
def test_a_wrong_setting_of_a_server_is_named_with_its_remedy(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    told = problems(server(tmp_path, before, after))
    assert any(said in one for one in told), told


def test_a_missing_variable_of_the_password_is_the_only_thing_that_is_said(tmp_path: Path) -> None:
    (only,) = problems(server(tmp_path, "SHOP_KEY", "POHODA_PASSWORD"))
    assert "pohoda.password: the environment variable POHODA_PASSWORD is not set." in only


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_does_no_harm_and_czech_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "eshop.toml"
    path.write_text(SOUND + 'stores = ["HLAVNÍ"]\n', encoding=encoding)
    (config,) = load([path], ENVIRONMENT)
    assert config.targets.quantities is not None
    assert config.targets.quantities.stores == ("HLAVNÍ",)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "eshop.toml"
    path.write_text(SOUND + 'stores = ["HLAVNÍ"]\n', encoding="cp1250")
    (only,) = problems(path)
    assert "is not UTF-8" in only
    assert "Save it as UTF-8" in only


def test_a_line_that_is_no_toml_is_named_with_what_goes_wrong_most_often(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND.replace('"pohoda.db"', r'"C:\Users\pohoda.db"'))
    (only,) = problems(path)
    assert "line 11" in only
    assert r"single ones: 'D:\data\pohoda.db'" in only


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (only,) = problems(tmp_path / "nothing.toml")
    assert "nothing.toml: cannot be read" in only


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    first = write(
        tmp_path,
        SOUND.replace("name =", "nmae =").replace("https:", "ftp:").replace("[state]\n", '[stat]\nx = "${MISSING}"\n'),
        "first.toml",
    )
    second = write(tmp_path, SOUND.replace('deduct = "none"', "poll = 3\nenabled = 1\nzero_guard = 2"), "second.toml")
    told = "\n".join(problems(first, second))
    for key in ("shop.nmae", "shop.name", "shop.url", "[stat]", "stat.x", "state.file"):
        assert f"{first}: {key}" in told
    for key in ("deduct", "poll", "enabled", "zero_guard"):
        assert f"{second}: targets.quantities.{key}" in told


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "eshop"', 'name = "eshop"\ntiemout = "3s"', "Did you mean 'timeout'?"),
        ("deduct =", 'zero_gard = "3%"\ndeduct =', "Did you mean 'zero_guard'?"),
        ("[targets.quantities]", "[target.quantities]", "Did you mean 'targets'?"),
        ("[targets.quantities]", "[targets.quantitys]", "Did you mean 'quantities'?"),
        ('"prestashop"', '"prestashpo"', "Did you mean 'prestashop'?"),
        ('"prestashop"', "7", 'shop.kind: must be "prestashop" or "vendure"'),
        ("[pohoda]", "[pohoda]\nxyzzy = 1", "Known: database, ico, year, user, password"),
    ],
)
def test_an_unknown_word_is_an_error_with_the_word_that_was_meant(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    path = write(tmp_path, SOUND.replace(before, after))
    assert any(said in one for one in problems(path))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "eshop"', "name = 5", "shop.name: write a text in quotes"),
        ('name = "eshop"', 'name = ""', "shop.name: must not be empty."),
        ('file = "state.db"', "file = 3", "state.file: write a text in quotes"),
        ('deduct = "none"', 'deduct = "none"\nsafety_stock = "3"', "safety_stock: write a whole number without quotes"),
        ('deduct = "none"', 'deduct = "none"\nsafety_stock = true', "safety_stock: write a whole number"),
        ('deduct = "none"', 'deduct = "none"\nsafety_stock = -1', "safety_stock: Input should be greater"),
        ('deduct = "none"', 'deduct = "none"\nenabled = "yes"', "enabled: write true or false without quotes"),
        ('deduct = "none"', 'deduct = "none"\nstores = "HLAVNI"', 'stores: write a list, such as ["HLAVNI"'),
        ('deduct = "none"', 'deduct = "none"\nstores = [1]', "stores.0: write a text in quotes"),
        ('deduct = "none"', 'deduct = "none"\npoll = 5', "poll: write a duration with its unit"),
        ('deduct = "none"', 'deduct = "none"\npoll = "1ms"', "poll: poll lies between 100ms and 1h"),
        ('deduct = "none"', 'deduct = "none"\nfull_pass = "0s"', "full_pass: full_pass lies between 1m and 24h"),
        ('deduct = "none"', 'deduct = "none"\ncard_types = []', "card_types: must not be empty."),
        ('deduct = "none"', 'deduct = "none"\nzero_guard = "120%"', "zero_guard: write a share between 0% and 100%"),
        ('deduct = "none"', 'deduct = "all"', "deduct: Input should be 'none', 'reservations' or 'received-orders'"),
        ('deduct = "none"', "", 'deduct: is missing. Say what to take off the stock: "none", "reservations" or'),
        ('kind = "prestashop"', 'kind = "prestashop"\nrate_limit = true', "rate_limit: write a number"),
        ('kind = "prestashop"', 'kind = "prestashop"\ntimeout = "1h"', "timeout: a timeout lies between 100ms and 5m"),
        ("https://shop.example", "http://shop.example", "shop.url: use https"),
        ("https://shop.example", "shop.example", "shop.url: write the whole address"),
        ("https://shop.example", "https://me:pass@shop.example", "shop.url: leave credentials and parameters out"),
        ('key = "${SHOP_KEY}"', "", 'shop.key: is missing. Write key = "${PRESTASHOP_KEY}"'),
        ('key = "${SHOP_KEY}"', 'key = "${SHOP-KEY}"', "shop.key: names an environment variable in a way"),
        ('[state]\nfile = "state.db"', "", 'state.file: is missing. Say where the agent may remember, such as "eshop'),
        ('[targets.quantities]\ndeduct = "none"\n', "", "targets: nothing is to be kept in sync. Add a table"),
        ('"state.db"', '"pohoda.db"', "state.file: is POHODA's own database, which is never written to."),
        ('"state.db"', '"./x/../pohoda.db"', "state.file: is POHODA's own database"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_remedy(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert said in problem(tmp_path, before, after)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:80"])
def test_plain_http_is_fine_on_this_machine(tmp_path: Path, host: str) -> None:
    assert sound(tmp_path, SOUND.replace("https://shop.example", f"http://{host}")).shop.url == f"http://{host}"


def test_a_missing_secret_is_named_with_its_variable_and_nothing_more_is_said_about_it(tmp_path: Path) -> None:
    text = problem(tmp_path, "https://shop.example", "${SHOP_URL}${MORE}")
    assert text.startswith("shop.url: the environment variable SHOP_URL and MORE is not set.")
    assert "account of the agent" in text


def test_a_variable_that_is_set_to_nothing_counts_as_missing(tmp_path: Path) -> None:
    (only,) = problems(write(tmp_path), environment={"SHOP_KEY": ""})
    assert "shop.key: the environment variable SHOP_KEY is not set" in only


def test_a_secret_with_toml_signs_in_it_is_taken_as_it_is(tmp_path: Path) -> None:
    (config,) = load([write(tmp_path)], {"SHOP_KEY": 'a"b\\c${D}\n'})
    assert isinstance(config.shop, PrestaShopTable)
    assert config.shop.key.get_secret_value() == 'a"b\\c${D}\n'


def test_wrong_types_of_whole_tables_are_told_and_never_crash(tmp_path: Path) -> None:
    told = problems(write(tmp_path, "shop = 1\nstate = 2\npohoda = []\ntargets = { quantities = 5 }\n"))
    assert len(told) == 4
    assert all("is a table" in one or "[shop] is missing" in one for one in told)


def test_an_empty_file_is_told_what_to_start_from(tmp_path: Path) -> None:
    assert any("config/prestashop.example.toml" in one for one in problems(write(tmp_path, "")))


def pair(folder: Path, **changes: tuple[str, str]) -> tuple[Path, Path]:
    """Two files: the second one has another state file and the changes given."""
    second = SOUND.replace("state.db", "other.db")
    for before, after in changes.values():
        assert before in second
        second = second.replace(before, after)
    return write(folder, name="a.toml"), write(folder, second, name="b.toml")


@pytest.mark.parametrize("url", ["https://shop.example", "https://SHOP.example/", "https://shop.example/api"])
def test_two_files_must_not_write_the_same_target_of_one_shop(tmp_path: Path, url: str) -> None:
    first, second = pair(tmp_path, url=("https://shop.example", url))
    (only,) = problems(first, second)
    assert only.startswith(f"{second}: the target quantities of prestashop https://shop.example is already taken by")
    assert str(first) in only


def test_two_shops_of_one_multistore_are_two_shops(tmp_path: Path) -> None:
    first, second = pair(tmp_path, shop=('kind = "prestashop"', 'kind = "prestashop"\nshop_id = 2'))
    assert len(load([first, second], ENVIRONMENT)) == 2


def test_a_target_that_is_switched_off_takes_nothing(tmp_path: Path) -> None:
    first, second = pair(tmp_path, off=('deduct = "none"', 'deduct = "none"\nenabled = false'))
    assert len(load([first, second], ENVIRONMENT)) == 2


@pytest.mark.parametrize("name", ["state.db", "./state.db", "x/../state.db"])
def test_two_files_must_not_share_a_state_file_however_it_is_written(tmp_path: Path, name: str) -> None:
    first, second = pair(tmp_path, url=("shop.example", "other.example"), state=("other.db", name))
    (only,) = problems(first, second)
    assert f"{second}: the state file" in only
    assert f"is already taken by {first}" in only


def test_a_file_that_is_named_twice_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path)
    assert len(load([path, Path("eshop.toml"), path], ENVIRONMENT)) == 1


def test_examples_and_the_demo_are_not_taken_for_configurations(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "prestashop.example.toml", "demo.toml", "pyproject.toml", "a.txt"):
        write(tmp_path, name=name)
    assert [path.name for path in find_configs(tmp_path)] == ["a.toml", "b.toml"]


def test_a_vendure_needs_a_key_or_both_name_and_password(tmp_path: Path) -> None:
    text = SOUND.replace("prestashop", "vendure").replace('key = "${SHOP_KEY}"', 'user = "superadmin"')
    (only,) = problems(write(tmp_path, text))
    assert "shop: give api_key, or both user and password" in only
    config = sound(tmp_path, text.replace("[state]", 'password = "${SHOP_KEY}"\n[state]'))
    assert "top-secret-key" in config.secrets()


def defaults() -> dict[str, Any]:
    return {"enabled": True, "poll": 1.0, "zero_guard": 0.2, "safety_stock": 0, "stores": (), "combine": "sum"}


def test_what_is_left_out_has_the_documented_default(tmp_path: Path) -> None:
    quantities = sound(tmp_path).targets.quantities
    assert quantities is not None
    assert {key: getattr(quantities, key) for key in defaults()} == defaults()
