"""Visible lines for what has no native form in a target: files that cannot travel, polls, places, forwards, replies, notices. Pure.

`render` puts them into messages; they are ordinary rich text and go through `degrade` like all text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bridge.identity.names import clean_line, shorten, show_name, show_words
from bridge.model.characters import clean
from bridge.model.events import (
    Attachment,
    AttachmentKind,
    ChatRenamed,
    Contact,
    Forward,
    Location,
    MembershipChanged,
    MembershipKind,
    PinsChanged,
    Poll,
    Status,
    StatusChanged,
    ThreadChange,
    ThreadChanged,
    ThreadDeleted,
)
from bridge.model.rich_text import EMPTY, Mark, Paragraph, Quote, RichText, Text, Timestamp, normalize
from bridge.policy.routing import OPENSTREETMAP

News = MembershipChanged | ChatRenamed | ThreadChanged | ThreadDeleted | PinsChanged | StatusChanged
"""What a line can be about."""

EXCERPT_LENGTH = 120
"""Longest excerpt of an answered message, in code points."""
_FILE_NAME_LENGTH = 100
_ALT_TEXT_LENGTH = 500
_EMOJI_LENGTH = 20
_QUESTION_LENGTH = 500
_OPTION_LENGTH = 200
_VOTED_LENGTH = 55
_MOST_OPTIONS = 50
_MOST_DETAILS = 20
_MOST_EMOJI = 50
_MOST_NAMED = 30
_MOST_NAMED_EACH = 5
_NAMED_LENGTH = 30

_ICONS = {
    AttachmentKind.PHOTO: "🖼️",
    AttachmentKind.VIDEO: "🎬",
    AttachmentKind.AUDIO: "🎵",
    AttachmentKind.VOICE: "🎤",
    AttachmentKind.ANIMATION: "🎞️",
    AttachmentKind.VIDEO_NOTE: "🎬",
    AttachmentKind.STICKER: "🏷️",
    AttachmentKind.DOCUMENT: "📎",
}
_STATUS = {
    Status.ONLINE: "is online",
    Status.AWAY: "is away",
    Status.BUSY: "is busy",
    Status.OFFLINE: "is offline",
    Status.OTHER: "has another status",
}


def line(text: str, marks: int = 0) -> RichText:
    """One paragraph of literal text; empty for no text."""
    text = clean(text)
    return RichText((Paragraph((Text(text, marks),)),)) if text else EMPTY


def human_size(size_bytes: int) -> str:
    """`1.2 GB`: decimal units, as file managers and the platforms show them."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.5 or unit == "TB":
            break
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def human_duration(duration_s: float) -> str:
    """`0:07`, `12:30`, `1:02:03`."""
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def file_line(attachment: Attachment, problem: str, url: str = "") -> RichText:
    """`📎 video.mp4 (1.2 GB) - too large for Telegram`; with a link, the name leads there."""
    kind = attachment.kind.value.replace("_", " ")
    if attachment.kind is AttachmentKind.STICKER:
        title = shorten(show_words(attachment.name.rpartition(".")[0]), _FILE_NAME_LENGTH)
        own_name = f"“{title}”" if title and title != "sticker" and not attachment.emoji else ""
        name = " ".join(part for part in (shorten(show_words(attachment.emoji), _EMOJI_LENGTH), "sticker", own_name) if part)
    else:
        name = shorten(show_words(attachment.name), _FILE_NAME_LENGTH) or kind
    details = [human_size(attachment.size_bytes)] if attachment.size_bytes else []
    if attachment.duration_s:
        details.append(human_duration(attachment.duration_s))
    text = f" ({', '.join(details)})" if details else ""
    if problem:
        text += f" - {clean_line(problem)}"
    alt = shorten(clean_line(attachment.alt_text), _ALT_TEXT_LENGTH)
    named = Text(f"{_ICONS[attachment.kind]} "), Text(name, link=url or None), Text(text)
    return normalize(RichText((Paragraph((*named, Text(f"\n{alt}" if alt else "", Mark.ITALIC))),)))


def added_line(*, replaces: bool) -> RichText:
    """Above files that an edit brought."""
    return line("✏️ replaced by an edit" if replaces else "✏️ added by an edit", Mark.ITALIC)


def removed_line(files: int) -> RichText:
    """On a message that still shows files which an edit took away."""
    return line(
        "🗑️ a file here was removed by an edit" if files == 1 else f"🗑️ {files} files here were removed by an edit", Mark.ITALIC
    )


class Tallied(NamedTuple):
    """An emoji, how many people hold it, and names of some of them, as they are to be shown."""

    emoji: str
    people: int
    names: Sequence[str] = ()


def tally_line(held: Sequence[Tallied], *, of: str = "") -> RichText:
    """`👍 2 · 🔥`: emoji and how many people hold each. With names: `👍 Anna, Boris and 3 more · 🔥 Carla`. `of`: whose message it
    is about, where it does not stand below it."""
    shown: list[str] = []
    left = _MOST_NAMED
    for emoji, people, names in held[:_MOST_EMOJI]:
        some = [shorten(name, _NAMED_LENGTH) for name in names[: min(_MOST_NAMED_EACH, left)]]
        left -= len(some)
        shown.append(f"{shorten(show_words(emoji), _EMOJI_LENGTH)} {_held_by(people, some)}".rstrip())
    if len(held) > _MOST_EMOJI:
        shown.append(f"… {len(held) - _MOST_EMOJI} more")
    return line((" · ".join(shown) or "(no reactions any more)") + (f" (to {of})" if of and held else ""))


def _held_by(people: int, names: Sequence[str]) -> str:
    if not names:
        return str(people) if people > 1 else ""
    others = people - len(names)
    return ", ".join(names) + (f" and {others} more" if others > 0 else "")


def votes_line(poll: Poll, *, of: str = "") -> RichText:
    """`📊 Elsewhere: Soup 3 · Rice 1`: how people voted on the copies of a poll, or that nobody did. `of`: as for `tally_line`."""
    shown = [
        f"{shorten(show_words(option.text), _VOTED_LENGTH) or '?'} {option.votes or 0}" for option in poll.options[:_MOST_OPTIONS]
    ]
    if len(poll.options) > _MOST_OPTIONS:
        shown.append(f"… {len(poll.options) - _MOST_OPTIONS} more options")
    voted = " · ".join(shown) if any(option.votes for option in poll.options) else "no votes"
    return line(f"📊 Elsewhere: {voted}" + (" (closed)" if poll.closed else "") + (f" (to {of})" if of else ""))


def forward_line(forward: Forward) -> RichText:
    """`↪ Forwarded from Anna (News)`. The names are as they are to be shown."""
    source = forward.author_name or forward.chat_name
    if forward.author_name and forward.chat_name:
        source += f" ({forward.chat_name})"
    return line(f"↪ Forwarded from {source}" if source else "↪ Forwarded message", Mark.ITALIC)


def reply_lines(author_name: str, excerpt: str) -> RichText:
    """A quoted line with the author (a name as it is to be shown) and the beginning of the answered message; empty if neither is
    known."""
    author, said = author_name, shorten(clean_line(excerpt), EXCERPT_LENGTH)
    if said:
        name = (Text(f"{author}: ", Mark.BOLD),) if author.strip() else ()
        return RichText((Quote((Paragraph((*name, Text(said))),)),))
    return line(f"↩ in reply to {author}", Mark.ITALIC) if author else EMPTY


def poll_lines(poll: Poll) -> RichText:
    """The question, then its options with their votes, as far as they are known."""
    notes = [note for note, holds in (("several answers", poll.multiple), ("closed", poll.closed)) if holds]
    head = [Text("📊 "), Text(shorten(show_words(poll.question), _QUESTION_LENGTH) or "Poll", Mark.BOLD)]
    if notes:
        head.append(Text(f" ({', '.join(notes)})"))
    rows = [
        f"\n▫️ {shorten(show_words(option.text), _OPTION_LENGTH)}" + ("" if option.votes is None else f" - {option.votes}")
        for option in poll.options[:_MOST_OPTIONS]
    ]
    if len(poll.options) > _MOST_OPTIONS:
        rows.append(f"\n… {len(poll.options) - _MOST_OPTIONS} more options")
    return RichText((Paragraph((*head, *map(Text, rows))),))


def location_lines(location: Location, map_url: str = OPENSTREETMAP) -> RichText:
    """The place with a link to a map: `map_url` with `{lat}` and `{lon}`."""
    named = (shorten(show_words(name), _OPTION_LENGTH) for name in (location.title, location.address))
    title = ", ".join(part for part in named if part)
    label = title or ("Live location" if location.live or location.ended else "Location")
    if not location.is_on_earth:
        return line(f"📍 {label}")
    latitude, longitude = f"{location.latitude:.6f}", f"{location.longitude:.6f}"
    url = map_url.replace("{lat}", latitude).replace("{lon}", longitude)
    until: tuple[Text | Timestamp, ...] = (Text(" (ended)"),) if location.ended else ()
    if location.live and location.live_until is not None:
        at = location.live_until
        until = (Text(" (until "), Timestamp(int(at.timestamp()), f"{at:%Y-%m-%d %H:%M} UTC", "f"), Text(")"))
    point = Text(f"{latitude}, {longitude}", link=url)
    return RichText((Paragraph((Text(f"📍 {label}"), *until, Text(": "), point)),))


def contact_lines(contact: Contact) -> RichText:
    named = (shorten(name, _OPTION_LENGTH) for name in (show_name(contact.name), show_words(contact.phone)))
    first = f"👤 {' '.join(part for part in named if part) or 'Contact'}"
    details = (shorten(show_words(detail), _OPTION_LENGTH) for detail in contact.details[:_MOST_DETAILS])
    return line("\n".join((first, *(detail for detail in details if detail))))


def topic_line(title: str) -> RichText:
    """`🧵 Releases`: above the first message of a thread where the chat has no such thread."""
    return line(f"🧵 {shorten(show_words(title), EXCERPT_LENGTH)}", Mark.BOLD)


def notice_line(event: News, *, actor: str, member: str = "", place: str = "") -> RichText:
    """What happened, in one line. `actor` and `member` are names as they are to be shown, `place` the origin chat."""
    at = f" ({place})" if place else ""
    match event:
        case MembershipChanged():
            joined = event.change is MembershipKind.JOINED
            by_other = event.meta.author is not None and event.meta.author.user_id != event.member.user_id
            if by_other:
                said = f"{actor} {'added' if joined else 'removed'} {member}"
            else:
                said = f"{member} {'joined' if joined else 'left'}"
        case ChatRenamed():
            what = "the chat" if event.meta.thread_id is None else "a thread"
            said = f"{actor} renamed {what} to “{shorten(show_name(event.name), EXCERPT_LENGTH)}”"
        case ThreadChanged() | ThreadDeleted():
            said = _of_thread(event, actor)
        case PinsChanged():
            said = f"{actor} {'pinned' if event.pinned else 'unpinned'} a message"
        case StatusChanged():
            text = shorten(show_words(event.text), EXCERPT_LENGTH)
            is_over = event.status is Status.OTHER and not text
            said = f"{actor} {'no longer has a status' if is_over else _STATUS[event.status]}" + (f": {text}" if text else "")
    return line(f"{said}{at}", Mark.ITALIC)


def _of_thread(event: ThreadChanged | ThreadDeleted, actor: str) -> str:
    title = shorten(show_name(event.meta.thread_title), EXCERPT_LENGTH)
    if isinstance(event, ThreadChanged) and event.name == event.meta.thread_title:
        title = ""  # only its new name is known
    thread = "the thread" if event.meta.thread_id is not None else "the chat’s main topic"
    thread += f" “{title}”" if title else ""
    match event:
        case ThreadDeleted():
            return f"🗑️ {actor} deleted {thread}"
        case ThreadChanged(change=ThreadChange.RENAMED):
            return f"✏️ {actor} renamed {thread} to “{shorten(show_name(event.name), EXCERPT_LENGTH)}”"
        case _:
            is_closed = event.change is ThreadChange.CLOSED
            return f"{'🔒' if is_closed else '🔓'} {actor} {'closed' if is_closed else 'reopened'} {thread}"
