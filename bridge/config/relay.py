"""Relay options: reading them wherever they may be given, and the cascade end > route > account > defaults."""

from __future__ import annotations

from typing import Any

import msgspec
from yaml.nodes import Node

from bridge.config.nodes import Entries, join
from bridge.config.sections import RelaySection
from bridge.config.values import Values
from bridge.identity.sender_templates import problem
from bridge.policy.routing import Deletes, RelayOptions

RELAY_KEYS = frozenset(RelaySection.model_fields)

_NULL_MEANS_SOMETHING = frozenset(("max_file_mb", "hold_s", "max_age_min"))

Given = dict[str, Any]
"""Relay options given in one place."""


def read_relay(values: Values, found: Entries, at: Node, key: str, *, also: tuple[str, ...] = ()) -> Given:
    """The relay options among a mapping's entries. `also`: other keys that are valid there; all else is a fault."""
    mine = {name: entry for name, entry in found.items() if name not in also}
    if not mine:
        return {}
    section = values.model(RelaySection, mine, at, key, also=also, partial=True)
    if section is None:
        return {}
    given = {
        name: getattr(section, name)
        for name in section.model_fields_set
        if name in _NULL_MEANS_SOMETHING or getattr(section, name) is not None
    }
    if given.get("deletes") in (Deletes.MIRROR, Deletes.IGNORE):
        given["deletes"] = given["deletes"] is Deletes.MIRROR
    if "sender" in given and (wrong := problem(given["sender"])):
        why, hint = wrong
        values.faults.add(mine["sender"].value, join(key, "sender"), why, value=given["sender"], hint=hint)
    return given


def cascade(base: RelayOptions, *given: Given) -> RelayOptions:
    """The effective options: each later one overrides the earlier."""
    changes = {name: value for one in given for name, value in one.items()}
    return msgspec.structs.replace(base, **changes) if changes else base
