"""What the simulated admin changes while people talk: tokens, routes and accounts that go and come back."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bridge.config.model import Config
from bridge.model.refs import AccountName

INFINITY_S = float("inf")


@dataclass
class Settings:
    """The configuration as it stands, made of the first one; and since when which chat is no end of any route."""

    accounts: Sequence[str]
    routes: Sequence[str]
    rng: random.Random
    tokens: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    removed: set[str] = field(default_factory=set)
    """Accounts and routes that are out of the file now."""
    absences: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """Per account or route, when it may have been absent: from before the first reload that removes it until the end of one that
    brings it back."""

    def change(self) -> str:
        """Edit the file; says how. What it takes out is away from now on."""
        kind = self.rng.choice(("token", "token", "account", "route", "back", "back"))
        if kind == "back" or self.removed:
            self.removed.clear()
            return "everything is back"
        name = self.rng.choice(self.routes if kind == "route" else self.accounts)
        if kind == "token":
            self.tokens[name] += 1
            return f"{name} has another token"
        self.removed.add(name)
        self.absences[name].append((asyncio.get_running_loop().time(), INFINITY_S))
        return f"{name} is removed"

    def restore(self) -> None:
        self.removed.clear()

    def applied(self) -> None:
        """The bridge works by the file as it is now."""
        for name, times in self.absences.items():
            if times and name not in self.removed and times[-1][1] == INFINITY_S:
                times[-1] = (times[-1][0], asyncio.get_running_loop().time())

    def of(self, first: Config) -> Config:
        accounts = {
            name: replace(account, options=self.tokens.get(name, 0))
            for name, account in first.accounts.items()
            if name not in self.removed
        }
        routes = []
        for route in first.routes:
            ends = tuple(end for end in route.ends if end.chat.account not in self.removed)
            if route.name not in self.removed and len(ends) > 1:
                routes.append(type(route)(name=route.name, ends=ends))
        return replace(first, accounts={AccountName(name): account for name, account in accounts.items()}, routes=tuple(routes))

    def may_be_absent(self, names: Sequence[str], since_s: float, until_s: float) -> bool:
        """Whether one of these may have been out of the file at some moment between."""
        return any(begin <= until_s and since_s <= end for name in names for begin, end in self.absences[name])
