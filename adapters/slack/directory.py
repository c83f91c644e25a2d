"""Names of people and channels by id: requested once, cached within bounds, corrected by `user_change`. For `receiver`,
`catch_up`."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec
import structlog

from adapters.slack import emoji_names
from adapters.slack.lenient import convert, next_cursor
from adapters.slack.names import SOME_CHANNEL, SOME_GROUP, Names, Wanted
from adapters.slack.transport import Transport
from adapters.slack.wire import Bot, Channel, File, User, UserGroup
from bridge.model.errors import BridgeError
from bridge.model.events import Author

log = structlog.get_logger("slack")

_MAX_USERS = 5000
_MAX_CHANNELS = 2000
_MAX_FILES = 500
_MAX_PICTURES = 20_000
"""Emoji of the workspace's own whose pictures are known; the first that were told are forgotten."""
_LONGEST_ADDRESS = 500
_FRESH_S = 6 * 3600.0
_FAILED_FRESH_S = 60.0
_LOOKUP_LIMIT_S = 2.0
"""A lookup may delay events that long; Slack wants its acknowledgement within 3 s."""
_AT_ONCE = 8
_HIDDEN = ("channel_not_found", "missing_scope")
"""A channel that the app may not see."""
_PRELOAD_PAGE = 200
_PRELOAD_PAGES = 10
"""users.list is Tier 2 (20 calls a minute), and larger workspaces have more people than talk in routed channels."""

_MAX_TOLD = 100

V = TypeVar("V")
T = TypeVar("T")


class _Cache(Generic[V]):
    """Least recently used go first; entries end after their time."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, V | None]] = OrderedDict()

    def put(self, key: str, value: V | None, fresh_s: float) -> None:
        self._entries[key] = (self._clock() + fresh_s, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def get(self, key: str) -> V | None:
        """The value, also a stale one: an old name is better than an id."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[1]

    def known(self, keys: Iterable[str]) -> dict[str, V]:
        return {key: value for key in keys if (value := self.get(key)) is not None}

    def is_fresh(self, key: str) -> bool:
        found = self._entries.get(key)
        return found is not None and found[0] > self._clock()


class Directory:
    """Looks names up before decoding. A name that is not found in time is shown as its id, and requested again later."""

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._users: _Cache[Author] = _Cache(_MAX_USERS, clock)
        self._channels: _Cache[str] = _Cache(_MAX_CHANNELS, clock)
        self._groups: _Cache[str] = _Cache(_MAX_CHANNELS, clock)
        self._bots: _Cache[str] = _Cache(_MAX_CHANNELS, clock)
        self._files: _Cache[File] = _Cache(_MAX_FILES, clock)
        self._told: set[str] = set()
        self._emoji: dict[str, str] = {}
        self._pictures: dict[str, str] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def names(self, asked: Wanted) -> Names:
        """Everything that is found in time. A failed look-up never fails the message."""
        missing = [self._load_user(user_id) for user_id in asked.users if not self._users.is_fresh(user_id)]
        missing += [self._load_channel(channel_id) for channel_id in asked.channels if not self._channels.is_fresh(channel_id)]
        missing += [self._load_bot(bot_id) for bot_id in asked.bots if not self._bots.is_fresh(bot_id)]
        missing += [self._load_file(file_id) for file_id in asked.files if not self._files.is_fresh(file_id)]
        if any(not self._groups.is_fresh(group_id) for group_id in asked.groups):
            missing.append(self._load_groups(asked.groups))
        if missing:
            try:
                async with asyncio.timeout(_LOOKUP_LIMIT_S), asyncio.TaskGroup() as group:
                    for lookup in missing:
                        group.create_task(lookup, name="slack name lookup")
            except TimeoutError:
                log.warning("names not found in time", count=len(missing))
        return Names(
            users=self._users.known(asked.users),
            channels=self._channels.known(asked.channels),
            groups=self._groups.known(asked.groups),
            bots=self._bots.known(asked.bots),
            files=self._files.known(asked.files),
            emoji=self._emoji,
            pictures=self._pictures,
        )

    async def person(self, user_id: str) -> Author | None:
        """One person, or None if Slack knows nobody of that id. Raises the bridge's errors."""
        answer = await self._transport.call("users.info", {"user": user_id}, tolerate=("user_not_found", "user_not_visible"))
        if not answer.get("ok"):
            return None
        author = to_author(convert(answer.get("user"), User))
        self._users.put(user_id, author, _FRESH_S)
        return author

    def known_person(self, user_id: str) -> Author | None:
        """As last seen. No I/O."""
        return self._users.get(user_id)

    async def email_of(self, user_id: str) -> str:
        """Empty without the scope users:read.email, and for who has none. Source: docs.slack.dev, users.info."""
        answer = await self._transport.call("users.info", {"user": user_id}, tolerate=("user_not_found", "user_not_visible"))
        user = convert(answer.get("user"), User) if answer.get("ok") else None
        return (user.profile.email or "") if user is not None and user.profile is not None else ""

    async def person_by_email(self, email: str) -> Author | None:
        """Source: docs.slack.dev, users.lookupByEmail (scope users:read.email)."""
        answer = await self._transport.call("users.lookupByEmail", {"email": email}, tolerate=("users_not_found", "missing_scope"))
        return to_author(convert(answer.get("user"), User)) if answer.get("ok") else None

    async def chats_of(self, user_id: str) -> frozenset[str] | None:
        """The channels of a person, as far as the app sees them; None if that cannot be found out. The first 999."""
        asked = {"user": user_id, "types": "public_channel,private_channel", "exclude_archived": "true", "limit": "999"}
        found = await self._ask("users.conversations", asked, "channels", list[Channel])
        return None if found is None else frozenset(channel.id for channel in found)

    async def preload(self) -> None:
        """Learn the workspace's people beforehand, as far as they fit, so that no message waits for its author's name; and which of
        its own emoji are other names of standard ones."""
        await self._load_people()
        try:
            listed = (await self._transport.call("emoji.list")).get("emoji")
        except BridgeError as error:
            log.info("emoji not loaded", reason=str(error))
            return
        self.learn_emoji(listed if isinstance(listed, dict) else {})

    def learn_emoji(self, listed: Mapping[str, object]) -> None:
        """Custom emoji: values are picture addresses, or `alias:<name>`."""
        for name, value in listed.items():
            if isinstance(value, str) and value.startswith("alias:"):
                character = emoji_names.to_unicode(value.removeprefix("alias:"))
                if character is not None:
                    self._emoji[name] = character
                elif same := self._pictures.get(value.removeprefix("alias:")) or listed.get(value.removeprefix("alias:")):
                    self._learn_picture(name, same)
            else:
                self._learn_picture(name, value)

    def _learn_picture(self, name: str, url: object) -> None:
        """Nothing is told of an emoji that was taken away: its address answers that it is gone."""
        if not isinstance(url, str) or "://" not in url or len(url) > _LONGEST_ADDRESS:
            return
        self._pictures.pop(name, None)
        self._pictures[name] = url
        while len(self._pictures) > _MAX_PICTURES:
            del self._pictures[next(iter(self._pictures))]

    async def _load_people(self) -> None:
        cursor = ""
        for _ in range(_PRELOAD_PAGES):
            try:
                answer = await self._transport.call("users.list", {"limit": _PRELOAD_PAGE, "cursor": cursor or None})
                for user in convert(answer.get("members") or [], list[User]):
                    self.learn_user(user)
            except (BridgeError, msgspec.ValidationError) as error:
                log.info("names not loaded beforehand", reason=str(error))
                return
            cursor = next_cursor(answer)
            if not cursor:
                return

    def learn_user(self, user: User) -> None:
        self._users.put(user.id, to_author(user), _FRESH_S)

    def learn_channel(self, channel_id: str, name: str) -> None:
        self._channels.put(channel_id, name, _FRESH_S)

    async def _load_user(self, user_id: str) -> None:
        try:
            async with self._slots:
                found = await self.person(user_id)
        except (BridgeError, msgspec.ValidationError) as error:
            log.info("name not found", user=user_id, reason=str(error))
            found = None
        if found is None:
            self._users.put(user_id, self._users.get(user_id), _FAILED_FRESH_S)

    def learn_group(self, group: UserGroup) -> None:
        self._groups.put(group.id, group.handle or group.name or SOME_GROUP, _FRESH_S)

    async def _load_channel(self, channel_id: str) -> None:
        try:
            async with self._slots:
                answer = await self._transport.call("conversations.info", {"channel": channel_id}, tolerate=_HIDDEN)
            name = convert(answer.get("channel"), Channel).name if answer.get("ok") else SOME_CHANNEL
            self.learn_channel(channel_id, name or SOME_CHANNEL)
        except (BridgeError, msgspec.ValidationError) as error:
            log.info("name not found", channel=channel_id, reason=str(error))
            self._channels.put(channel_id, self._channels.get(channel_id), _FAILED_FRESH_S)

    async def _load_bot(self, bot_id: str) -> None:
        bot = await self._ask("bots.info", {"bot": bot_id}, "bot", Bot)
        name = bot.name if bot is not None else None
        self._bots.put(bot_id, name or self._bots.get(bot_id), _FRESH_S if name else _FAILED_FRESH_S)

    async def _load_file(self, file_id: str) -> None:
        file = await self._ask("files.info", {"file": file_id}, "file", File)
        self._files.put(file_id, file, _FRESH_S if file is not None else _FAILED_FRESH_S)

    async def _load_groups(self, wanted_ids: Iterable[str]) -> None:
        """All of the workspace's at once: there is no call for one."""
        try:
            async with self._slots:
                answer = await self._transport.call("usergroups.list", {"include_disabled": True})
            for group in convert(answer.get("usergroups") or [], list[UserGroup]):
                self.learn_group(group)
        except (BridgeError, msgspec.ValidationError) as error:
            self._say_once("user groups are shown as @group", error)
        for group_id in wanted_ids:
            if not self._groups.is_fresh(group_id):
                self._groups.put(group_id, self._groups.get(group_id), _FAILED_FRESH_S)

    async def _ask(self, method: str, arguments: dict[str, str], key: str, kind: type[T]) -> T | None:
        """What is told about one thing, or None."""
        try:
            async with self._slots:
                answer = await self._transport.call(method, arguments)
            return convert(answer.get(key), kind)
        except (BridgeError, msgspec.ValidationError) as error:
            self._say_once(f"by {method}", error)
            return None

    def _say_once(self, what: str, error: Exception) -> None:
        """A look-up that is refused for good would be refused for every message: it is not repeated."""
        reason = str(error)
        if (line := f"{what}: {reason}") not in self._told and len(self._told) < _MAX_TOLD:
            self._told.add(line)
            log.warning("not looked up", what=what, reason=reason)


def to_author(user: User) -> Author:
    """`display_name` may be empty: then the real name is what Slack shows."""
    profile = user.profile
    display = profile.display_name if profile else None
    real = (profile.real_name if profile else None) or user.real_name
    avatar = (profile.image_192 or profile.image_72) if profile else None
    return Author(
        user_id=user.id,
        name=display or real or user.name or user.id,
        username=user.name or "",
        avatar_url=avatar or "",
        is_bot=user.is_bot,
    )
