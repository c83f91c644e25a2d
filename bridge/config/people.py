"""The `people` section: one person over several accounts. Ids stay exactly as written (`80351110224678912` needs no quotes)."""

from __future__ import annotations

from collections.abc import Mapping

from yaml.nodes import Node

from bridge.config.accounts import Account
from bridge.config.faults import did_you_mean
from bridge.config.nodes import join
from bridge.config.values import Values
from bridge.identity.people import Person
from bridge.model.refs import AccountName


def read_people(values: Values, section: Node, accounts: Mapping[str, Account]) -> tuple[Person, ...]:
    """All people; those with faults as far as they could be read."""
    faults = values.faults
    people: list[Person] = []
    names: dict[str, int] = {}
    claimed: dict[tuple[str, str], str] = {}
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
        ids: dict[AccountName, str] = {}
        for account, entry in found.items():
            if account == "name":
                continue
            if account not in accounts:
                hint = did_you_mean(account, (*accounts, "name"))
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
        people.append(Person(name=name, ids=ids))
    return tuple(people)
