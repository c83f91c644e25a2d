"""Accounts whose token may be revoked or replaced, and configurations to reload: for tests of what a reload does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.model import Config
from bridge.model.adapter import Intake, Outbound, Receipt
from bridge.model.errors import AccountDown
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform

Removal = Callable[[Config, str], Config]
"""What a configuration becomes without something of that account."""


class Platform(ScriptedPlatform):
    """A platform that may revoke tokens."""

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name, adapter=TokenAdapter, **more)
        self.revoked: set[object] = set()
        """Tokens that are refused. An account's options are its token; it begins with None."""
        self.sent_by: list[object] = []


class TokenAdapter(ScriptedAdapter):
    """Works as long as its token is good."""

    platform: Platform

    def __init__(self, platform: Platform, context: AdapterContext) -> None:
        super().__init__(platform, context)
        self.token = context.options

    def check(self) -> None:
        if self.token in self.platform.revoked:
            raise AccountDown("the token was revoked", action="make a new one, put it into bridge.yaml, reload")

    async def run(self, intake: Intake) -> None:
        self.check()
        await super().run(intake)

    async def send(self, outbound: Outbound) -> Receipt:
        self.check()
        self.platform.sent_by.append(self.token)
        return await super().send(outbound)


def with_token(config: Config, name: str, token: object) -> Config:
    account = AccountName(name)
    return replace(config, accounts={**config.accounts, account: replace(config.accounts[account], options=token)})


def without_account(config: Config, name: str) -> Config:
    kept = {account: configured for account, configured in config.accounts.items() if account != name}
    return replace(config, accounts=kept, routes=())


def without_routes(config: Config) -> Config:
    return replace(config, routes=())


async def is_in(app: App, account: str, state: AccountState) -> None:
    await eventually(lambda: app.account_states()[account].state is state, what=f"{account} {state}")
