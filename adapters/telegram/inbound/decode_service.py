"""Service messages that are no event of their own: a line that says what somebody did, or nothing. Pure. Called by
`decode`.

Their texts are data (the name of an option, the reason of a refusal), never speech. Source of the fields: Bot API reference 10.3,
Message and what it leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.common.lenient import record, records, whole, words
from adapters.telegram.inbound.decode_kinds import gift_words
from adapters.telegram.inbound.decode_topics import FIELDS
from adapters.telegram.wire import Json, full_name
from bridge.model.rich_text import Inline, Mark, Mention, MentionKind, Paragraph, RichText, Text, Timestamp, text_of

_ITALIC = int(Mark.ITALIC)
_LONGEST_QUOTED = 200
_MOST_NAMES = 20
Said = str | tuple[str | Inline, ...]
"""What a service message says behind the name of the person who did it."""

EVENTS = frozenset({"new_chat_members", "left_chat_member", "new_chat_title", "pinned_message"} | FIELDS)
"""`decode` makes events of these."""

UNTOLD = frozenset(
    {
        # the birth of the chat, which nobody has relayed yet
        *("group_chat_created", "supergroup_chat_created", "channel_chat_created"),
        # between one person and a bot
        *(
            "users_shared",
            "user_shared",
            "chat_shared",
            "connected_website",
            "write_access_allowed",
            "passport_data",
            "web_app_data",
        ),
        *("managed_bot_created", "successful_payment", "refunded_payment"),
    }
)
"""Skipped by their names."""


def _quoted(line: str, text: object) -> str:
    shown = " ".join(words(text).split())[:_LONGEST_QUOTED]
    return f"{line}: “{shown}”" if shown else line


def _stars(count: object) -> str:
    return f"{stars} Telegram Stars" if (stars := whole(count)) else "nothing"


def _boost(boost: Json) -> str:
    times = whole(boost.get("boost_count")) or 1
    return "boosted the chat" + (f" {times} times" if times > 1 else "")


def _timer(timer: Json) -> str:
    seconds = whole(timer.get("message_auto_delete_time"))
    if not seconds:
        return "switched off that messages are deleted automatically"
    count, unit = next((seconds // size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"made messages disappear after {count} {unit}{'s' * (count != 1)}"


_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def _proximity(alert: Json) -> Said:
    distance = whole(alert.get("distance"))
    far = f" {distance} m" if distance is not None else ""
    return f"is{far} away from ", _person(alert.get("watcher"), "somebody")


def _new_owner(change: Json) -> Inline:
    return _person(change.get("new_owner"), "somebody else")


def _person(user: object, unknown: str) -> Inline:
    """As a mention, so that whoever wants to be named nowhere is not."""
    told = record(user)
    user_id, name = words(told.get("id")), full_name(told)
    return (
        Mention(MentionKind.USER, user_id, name, int(Mark.ITALIC)) if user_id and name else Text(name or unknown, int(Mark.ITALIC))
    )


def _post_paid(paid: Json) -> str:
    stars = record(paid.get("star_amount")).get("amount") or (paid.get("amount") if paid.get("currency") == "XTR" else None)
    return "the suggested post is paid" + (f": {_stars(stars)}" if stars else "")


def _direct_messages(change: Json) -> str:
    if change.get("are_direct_messages_enabled") is not True:
        return "switched off direct messages to the channel"
    return f"set the price of a direct message to the channel: {_stars(change.get('direct_message_star_count'))}"


_LATEST_UNIX_S = 253_402_300_800
"""The year 10000."""


def _planned(call: Json) -> tuple[Inline, ...]:
    line, at = Text("planned a video chat", _ITALIC), whole(call.get("start_date"))
    known = at is not None and 0 < at < _LATEST_UNIX_S
    return (Text("planned a video chat for ", _ITALIC), Timestamp(at, "", "f", _ITALIC)) if at is not None and known else (line,)


def _call_over(call: Json) -> str:
    seconds = whole(call.get("duration")) or 0
    return "ended the video chat" + (f", after {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}" if seconds > 0 else "")


def _called(call: Json) -> Said:
    people = [_person(user, "somebody") for user in records(call.get("users"))[:_MOST_NAMES]]
    listed = [part for person in people for part in (", ", person)][1:] or ["somebody"]
    return ("invited ", *listed, " to the video chat")


def _community(line: str) -> Callable[[Json], str]:
    return lambda change: _quoted(line, record(change.get("community")).get("name") or record(change.get("community")).get("title"))


LINES: Mapping[str, Callable[[Json], Said]] = {
    "new_chat_photo": lambda _: "changed the chat's photo",
    "delete_chat_photo": lambda _: "removed the chat's photo",
    "chat_background_set": lambda _: "changed the chat's background",
    "message_auto_delete_timer_changed": _timer,
    "boost_added": _boost,
    "proximity_alert_triggered": _proximity,
    "poll_option_added": lambda change: _quoted("added an option to the poll", change.get("option_text")),
    "poll_option_deleted": lambda change: _quoted("removed an option from the poll", change.get("option_text")),
    "chat_owner_left": lambda change: ("left the chat, which is to belong to ", _new_owner(change)),
    "chat_owner_changed": lambda change: ("gave the chat to ", _new_owner(change)),
    "gift_upgrade_sent": lambda gift: _quoted("paid for the upgrade of a gift", text_of(gift_words(gift))),
    "paid_message_price_changed": lambda change: f"set the price of a message: {_stars(change.get('paid_message_star_count'))}",
    "direct_message_price_changed": _direct_messages,
    "suggested_post_approved": lambda _: "approved a suggested post",
    "suggested_post_approval_failed": lambda _: "could not approve a suggested post: its author has too few Stars",
    "suggested_post_declined": lambda change: _quoted("declined a suggested post", change.get("comment")),
    "suggested_post_paid": _post_paid,
    "suggested_post_refunded": lambda _: "the payment for a suggested post is refunded",
    "community_chat_added": _community("added the chat to a community"),
    "community_chat_removed": lambda _: "took the chat out of its community",
    "community_chat_joined": _community("came by way of a community"),
    "video_chat_scheduled": _planned,
    "video_chat_started": lambda _: "started a video chat",
    "video_chat_ended": _call_over,
    "video_chat_participants_invited": _called,
}
"""The text after the name of the person who did it."""

SERVICE_FIELDS = EVENTS | UNTOLD | LINES.keys()


def news(field: str, value: object) -> RichText | None:
    """What happened, as a line behind the author's name; None: nothing is told of it."""
    line = LINES.get(field)
    if line is None:
        return None
    said = line(record(value))
    parts = (said,) if isinstance(said, str) else said
    return RichText((Paragraph(tuple(Text(part, _ITALIC) if isinstance(part, str) else part for part in parts)),))
