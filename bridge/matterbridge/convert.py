"""A matterbridge configuration as accounts and routes of bridge.yaml, and what an admin must know of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.matterbridge.read import Foreign, Gateway, Member
from bridge.matterbridge.relay import Source, network_options, relay_options, source, tell_the_rest
from bridge.model.foreign_settings import ForeignPlatform, ForeignSection, Note

_OTHER_MEANINGS = ("name", "roles", "relay")
"""Keys of `people`, which no account may be called."""


@dataclass
class Draft:
    """bridge.yaml to be. `origins`: what each account was, in matterbridge's words."""

    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    routes: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)


def convert(foreign: Foreign, platforms: Mapping[str, ForeignPlatform]) -> Draft:
    """`platforms`: ours, by matterbridge's protocols."""
    return _Converter(foreign, platforms).draft()


class _Converter:
    def __init__(self, foreign: Foreign, platforms: Mapping[str, ForeignPlatform]) -> None:
        self._foreign = foreign
        self._platforms = platforms
        self._draft = Draft(notes=list(foreign.notes))
        self._names: dict[str, str] = {}
        self._sources: dict[str, Source] = {}
        self._told: set[str] = set()

    def draft(self) -> Draft:
        for place, section in self._foreign.sections.items():
            self._account(place, section)
        seen: set[tuple[str, str]] = set()
        names: set[str] = set()
        for gateway in self._foreign.gateways:
            for route in self._routes(gateway, seen):
                route["name"] = _free(route["name"], names)
                self._draft.routes.append(route)
        self._general()
        return self._draft

    def _account(self, place: str, section: ForeignSection) -> None:
        protocol = place.partition(".")[0]
        platform = self._platforms.get(protocol)
        if platform is None:
            self._draft.notes.append(Note(place, f"there is no platform for {protocol} here", "it was left out of all routes"))
            return
        name = _free(self._name(place), set(self._draft.accounts))
        joined = [one.name for one in self._foreign.gateways if any(member.account == place for member in one.members)]
        section.gateways[:] = dict.fromkeys(joined)
        options = {"platform": platform.platform, **platform.account(section), **network_options(section), **relay_options(section)}
        self._sources[place] = source(section)
        tell_the_rest(section)
        self._names[place] = name
        self._draft.accounts[name] = options
        self._draft.origins[name] = place
        for variable in section.secrets.keys() & self._draft.secrets.keys():
            section.notes.append(Note(place, f"another account has the variable {variable} too", "rename one of the accounts"))
        self._draft.notes += section.notes
        self._draft.secrets |= section.secrets

    def _name(self, place: str) -> str:
        """The part after the protocol, if no other account has it."""
        protocol, _, name = place.partition(".")
        clean = _clean(name)
        others = (_clean(other.partition(".")[2]) for other in self._foreign.sections if other != place)
        return clean if clean and clean not in others and clean not in _OTHER_MEANINGS else _clean(f"{protocol}-{name}")

    def _general(self) -> None:
        """Settings of [general] that no account asked for."""
        section = self._foreign.general
        for known in self._foreign.sections.values():
            section.used |= known.used
        tell_the_rest(section)
        self._draft.notes += section.notes

    def _routes(self, gateway: Gateway, seen: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        """A route for those that are joined both ways, and one for each direction that is left. `seen`: pairs of ends that
        another route has already: a message is sent to an end once."""
        ends = [(member, end) for member in gateway.members if (end := self._end(gateway, member))]
        both = list(dict.fromkeys(end for member, end in ends if member.sends and member.receives))
        sending = list(dict.fromkeys(end for member, end in ends if member.sends and not member.receives))
        receiving = list(dict.fromkeys(end for member, end in ends if member.receives and not member.sends))
        accounts = {end: member.account for member, end in ends}
        shapes: list[tuple[str, dict[str, list[str]]]] = [
            ("", {"between": both}),
            ("-out", {"from": [*both, *sending], "to": receiving}),
            ("-in", {"from": sending, "to": both}),
        ]
        made = 0
        for suffix, shape in shapes:
            froms, tos = shape.get("between") or shape.get("from") or [], shape.get("between") or shape.get("to") or []
            pairs = {(one, other) for one in froms for other in tos if one != other}
            if not pairs or not all(shape.values()) or (suffix == "" and len(both) < 2):
                continue
            if pairs & seen:
                self._draft.notes.append(
                    Note(
                        f"gateway {gateway.name}", "joins ends that another gateway joins too", "`check` says whether both can stay"
                    )
                )
            seen |= pairs
            made += 1
            yield {"name": (_clean(gateway.name) or "route") + suffix, **shape, **self._rules(froms, accounts)}
        if not made:
            self._draft.notes.append(
                Note(f"gateway {gateway.name}", "joins nothing here: it needs an end that sends and another that receives")
            )

    def _end(self, gateway: Gateway, member: Member) -> str:
        """The address; empty if there is none."""
        place = f"gateway {gateway.name}, {member.account or 'no account'} {member.channel!r}"
        account = self._names.get(member.account)
        if account is None:
            if member.account not in self._foreign.sections:
                self._draft.notes.append(Note(place, "its account has no section in the file", "it was left out"))
            return ""
        platform = self._platforms[member.account.partition(".")[0]]
        try:
            chat = platform.chat(gateway.name if platform.by_gateway else member.channel, member.options)
        except ValueError as error:
            self._draft.notes.append(Note(place, f"is no chat: {error}", "it was left out"))
            return ""
        for option in member.options:
            self._draft.notes.append(Note(place, f"its option {option} is not needed or has no counterpart"))
        return f"{account}/{chat}"

    def _rules(self, froms: Sequence[str], accounts: Mapping[str, str]) -> dict[str, Any]:
        places = dict.fromkeys(accounts[end] for end in froms)
        drops = [
            {"drop": {**drop, **({"from": self._names[place]} if len(places) > 1 else {})}}
            for place in places
            for drop in self._sources[place].drops
        ]
        rewrites = [rewrite for place in places for rewrite in self._sources[place].rewrites]
        if rewrites and len(places) > 1:
            for place in (one for one in places if self._sources[one].rewrites):
                if place not in self._told:
                    self._told.add(place)
                    why = "holds for all messages of its routes, not for those of this account alone"
                    self._draft.notes.append(Note(f"{place}.ReplaceMessages", why))
        return {**({"filter": drops} if drops else {}), **({"rewrite": rewrites} if rewrites else {})}


def _clean(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found)
    return found
