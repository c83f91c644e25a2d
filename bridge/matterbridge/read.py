"""Reads a matterbridge configuration: TOML, JSON or YAML, by the file's name."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bridge.model.foreign_settings import ForeignSection, Note

_MOST_BYTES = 10_000_000
_MOST_VALUES = 1_000_000
"""YAML's aliases make a small file as large as one likes."""
_NO_ACCOUNTS = ("general", "tengo", "gateway", "samechannelgateway")


class Unreadable(Exception):
    """Why the file is no configuration of matterbridge, for people."""


@dataclass
class Member:
    """A channel of a gateway. `sends` and `receives`: in matterbridge's words, it is in `in` and in `out`."""

    account: str
    channel: str
    sends: bool
    receives: bool
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gateway:
    name: str
    members: Sequence[Member]


@dataclass(frozen=True)
class Foreign:
    """The file. `sections`: the accounts, by `protocol.name`."""

    general: ForeignSection
    sections: Mapping[str, ForeignSection]
    gateways: Sequence[Gateway]
    notes: Sequence[Note]


def read(path: Path, environ: Mapping[str, str]) -> Foreign:
    """The configuration, with what the environment overrides (`MATTERBRIDGE_<PROTOCOL>_<ACCOUNT>_<KEY>`). Raises Unreadable."""
    names: dict[str, str] = {}
    low = _lowered(path, names)
    general = _table(low.get("general"))
    sections: dict[str, ForeignSection] = {}
    notes: list[Note] = []
    for protocol, accounts in low.items():
        if protocol in _NO_ACCOUNTS or not isinstance(accounts, dict):
            continue
        for name, values in accounts.items():
            if not isinstance(values, dict):
                why = "stands outside of an account, where matterbridge does not read it"
                notes.append(Note(f"{protocol}.{names.get(name, name)}", why))
                continue
            place = f"{protocol}.{name}"
            sections[place] = ForeignSection(place, {**values, **_overrides(place, environ)}, names, general)
    for key in _table(low.get("tengo")):
        notes.append(Note(f"tengo.{names[key]}", "is a script, which nothing here runs", "see filter, rewrite and sender"))
    gateways = [*_gateways(low, notes), *_same_channel(low, notes)]
    return Foreign(ForeignSection("general", general, names), sections, gateways, notes)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > _MOST_BYTES:
        raise Unreadable(f"{path}: is larger than {_MOST_BYTES // 1_000_000} MB: is it a configuration?")
    try:
        text = data.decode("utf-8-sig")
        found = _PARSERS.get(path.suffix.lower(), tomllib.loads)(text)
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, yaml.YAMLError, ValueError) as error:
        raise Unreadable(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise Unreadable(f"{path}: must be tables of settings, as matterbridge.toml has them")
    return found


_PARSERS: dict[str, Any] = {".json": json.loads, ".yaml": yaml.safe_load, ".yml": yaml.safe_load}


def _lowered(path: Path, names: dict[str, str]) -> dict[str, Any]:
    """The file's tables with keys in lower case, since they have no case. `names` gets them as they were written."""
    try:
        return _table(_lower(_parsed(path), names, itertools.count(1)))
    except RecursionError:
        raise Unreadable(f"{path}: is nested too deeply") from None
    except _TooManyError:
        raise Unreadable(f"{path}: has more than {_MOST_VALUES:,} values: is it a configuration?") from None


class _TooManyError(Exception):
    pass


def _lower(value: Any, names: dict[str, str], count: Iterator[int]) -> Any:
    if next(count) > _MOST_VALUES:
        raise _TooManyError
    if isinstance(value, dict):
        names.update((str(key).lower(), str(key)) for key in value)
        return {str(key).lower(): _lower(inner, names, count) for key, inner in value.items()}
    if isinstance(value, list):
        return [_lower(inner, names, count) for inner in value]
    return value


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _overrides(place: str, environ: Mapping[str, str]) -> dict[str, str]:
    start = f"MATTERBRIDGE_{place}_".upper().replace(".", "_").replace("-", "_")
    return {name.upper().removeprefix(start).lower(): value for name, value in environ.items() if name.upper().startswith(start)}


def _gateways(low: Mapping[str, Any], notes: list[Note]) -> list[Gateway]:
    found = []
    for number, table in enumerate(_listed(low.get("gateway")), 1):
        name = str(table.get("name") or f"gateway-{number}")
        if _enabled(name, table, notes):
            members: dict[tuple[str, str], Member] = {}
            for key in ("in", "out", "inout"):
                for entry in _listed(table.get(key)):
                    _join(members, entry, sends=key != "out", receives=key != "in")
            found.append(Gateway(name, list(members.values())))
    return found


def _join(members: dict[tuple[str, str], Member], entry: Mapping[str, Any], *, sends: bool, receives: bool) -> None:
    """The same channel in `in` and in `out` is one that does both."""
    account, channel = str(entry.get("account", "")).lower(), str(entry.get("channel", ""))
    member = members.setdefault((account, channel), Member(account, channel, False, False, _table(entry.get("options"))))
    member.sends, member.receives = member.sends or sends, member.receives or receives


def _same_channel(low: Mapping[str, Any], notes: list[Note]) -> list[Gateway]:
    """One gateway for each of its channels: only equal names are joined."""
    found = []
    for number, table in enumerate(_listed(low.get("samechannelgateway")), 1):
        name = str(table.get("name") or f"same-channel-{number}")
        if not _enabled(name, table, notes):
            continue
        accounts = [str(one).lower() for one in table.get("accounts") or [] if isinstance(one, str)]
        for channel in (str(one) for one in table.get("channels") or [] if isinstance(one, str | int)):
            found.append(Gateway(f"{name}-{channel}", [Member(one, channel, True, True) for one in accounts]))
    return found


def _enabled(name: str, table: Mapping[str, Any], notes: list[Note]) -> bool:
    if str(table.get("enable", "")).lower() == "true":
        return True
    notes.append(Note(f"gateway {name}", "is not enabled, and was left out", "enable = true in the file takes it in"))
    return False


def _listed(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
