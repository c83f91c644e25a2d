"""What differs between two configurations, in the words of bridge.yaml: what a reload is about to change. Pure.

Values are never shown, since any of them may be a secret: only keys, and ends of routes, which are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

import msgspec

from bridge.config.model import AccountConfig, Config
from bridge.config.restart import needing_restart, same_account
from bridge.policy.routing import RelayOptions, Route, RouteEnd

_SECTIONS = ("people", "people_match", "reserved_names", "commands")
"""Parts of a `Config` that are in force at once, by the keys that they have in bridge.yaml."""
_LINE = re.compile(r" \(line \d+\)$")
_MOST_KEYS = 12
"""Keys that are named of one route or account; of the others the number."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A route or an account that is in both, with the keys that differ."""

    name: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.keys) - _MOST_KEYS
        return f"{self.name}: {', '.join(self.keys[:_MOST_KEYS])}{f' and {more} more' if more > 0 else ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What a reload changes. Empty (`bool`) if nothing does."""

    routes_added: tuple[str, ...] = ()
    routes_removed: tuple[str, ...] = ()
    routes_changed: tuple[Changed, ...] = ()
    routes_reordered: bool = False
    """Where two routes connect the same chats, the first is the one that counts."""
    accounts_added: tuple[str, ...] = ()
    accounts_removed: tuple[str, ...] = ()
    accounts_reconnecting: tuple[Changed, ...] = ()
    sections: tuple[str, ...] = ()
    """Other keys whose new values are in force at once."""
    needs_restart: tuple[str, ...] = ()
    """Keys whose values are in force after a restart: compared with what the daemon was started with."""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def lines(self) -> Iterator[str]:
        """For people, one line for each thing."""
        for sign, kind, names in (
            ("+", "account", self.accounts_added),
            ("-", "account", self.accounts_removed),
            ("~", "account", tuple(f"{one} (connects anew)" for one in self.accounts_reconnecting)),
            ("+", "route", self.routes_added),
            ("-", "route", self.routes_removed),
            ("~", "route", tuple(map(str, self.routes_changed))),
            ("~", "", self.sections),
        ):
            for name in names:
                yield " ".join(part for part in (sign, kind, name) if part)
        if self.routes_reordered:
            yield "~ the order of the routes"
        for key in self.needs_restart:
            yield f"! {key}: in force after a restart"
        if not self:
            yield "nothing differs"

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "routes": {
                "added": list(self.routes_added),
                "removed": list(self.routes_removed),
                "changed": [{"name": one.name, "keys": list(one.keys)} for one in self.routes_changed],
                "reordered": self.routes_reordered,
            },
            "accounts": {
                "added": list(self.accounts_added),
                "removed": list(self.accounts_removed),
                "reconnecting": [{"name": one.name, "keys": list(one.keys)} for one in self.accounts_reconnecting],
            },
            "sections": list(self.sections),
            "needs_restart": list(self.needs_restart),
        }


def difference(now: Config, new: Config, *, started_with: Config) -> Difference:
    """`now` is in force. What the daemon was `started_with` says what only a restart changes."""
    then_routes, routes = {one.name: one for one in now.routes}, {one.name: one for one in new.routes}
    in_both = [name for name in routes if name in then_routes]
    return Difference(
        routes_added=tuple(name for name in routes if name not in then_routes),
        routes_removed=tuple(name for name in then_routes if name not in routes),
        routes_changed=tuple(one for name in in_both if (one := _changed(then_routes[name], routes[name])).keys),
        routes_reordered=in_both != [name for name in then_routes if name in routes],
        accounts_added=tuple(str(name) for name in new.accounts if name not in now.accounts),
        accounts_removed=tuple(str(name) for name in now.accounts if name not in new.accounts),
        accounts_reconnecting=tuple(_reconnecting(now, new)),
        sections=tuple(_sections(now, new)),
        needs_restart=needing_restart(started_with, new),
    )


def _reconnecting(now: Config, new: Config) -> Iterator[Changed]:
    for name, account in new.accounts.items():
        before = now.accounts.get(name)
        if before is not None and not same_account(account, before):
            yield Changed(str(name), tuple(_account_keys(before, account)) or ("options",))


def _account_keys(before: AccountConfig, now: AccountConfig) -> Iterator[str]:
    if before.platform != now.platform:
        yield "platform"
        return
    yield from _keys(_values(before.options), _values(now.options))


def _values(options: Any) -> dict[str, Any]:
    """An account's options by key."""
    try:
        return dict(options)
    except (TypeError, ValueError):
        return {"options": options}


def _keys(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The keys whose values differ; those within a mapping, as `ends.alerts`."""
    for key in dict.fromkeys((*before, *now)):
        then, value = before.get(key), now.get(key)
        if then == value:
            continue
        if isinstance(then, Mapping) and isinstance(value, Mapping) and not prefix:
            yield from _keys(then, value, f"{key}.")
        else:
            yield f"{prefix}{key}"


# -- routes -----------------------------------------------------------------------------------------------------------------


def _changed(before: Route, now: Route) -> Changed:
    return Changed(now.name, tuple(dict.fromkeys(_route_keys(before, now))))


def _route_keys(before: Route, now: Route) -> Iterator[str]:
    then, ends = {_place(end): end for end in before.ends}, {_place(end): end for end in now.ends}
    yield from (f"+ {ends[place]}" for place in ends if place not in then)
    yield from (f"- {then[place]}" for place in then if place not in ends)
    if _shape(before.filters) != _shape(now.filters):
        yield "filter"
    if before.on_dead != now.on_dead:
        yield "on_dead"
    for place in ends:
        if place in then:
            yield from _end_keys(then[place], ends[place])


def _place(end: RouteEnd) -> tuple[Any, ...]:
    return end.chat, end.thread_id, end.every_thread


def _end_keys(before: RouteEnd, now: RouteEnd) -> Iterator[str]:
    """The same option at all ends of a route is told once: `edits`; so ends are not named."""
    if (before.sends, before.receives) != (now.sends, now.receives):
        yield f"direction of {now}"
    if _shape(before.filters) != _shape(now.filters):
        yield f"filter of {now}"
    if _shape(before.rewrites) != _shape(now.rewrites):
        yield "rewrite"
    for name in RelayOptions.__struct_fields__:
        if getattr(before.options, name) != getattr(now.options, name):
            yield name


def _shape(value: Any) -> Any:
    """What a line of a filter or a rewrite comes to: patterns by their text, and without the number of its line in the file, which
    a line that is added above it changes."""
    if isinstance(value, msgspec.Struct):
        return type(value).__name__, tuple(_shape(getattr(value, name)) for name in value.__struct_fields__)
    if hasattr(value, "pattern") and hasattr(value, "flags"):
        return value.pattern, value.flags
    if isinstance(value, str) and not isinstance(value, Enum):
        return _LINE.sub("", value)
    if isinstance(value, list | tuple):
        return tuple(map(_shape, value))
    return value


# -- the rest ---------------------------------------------------------------------------------------------------------------


def _sections(now: Config, new: Config) -> Iterator[str]:
    yield from (name for name in _SECTIONS if getattr(now, name) != getattr(new, name))
    if now.web.dashboard != new.web.dashboard:
        yield "web.admin.dashboard"
    if now.drain_s != new.drain_s:
        yield "shutdown.drain_s"
    for name, fixed in (("journal", ("path",)), ("media", ("spool", "spool_mb")), ("log", ())):
        then, value = getattr(now, name), getattr(new, name)
        assert is_dataclass(then)
        yield from (
            f"{name}.{field.name}"
            for field in fields(then)
            if field.name not in fixed and getattr(then, field.name) != getattr(value, field.name)
        )
