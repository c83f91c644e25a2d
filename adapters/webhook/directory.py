"""Who and where: the ends of an account, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model.errors import ChatDown

if TYPE_CHECKING:
    from adapters.webhook.config import EndOptions, WebhookOptions

ADD_END = "add it to ends of the account in bridge.yaml, or correct the route"


class Directory:
    """The ends of one account."""

    def __init__(self, options: WebhookOptions) -> None:
        self._ends = options.ends

    def resolve(self, address: str) -> str:
        """The name itself. Raises ChatDown if there is no such end."""
        self.end(address)
        return address

    def names(self) -> list[str]:
        return list(self._ends)

    def end(self, chat_id: str) -> EndOptions:
        """Raises ChatDown if there is no such end."""
        if chat_id not in self._ends:
            raise ChatDown(f"the account has no end {chat_id}", action=ADD_END)
        return self._ends[chat_id]
