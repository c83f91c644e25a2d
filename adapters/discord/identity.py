"""The account's identity on Discord, and so what is its own: the bot, its application, the webhooks it made. Filled by `directory`
and `own_webhooks`; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.discord import wire
from adapters.discord.lenient import mapping
from bridge.model.refs import AccountName


@dataclass(slots=True)
class Identity:
    account: AccountName
    user_id: str = ""
    """Empty until Discord said who the token belongs to."""
    application_id: str = ""
    """Empty also where a server does not know of applications."""
    names: tuple[str, ...] = ()
    """Our names, apart from nicknames on single servers."""
    webhooks: set[str] = field(default_factory=set)
    """Ids of the webhooks that we made or posted through."""

    def wrote(self, message: wire.Message) -> bool:
        """Posted by this account: by the bot itself, or by a webhook of its application. Others' webhooks and bots are origins,
        whatever marks they carry. Either mark of a webhook will do: some servers leave the application out."""
        webhook_id = message.get("webhook_id")
        if webhook_id is not None:
            ours = bool(self.application_id) and str(message.get("application_id")) == self.application_id
            return ours or str(webhook_id) in self.webhooks
        return str(message["author"]["id"]) == self.user_id

    def made(self, webhook: wire.Webhook) -> bool:
        """Made by our application; if a server does not say that: made by our bot."""
        if str(webhook["id"]) in self.webhooks:
            return True
        if webhook.get("application_id") is not None and self.application_id:
            return str(webhook["application_id"]) == self.application_id
        return str(mapping(webhook.get("user")).get("id")) == self.user_id
