"""Origin of a message, as it is written for people: messenger and chat. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.identity.names import show_name
from bridge.model.refs import AccountName


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a message comes from. `platform_title` and `chat_name` are as written for people; some chats have only an id."""

    account: AccountName
    platform: str
    platform_title: str = ""
    chat_name: str = ""
    chat_is_named: bool = True
    """Whether that is a name, and not an id."""

    @property
    def title(self) -> str:
        return self.platform_title or self.platform.capitalize()

    @property
    def chat_title(self) -> str:
        """The chat's name, if it has one."""
        return show_name(self.chat_name) if self.chat_is_named else ""
