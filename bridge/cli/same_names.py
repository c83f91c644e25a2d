"""The chats whose names several accounts have in common, and the route that mirrors them: what `chats A B` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from bridge.model.abilities import ListedChat


@dataclass(frozen=True, slots=True)
class SameNames:
    """`names`: as `each` of a route takes them. `ends`: that route's ends, with a `*` for the name. `notes`: by name, what is to
    be done before."""

    names: tuple[str, ...]
    ends: tuple[str, ...]
    notes: Mapping[str, str]

    def route(self) -> str:
        """The lines for bridge.yaml; empty if no name is everywhere."""
        if not self.names:
            return ""
        one = {"name": "rooms", "each": list(self.names), "between": list(self.ends)}
        return yaml.safe_dump({"routes": [one]}, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)


def same_names(found: Mapping[str, Sequence[ListedChat]]) -> SameNames:
    """`found`: the chats by account. Names count that are unique at each account; Slack and Discord write a `#` before theirs."""
    named: list[dict[str, ListedChat]] = []
    ends: list[str] = []
    for account, chats in found.items():
        known = [chat for chat in chats if chat.by_name]
        sign = "#" if all(chat.by_name.startswith("#") for chat in known) else ""
        named.append({chat.by_name.removeprefix(sign): chat for chat in known})
        ends.append(f"{account}/{sign}*")
    common = set.intersection(*map(set, named)) if named else set()
    names = tuple(sorted(name for name in common if "*" not in name))
    notes = {name: "; ".join(chats[name].note for chats in named if chats[name].note) for name in names}
    return SameNames(names, tuple(ends), {name: note for name, note in notes.items() if note})
