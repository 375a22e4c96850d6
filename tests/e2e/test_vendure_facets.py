"""Categories, parameters, manufacturers and suppliers on a real Vendure: lost answers, other hands, other values."""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from agent.errors import ShopUnavailable, Unusable
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted
from agent.shops.vendure_card_facets import parameters, product_categories, suppliers
from agent.shops.vendure_collections import Categories
from agent.shops.vendure_facets import Firms, Terms
from agent.shops.vendure_images import Elsewhere
from agent.shops.vendure_lists import Lists
from agent.shops.vendure_session import VendureSession
from agent.targets.names import firm_key, term_key
from tests.fault_server import FAULTS_AFTER_APPLYING, Fault, FaultProxy, late_apply

from .vendure import PASSWORD, USER, RealVendure, running_vendure

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs


def picture(number: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(bytes([0, number, number, number]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


PICTURES = {hashlib.sha256(picture(n)).hexdigest(): picture(n) for n in (1, 2)}
A, B = PICTURES


def given(sha: str) -> bytes:
    if sha not in PICTURES:
        raise Unusable("SkKat.Obrazek", "C:\\obrazky\\x.jpg is missing", hint="Put it back.")
    return PICTURES[sha]


@dataclass(slots=True)
class Agent:
    """The adapter's parts, and the links that the core would keep."""

    session: VendureSession
    root: str = ""
    firms: bool = True
    links: dict[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def part(self, target: str) -> Any:  # noqa: ANN401 - six classes with the same three methods
        lists = Lists(self.session)
        match target:
            case "categories":
                elsewhere = Elsewhere(self.session)
                return Categories(self.session, language="cs", root=self.root, pictures=given, elsewhere=elsewhere)
            case "categories.products":
                return product_categories(self.session, lists, language="cs", lock=self.lock)
            case "parameters.terms":
                return Terms(self.session, language="cs", firms=self.firms)
            case "parameters":
                return parameters(self.session, lists, language="cs", lock=self.lock)
            case "suppliers.firms":
                return Firms(self.session, language="cs")
        return suppliers(self.session, lists, language="cs", lock=self.lock)

    def send(self, target: str, values: Mapping[str, Value], links: Mapping[str, str] | None = None) -> list[Outcome]:
        known = self.links if links is None else links
        owed = [Owed(Event(target, key, value, key), known.get(key), dict(self.links)) for key, value in values.items()]
        outcomes: list[Outcome] = self.part(target).deliver(owed)
        return outcomes

    def make(self, target: str, values: Mapping[str, Value]) -> list[str]:
        """As the core does: look for what has no link, deliver, keep the links."""
        new = [key for key in values if key not in self.links]
        self.links |= {key: held.link for key, held in self.find(target, {k: values[k] for k in new}).items()}
        outcomes = self.send(target, values)
        for (key, value), outcome in zip(values.items(), outcomes, strict=True):
            assert isinstance(outcome, Done), outcome
            assert outcome.confirmed == value
            if outcome.link is None:
                self.links.pop(key, None)
            else:
                self.links[key] = outcome.link
        return [self.links.get(key, "") for key in values]

    def find(self, target: str, values: Mapping[str, Value]) -> dict[str, Held]:
        asked = [Wanted(key, key, value=value, links=dict(self.links)) for key, value in values.items()]
        found = self.part(target).find(asked)
        assert all(isinstance(held, Held) for held in found.values()), found
        return dict(found)

    def read(self, target: str, key: str, value: Value, link: str | None = None) -> Held | None:
        asked = Wanted(key, key, link or self.links[key], value=value, links=dict(self.links))
        held: Held | None = self.part(target).read([asked]).get(key)
        return held


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVendure]:
    with running_vendure(tmp_path_factory.mktemp("vendure") / "shop") as shop:
        shop.graphql("mutation { updateGlobalSettings(input: {availableLanguages: [en, cs]}) { __typename } }")
        change = {"id": "1", "availableLanguageCodes": ["en", "cs"], "defaultLanguageCode": "cs"}
        shop.graphql("mutation($i: UpdateChannelInput!) { updateChannel(input: $i) { __typename } }", {"i": change})
        yield shop


@pytest.fixture
def proxy(server: RealVendure) -> Iterator[FaultProxy]:
    with FaultProxy(server.port, lambda request: b"mutation" in request and b"login(" not in request) as between:
        yield between


@pytest.fixture
def agent(proxy: FaultProxy) -> Iterator[Agent]:
    yield from agent_at(proxy)


def agent_at(proxy: FaultProxy, timeout: float = 10.0) -> Iterator[Agent]:
    session = VendureSession(
        proxy.url, api_key=None, user=USER, password=PASSWORD, channel=None, timeout=timeout, pace=lambda: None
    )
    with closing(session.http):
        yield Agent(session)


def writes(proxy: FaultProxy) -> int:
    return sum(map(proxy.spoils, proxy.requests))


def category(name: str, parent: str | None = None, **fields: Value) -> dict[str, Value]:
    return {"name": name, "parent": parent, **fields}


def collection(server: RealVendure, link: str) -> dict[str, Any] | None:
    document = """query($i: ID!) { collection(id: $i) { id parentId position isPrivate inheritFilters
      filters { code args { name value } } translations { languageCode name slug description }
      featuredAsset { id name source } children { id } productVariants { items { sku } } } }"""
    found: dict[str, Any] | None = server.graphql(document, {"i": link.partition(":")[0]})["collection"]
    return found


def called(server: RealVendure, name: str) -> list[str]:
    """Ids of all collections of this name, read without the adapter."""
    listed = server.graphql("{ collections(options: {take: 1000}) { items { id translations { name } } } }")
    return [c["id"] for c in listed["collections"]["items"] if name in {t["name"] for t in c["translations"]}]


def by_hand(server: RealVendure, name: str, parent: str = "", filters: Sequence[Any] = (), **more: object) -> str:
    """Make a collection as a person does."""
    text = {"languageCode": "cs", "name": name, "slug": name, "description": "od majitele"}
    made = {"translations": [text], "filters": filters, **({"parentId": parent} if parent else {}), **more}
    document = "mutation($i: CreateCollectionInput!) { createCollection(input: $i) { id } }"
    return str(server.graphql(document, {"i": made})["createCollection"]["id"])


def one_product(variant: str, *, with_and: bool = True) -> dict[str, Any]:
    pairs = {"variantIds": orjson.dumps([variant]).decode(), "combineWithAnd": "true" if with_and else "false"}
    return {"code": "variant-id-filter", "arguments": [{"name": n, "value": v} for n, v in pairs.items()]}


def variant_of(server: RealVendure, code: str) -> str:
    server.create_products([code])
    document = "query($o: ProductVariantListOptions) { productVariants(options: $o) { items { id } } }"
    listed = server.graphql(document, {"o": {"filter": {"sku": {"eq": code}}}})
    return str(listed["productVariants"]["items"][0]["id"])


def labels(server: RealVendure, variant: str) -> list[tuple[str, str]]:
    """Facet's code and the value's name of a variant, sorted."""
    document = "query($i: ID!) { productVariant(id: $i) { facetValues { name facet { code } } } }"
    values = server.graphql(document, {"i": variant})["productVariant"]["facetValues"]
    return sorted((value["facet"]["code"], value["name"]) for value in values)


def facet_by_hand(server: RealVendure, code: str, name: str, *values: str) -> tuple[str, list[str]]:
    texts = [{"code": v, "translations": [{"languageCode": "cs", "name": v}]} for v in values]
    made = {"code": code, "isPrivate": False, "translations": [{"languageCode": "cs", "name": name}], "values": texts}
    document = "mutation($f: CreateFacetInput!) { createFacet(input: $f) { id values { id } } }"
    facet = server.graphql(document, {"f": made})["createFacet"]
    return str(facet["id"]), [str(value["id"]) for value in facet["values"]]


def give(server: RealVendure, variant: str, values: Sequence[str]) -> None:
    """Give a variant facet values beside its own, as a person does."""
    document = "query($i: ID!) { productVariant(id: $i) { facetValues { id } } }"
    has = [v["id"] for v in server.graphql(document, {"i": variant})["productVariant"]["facetValues"]]
    change = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
    server.graphql(change, {"i": [{"id": variant, "facetValueIds": [*has, *values]}]})


def settled(server: RealVendure) -> None:
    """Wait until the shop has applied all filters."""
    jobs = "{ jobs(options: {filter: {isSettled: {eq: false}}}) { totalItems } }"
    quiet = threading.Event()
    for _ in range(200):
        quiet.wait(0.15)
        if server.graphql(jobs)["jobs"]["totalItems"] == 0:
            return
    raise AssertionError("the shop does not come to an end")


# -------------------------------------------------------------------------------------------------- categories


def test_a_tree_is_made_and_confirmed_as_it_was_sent(agent: Agent, server: RealVendure) -> None:
    whole: dict[str, Any] = {"description": "<p>Příliš <b>žluťoučký</b></p>", "order": 2, "visible": True}
    agent.make("categories", {"t1": category("Obuv", **whole, picture={"sha": A, "file": "Boty Žluté.PNG"})})
    agent.make("categories", {"t2": category("Boty", "t1", order=1, visible=False)})
    agent.make("categories", {"t3": category("Zimní", "t2")})
    (first, second, third) = (collection(server, agent.links[key]) or {} for key in ("t1", "t2", "t3"))
    assert (second["parentId"], third["parentId"]) == (first["id"], second["id"])
    assert (first["isPrivate"], second["isPrivate"], third["isPrivate"]) == (False, True, False)
    assert (first["inheritFilters"], first["translations"][0]["slug"]) == (False, "obuv")
    assert first["translations"][0]["description"] == whole["description"]
    assert A in first["featuredAsset"]["source"]
    (only,) = first["filters"]
    assert {a["name"]: a["value"] for a in only["args"]}["facetValueIds"] == f'["{agent.links["t1"].split(":")[1]}"]'
    facet = server.graphql(
        '{ facets(options: {filter: {code: {contains: "pohoda-"}}}) { items { code isPrivate name } } }'
    )
    assert facet["facets"]["items"] == [{"code": "pohoda-categories", "isPrivate": True, "name": "Kategorie POHODA"}]


def test_what_the_shop_holds_already_is_not_written(agent: Agent, proxy: FaultProxy) -> None:
    value = category("Stejná", None, order=5, visible=True, description="", picture={"sha": B, "file": "b.png"})
    agent.make("categories", {"same": value})
    before = writes(proxy)
    agent.make("categories", {"same": value})
    assert writes(proxy) == before
    held = agent.read("categories", "same", value)
    assert held is not None
    assert held.value == value


@pytest.mark.parametrize(("_name", "fault"), FAULTS_AFTER_APPLYING, ids=[name for name, _ in FAULTS_AFTER_APPLYING])
def test_after_lost_answers_at_every_step_there_is_one_category(
    proxy: FaultProxy, server: RealVendure, _name: str, fault: Fault
) -> None:
    name = f"Ztracená {_name}"
    for agent in agent_at(proxy, timeout=1.0):
        agent.make("categories", {f"{_name}-later": category("Poslední", None, order=900)})
        key, value = f"{_name}-lost", category(name, None, order=3, picture={"sha": A, "file": "a.png"})
        unclear = 0
        for _ in range(12):
            agent.links |= {k: held.link for k, held in agent.find("categories", {key: value}).items()}
            proxy.next(fault)
            (outcome,) = agent.send("categories", {key: value})
            if isinstance(outcome, Done):
                break
            assert isinstance(outcome, Unclear), outcome
            unclear += 1
        proxy.clear()
        assert isinstance(outcome, Done)
        assert outcome.confirmed == value
        assert unclear == 4  # the picture, the facet value, the collection, the move
    assert len(called(server, name)) == 1
    document = "query($o: FacetValueListOptions) { facetValues(options: $o) { totalItems } }"
    listed = server.graphql(document, {"o": {"filter": {"name": {"eq": name}}}})
    assert listed["facetValues"]["totalItems"] == 1


def test_siblings_of_one_name_are_two_and_each_is_found_again(agent: Agent, server: RealVendure) -> None:
    agent.make("categories", {"twins": category("Dvojčata")})
    values = {f"twin{n}": category("Stejné", "twins") for n in (1, 2)}
    first, second = agent.make("categories", values)
    assert first != second
    links = dict(agent.links)
    for key in values:
        del agent.links[key]
    assert {key: held.link for key, held in agent.find("categories", values).items()} == {
        key: links[key] for key in values
    }
    assert len(called(server, "Stejné")) == 2


def test_a_move_a_rename_and_a_new_order_touch_nothing_else(agent: Agent, server: RealVendure) -> None:
    agent.make("categories", {"m1": category("Odkud"), "m2": category("Kam")})
    agent.make("categories", {f"o{n}": category(f"Pořadí {n}", "m1", order=n) for n in (1, 2, 3)})
    ids = {key: agent.links[key].split(":")[0] for key in agent.links}
    foreign = by_hand(server, "Cizí mezi nimi", ids["m1"])
    english = [{"languageCode": "en", "name": "Order 3", "slug": "order-3", "description": "in English"}]
    change = "mutation($i: UpdateCollectionInput!) { updateCollection(input: $i) { id } }"
    server.graphql(change, {"i": {"id": ids["o3"], "translations": english}})
    agent.make("categories", {"o3": category("Přejmenovaná", "m1", order=0)})
    assert children(server, ids["m1"]) == [ids["o3"], ids["o1"], ids["o2"], foreign]
    agent.make("categories", {"o1": category("Pořadí 1", "m2", order=1)})
    assert (children(server, ids["m1"]), children(server, ids["m2"])) == ([ids["o3"], ids["o2"], foreign], [ids["o1"]])
    texts = {t["languageCode"]: t for t in (collection(server, ids["o3"]) or {})["translations"]}
    assert texts["en"] == english[0]
    assert (texts["cs"]["name"], texts["cs"]["slug"]) == ("Přejmenovaná", "poradi-3")
    agent.make("categories", {"o2": category("Pořadí 2", "m1", order=-1)})
    assert children(server, ids["m1"]) == [ids["o2"], ids["o3"], foreign]


def children(server: RealVendure, link: str) -> list[str]:
    there = collection(server, link)
    assert there is not None
    return [child["id"] for child in there["children"]]


def test_siblings_that_someone_mixed_up_are_ordered_again(agent: Agent, server: RealVendure) -> None:
    agent.make("categories", {"mix": category("Míchané")})
    values = {f"x{n}": category(f"X{n}", "mix", order=n) for n in (4, 2, 3, 1)}
    agent.make("categories", values)
    parent, ids = (agent.links["mix"].split(":")[0], [agent.links[f"x{n}"].split(":")[0] for n in (1, 2, 3, 4)])
    assert children(server, parent) == ids
    move = "mutation($i: MoveCollectionInput!) { moveCollection(input: $i) { id } }"
    server.graphql(move, {"i": {"collectionId": ids[3], "parentId": parent, "index": 0}})
    held = agent.read("categories", "x4", values["x4"])
    assert held is not None
    assert held.value != values["x4"]
    agent.make("categories", values)
    assert children(server, parent) == ids


def test_below_a_configured_root_and_nowhere_else(agent: Agent, server: RealVendure) -> None:
    outside = by_hand(server, "Venku")
    agent.root = by_hand(server, "Naše")
    agent.make("categories", {"r1": category("Venku")})
    assert (collection(server, agent.links["r1"]) or {})["parentId"] == agent.root
    for link in (f"{outside}:", f"{agent.root}:", "1:", "987654:3", "nonsense"):
        (outcome,) = agent.send("categories", {"r2": category("Jiná")}, {"r2": link})
        assert isinstance(outcome, Rejected), link
        assert outcome.link_lost
    agent.root = "999999"
    with pytest.raises(ShopUnavailable) as error:
        agent.find("categories", {"r3": category("x")})
    assert "root" in error.value.hint


def test_a_collection_made_by_hand_becomes_the_category_and_keeps_its_goods(agent: Agent, server: RealVendure) -> None:
    own, new, heirs_own = (variant_of(server, f"Adopt-{n}") for n in (1, 2, 3))
    mine = by_hand(server, "  Ručně   dělaná ", filters=[one_product(own)])
    below = by_hand(server, "Nadpis")
    heir = by_hand(server, "Pod nadpisem", below, [one_product(heirs_own)])
    value = category("Ručně dělaná")
    held = agent.find("categories", {"hand": value})["hand"]
    assert held.link == f"{mine}:"
    agent.make("categories", {"hand": value, "head": category("Nadpis")})
    assert agent.links["hand"].startswith(f"{mine}:")
    agent.send("categories.products", {"Adopt-2": {"categories": ["hand", "head"], "main": None}}, {"Adopt-2": new})
    settled(server)
    skus = [
        sorted(v["sku"] for v in (collection(server, c) or {})["productVariants"]["items"]) for c in (mine, below, heir)
    ]
    assert skus == [["Adopt-1", "Adopt-2"], ["Adopt-2"], ["Adopt-3"]]
    assert len(called(server, "Ručně dělaná")) == 1


def test_a_collection_whose_filters_cannot_be_combined_is_refused_with_a_hint(
    agent: Agent, server: RealVendure
) -> None:
    upper = by_hand(server, "Dědí se", filters=[one_product(variant_of(server, "Heir"))])
    by_hand(server, "Dědic", upper)
    found = agent.part("categories").find([Wanted("refuse", "refuse", value=category("Dědí se"))])
    assert isinstance(found["refuse"], Rejected)
    assert "Switch that off" in found["refuse"].hint


def test_what_is_gone_is_hidden_or_deleted_with_its_facet_value_and_picture(agent: Agent, server: RealVendure) -> None:
    shown: dict[str, Any] = {"picture": {"sha": A, "file": "a.png"}}
    agent.make("categories", {"g1": category("Pryč", **shown), "g3": category("Schovaná")})
    agent.make("categories", {"g2": category("Pod pryč", "g1")})
    variant = variant_of(server, "Gone")
    (done,) = agent.send("categories.products", {"Gone": {"categories": ["g1"], "main": "g1"}}, {"Gone": variant})
    assert isinstance(done, Done)
    links = dict(agent.links)
    (refused,) = agent.send("categories", {"g1": {"gone": "delete"}})
    assert isinstance(refused, Rejected)
    assert "Move or delete those" in refused.hint
    agent.make("categories", {"g1": {"gone": "delete"}, "g2": {"gone": "delete"}})
    assert collection(server, links["g1"]) is None
    assert labels(server, variant) == []
    assets = server.graphql('{ assets(options: {filter: {name: {contains: "phcategoryg1"}}}) { totalItems } }')
    assert assets["assets"]["totalItems"] == 0
    agent.make("categories", {"g3": {"gone": "hide"}})
    assert (collection(server, agent.links["g3"]) or {})["isPrivate"] is True
    held = agent.read("categories", "g3", {"gone": "hide"})
    assert held is not None
    assert held.value == {"gone": "hide"}
    for link in (links["g1"], None):
        (again,) = agent.send("categories", {"g1": {"gone": "delete"}}, {"g1": link} if link else {})
        assert isinstance(again, Done)
        assert again.link is None


@pytest.mark.parametrize("step", [1, 2])
def test_a_deletion_whose_answer_was_lost_is_finished(
    agent: Agent, proxy: FaultProxy, server: RealVendure, step: int
) -> None:
    key = f"lostgone{step}"
    agent.make("categories", {key: category(f"Smazaná {step}")})
    link, spoils = agent.links[key], proxy.spoils
    seen: list[bytes] = []
    proxy.spoils = lambda request: spoils(request) and (seen.append(request) or len(seen) == step)  # type: ignore[func-returns-value]  # counts
    proxy.next(FAULTS_AFTER_APPLYING[0][1])
    (outcome,) = agent.send("categories", {key: {"gone": "delete"}})
    assert isinstance(outcome, Unclear)
    agent.make("categories", {key: {"gone": "delete"}})
    assert collection(server, link) is None
    document = "query($i: ID!) { facetValue(id: $i) { id } }"
    assert server.graphql(document, {"i": link.split(":")[1]})["facetValue"] is None


def test_a_changed_picture_replaces_ours_and_one_of_the_owner_stays(agent: Agent, server: RealVendure) -> None:
    (link,) = agent.make("categories", {"pic": category("Obrázky", picture={"sha": A, "file": "a.png"})})
    agent.make("categories", {"pic": category("Obrázky", picture={"sha": B, "file": "b.png"})})
    assert B in (collection(server, link) or {})["featuredAsset"]["source"]
    listed = server.graphql('{ assets(options: {filter: {name: {contains: "phcategorypic-"}}}) { totalItems } }')
    assert listed["assets"]["totalItems"] == 1
    agent.make("categories", {"pic": category("Obrázky", picture=None)})
    assert (collection(server, link) or {})["featuredAsset"] is None
    own = server.upload("own.png", picture(3))
    change = "mutation($i: UpdateCollectionInput!) { updateCollection(input: $i) { id } }"
    server.graphql(change, {"i": {"id": link.split(":")[0], "featuredAssetId": own}})
    agent.make("categories", {"pic": category("Obrázky", picture=None)})
    assert (collection(server, link) or {})["featuredAsset"]["id"] == own
    (missing,) = agent.send("categories", {"pic": category("Obrázky", picture={"sha": "0" * 64, "file": "x.jpg"})})
    assert isinstance(missing, Rejected)


def test_a_facet_value_that_someone_deleted_is_made_again(agent: Agent, server: RealVendure) -> None:
    (link,) = agent.make("categories", {"mend": category("Opravená")})
    server.graphql("mutation($i: [ID!]!) { deleteFacetValues(ids: $i) { result } }", {"i": [link.split(":")[1]]})
    assert agent.read("categories", "mend", category("Opravená")) is None
    (new,) = agent.make("categories", {"mend": category("Opravená")})
    assert new.split(":")[0] == link.split(":")[0]
    (only,) = (collection(server, new) or {})["filters"]
    assert {a["name"]: a["value"] for a in only["args"]}["facetValueIds"] == f'["{new.split(":")[1]}"]'


def test_four_rights_of_a_key_are_enough(server: RealVendure) -> None:
    key = server.create_api_key("ReadCatalog", "UpdateCatalog", "CreateCatalog", "DeleteCatalog")
    session = VendureSession(
        server.url, api_key=key, user=None, password=None, channel=None, timeout=10.0, pace=lambda: None
    )
    with closing(session.http):
        agent = Agent(session)
        agent.make("categories", {"k1": category("Klíč", order=1, picture={"sha": A, "file": "a.png"})})
        agent.make("categories", {"k1": category("Klíč 2", order=2, picture={"sha": B, "file": "b.png"})})
        make_terms(agent, "Klíčový", "ano")
        links = {"Key": variant_of(server, "Key")}
        (done,) = agent.send("parameters", {"Key": {"Klíčový": ["ano"]}}, links)
        assert isinstance(done, Done)
        agent.make("categories", {"k1": {"gone": "delete"}})
    poor = server.create_api_key("ReadCatalog", "UpdateCatalog")
    session = VendureSession(
        server.url, api_key=poor, user=None, password=None, channel=None, timeout=10.0, pace=lambda: None
    )
    with closing(session.http), pytest.raises(ShopUnavailable) as error:
        Agent(session).make("categories", {"k2": category("Zakázaná")})
    assert error.value.denied


def test_after_an_unclear_category_the_rest_is_untried(agent: Agent, proxy: FaultProxy) -> None:
    proxy.next(FAULTS_AFTER_APPLYING[0][1])
    first, second, third = agent.send("categories", {"u1": category("U1"), "u2": category("U2"), "u3": {"name": ""}})
    assert isinstance(first, Unclear)
    assert second == Untried()
    assert isinstance(third, Rejected)


# ------------------------------------------------------------------------------------- categories of products


def test_categories_of_a_card_are_a_set_beside_what_others_put_there(agent: Agent, server: RealVendure) -> None:
    agent.make("categories", {key: category(f"Sada {key}") for key in ("s1", "s2", "s3")})
    variant = variant_of(server, "Set")
    _, (other,) = facet_by_hand(server, "shelf", "Regál", "A1")
    give(server, variant, [other])
    for wanted in (["s1", "s2"], ["s2", "s3"], []):
        value: Value = {"categories": [*wanted], "main": wanted[0] if wanted else None}
        (done,) = agent.send("categories.products", {"Set": value}, {"Set": variant})
        assert isinstance(done, Done)
        assert done.confirmed == value
        ours = [("pohoda-categories", f"Sada {key}") for key in wanted]
        assert labels(server, variant) == [*ours, ("shelf", "A1")]
    give(server, variant, [agent.links["s1"].split(":")[1]])
    held = agent.part("categories.products").find([Wanted("set", "SET")])["set"]
    assert held.link == variant
    assert held.value == {"categories": ["s1"], "main": None}


def test_a_collection_shows_the_goods_of_its_category(agent: Agent, server: RealVendure) -> None:
    (link,) = agent.make("categories", {"show": category("Ukazuje")})
    codes = [f"Show-{n}" for n in range(3)]
    variants = {code: variant_of(server, code) for code in codes}
    agent.send("categories.products", {c: {"categories": ["show"], "main": None} for c in codes[:2]}, variants)
    settled(server)
    assert sorted(v["sku"] for v in (collection(server, link) or {})["productVariants"]["items"]) == codes[:2]


@pytest.mark.parametrize(("_name", "fault"), FAULTS_AFTER_APPLYING[:3], ids=["dropped", "half", "503"])
def test_a_lost_answer_about_a_card_is_unclear_and_read_back(
    agent: Agent, proxy: FaultProxy, server: RealVendure, _name: str, fault: Fault
) -> None:
    agent.make("categories", {"back": category("Zpět")})
    variant = variant_of(server, f"Back-{_name}")
    value: Value = {"categories": ["back"], "main": "back"}
    proxy.next(fault)
    (outcome,) = agent.send("categories.products", {"b": value}, {"b": variant})
    assert isinstance(outcome, Unclear)
    held = agent.read("categories.products", "b", value, variant)
    assert held is not None
    assert held.value == value


def test_of_a_batch_of_cards_the_bad_ones_are_refused_and_the_rest_is_written_once(
    agent: Agent, proxy: FaultProxy, server: RealVendure
) -> None:
    agent.make("categories", {"b1": category("Dávka")})
    links = {"ok": variant_of(server, "Batch-1"), "gone": "987654", "bad": "1", "there": variant_of(server, "Batch-2")}
    value: Value = {"categories": ["b1"], "main": None}
    agent.send("categories.products", {"there": value}, links)
    before = writes(proxy)
    values: dict[str, Value] = {"ok": value, "gone": value, "bad": "x", "there": value, "none": value}
    outcomes = agent.send("categories.products", values, links)
    assert [type(one) for one in outcomes] == [Done, Rejected, Rejected, Done, Rejected]
    assert [one.link_lost for one in outcomes if isinstance(one, Rejected)] == [True, False, True]
    assert writes(proxy) == before + 1


def test_a_facet_value_that_is_gone_is_said_and_nothing_is_written(
    agent: Agent, proxy: FaultProxy, server: RealVendure
) -> None:
    variant = variant_of(server, "No-mark")
    agent.links["ghost"] = "1:987654"
    before = writes(proxy)
    (outcome,) = agent.send("categories.products", {"x": {"categories": ["ghost"], "main": None}}, {"x": variant})
    assert isinstance(outcome, Rejected)
    assert "reconcile" in outcome.hint
    assert writes(proxy) == before


# -------------------------------------------------------------------------------------------------- parameters


def terms(name: str, *values: str) -> dict[str, Value]:
    made: dict[str, Value] = {term_key(name): {"name": name}}
    return made | {term_key(name, value): {"name": value, "of": name} for value in values}


def make_terms(agent: Agent, name: str, *values: str) -> None:
    named = terms(name, *values)
    agent.make("parameters.terms", {term_key(name): named.pop(term_key(name))})
    if named:
        agent.make("parameters.terms", named)


def test_parameters_and_values_are_made_once_and_matched_without_regard_to_case(
    agent: Agent, server: RealVendure
) -> None:
    facet, (red,) = facet_by_hand(server, "color", "  BARVA  ", "Červená ")
    make_terms(agent, "Barva", "červená", "modrá", "cervena")
    assert agent.links[term_key("Barva")] == facet
    assert agent.links[term_key("Barva", "červená")] == red
    values = {agent.links[term_key("Barva", value)] for value in ("červená", "modrá", "cervena")}
    assert len(values) == 3
    again = Agent(agent.session)
    make_terms(again, "Barva", "červená", "modrá", "cervena")
    assert again.links == agent.links
    make_terms(again, "Bárva")
    assert again.links[term_key("Bárva")] != facet


def test_in_a_large_parameter_a_value_made_by_hand_is_found_however_it_is_spelt(
    agent: Agent, server: RealVendure
) -> None:
    numbers = [str(number) for number in range(600)]
    _, ids = facet_by_hand(server, "large", "Velký", *numbers, " TMAVĚ   modrá (ŽLUTÁ) ", "x" * 150, "y" * 80 + " é z")
    names = ["Tmavě modrá (žlutá)", "X" * 150, "y" * 80 + " É z", "599", "Tmave modra (zluta)"]
    make_terms(agent, "Velký", *names)
    links = [agent.links[term_key("Velký", name)] for name in names]
    assert links[:4] == [*ids[600:], ids[599]]
    assert links[4] not in ids


def test_two_parameters_whose_codes_collide_are_two(agent: Agent) -> None:
    make_terms(agent, "Délka (cm)")
    make_terms(agent, "Délka cm")
    assert agent.links[term_key("Délka (cm)")] != agent.links[term_key("Délka cm")]


def test_values_of_several_parameters_in_one_call_go_to_their_own(agent: Agent, server: RealVendure) -> None:
    make_terms(agent, "Výška")
    make_terms(agent, "Šířka")
    agent.make(
        "parameters.terms",
        {term_key(of, size): {"name": size, "of": of} for size in ("1 cm", "2 cm") for of in ("Výška", "Šířka")},
    )
    document = "query($i: ID!) { facet(id: $i) { values { name } } }"
    for of in ("Výška", "Šířka"):
        facet = server.graphql(document, {"i": agent.links[term_key(of)]})["facet"]
        assert [value["name"] for value in facet["values"]] == ["1 cm", "2 cm"]


def test_a_term_whose_answer_was_lost_is_found_and_never_doubled(
    agent: Agent, proxy: FaultProxy, server: RealVendure
) -> None:
    key = term_key("Ztracený parametr")
    proxy.next(FAULTS_AFTER_APPLYING[0][1])
    (outcome,) = agent.send("parameters.terms", {key: {"name": "Ztracený parametr"}})
    assert isinstance(outcome, Unclear)
    agent.make("parameters.terms", {key: {"name": "Ztracený parametr"}})
    values: dict[str, Value] = {
        term_key("Ztracený parametr", v): {"name": v, "of": "Ztracený parametr"} for v in ("a", "b")
    }
    proxy.next(FAULTS_AFTER_APPLYING[1][1])
    assert all(isinstance(one, Unclear) for one in agent.send("parameters.terms", values))
    agent.make("parameters.terms", values)
    document = "{ facets(options: {take: 1000}) { items { name values { name } } } }"
    mine = [f for f in server.graphql(document)["facets"]["items"] if f["name"] == "Ztracený parametr"]
    assert [[v["name"] for v in f["values"]] for f in mine] == [["a", "b"]]


def test_a_term_that_the_owner_renamed_stays_the_same(agent: Agent, server: RealVendure) -> None:
    make_terms(agent, "Materiál", "kov")
    change = "mutation($i: UpdateFacetInput!) { updateFacet(input: $i) { id } }"
    texts = [{"languageCode": "cs", "name": "Z čeho to je"}]
    server.graphql(change, {"i": {"id": agent.links[term_key("Materiál")], "translations": texts}})
    make_terms(agent, "Materiál", "kov")
    held = agent.read("parameters.terms", term_key("Materiál"), {"name": "Materiál"})
    assert held is not None
    assert held.value == {"name": "Materiál"}
    gone = {term_key("Materiál"): "987654", term_key("Materiál", "kov"): "987654"}
    outcomes = agent.send("parameters.terms", terms("Materiál", "kov"), gone)
    assert [isinstance(one, Rejected) and one.link_lost for one in outcomes] == [True, True]


def test_the_facets_of_firms_and_categories_are_no_parameters(agent: Agent, server: RealVendure) -> None:
    agent.make("suppliers.firms", {firm_key("manufacturer", "ACME"): {"kind": "manufacturer", "name": "ACME"}})
    make_terms(agent, "Výrobce")
    make_terms(agent, "Kategorie POHODA")
    document = "query($i: ID!) { facet(id: $i) { code } }"
    codes = [
        server.graphql(document, {"i": agent.links[term_key(name)]})["facet"]["code"]
        for name in ("Výrobce", "Kategorie POHODA")
    ]
    assert codes == ["parameter-vyrobce", "parameter-kategorie-pohoda"]


def test_parameters_of_a_card_are_replaced_and_those_of_others_stay(agent: Agent, server: RealVendure) -> None:
    make_terms(agent, "Vůně", "růže", "les")
    make_terms(agent, "Objem", "1 l")
    variant = variant_of(server, "Params")
    _, (other,) = facet_by_hand(server, "season", "Sezóna", "zima")
    give(server, variant, [other])
    for value in ({"Objem": ["1 l"], "Vůně": ["růže", "les"]}, {"VŮNĚ": ["Les"]}, {}):
        sent: Value = {name: [*values] for name, values in value.items()}
        (done,) = agent.send("parameters", {"Params": sent}, {"Params": variant})
        assert isinstance(done, Done)
        assert done.confirmed == sent
    assert labels(server, variant) == [("season", "zima")]
    give(server, variant, [agent.links[term_key("Vůně", "růže")]])
    held = agent.read("parameters", "Params", {}, variant)
    assert held is not None
    assert held.value == {"Vůně": ["růže"]}


# --------------------------------------------------------------------------------------------------- suppliers


def test_firms_are_values_of_two_facets_made_with_the_first(agent: Agent, server: RealVendure) -> None:
    firms: dict[str, Value] = {
        firm_key(kind, name): {"kind": kind, "name": name}
        for kind in ("manufacturer", "supplier")
        for name in ("Škoda", "Beta")
    }
    agent.make("suppliers.firms", firms)
    again = Agent(agent.session)
    again.make("suppliers.firms", firms)
    assert again.links == agent.links
    assert len(set(agent.links.values())) == 4
    document = "{ facets(options: {take: 1000}) { items { code isPrivate } } }"
    facets = {f["code"]: f["isPrivate"] for f in server.graphql(document)["facets"]["items"]}
    assert (facets["manufacturer"], facets["supplier"]) == (False, True)


def test_a_card_has_one_manufacturer_and_the_suppliers_of_others_stay(agent: Agent, server: RealVendure) -> None:
    firms = [("manufacturer", "ACME"), ("manufacturer", "Beta"), ("supplier", "Alfa"), ("supplier", "Gama")]
    agent.make("suppliers.firms", {firm_key(kind, name): {"kind": kind, "name": name} for kind, name in firms})
    document = '{ facets(options: {filter: {code: {in: ["manufacturer", "supplier"]}}}) { items { id code } } }'
    facets = {f["code"]: f["id"] for f in server.graphql(document)["facets"]["items"]}
    variant = variant_of(server, "Firms")
    create = "mutation($v: [CreateFacetValueInput!]!) { createFacetValues(input: $v) { id } }"
    for code in ("manufacturer", "supplier"):
        made = {"facetId": facets[code], "code": "own", "translations": [{"languageCode": "cs", "name": "majitelův"}]}
        give(server, variant, [server.graphql(create, {"v": [made]})["createFacetValues"][0]["id"]])
    value: Value = {"manufacturer": "ACME", "suppliers": [{"name": "Gama", "code": "G-1", "default": True}]}
    (done,) = agent.send("suppliers", {"Firms": value}, {"Firms": variant})
    assert isinstance(done, Done)
    assert done.confirmed == {"manufacturer": "ACME", "suppliers": [{"name": "Gama"}]}
    assert labels(server, variant) == [("manufacturer", "ACME"), ("supplier", "Gama"), ("supplier", "majitelův")]
    (done,) = agent.send("suppliers", {"Firms": {"suppliers": []}}, {"Firms": variant})
    assert isinstance(done, Done)
    assert done.confirmed == {"suppliers": []}
    assert labels(server, variant) == [("manufacturer", "ACME"), ("supplier", "majitelův")]
    (done,) = agent.send("suppliers", {"Firms": {"manufacturer": None}}, {"Firms": variant})
    assert isinstance(done, Done)
    assert done.confirmed == {"manufacturer": None}
    assert labels(server, variant) == [("supplier", "majitelův")]


def test_three_targets_that_write_one_card_at_once_lose_nothing_of_each_other(
    agent: Agent, server: RealVendure
) -> None:
    agent.make("categories", {"race": category("Závod")})
    make_terms(agent, "Rychlost", "1", "2")
    agent.make("suppliers.firms", {firm_key("supplier", "Závodník"): {"kind": "supplier", "name": "Závodník"}})
    variant = variant_of(server, "Race")
    last: dict[str, Value] = {
        "categories.products": {"categories": ["race"], "main": None},
        "parameters": {"Rychlost": ["2"]},
        "suppliers": {"suppliers": [{"name": "Závodník", "code": "", "default": False}]},
    }
    none: dict[str, Value] = {
        "categories.products": {"categories": [], "main": None},
        "parameters": {"Rychlost": ["1"]},
        "suppliers": {"suppliers": []},
    }

    def drain(target: str) -> None:
        for _ in range(8):
            agent.send(target, {"Race": none[target]}, {"Race": variant})
            agent.send(target, {"Race": last[target]}, {"Race": variant})

    threads = [threading.Thread(target=drain, args=(target,)) for target in last]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert labels(server, variant) == [
        ("parameter-rychlost", "2"),
        ("pohoda-categories", "Závod"),
        ("supplier", "Závodník"),
    ]


def test_a_creation_that_lands_after_its_repetition_does_no_harm(
    agent: Agent, proxy: FaultProxy, server: RealVendure
) -> None:
    proxy.next(late_apply(0.4))
    (outcome,) = agent.send("categories", {"late": category("Pozdní")})
    assert isinstance(outcome, Unclear)
    agent.make("categories", {"late": category("Pozdní")})
    while proxy.late:
        proxy.late.pop().join()
    agent.make("categories", {"late": category("Pozdní", order=4)})
    assert len(called(server, "Pozdní")) == 1


def test_in_a_channel_that_does_not_show_all_siblings_the_order_is_kept(server: RealVendure) -> None:
    zone = server.graphql("{ zones { items { id } } }")["zones"]["items"][0]["id"]
    channel = {
        "code": "second",
        "token": "second-token",
        "defaultLanguageCode": "cs",
        "availableLanguageCodes": ["cs"],
        "pricesIncludeTax": True,
        "defaultCurrencyCode": "CZK",
        "defaultTaxZoneId": zone,
        "defaultShippingZoneId": zone,
    }
    document = "mutation($i: CreateChannelInput!) { createChannel(input: $i) { __typename } }"
    assert server.graphql(document, {"i": channel})["createChannel"]["__typename"] == "Channel"
    session = VendureSession(
        server.url, api_key=None, user=USER, password=PASSWORD, channel="second-token", timeout=10.0, pace=lambda: None
    )
    with closing(session.http):
        agent = Agent(session)
        values = {f"c{n}": category(f"Kanál {n}", None, order=n) for n in (3, 1, 2)}
        agent.make("categories", values)
        agent.make("categories", {"c1": category("Kanál 1", "c2", order=1), "c3": category("Kanál 3", None, order=0)})
        agent.make("categories", values)
        make_terms(agent, "Barva kanálu", "x")
        data = session.ask("{ collections { items { id translations { name } } } }")
    listed = [c["translations"][0]["name"] for c in data["collections"]["items"]]
    assert listed == ["Kanál 1", "Kanál 2", "Kanál 3"]
