"""Who and what the ids in Slack's payloads stand for. `directory` looks them up beforehand, so that decoding stays pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.events import Author

_USER = re.compile(rb'(?:(?:<|\\u003c)@|"(?:user|user_id|parent_user_id|inviter)":\s*")([UW][A-Z0-9]{1,30})')
_CHANNEL = re.compile(rb'(?:(?:<|\\u003c)#|"channel_id":\s*")([CGD][A-Z0-9]{1,30})')


@dataclass(frozen=True, slots=True)
class Names:
    """Looked-up names. An id that is not there is shown as it is."""

    users: Mapping[str, Author] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, str] = field(default_factory=dict)
    """Custom names that stand for a standard emoji, with that emoji."""

    def author(self, user_id: str) -> Author:
        return self.users.get(user_id) or Author(user_id=user_id, name=user_id)

    def user(self, user_id: str) -> str:
        return self.author(user_id).name

    def channel(self, channel_id: str) -> str:
        return self.channels.get(channel_id, channel_id)

    def group(self, group_id: str) -> str:
        return group_id


NO_NAMES = Names()


def user_ids(raw: bytes) -> set[str]:
    """Ids of people that decoding this JSON will ask for."""
    return {found.decode() for found in _USER.findall(raw)}


def channel_ids(raw: bytes) -> set[str]:
    """Ids of channels that decoding this JSON will ask for."""
    return {found.decode() for found in _CHANNEL.findall(raw)}
