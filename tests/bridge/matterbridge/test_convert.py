"""Gateways as routes: who is joined with whom stays what it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.matterbridge.convert import Draft, convert
from bridge.matterbridge.read import Foreign, Gateway, Member
from bridge.model.foreign_settings import ForeignPlatform, ForeignSection

PLATFORMS = {"p": ForeignPlatform("platform", lambda section: {"token": section.secret("Token")}, lambda channel, _: channel)}


def converted(gateways: Iterable[Gateway], **sections: dict[str, Any]) -> Draft:
    known = {f"p.{name}": ForeignSection(f"p.{name}", values) for name, values in sections.items()}
    return convert(Foreign(ForeignSection("general", {}), known, list(gateways), ()), PLATFORMS)


def pairs(draft: Draft) -> list[tuple[str, str]]:
    return [
        (one, other)
        for route in draft.routes
        for one in route.get("between") or route["from"]
        for other in route.get("between") or route["to"]
        if one != other
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from(["in", "out", "inout"])), max_size=6))
def test_each_pair_of_a_gateway_is_joined_once(members: list[tuple[str, str, str]]) -> None:
    joined: dict[tuple[str, str], set[str]] = {}
    for account, channel, kind in members:
        joined.setdefault((account, channel), set()).update({"in", "out"} if kind == "inout" else {kind})
    gateway = Gateway("g", [Member(f"p.{a}", c, "in" in kinds, "out" in kinds) for (a, c), kinds in joined.items()])
    draft = converted([gateway], a={}, b={}, c={})
    expected = {
        (f"{a}/{c}", f"{b}/{d}")
        for (a, c), froms in joined.items()
        for (b, d), tos in joined.items()
        if "in" in froms and "out" in tos and (a, c) != (b, d)
    }
    found = pairs(draft)
    assert set(found) == expected
    assert len(found) == len(expected)
    assert bool(draft.routes) or any("joins nothing" in note.why for note in draft.notes)


def test_rules_of_a_source_hold_for_it_alone() -> None:
    gateway = Gateway("Club: main!", [Member("p.a", "x", True, True), Member("p.b", "x", True, True)])
    draft = converted([gateway, gateway], a={"ignorenicks": "spam", "replacemessages": [["x", "y"]]}, b={})
    first, second = draft.routes
    assert (first["name"], second["name"]) == ("club-main", "club-main-2")
    assert first["filter"] == [{"drop": {"author": "spam", "from": "a"}}]
    assert first["rewrite"] == [{"find": "x", "replace": "y"}]
    assert {note.place for note in draft.notes} == {"gateway Club: main!", "p.a.ReplaceMessages"}


def test_accounts_of_one_name_are_told_apart() -> None:
    sections = {place: ForeignSection(place, {}) for place in ("p.main", "q.main", "p.name", "r.x")}
    platforms = {**PLATFORMS, "q": PLATFORMS["p"]}
    draft = convert(Foreign(ForeignSection("general", {"left": 1}), sections, [], ()), platforms)
    assert list(draft.accounts) == ["p-main", "q-main", "p-name"]
    assert [note.place for note in draft.notes] == ["r.x", "general.left"]


def test_an_account_may_have_an_end_for_each_gateway() -> None:
    seen: list[list[str]] = []

    def account(section: ForeignSection) -> dict[str, Any]:
        seen.append(list(section.gateways))
        return {}

    platforms = {"q": ForeignPlatform("platform", account, lambda gateway, _: gateway.lower(), by_gateway=True), **PLATFORMS}
    gateways = [
        Gateway(name, [Member("q.api", "api", True, True), Member("p.a", name, True, True)])
        for name in ("First", "Second", "First")
    ]
    known = {place: ForeignSection(place, {}) for place in ("q.api", "p.a")}
    draft = convert(Foreign(ForeignSection("general", {}), known, gateways, ()), platforms)
    assert seen == [["First", "Second"]]
    assert [route["between"] for route in draft.routes] == [
        ["api/first", "a/First"],
        ["api/second", "a/Second"],
        ["api/first", "a/First"],
    ]


def test_an_end_without_an_account_is_left_out() -> None:
    members = [Member("p.a", "x", True, True), Member("p.gone", "x", True, True)]
    draft = converted([Gateway("g", members)], a={})
    assert not draft.routes
    assert any("no section" in note.why for note in draft.notes)


def test_two_accounts_of_one_variable_are_told() -> None:
    sections = {place: ForeignSection(place, {"token": place}) for place in ("p.a-b", "p.a_b")}
    draft = convert(Foreign(ForeignSection("general", {}), sections, [], ()), PLATFORMS)
    assert [note.place for note in draft.notes] == ["p.a_b"]
    assert "MATTERBRIDGE_P_A_B_TOKEN" in draft.notes[0].why
