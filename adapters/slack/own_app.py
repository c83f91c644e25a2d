"""The app itself, as Slack last reported it: its identity, its names, what it may do."""

from __future__ import annotations

from dataclasses import replace

from adapters.slack.identity import Identity
from adapters.slack.transport import Transport
from bridge.model.refs import AccountName


class OwnApp:
    """One per account. Until Slack was asked, it has no identity and counts as allowed to do everything."""

    def __init__(self, account: AccountName, transport: Transport) -> None:
        self._transport = transport
        self.identity = Identity(account)
        self.names: set[str] = set()
        """How people call it."""
        self.team_url = ""
        """The workspace's address, without which there are no links to its messages."""
        self.can_customize = True
        """Whether it may post under other names."""
        self.can_read_history = True

    async def introduce(self) -> None:
        """Ask who we are, and what we may do. Raises AccountDown for a wrong token, and the bridge's other errors."""
        answer, scopes = await self._transport.scopes()
        self.identity = replace(self.identity, bot_id=str(answer.get("bot_id") or ""), user_id=str(answer.get("user_id") or ""))
        self.names.add(str(answer.get("user") or ""))
        url = answer.get("url")
        self.team_url = url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
        self.can_customize = not scopes or "chat:write.customize" in scopes
        self.can_read_history = not scopes or "channels:history" in scopes

    def learn_app_id(self, app_id: str) -> None:
        """Only a socket's greeting tells it."""
        if app_id:
            self.identity = replace(self.identity, app_id=app_id)
