"""Reactions, pins, members and names of channels to the bridge's events. Pure. Called by `decode`."""

from __future__ import annotations

import msgspec

from adapters.slack import emoji_names
from adapters.slack.inbound.decode_context import Context, event_meta
from adapters.slack.timestamps import moment
from adapters.slack.wire import ChannelRename, Member, Pin, Reaction
from bridge.model.events import ChatRenamed, Ignored, MembershipChanged, MembershipKind, PinsChanged, ReactionsChanged


def reaction(event: Reaction, context: Context) -> ReactionsChanged | Ignored:
    """reaction_added, reaction_removed. Raises Undecodable."""
    if event.item.type != "message" or not event.item.channel or not event.item.ts:
        return Ignored("reaction to something else than a message")
    channel, ts = event.item.channel, event.item.ts
    emoji = (emoji_names.to_unicode(event.reaction) or context.names.emoji.get(event.reaction) or f":{event.reaction}:",)
    added = event.type == "reaction_added"
    key = f"reactions:{context.identity.account}:{channel}:{ts}:{event.user}:{event.reaction}:{event.type}:{event.event_ts}"
    meta = event_meta(context, channel, key, moment(event.event_ts), context.names.author(event.user))
    meta = msgspec.structs.replace(meta, sent_by_us=bool(context.identity.user_id) and event.user == context.identity.user_id)
    return ReactionsChanged(meta=meta, message_id=ts, added=emoji if added else (), removed=() if added else emoji)


def pin(event: Pin, context: Context) -> PinsChanged | Ignored:
    """pin_added, pin_removed. Raises Undecodable."""
    if event.item.message is None or not event.item.message.ts:
        return Ignored("pin of something else than a message")
    ts = event.item.message.ts
    key = f"pins:{context.identity.account}:{event.channel_id}:{ts}:{event.event_ts}"
    meta = event_meta(context, event.channel_id, key, moment(event.event_ts), context.names.author(event.user))
    meta = msgspec.structs.replace(meta, sent_by_us=bool(context.identity.user_id) and event.user == context.identity.user_id)
    return PinsChanged(meta=meta, message_id=ts, pinned=event.type == "pin_added")


def member(event: Member, context: Context) -> MembershipChanged | Ignored:
    """member_joined_channel, member_left_channel. Raises Undecodable."""
    if event.user == context.identity.user_id:
        return Ignored("our own membership")
    joined = event.type == "member_joined_channel"
    key = f"membership:{context.identity.account}:{event.channel}:{event.user}:{event.type}:{event.event_ts}"
    inviter = context.names.author(event.inviter) if event.inviter else None
    return MembershipChanged(
        meta=event_meta(context, event.channel, key, moment(event.event_ts), inviter),
        change=MembershipKind.JOINED if joined else MembershipKind.LEFT,
        member=context.names.author(event.user),
    )


def rename(event: ChannelRename, context: Context) -> ChatRenamed:
    """channel_rename, group_rename. Raises Undecodable."""
    channel = event.channel
    key = f"renamed:{context.identity.account}:{channel.id}:{event.event_ts}"
    return ChatRenamed(meta=event_meta(context, channel.id, key, moment(event.event_ts)), name=channel.name)
