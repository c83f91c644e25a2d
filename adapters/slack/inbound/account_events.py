"""Events that tell the adapter something about itself: names that changed, channels lost, a token revoked. Called by `receiver`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from adapters.slack.channels import Channels
from adapters.slack.directory import Directory
from adapters.slack.identity import Identity
from adapters.slack.inbound.statuses import Statuses
from adapters.slack.lenient import read
from adapters.slack.wire import (
    ChannelIdChanged,
    ChannelRename,
    ChannelState,
    EmojiChanged,
    Member,
    TokensRevoked,
    UserChange,
    UserGroupChanged,
    UserStatus,
)
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown


class AccountEvents:
    """Raises AccountDown when the account is over; msgspec errors for unknown shapes. `on_joined` is told of channels the bot is
    back in."""

    def __init__(
        self,
        intake: Intake,
        directory: Directory,
        channels: Channels,
        identity: Callable[[], Identity],
        on_joined: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._statuses = Statuses(intake, directory, identity, clock)
        self._on_joined = on_joined
        self._intake = intake
        self._directory = directory
        self._channels = channels
        self._identity = identity

    async def handle(self, kind: str, raw: msgspec.Raw) -> None:
        match kind:
            case "tokens_revoked" if not self._are_ours(read(raw, TokensRevoked)):
                pass
            case "tokens_revoked" | "app_uninstalled":
                raise AccountDown(
                    f"Slack: {kind.replace('_', ' ')}", action="reinstall the app and put the new bot token into bridge.yaml"
                )
            case "user_change":
                self._directory.learn_user(read(raw, UserChange).user)
            case "user_status_changed":
                await self._statuses.changed(read(raw, UserStatus))
            case "subteam_created" | "subteam_updated":
                self._directory.learn_group(read(raw, UserGroupChanged).subteam)
            case "emoji_changed":
                changed_emoji = read(raw, EmojiChanged)
                self._directory.learn_emoji({changed_emoji.name or "": changed_emoji.value})
            case "channel_rename" | "group_rename":
                channel = read(raw, ChannelRename).channel
                self._directory.learn_channel(channel.id, channel.name)
                self._channels.forget()
            case "channel_id_changed":
                changed = read(raw, ChannelIdChanged)
                self._channels.forget()
                await self._intake.chat_moved(changed.old_channel_id, changed.new_channel_id)
            case "channel_archive" | "group_archive" | "channel_deleted" | "group_deleted" | "channel_left" | "group_left":
                chat_id = read(raw, ChannelState).channel
                self._channels.forget()
                what = kind.partition("_")[2]
                action = "unarchive it" if what == "archive" else "invite the bot again"
                self._intake.notice(f"the channel was {_PAST[what]}", f"{action}, or take it out of bridge.yaml", chat_id=chat_id)
            case "channel_unarchive" | "group_unarchive":
                self._channels.forget()
                self._intake.chat_restored(read(raw, ChannelState).channel)
            case "member_joined_channel" | "member_left_channel":
                self._own_membership(read(raw, Member))
            case "app_rate_limited":
                self._intake.notice("Slack delivers no more than 30,000 events an hour and left some out", "relay fewer channels")
            case _:
                self._channels.forget()

    def _are_ours(self, revoked: TokensRevoked) -> bool:
        """People may have given the app tokens of their own, which it does not use. Where it cannot be read whose they were,
        the next call to Slack shows whether ours is among them."""
        bots = revoked.tokens.get("bot") if isinstance(revoked.tokens, dict) else None
        return isinstance(bots, list) and self._identity().user_id in bots

    def _own_membership(self, member: Member) -> None:
        if member.user != self._identity().user_id:
            return
        self._channels.forget()
        if member.type == "member_joined_channel":
            self._on_joined(member.channel)
            self._intake.chat_restored(member.channel)
        else:
            self._intake.notice("the bot was removed from the channel", "invite it again: /invite", chat_id=member.channel)


_PAST = {"archive": "archived", "deleted": "deleted", "left": "left by the bot"}
