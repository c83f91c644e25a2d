"""The names behind the ids in Slack's payloads. `directory` looks them up beforehand, so that decoding stays pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from adapters.slack.lenient import read
from adapters.slack.wire import File, Message
from bridge.model.events import Author
from bridge.model.pauses import pause_point

_USER = re.compile(rb'(?:(?:<|\\u003c)@|"(?:user|user_id|initial_user|parent_user_id|inviter|author_id)":\s*")([UW][A-Z0-9]{1,30})')
_CHANNEL = re.compile(rb'(?:(?:<|\\u003c)#|"(?:channel_id|initial_channel|initial_conversation)":\s*")([CGD][A-Z0-9]{1,30})')
_GROUP = re.compile(rb'(?:(?:<|\\u003c)!subteam\^|"usergroup_id":\s*")(S[A-Z0-9]{1,30})')
_BOT = re.compile(rb'"bot_id":\s*"(B[A-Z0-9]{1,30})"')
_IS_NAMED = re.compile(rb'"(?:username|bot_profile)":\s*["{]')
_CHOSEN = re.compile(rb'"initial_(?:users|channels|conversations)":\s*\[([^\]]{1,600})\]')
_CHOSEN_ID = re.compile(rb'"([A-Z][A-Z0-9]{1,30})"')
_WINDOW = 32 * 1024
_LONGEST = 1024
"""More than what names an id and the id together: bytes beyond a window that are looked at as well."""
PENDING = "check_file_info"
"""`file_access` of a file of which the message tells nothing more than the id."""
_PENDING_FILE = PENDING.encode()


SOME_GROUP = "group"
"""What a user group is called whose handle cannot be had: the app lacks usergroups:read, or the group is another workspace's."""
SOME_CHANNEL = "private-channel"
"""The name shown for a channel that the app may not see, as in Slack."""


_BUILT_IN = {"USLACKBOT": "Slackbot", "UREVOKEDU": "Slack"}
"""Who is in every workspace, whether or not the look-up knows. The second stands for people whose messages the workspace's key
management withholds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ids that decoding will ask for."""

    users: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()

    def __or__(self, other: Wanted) -> Wanted:
        return Wanted(
            self.users | other.users,
            self.channels | other.channels,
            self.groups | other.groups,
            self.bots | other.bots,
            self.files | other.files,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """Looked-up names. A person's id that is not there is shown as it is."""

    users: Mapping[str, Author] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    """Handles of user groups, without @."""
    bots: Mapping[str, str] = field(default_factory=dict)
    """Names of apps by `bot_id`."""
    files: Mapping[str, File] = field(default_factory=dict)
    """Files of which a message has only the id (Slack Connect)."""
    emoji: Mapping[str, str] = field(default_factory=dict)
    """Custom names that stand for a standard emoji, with that emoji."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """The addresses of the pictures of the workspace's own emoji, by name."""

    def author(self, user_id: str) -> Author:
        return self.users.get(user_id) or Author(user_id=user_id, name=_BUILT_IN.get(user_id, user_id))

    def user(self, user_id: str) -> str:
        return self.author(user_id).name

    def channel(self, channel_id: str) -> str:
        return self.channels.get(channel_id, channel_id)

    def group(self, group_id: str) -> str:
        return self.groups.get(group_id, SOME_GROUP)


NO_NAMES = Names()


def wanted(raw: bytes) -> Wanted:
    """Ids that decoding this JSON of one event will ask for."""
    chosen = {one for ids in _found(_CHOSEN, raw) for one in _CHOSEN_ID.findall(ids.encode())} if b'"initial_' in raw else set()
    chosen_users = {one for one in chosen if one[:1] in b"UW"}
    return Wanted(
        users=_found(_USER, raw) | set(map(bytes.decode, chosen_users)),
        channels=_found(_CHANNEL, raw) | set(map(bytes.decode, chosen - chosen_users)),
        groups=_found(_GROUP, raw),
        bots=frozenset() if _IS_NAMED.search(raw) else _found(_BOT, raw),
        files=_pending_files(raw) if _PENDING_FILE in raw else frozenset(),
    )


def _found(pattern: re.Pattern[bytes], raw: bytes) -> frozenset[str]:
    """Looked for window by window: one search through all of a long message would hold everybody up."""
    ids: set[bytes] = set()
    for start in range(0, len(raw), _WINDOW):
        pause_point()
        found = pattern.finditer(raw, start, start + _WINDOW + _LONGEST)
        ids.update(one[1] for one in found if one.start() < start + _WINDOW)
    return frozenset(map(bytes.decode, ids))


def _pending_files(raw: bytes) -> frozenset[str]:
    """Files whose description has to be asked for."""
    try:
        event = read(raw, Message)
    except msgspec.DecodeError:
        return frozenset()
    messages = (event, event.message) if event.message is not None else (event,)
    return frozenset(file.id for message in messages for file in message.files or () if file.id and file.file_access == PENDING)
