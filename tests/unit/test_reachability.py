"""The evaluation of network policies, by the examples of their documentation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubernetes.reachability import Node, Rules, selects

SPACES = {"shop": {"team": "sales"}, "data": {"team": "storage"}}
APP = Node("app", "10.1.0.1", "shop", {"role": "app"})
DATABASE = Node("database", "10.1.0.2", "data", {"role": "database"}, {"postgres": 5432})
OUTSIDE = Node("outside", "8.8.8.8")


def policy(namespace: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "spec": spec}


def allowed(*policies: dict[str, Any], source: Node = APP, target: Node = DATABASE, port: int = 5432) -> bool:
    return Rules(policies, SPACES).allow(source, target, port)


def ingress(*rules: dict[str, Any], **selector: Any) -> dict[str, Any]:
    return policy("data", podSelector=selector, policyTypes=["Ingress"], ingress=list(rules))


def egress(*rules: dict[str, Any]) -> dict[str, Any]:
    return policy("shop", podSelector={}, policyTypes=["Egress"], egress=list(rules))


def test_without_a_policy_everything_is_allowed() -> None:
    assert allowed()


def test_a_policy_without_rules_denies_its_direction_alone() -> None:
    assert not allowed(ingress())
    assert allowed(ingress(), source=DATABASE, target=APP)


def test_policies_of_another_namespace_or_other_pods_say_nothing() -> None:
    assert allowed(policy("other", podSelector={}, policyTypes=["Ingress"]))
    assert allowed(ingress(matchLabels={"role": "cache"}))


def test_one_rule_that_allows_is_enough() -> None:
    assert allowed(ingress(), ingress({}))


def test_both_ends_have_a_word() -> None:
    assert not allowed(ingress({}), egress())
    assert allowed(ingress({}), egress({}))


@pytest.mark.parametrize(
    ("peer", "matches"),
    [
        ({"namespaceSelector": {"matchLabels": {"team": "sales"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "storage"}}}, False),
        ({"podSelector": {"matchLabels": {"role": "app"}}}, False),
        (
            {
                "namespaceSelector": {"matchLabels": {"team": "sales"}},
                "podSelector": {"matchLabels": {"role": "web"}},
            },
            False,
        ),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "app"}}}, True),
        ({"ipBlock": {"cidr": "10.1.0.0/24"}}, True),
        ({"ipBlock": {"cidr": "10.1.0.0/24", "except": ["10.1.0.1/32"]}}, False),
    ],
)
def test_a_peer_is_who_all_its_selectors_select(peer: dict[str, Any], matches: bool) -> None:
    assert allowed(ingress({"from": [peer]})) is matches


def test_what_is_outside_is_known_by_its_address_alone() -> None:
    assert not allowed(ingress({"from": [{"namespaceSelector": {}}]}), source=OUTSIDE)
    assert allowed(ingress({"from": [{"ipBlock": {"cidr": "8.0.0.0/8"}}]}), source=OUTSIDE)


@pytest.mark.parametrize(
    ("ports", "matches"),
    [
        ([{"protocol": "TCP", "port": 5432}], True),
        ([{"port": 5432}], True),
        ([{"protocol": "UDP", "port": 5432}], False),
        ([{"port": "postgres"}], True),
        ([{"port": "metrics"}], False),
        ([{"port": 5000, "endPort": 5500}], True),
        ([{"port": 5000, "endPort": 5400}], False),
        ([{"protocol": "TCP"}], True),
        ([{"port": 1}, {"port": 5432}], True),
    ],
)
def test_a_port_is_meant_by_number_name_or_range_of_its_protocol(ports: list[dict[str, Any]], matches: bool) -> None:
    assert allowed(ingress({"ports": ports})) is matches


def test_a_policy_that_names_no_direction_is_about_those_it_has_rules_for_and_ingress() -> None:
    both = policy("shop", podSelector={}, egress=[])
    assert not allowed(both)
    assert not allowed(both, source=DATABASE, target=APP)
    assert allowed(policy("shop", podSelector={}))


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"key": "role", "operator": "In", "values": ["app", "web"]}, True),
        ({"key": "role", "operator": "NotIn", "values": ["app"]}, False),
        ({"key": "role", "operator": "Exists"}, True),
        ({"key": "tier", "operator": "DoesNotExist"}, True),
    ],
)
def test_expressions_of_a_selector_are_understood(expression: dict[str, Any], matches: bool) -> None:
    assert selects({"matchExpressions": [expression]}, APP.labels) is matches
