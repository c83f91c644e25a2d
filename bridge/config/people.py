"""The `people` section: one person over several accounts. Ids stay exactly as written (`80351110224678912` needs no quotes)."""

from __future__ import annotations

from collections.abc import Mapping

from yaml.nodes import Node

from bridge.config import nodes
from bridge.config.accounts import Account
from bridge.config.faults import did_you_mean
from bridge.config.nodes import Entries, join
from bridge.config.sections import PersonSection
from bridge.config.values import Values
from bridge.identity.people import Person
from bridge.model.refs import AccountName

_OWN_KEYS = ("name", "roles", "relay")
"""An account of such a name goes before: files are older than the key."""


def read_people(values: Values, section: Node, accounts: Mapping[str, Account]) -> tuple[Person, ...]:
    """All people; those with faults as far as they could be read."""
    faults = values.faults
    people: list[Person] = []
    names: dict[str, int] = {}
    claimed: dict[tuple[str, str], str] = {}
    own = [name for name in _OWN_KEYS if name == "name" or name not in accounts]
    for index, node in enumerate(values.sequence(section, "people")):
        key = f"people[{index}]"
        found = values.mapping(node, key)
        if found is None:
            continue
        name = ""
        if "name" not in found:
            faults.add(node, key, "name is missing")
        else:
            name = values.text(found["name"].value, join(key, "name")) or ""
            if name in names:
                why = f"{name!r} is already in line {names[name]}"
                faults.add(found["name"].value, join(key, "name"), why, value=name, hint="one line per person")
            names.setdefault(name, node.start_mark.line + 1)
        roles = _roles(values, found, key) if "roles" in own else ()
        relay = "relay" not in own or _relay(values, found, node, key)
        ids: dict[AccountName, str] = {}
        for account, entry in found.items():
            if account in own:
                continue
            if account not in accounts:
                hint = did_you_mean(account, (*accounts, *own))
                faults.add(entry.key, join(key, account), f"unknown account {account!r}", value=account, hint=hint)
                continue
            native = values.text(entry.value, join(key, account))
            if not native:
                continue
            other = claimed.setdefault((account, native), name)
            if other != name:
                faults.add(entry.value, join(key, account), f"{native!r} is {other}'s id already", value=native)
            ids[AccountName(account)] = native
        if not ids and name:
            faults.warn(node, key, f"{name} has no id in any account")
        people.append(Person(name=name, ids=ids, roles=roles, relay=relay))
    return tuple(people)


def _relay(values: Values, found: Entries, at: Node, key: str) -> bool:
    entries = {"relay": found["relay"]} if "relay" in found else {}
    section = values.model(PersonSection, entries, at, key) if entries else None
    return section is None or section.relay


def _roles(values: Values, found: Entries, key: str) -> tuple[str, ...]:
    entry = found.get("roles")
    if entry is None or nodes.is_null(entry.value):
        return ()
    texts = [values.text(node, f"{key}.roles[{n}]") for n, node in enumerate(values.sequence(entry.value, f"{key}.roles"))]
    return tuple(text for text in texts if text)
