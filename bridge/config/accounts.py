"""The `accounts` section: platform, the platform's own options, relay defaults. A broken account does not hide faults of others."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.config import nodes
from bridge.config.faults import Faults, did_you_mean
from bridge.config.field_types import fields_of, secret_keys, shape_of
from bridge.config.nodes import Entries, join
from bridge.config.partial import Possible
from bridge.config.relay import RELAY_KEYS, Given, read_relay
from bridge.config.values import Values
from bridge.model.errors import ConfigFault
from bridge.model.platform import Platform

Manifests = Callable[[str], Platform]
"""Platform name -> its manifest; raises KeyError for an unknown platform. The registry's `manifest`, or a test's."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_MOST = 2000
"""Accounts. Each is a connection of its own, and a secret that is looked for in every line of the log."""
_TAKEN = frozenset(("name",))
"""Keys of a person in `people`, where accounts are keys too."""


@dataclass(slots=True)
class Account:
    """An account as far as it could be read: enough to check the routes that name it."""

    name: str
    key_node: ScalarNode
    platform: str = ""
    manifest: Platform | None = None
    options: Any = None
    """None if they have faults."""
    possible: Possible[Any] = field(default_factory=Possible)
    """Options as they may be, if some are faulty: what holds for all of these holds whatever the faulty ones should be."""
    given: Given = field(default_factory=dict)
    entries: Entries = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"accounts.{self.name}"


def read_accounts(values: Values, section: Node, manifests: Manifests, platforms: Sequence[str]) -> dict[str, Account]:
    """All accounts, also those with faults."""
    found = values.mapping(section, "accounts") or {}
    if len(found) > _MOST:
        first_beyond = next(itertools.islice(found.values(), _MOST, None))
        values.faults.add(first_beyond.key, "accounts", f"more than {_MOST:,} accounts: the others are not read")
        found = dict(itertools.islice(found.items(), _MOST))
    return {name: _read(values, name, entry, manifests, platforms) for name, entry in found.items()}


def name_problem(name: str) -> str:
    """Why an account cannot have that name; empty if it can."""
    if not _NAME.fullmatch(name):
        return "an account's name has letters, digits, '_', '-' and '.' only, at most 64"
    return f"{name!r} cannot be an account's name: it means something else in people" if name in _TAKEN else ""


def _read(values: Values, name: str, entry: nodes.Entry, manifests: Manifests, platforms: Sequence[str]) -> Account:
    account = Account(name=name, key_node=entry.key)
    faults, key = values.faults, account.key
    if problem := name_problem(name):
        faults.add(entry.key, key, problem, value=name)
    if not isinstance(entry.value, MappingNode):
        faults.add(
            entry.value if not nodes.is_null(entry.value) else entry.key, key, f"must be a mapping, not {nodes.kind(entry.value)}"
        )
        return account
    account.entries = found = nodes.entries(entry.value, key, faults)
    if "platform" not in found:
        meant = next((name for name in found if did_you_mean(name, ("platform",)).startswith("did you mean")), None)
        if meant is not None:
            faults.add(found[meant].key, join(key, meant), f"unknown key {meant!r}", hint="did you mean 'platform'?")
        else:
            faults.add(entry.key, key, "platform is missing", hint=f"one of {', '.join(platforms)}" if platforms else "")
        return account
    platform = values.text(found["platform"].value, join(key, "platform"))
    if platform is None:
        return account
    account.platform = platform
    try:
        account.manifest = manifests(platform)
        model = account.manifest.options()
    except KeyError:
        _hide_all(values, found)
        hint = did_you_mean(platform, platforms)
        faults.add(found["platform"].value, join(key, "platform"), f"unknown platform {platform!r}", value=platform, hint=hint)
        return account
    except (ImportError, AttributeError, TypeError) as error:
        faults.add(
            found["platform"].value, join(key, "platform"), f"platform {platform!r} cannot be loaded: {error}", value=platform
        )
        return account
    _read_options(values, account, model)
    return account


def _hide_all(values: Values, found: Entries) -> None:
    """Nobody can tell which options of an unknown platform are secret: none is shown."""
    for name, entry in found.items():
        if name != "platform" and isinstance(entry.value, ScalarNode):
            values.secrets.add(entry.value.value)


def _read_options(values: Values, account: Account, model: type[BaseModel]) -> None:
    own = set(fields_of((model,))) | {f"{name}_file" for name in secret_keys((model,))}
    relay_keys = RELAY_KEYS - own
    relay = {name: entry for name, entry in account.entries.items() if name in relay_keys}
    account.given = read_relay(values, relay, account.key_node, account.key)
    options = {name: entry for name, entry in account.entries.items() if name not in relay_keys and name != "platform"}
    built, known = values.options(model, options, account.key_node, account.key, also=("platform", *sorted(relay_keys)))
    if not known.options or account.manifest is None:
        return
    account.possible = known
    before = len(values.faults.faults)
    found = in_all(known, account.manifest.check_options)
    reported = {fault.key for fault in found} | {str(loc[0]) for loc in known.left_out}
    _check_paths(values.faults, account, model, known.options[0], reported)
    for fault in found:
        values.faults.faults.append(placed(fault, account, values.faults))
    if built is not None and len(values.faults.faults) == before:
        account.options = built
        values.faults.warnings += [placed(fault, account, values.faults) for fault in account.manifest.advise(built)]


def in_all(possible: Possible[Any], check: Callable[[Any], Sequence[ConfigFault]]) -> list[ConfigFault]:
    """The faults that a check finds whichever of these the options are, apart from what has a fault already."""
    first, *others = possible.options
    found = [fault for fault in check(first) if not fault.key or not possible.concerns(tuple(_steps(fault.key)))]
    for other in others:
        if not found:
            break
        theirs = {_identity(fault) for fault in check(other)}
        found = [fault for fault in found if _identity(fault) in theirs]
    return found


def _identity(fault: ConfigFault) -> tuple[object, ...]:
    return fault.key, fault.why, fault.path, fault.line, fault.column


def _steps(key: str) -> list[str]:
    """Of a key path: `ends.alerts.headers[0]`."""
    return [step for step in re.split(r"[.\[\]]+", key) if step]


def _check_paths(faults: Faults, account: Account, model: type[BaseModel], built: BaseModel, reported: Collection[str]) -> None:
    """`told`: keys of which the platform has said what is wrong."""
    for name, entry in account.entries.items():
        if name in reported or name not in model.model_fields or not shape_of(model.model_fields[name].annotation).path:
            continue
        path = getattr(built, name)
        if not isinstance(path, Path):
            continue
        if name.endswith("_file") and not path.is_file():
            faults.add(entry.value, join(account.key, name), f"there is no file {path}")
        elif not path.parent.is_dir():
            faults.add(entry.value, join(account.key, name), f"there is no folder {path.parent}")


def placed(fault: ConfigFault, account: Account, faults: Faults) -> ConfigFault:
    """A fault of the platform's own check, at its key in this file (unless it points into another file)."""
    if fault.path:
        return fault
    at: Node = account.key_node
    found: Entries | None = account.entries
    for step in _steps(fault.key):
        if isinstance(at, SequenceNode) and step.isdecimal() and int(step) < len(at.value):
            at = at.value[int(step)]
        elif found is not None and step in found:
            at = found[step].value
        else:
            break
        found = nodes.entries(at, "", Faults("")) if isinstance(at, MappingNode) else None
    return ConfigFault(
        fault.why,
        path=faults.path,
        line=at.start_mark.line + 1,
        column=at.start_mark.column + 1,
        key=join(account.key, fault.key) if fault.key else account.key,
        value=fault.value,
        hint=fault.hint,
    )
