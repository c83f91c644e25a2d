"""How each subtype of message is handled: it is somebody's message, a service line, or skipped by its name. A table. Read
by `decode`.

Sources: docs.slack.dev, reference/events/message, and the subtypes that clients have met beside it (slack-morphism,
SlackMessageEventType; @slack/types, events/message.ts); read November 2026. A subtype that is not here is told as something
unknown, unless it is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

CHANGES = frozenset({"message_changed", "message_deleted"})
"""`decode` makes edits and deletions of these."""

SPOKEN = frozenset(
    {
        *("bot_message", "bot_response", "file_comment", "file_mention", "file_share", "me_message", "reply_broadcast"),
        *("assistant_app_thread", "document_mention", "slackbot_response", "thread_broadcast"),
    }
)
"""Their text is what their author says."""

NEWS: Mapping[str, str] = {
    "bot_add": "added an integration to this channel",
    "bot_disable": "disabled an integration in this channel",
    "bot_enable": "enabled an integration in this channel",
    "bot_remove": "removed an integration from this channel",
    "channel_archive": "archived the channel",
    "channel_canvas_updated": "changed the channel's canvas",
    "channel_convert_to_private": "made this channel private",
    "channel_convert_to_public": "made this channel public",
    "channel_posting_permissions": "changed who may post in this channel",
    "channel_purpose": "changed the channel's description",
    "channel_topic": "changed the channel's topic",
    "channel_unarchive": "unarchived the channel",
    "ekm_access_denied": "(a message that the workspace's key management withholds)",
    "group_archive": "archived the channel",
    "group_purpose": "changed the channel's description",
    "group_topic": "changed the channel's topic",
    "group_unarchive": "unarchived the channel",
    "huddle_thread": "started a huddle",
    "reminder_add": "set up a reminder",
    "tabbed_canvas_updated": "changed a canvas of the channel",
}
"""Told in Slack's words behind the name of who did it; or in these, where Slack gives none."""

SKIPPED: Mapping[str, str] = {
    "app_conversation_leave": "told as a person who left",
    "channel_join": "told as a person who joined",
    "channel_leave": "told as a person who left",
    "channel_name": "told as a new name of the channel",
    "group_join": "as channel_join",
    "group_leave": "as channel_leave",
    "group_name": "as channel_name",
    "joiner_notification": "shown to one person alone",
    "joiner_notification_for_inviter": "shown to one person alone",
    "message_replied": "the reply itself comes as well",
    "pinned_item": "told as a pin",
    "tombstone": "what is left of a deleted message",
    "unpinned_item": "told as a pin",
}
"""Not relayed, and why. Skipped as `service message <subtype>`."""
