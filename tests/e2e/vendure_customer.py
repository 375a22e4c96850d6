"""A customer of a real Vendure: places orders through the shop API, as a browser does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import httpx

from .vendure import RealVendure

_ADD = """mutation($v: ID!, $q: Int!) { addItemToOrder(productVariantId: $v, quantity: $q) {
 __typename ... on ErrorResult { errorCode message } } }"""
_WHO = """mutation($c: CreateCustomerInput!, $a: CreateAddressInput!) {
 setCustomerForOrder(input: $c) { __typename ... on ErrorResult { errorCode message } }
 setOrderShippingAddress(input: $a) { __typename ... on ErrorResult { errorCode message } } }"""
_SHIPPING = "{ eligibleShippingMethods { id } }"
_READY = """mutation($m: [ID!]!) {
 setOrderShippingMethod(shippingMethodId: $m) { __typename ... on ErrorResult { errorCode message } }
 transitionOrderToState(state: "ArrangingPayment") { __typename ... on ErrorResult { errorCode message } } }"""
_PAY = """mutation($p: PaymentInput!) { addPaymentToOrder(input: $p) {
 __typename ... on Order { code state } ... on ErrorResult { errorCode message } } }"""
_IDS = """query($s: [String!]) { productVariants(options: { filter: { sku: { in: $s } }, take: 1000 }) {
 items { id sku } } }"""
_PAYMENTS = """query($c: String!) { orders(options: { filter: { code: { eq: $c } } }) {
 items { id payments { id state } } } }"""
_SETTLE = "mutation($i: ID!) { settlePayment(id: $i) { __typename ... on ErrorResult { errorCode message } } }"

Ask: TypeAlias = Callable[[str, Mapping[str, object]], dict[str, Any]]


class Customers:
    """Places orders, each by a customer of its own; pays them, too."""

    def __init__(self, server: RealVendure) -> None:
        self._server = server
        self._placed = 0

    def order(self, pieces: Mapping[str, int], *, settled: bool = True) -> str:
        """Place an order of some pieces by SKU; its code. It is PaymentSettled, or else PaymentAuthorized."""
        items = self._server.graphql(_IDS, {"s": list(pieces)})["productVariants"]["items"]
        ids = {str(item["sku"]): str(item["id"]) for item in items}
        self._placed += 1
        with self._browser() as ask:
            for sku, number in pieces.items():
                ask(_ADD, {"v": ids[sku], "q": number})
            who = {"firstName": "Jan", "lastName": "Test", "emailAddress": f"zakaznik{self._placed}@example.test"}
            where = {"fullName": "Jan Test", "streetLine1": "Ulice 1", "city": "Brno", "countryCode": "CZ"}
            ask(_WHO, {"c": who, "a": {**where, "postalCode": "602 00"}})
            (method, *_) = ask(_SHIPPING, {})["eligibleShippingMethods"]
            ask(_READY, {"m": [method["id"]]})
            paid = ask(_PAY, {"p": {"method": self._method(), "metadata": {}}})["addPaymentToOrder"]
        assert paid["state"] == "PaymentAuthorized", paid
        if settled:
            self.settle(paid["code"])
        return str(paid["code"])

    def settle(self, code: str) -> None:
        """Say that the money has come, as a person in the administration does."""
        (order,) = self._server.graphql(_PAYMENTS, {"c": code})["orders"]["items"]
        for payment in order["payments"]:
            done = self._server.graphql(_SETTLE, {"i": payment["id"]})["settlePayment"]
            assert "errorCode" not in done, done

    def _method(self) -> str:
        items = self._server.graphql("{ paymentMethods { items { code } } }")["paymentMethods"]["items"]
        return str(items[0]["code"])

    @contextlib.contextmanager
    def _browser(self) -> Iterator[Ask]:
        with httpx.Client(timeout=60) as client:

            def ask(document: str, variables: Mapping[str, object]) -> dict[str, Any]:
                body = {"query": document, "variables": variables}
                answer = client.post(f"{self._server.url}/shop-api", json=body).raise_for_status()
                if token := answer.headers.get("vendure-auth-token"):
                    client.headers["authorization"] = f"Bearer {token}"
                said = answer.json()
                assert "errors" not in said, said["errors"]
                failed = [each for each in said["data"].values() if isinstance(each, dict) and "errorCode" in each]
                assert not failed, failed
                return dict(said["data"])

            yield ask
