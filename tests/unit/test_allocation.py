"""Addresses of the subnets: the layouts that stacks live in, and what holds for every other one."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.network.allocation import DATABASE, PRIVATE, PUBLIC, TIERS, ZONE_BLOCKS, Tier, allocate
from settings.network import LARGEST_VPC_PREFIX, SMALLEST_VPC_PREFIX

GOLDEN = {
    ("10.0.0.0/16", "abc"): {
        "private": {"a": "10.0.0.0/19", "b": "10.0.64.0/19", "c": "10.0.128.0/19"},
        "public": {"a": "10.0.32.0/21", "b": "10.0.96.0/21", "c": "10.0.160.0/21"},
        "database": {"a": "10.0.40.0/21", "b": "10.0.104.0/21", "c": "10.0.168.0/21"},
    },
    ("10.20.0.0/16", "ab"): {
        "private": {"a": "10.20.0.0/19", "b": "10.20.64.0/19"},
        "public": {"a": "10.20.32.0/21", "b": "10.20.96.0/21"},
        "database": {"a": "10.20.40.0/21", "b": "10.20.104.0/21"},
    },
    ("192.168.4.0/22", "bdf"): {
        "private": {"b": "192.168.4.0/25", "d": "192.168.5.0/25", "f": "192.168.6.0/25"},
        "public": {"b": "192.168.4.128/27", "d": "192.168.5.128/27", "f": "192.168.6.128/27"},
        "database": {"b": "192.168.4.160/27", "d": "192.168.5.160/27", "f": "192.168.6.160/27"},
    },
}
"""Layouts that must never change: a subnet whose addresses change is replaced, with everything in it."""

LATER = Tier("later", bits=2, longest_prefix=28, purpose="whatever comes")
"""A tier that takes the quarter of a zone's block that is still free."""


def subnets(layout: dict[str, dict[str, IPv4Network]]) -> list[IPv4Network]:
    return [subnet for zones in layout.values() for subnet in zones.values()]


@st.composite
def vpc_blocks(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(st.integers(LARGEST_VPC_PREFIX, SMALLEST_VPC_PREFIX))
    return IPv4Network(
        (int(IPv4Network("10.0.0.0/8")[0]) + (draw(st.integers(0, 2 ** (prefix - 8) - 1)) << (32 - prefix)), prefix)
    )


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Draw tiers of any sizes and order that fit into a zone's block."""
    tiers = tuple(
        Tier(f"tier{letter}", bits=draw(st.integers(1, 4)), longest_prefix=28, purpose="test")
        for letter in draw(st.permutations("klmn"))[: draw(st.integers(1, 4))]
    )
    sixteenths = 0
    for tier in tiers:
        size = 16 >> tier.bits
        sixteenths = -(-sixteenths // size) * size + size
        if sixteenths > 16:
            return tiers[:1]
    return tiers


ZONES = st.permutations("abcdef").map(lambda letters: letters[:ZONE_BLOCKS])


@pytest.mark.parametrize(("block", "zones"), GOLDEN, ids=lambda value: str(value))
def test_a_layout_in_use_never_changes(block: str, zones: str) -> None:
    layout = allocate(IPv4Network(block), zones)
    assert {tier: {z: str(s) for z, s in by_zone.items()} for tier, by_zone in layout.items()} == GOLDEN[block, zones]


@settings(deadline=None)
@given(vpc_blocks(), ZONES, st.integers(1, ZONE_BLOCKS), tier_lists())
def test_no_two_subnets_overlap(block: IPv4Network, zones: list[str], count: int, tiers: tuple[Tier, ...]) -> None:
    layout = allocate(block, zones[:count], tiers)
    assert [pair for pair in combinations(subnets(layout), 2) if pair[0].overlaps(pair[1])] == []


@settings(deadline=None)
@given(vpc_blocks(), ZONES, st.integers(1, ZONE_BLOCKS), tier_lists())
def test_every_subnet_lies_in_the_vpc(
    block: IPv4Network, zones: list[str], count: int, tiers: tuple[Tier, ...]
) -> None:
    layout = allocate(block, zones[:count], tiers)
    assert len(subnets(layout)) == count * len(tiers)
    assert [subnet for subnet in subnets(layout) if not subnet.subnet_of(block)] == []


@settings(deadline=None)
@given(vpc_blocks(), ZONES, st.integers(1, ZONE_BLOCKS - 1), tier_lists())
def test_appending_a_zone_moves_no_subnet(
    block: IPv4Network, zones: list[str], count: int, tiers: tuple[Tier, ...]
) -> None:
    before, after = allocate(block, zones[:count], tiers), allocate(block, zones[: count + 1], tiers)
    assert before == {tier: {zone: after[tier][zone] for zone in zones[:count]} for tier in before}


@settings(deadline=None)
@given(vpc_blocks(), ZONES, tier_lists(), st.data())
def test_appending_a_tier_moves_no_subnet(
    block: IPv4Network, zones: list[str], tiers: tuple[Tier, ...], data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, len(tiers)))
    before, after = allocate(block, zones, tiers[:count]), allocate(block, zones, tiers)
    assert before == {tier.name: after[tier.name] for tier in tiers[:count]}


@settings(deadline=None)
@given(vpc_blocks(), ZONES)
def test_a_quarter_of_each_zone_is_free_for_a_later_tier(block: IPv4Network, zones: list[str]) -> None:
    before, after = allocate(block, zones), allocate(block, zones, (*TIERS, LATER))
    assert before.items() <= after.items()
    assert {subnet.prefixlen for subnet in after["later"].values()} == {block.prefixlen + 4}


@settings(deadline=None)
@given(vpc_blocks())
def test_every_block_that_the_settings_accept_has_room_for_every_tier(block: IPv4Network) -> None:
    prefixes = {
        tier: {subnet.prefixlen for subnet in zones.values()} for tier, zones in allocate(block, "abcd").items()
    }
    assert max(prefixes["public"]) <= 27, "what ELB asks for"
    assert max(prefixes["private"]) <= 27, "16 free addresses beside the 5 that AWS keeps"
    assert all(16 <= prefix <= 28 for found in prefixes.values() for prefix in found), "what EC2 accepts"


def test_a_block_smaller_than_the_settings_accept_has_no_room_for_load_balancers() -> None:
    block = IPv4Network((int(IPv4Network("10.0.0.0/8")[0]), SMALLEST_VPC_PREFIX + 1))
    with pytest.raises(ValueError, match=r"block: 10\.0\.0\.0/23 given.*/27 or more.*tier public.*not /28"):
        allocate(block, "abc")


def test_tiers_larger_than_a_zones_block_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no room in a zone's /18 for a /20 of tier one_too_many"):
        allocate(IPv4Network("10.0.0.0/16"), "a", (*TIERS, LATER, replace(LATER, name="one_too_many")))


def test_more_zones_than_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="zones: 5 given, allowed: at most 4"):
        allocate(IPv4Network("10.0.0.0/16"), "abcde")


def test_a_zone_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="zones: a, b, a given, allowed: each name once"):
        allocate(IPv4Network("10.0.0.0/16"), "aba")


def test_a_tier_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="tiers: private, private given"):
        allocate(IPv4Network("10.0.0.0/16"), "a", (PRIVATE, PRIVATE))


def test_the_tiers_keep_their_order() -> None:
    assert TIERS[:3] == (PRIVATE, PUBLIC, DATABASE)
