"""Checks over the whole configuration, each returning all it finds: shared credentials, duplicate messages, folders, listeners."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from yaml.nodes import Node

from bridge.config.accounts import Account, in_all, placed
from bridge.config.faults import Faults
from bridge.config.nodes import join
from bridge.config.routes import ReadRoute
from bridge.files.folder import fault_of
from bridge.model.refs import ChatAddress
from bridge.policy.routing import RouteEnd

_PRIVATE_NAMES = (".localhost", ".local", ".lan", ".internal", ".intranet", ".corp", ".home", ".home.arpa", ".test", ".svc")
"""RFC 6761, 6762, 8375, and what administrators use."""
_SHORTEST_GLOBAL_ID = 6


def check_credentials(faults: Faults, accounts: Mapping[str, Account]) -> None:
    """Two accounts must not be the same bot: each would take events from the other."""
    seen: dict[tuple[str, str, Any], str] = {}
    for account in accounts.values():
        if account.manifest is None:
            continue
        for option in account.manifest.manifest.credential_keys:
            value = _surely(account, option)
            value = value.get_secret_value() if isinstance(value, SecretStr) else value
            if not value:
                continue
            other = seen.setdefault((account.platform, option, value), account.name)
            if other != account.name:
                entry = account.entries.get(option) or account.entries.get(f"{option}_file")
                why = f"the same {option} as account {other!r}: one bot cannot be two accounts"
                faults.add(entry.value if entry else account.key_node, join(account.key, option), why)


def _surely(account: Account, option: str) -> Any:
    """The option's value; None if it is not known, since something is wrong with it."""
    known = account.possible
    return None if known.concerns((option,)) or not known.options else getattr(known.options[0], option, None)


def check_encryption(faults: Faults, accounts: Mapping[str, Account]) -> None:
    """Servers on the internet that are reached without TLS: tokens and messages are sent unencrypted."""
    for account in accounts.values():
        for option in type(account.possible.options[0]).model_fields if account.possible.options else ():
            value = _surely(account, option)
            for place, url in _urls(option, value):
                scheme, _, rest = url.partition("://")
                if option == "proxy" or scheme.lower() not in ("http", "ws") or not _is_outside(rest):
                    continue
                entry = account.entries.get(option) or account.entries.get(f"{option}_file")
                why = f"is not encrypted ({scheme}://): the account's secrets travel in the open"
                hint = f"use {scheme}s://; plain {scheme}:// is for this host and private networks"
                faults.warn(entry.value if entry else account.key_node, join(account.key, place), why, hint=hint)


def _urls(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """All texts of an option, with their keys."""
    if isinstance(value, SecretStr):
        yield place, value.get_secret_value()
    elif isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _urls(join(place, str(name)), inner)
    elif isinstance(value, BaseModel):
        for name, inner in value:
            yield from _urls(join(place, name), inner)


def _is_outside(rest: str) -> bool:
    """Whether a URL's host is on the internet: neither a private address nor a name of a private network."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.rstrip(".") and not host.rstrip(".").lower().endswith(_PRIVATE_NAMES)


def check_unused(faults: Faults, accounts: Mapping[str, Account], routes: Sequence[ReadRoute], told: Sequence[ChatAddress]) -> None:
    """Accounts that no route names, and by which nobody is `told` anything, are connected without use."""
    used = {end.chat.account for one in routes for end in one.route.ends} | {chat.account for chat in told}
    for account in accounts.values():
        if account.name not in used:
            faults.warn(account.key_node, account.key, "no route uses this account")


def check_doubles(faults: Faults, accounts: Mapping[str, Account], routes: Sequence[ReadRoute]) -> None:
    """Pairs of chats that several routes connect. Through the same accounts a message still arrives once (routing ensures it), so
    this is a warning: the later route's options and filters never apply. Through two accounts in the same chat the message would
    really arrive twice."""
    by_chat: dict[tuple[str, str], set[int]] = {}
    shared: set[int] = set()
    for number, one in enumerate(routes):
        for end in one.route.ends:
            others = by_chat.setdefault(_chat(accounts, end), set())
            others.add(number)
            if len(others) > 1:
                shared |= others
        _check_same_chat(faults, accounts, one)
    arrows: dict[tuple[Any, Any], tuple[ReadRoute, RouteEnd, RouteEnd]] = {}
    for number in sorted(shared):
        one = routes[number]
        reported: set[str] = set()
        for origin, target, node in _arrows(one):
            place = (_place(accounts, origin), _place(accounts, target))
            first, first_origin, first_target = arrows.setdefault(place, (one, origin, target))
            if first is one or first.route.name in reported:
                continue
            reported.add(first.route.name)
            line = first.at.start_mark.line + 1
            where = f"route {first.route.name!r} (line {line})"
            if (first_origin.chat, first_target.chat) == (origin.chat, target.chat):
                faults.warn(
                    node,
                    one.key,
                    f"{where} relays {origin} -> {target} already",
                    hint="messages arrive once, by that route; this route's options and filter do not apply to them",
                )
            else:
                faults.add(
                    node,
                    one.key,
                    f"doubles messages: {where} relays {first_origin} -> {first_target}, and this one {origin} -> {target}, "
                    "which are the same chats",
                    hint="keep one of the two",
                )


def _check_same_chat(faults: Faults, accounts: Mapping[str, Account], one: ReadRoute) -> None:
    """Two accounts of a platform in one chat, in one route: every message would be repeated in its own chat."""
    places: dict[Any, RouteEnd] = {}
    for end, node in zip(one.route.ends, one.end_nodes, strict=True):
        first = places.setdefault(_place(accounts, end), end)
        if first is not end:
            why = f"{first} and {end} are the same chat: its messages would be repeated in it"
            faults.add(node, one.key, why, value=str(end))


def _arrows(one: ReadRoute) -> Iterator[tuple[RouteEnd, RouteEnd, Node]]:
    for origin in one.route.ends:
        if not origin.sends:
            continue
        for target, node in zip(one.route.ends, one.end_nodes, strict=True):
            if target is not origin and target.receives:
                yield origin, target, node


def _chat(accounts: Mapping[str, Account], end: RouteEnd) -> tuple[str, str]:
    """The identity of a chat. Long numbers are ids, the same for every account of a platform; names may mean another
    chat on another server."""
    address = end.chat.address
    digits = address.removeprefix("-")
    if len(digits) >= _SHORTEST_GLOBAL_ID and digits.isdecimal():
        return f"platform {accounts[end.chat.account].platform}", address
    return end.chat.account, address


def _place(accounts: Mapping[str, Account], end: RouteEnd) -> tuple[tuple[str, str], str | None]:
    return _chat(accounts, end), end.thread_id


def check_folder(faults: Faults, at: Node | None, key: str, path: Path) -> None:
    """The folder for `path` must exist: the daemon creates no other folder than the spool."""
    if not path.parent.is_dir():
        faults.add(at, key, f"there is no folder {path.parent}", value=str(path))
    elif path.is_dir() and key == "journal.path":
        faults.add(at, key, f"{path} is a folder", hint="name a file in it")


def check_spool(faults: Faults, at: Node | None, spool: Path, journal: Path) -> None:
    """The spool deletes its own old files: it needs a folder of its own."""
    hint = "name a folder that holds nothing else; the bridge makes it"
    folder = Path(os.path.abspath(journal)).parent
    if Path(os.path.abspath(spool)) in (folder, *folder.parents):
        faults.add(at, "media.spool", "the journal's folder, or one around it, cannot be the spool", value=str(spool), hint=hint)
        return
    try:
        why = fault_of(spool)
    except PermissionError:
        why = None  # it belongs to another user, such as the running service, which checks it at start
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    if why:
        faults.add(at, "media.spool", f"{spool} {why}", hint=hint)


def check_public_web(faults: Faults, accounts: Mapping[str, Account]) -> None:
    """For a file without `web.public`: accounts whose platform has to call us."""
    for account in accounts.values():
        if not account.possible.options or account.manifest is None:
            continue
        needs = account.manifest.needs_public_web
        for fault in in_all(account.possible, lambda options, needs=needs: [one] if (one := needs(options)) else []):  # type: ignore[misc]
            faults.faults.append(placed(fault, account, faults))
