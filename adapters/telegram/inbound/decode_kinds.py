"""A visible form for the kinds of messages that have no counterpart elsewhere, and for the buttons below a message. Pure; used by
`decode_content`. Source of the fields: Bot API reference 10.3, Message and what it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from adapters.common.lenient import real, record, records, whole, words
from adapters.telegram.inbound.decode_files import FILE_KINDS, sticker_line
from adapters.telegram.inbound.decode_text import decode_text
from adapters.telegram.inbound.vcard import details
from adapters.telegram.wire import Json, Message, chat_name, full_name
from bridge.model.events import Contact, Location, Poll, PollOption
from bridge.model.rich_text import EMPTY, Inline, Paragraph, RichText, Text, concat, plain

_LINKS = ("http://", "https://", "tg://", "mailto:", "tel:")
_BUTTONS_MAX = 100
_TASKS_MAX = 100
_ENDLESS_S = 0x7FFFFFFF
"""The live period of a point that moves until it is stopped. Source: Bot API 10.3, sendLocation."""
_WITHOUT_CENTS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND"})
_ABOUT_A_MESSAGE = frozenset(
    """message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot sender_tag
    guest_query_id business_connection_id date chat forward_origin is_topic_message is_automatic_forward reply_to_message
    external_reply quote reply_to_story reply_to_checklist_task_id reply_to_poll_option_id via_bot guest_bot_caller_user
    guest_bot_caller_chat edit_date has_protected_content is_from_offline is_paid_post media_group_id author_signature
    paid_star_count text entities link_preview_options suggested_post_info effect_id caption caption_entities
    show_caption_above_media has_media_spoiler reply_markup receiver_user ephemeral_message_id forward_date forward_from
    forward_from_chat forward_from_message_id forward_sender_name forward_signature""".split()  # noqa: SIM905 - reads better as words
)
"""Fields that a message may have beside what it says."""


def stand_in(message: Message) -> RichText:
    """Lines for content without a counterpart elsewhere; nothing for the other kinds."""
    fields: Mapping[str, Any] = message
    if (dice := record(fields.get("dice"))) or "dice" in fields:
        return plain(f"{words(dice.get('emoji')) or '🎲'} {words(dice.get('value'))}".strip())
    for name, lines in _LINES.items():
        if name in fields:
            return lines(record(fields[name]))
    sticker = record(fields.get("sticker"))
    return plain(sticker_line(sticker)) if sticker.get("is_animated") is True else EMPTY


def _story(story: Json) -> RichText:
    chat = record(story.get("chat"))
    username, number = words(chat.get("username")), words(story.get("id"))
    line = f"(story by {chat_name(chat) or 'somebody'})"
    return _line(Text(line, 0, f"https://t.me/{username}/s/{number}" if username and number else None))


def _game(game: Json) -> RichText:
    head = plain(f"(game: {words(game.get('title'))})")
    return concat(
        head, plain(words(game.get("description"))), decode_text(words(game.get("text")), records(game.get("text_entities")))
    )


def _invoice(invoice: Json) -> RichText:
    amount = whole(invoice.get("total_amount"))
    currency = words(invoice.get("currency"))
    price = ""
    if amount is not None and currency:
        price = f", {amount} Telegram Stars" if currency == "XTR" else f", {_money(amount, currency)}"
    return concat(plain(f"(invoice: {words(invoice.get('title'))}{price})"), plain(words(invoice.get("description"))))


def _money(amount: int, currency: str) -> str:
    """Amounts are in the smallest unit of the currency, which for some is the currency itself [Bot API: currencies.json]."""
    return f"{amount} {currency}" if currency in _WITHOUT_CENTS else f"{amount / 100:.2f} {currency}"


def _checklist(checklist: Json) -> RichText:
    title = decode_text(words(checklist.get("title")), checklist.get("title_entities"))
    tasks: list[RichText] = []
    for task in records(checklist.get("tasks")):
        box = "☑ " if task.get("completion_date") else "☐ "
        tasks.append(concat_line(box, decode_text(words(task.get("text")), task.get("text_entities"))))
    return concat(title or plain("(checklist)"), *tasks)


def concat_line(lead: str, rich: RichText) -> RichText:
    """The text with a few characters in front of its first line."""
    first = rich.blocks[0] if rich.blocks else None
    if isinstance(first, Paragraph):
        return RichText((Paragraph((Text(lead), *first.inlines)), *rich.blocks[1:]))
    return concat(plain(lead.rstrip()), rich)


def _paid_media(paid: Json) -> RichText:
    count, stars = len(records(paid.get("paid_media"))), whole(paid.get("star_count"))
    parts = f"{count} files" if count > 1 else "a file" if count else ""
    parts += f" for {stars} Telegram Stars" if stars is not None and parts else ""
    return plain(f"(paid media: {parts})" if parts else "(paid media)")


def _prize(giveaway: Json) -> str:
    stars, months = whole(giveaway.get("prize_star_count")), whole(giveaway.get("premium_subscription_month_count"))
    prizes = [
        f"{stars} Telegram Stars" if stars else "",
        f"{months} months of Telegram Premium" if months else "",
        words(giveaway.get("prize_description")),
    ]
    return ", ".join(prize for prize in prizes if prize)


def _giveaway(giveaway: Json) -> RichText:
    winners = whole(giveaway.get("winner_count"))
    parts = [f"{winners} winners" if winners and winners > 1 else "1 winner" if winners else "", _prize(giveaway)]
    parts.append(", ".join(filter(None, map(chat_name, records(giveaway.get("chats"))))))
    text = ": ".join(["giveaway", "; ".join(part for part in parts if part)]).rstrip(": ")
    return plain(f"({text})")


def _giveaway_winners(over: Json) -> RichText:
    names = [full_name(user) for user in records(over.get("winners"))]
    count = whole(over.get("winner_count")) or len(names)
    shown = ", ".join(names[:10]) + (f" and {count - 10} more" if len(names) > 10 else "")
    parts = [shown or f"{count} winners", _prize(over)]
    return plain(f"(giveaway is over: {'; '.join(part for part in parts if part)})")


def _giveaway_created(giveaway: Json) -> RichText:
    prize = _prize(giveaway)
    return plain(f"(giveaway started{': ' if prize else ''}{prize})")


def _giveaway_completed(over: Json) -> RichText:
    count = whole(over.get("winner_count"))
    return plain(f"(giveaway is over{f': {count} winners' if count else ''})")


def _tasks_added(change: Json) -> RichText:
    tasks = [concat_line("☐ ", decode_text(words(t.get("text")), t.get("text_entities"))) for t in records(change.get("tasks"))]
    return concat(plain("(added to the checklist)"), *tasks)


def _tasks_done(change: Json) -> RichText:
    """Telegram tells numbers of tasks; their words are in the checklist, if that comes along."""
    listed = records(record(record(change.get("checklist_message")).get("checklist")).get("tasks"))
    known = {whole(task.get("id")): words(task.get("text")) for task in listed}
    lines = [plain("(changed the checklist)")]
    for field, sign in (("marked_as_done_task_ids", "☑ "), ("marked_as_not_done_task_ids", "☐ ")):
        parts = change.get(field)
        for number in (parts if isinstance(parts, list) else [])[:_TASKS_MAX]:
            lines.append(plain(sign + (known.get(whole(number)) or f"task {words(number)}".rstrip())))
    return concat(*lines)


def _gift(gift: Json) -> RichText:
    stars = whole(record(gift.get("gift")).get("star_count"))
    return concat(plain(f"(gift{f' of {stars} Telegram Stars' if stars else ''})"), gift_words(gift))


def gift_words(gift: Json) -> RichText:
    """What was written with a gift; nothing where that is for its receiver alone (Bot API 10.3, GiftInfo.is_private)."""
    return EMPTY if gift.get("is_private") is True else decode_text(words(gift.get("text")), gift.get("entities"))


def _unique_gift(gift: Json) -> RichText:
    parts = record(gift.get("gift"))
    name = " #".join(filter(None, (words(parts.get("base_name")) or words(parts.get("name")), words(parts.get("number")))))
    return concat(plain(f"(gift{': ' if name else ''}{name})"), gift_words(gift))


_LINES = {
    "story": _story,
    "game": _game,
    "invoice": _invoice,
    "checklist": _checklist,
    "paid_media": _paid_media,
    "giveaway": _giveaway,
    "giveaway_winners": _giveaway_winners,
    "giveaway_created": _giveaway_created,
    "giveaway_completed": _giveaway_completed,
    "checklist_tasks_added": _tasks_added,
    "checklist_tasks_done": _tasks_done,
    "gift": _gift,
    "unique_gift": _unique_gift,
}


CONTENT_FIELDS = frozenset(
    (*_LINES, *FILE_KINDS, "text", "caption", "dice", "rich_message", "live_photo", "poll", "venue", "location", "contact")
)
"""Fields that hold what a message says."""


def unknown_kind(message: Message) -> str:
    """What Telegram calls the content of a message that has none of the known kinds."""
    return ", ".join(sorted(str(name) for name in message if name not in _ABOUT_A_MESSAGE))


# -- buttons ----------------------------------------------------------------------------------------------------------------


def buttons(message: Message) -> RichText:
    """The buttons that lead somewhere or hold something to copy, a line for each row. Those that only call a bot back are useless
    elsewhere, and their labels change with every vote."""
    rows = record(message.get("reply_markup")).get("inline_keyboard")
    lines: list[RichText] = []
    left = _BUTTONS_MAX
    for row in rows if isinstance(rows, list) else []:
        shown: list[Inline] = [label for button in records(row)[:left] if (label := _button(button)) is not None]
        left -= len(shown)
        if shown:
            lines.append(
                _line(*(part for number, label in enumerate(shown) for part in ((Text(" · "), label) if number else (label,))))
            )
    return concat(*lines)


def _button(button: Json) -> Text | None:
    label = " ".join(words(button.get("text")).split())
    web_app, login = record(button.get("web_app")), record(button.get("login_url"))
    url = words(button.get("url")) or words(login.get("url")) or words(web_app.get("url"))
    if url.startswith(_LINKS):
        return Text(label or url, 0, url)
    shown = url or words(record(button.get("copy_text")).get("text"))
    return Text(f"{label}: {shown}" if label else shown) if shown else None


def _line(*inlines: Inline) -> RichText:
    return RichText((Paragraph(inlines),))


# -- parts of their own -----------------------------------------------------------------------------------------------------


def decode_poll(poll: Json, sent_at: object = None) -> Poll | None:
    """`sent_at`: the date of its message, from which a poll may be open for a time."""
    if not poll:
        return None
    return Poll(
        question=words(poll.get("question")),
        options=tuple(
            PollOption(text=words(option.get("text")), votes=whole(option.get("voter_count")))
            for option in records(poll.get("options"))
        ),
        multiple=poll.get("allows_multiple_answers") is True,
        anonymous=poll.get("is_anonymous") is not False,
        closed=poll.get("is_closed") is True,
        closes_at=_closing(poll, whole(sent_at)),
    )


def _closing(poll: Json, sent_at: int | None) -> datetime | None:
    period, date = whole(poll.get("open_period")), whole(poll.get("close_date"))
    if date:
        return _moment(date, 0)
    return _moment(sent_at, period) if period else None


def _moment(unix_s: int | None, after_s: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(unix_s + after_s, UTC) if unix_s is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def poll_words(message: Message) -> RichText:
    """What a poll says beside its question: its description, and for a quiz the explanation of the answer once it is told; places
    and addresses beside either or an option (PollMedia)."""
    poll = record(message.get("poll"))
    explanation = decode_text(words(poll.get("explanation")), poll.get("explanation_entities"))
    return concat(
        decode_text(words(poll.get("description")), poll.get("description_entities")),
        _beside("", record(poll.get("media"))),
        *(_beside(words(option.get("text")), record(option.get("media"))) for option in records(poll.get("options"))),
        concat_line("💡 ", explanation) if explanation else EMPTY,
        _beside("", record(poll.get("explanation_media"))),
    )


def _beside(option: str, media: Json) -> RichText:
    """The place or address of a PollMedia, behind the option that it belongs to."""
    lead = Text(f"{option}: ") if option else Text("")
    if url := words(record(media.get("link")).get("url")):
        return _line(lead, Text(url, 0, url if url.startswith(_LINKS) else None))
    if not media.get("venue") and not media.get("location"):
        return EMPTY
    venue, point = record(media.get("venue")), decode_location(cast("Message", media))
    where = [words(venue.get("title")), words(venue.get("address"))]
    where += [f"{point.latitude}, {point.longitude}"] if point is not None else []
    return _line(lead, Text("📍 " + (", ".join(filter(None, where)) or "(a location)")))


def decode_location(message: Message) -> Location | None:
    venue = record(message.get("venue"))
    point = record(venue.get("location")) or record(message.get("location"))
    latitude, longitude = real(point.get("latitude")), real(point.get("longitude"))
    if latitude is None or longitude is None:
        return None
    period_s = whole(point.get("live_period")) or 0
    location = Location(
        latitude=latitude,
        longitude=longitude,
        title=words(venue.get("title")),
        address=words(venue.get("address")),
        live=period_s > 0,
        live_until=_moment(whole(message.get("date")), period_s) if 0 < period_s < _ENDLESS_S else None,
        # nothing else of a place can be edited: one that moved and is not live any more has ended
        ended="edit_date" in message and "reply_markup" not in message and not venue and period_s <= 0,
        accuracy_m=real(point.get("horizontal_accuracy")),
        heading_deg=real(point.get("heading")),
    )
    return location if location.is_on_earth else None


def nowhere(message: Message) -> RichText:
    """A place whose coordinates are not told."""
    fields: Mapping[str, Any] = message
    if ("venue" not in fields and "location" not in fields) or decode_location(message) is not None:
        return EMPTY
    venue = record(fields.get("venue"))
    return plain("📍 " + (", ".join(filter(None, (words(venue.get("title")), words(venue.get("address"))))) or "(a location)"))


def decode_contact(contact: Json) -> Contact | None:
    if not contact:
        return None
    name = f"{words(contact.get('first_name'))} {words(contact.get('last_name'))}".strip()
    phone = words(contact.get("phone_number"))
    known = details(words(contact.get("vcard")), {name, phone})
    return Contact(name=name, phone=phone, details=known, user_id=words(contact.get("user_id")))
