"""Message types that are not a person's message: a line that says what happened, or the reason why they are left out. Pure. Called
by `decode`.

The content of such a message is data (a name, a number, a time), never speech, and that of an unknown type is not shown at all.
Sources: API reference, "Message Types", August 2026; STAGE types in discord/discord-api-docs#5927; discord.py 2.7.1, enums.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.discord import wire
from adapters.discord.lenient import is_visible, mapping, moment, objects, text, whole
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, Timestamp

SPOKEN = frozenset({0, 19, 20, 23})
"""Messages, replies, and the answers to slash and context-menu commands."""
RENAMED, PINNED, JOINED, THREAD_STARTER, POLL_RESULT = 4, 6, 7, 21, 46
"""These become events of their own, or are content; `decode` sees to them."""

_UNTOLD: Mapping[int, str] = {
    14: "notice about the server's discovery",
    15: "notice about the server's discovery",
    16: "notice about the server's discovery",
    17: "notice about the server's discovery",
    22: "Discord's advice to the server",
    26: "Discord's advertisement",
    40: "Discord's advice to the server",
    42: "Discord's advice to the server",
    47: "Discord's advertisement",
    48: "Discord's advertisement",
    50: "Discord's advertisement",
    51: "Discord's advertisement",
}
"""Addressed by Discord to the server's owners, with nothing in it that anybody said or did."""

_LINES: Mapping[int, str] = {
    3: "started a call",
    5: "changed the channel's icon",
    9: "boosted the server to level 1",
    10: "boosted the server to level 2",
    11: "boosted the server to level 3",
    13: "went live",
    37: "ended the server's alert mode",
    38: "reported a raid",
    39: "reported a false alarm",
    41: "gave a gift",
    52: "was accepted into the server",
    55: "switched on HD streaming",
    58: "deleted a reported message",
    59: "put a reported member on time-out",
    60: "removed a reported member",
    61: "banned a reported member",
    62: "closed a report",
    63: "added an emoji",
}
"""Told without anything of the message's own."""

_QUOTED: Mapping[int, str] = {
    12: "follows another channel here",
    18: "started a thread",
    27: "started a stage",
    28: "ended a stage",
    29: "speaks on the stage",
    30: "asks to speak on the stage",
    31: "changed the stage's topic",
}
"""Told with the name that is their content, in quotation marks."""


def ignored_reason(kind: int) -> str:
    """Why a type of message is left out; empty if it is shown."""
    return _UNTOLD.get(kind, "")


def line_of(data: wire.Message, kind: int) -> RichText:
    """What happened, as a line behind the author's name."""
    if special := _SPECIAL.get(kind):
        return special(data)
    if line := _LINES.get(kind):
        return _line(line)
    if line := _QUOTED.get(kind):
        return _line(line, quoted=text(data.get("content")))
    return _line(f"(system message of type {kind})")


def _line(words: str, *, quoted: str = "") -> RichText:
    name = " ".join(quoted.split())[:200]
    shown = f"{words}: “{name}”" if is_visible(name) else words
    return RichText((Paragraph((Text(shown, int(Mark.ITALIC)),)),))


def _recipient(data: wire.Message, verb: str, where: str) -> RichText:
    nobody: wire.User = {}
    person = next(iter(objects(data.get("mentions"))), nobody)
    name = text(mapping(person.get("member")).get("nick")) or text(person.get("global_name")) or text(person.get("username"))
    return _line(f"{verb} {name or 'somebody'} {where} the thread")


def _boost(data: wire.Message) -> RichText:
    times = whole(data.get("content"), 1)
    return _line("boosted the server" + (f" {times} times" if times > 1 else ""))


def _alert(data: wire.Message) -> RichText:
    until = moment(data.get("content"))
    if until is None:
        return _line("switched on the server's alert mode")
    italic = int(Mark.ITALIC)
    line = (Text("switched on the server's alert mode until ", italic), Timestamp(int(until.timestamp()), "", "f", italic))
    return RichText((Paragraph(line),))


def _subscription(data: wire.Message) -> RichText:
    stated = mapping(data.get("role_subscription_data"))
    tier, months = text(stated.get("tier_name")), whole(stated.get("total_months_subscribed"))
    verb = "renewed" if stated.get("is_renewal") is True else "joined"
    return _line(f"{verb} a subscription" + (f", for {months} months now" if months > 1 else ""), quoted=tier)


def _application(data: wire.Message) -> RichText:
    return _line("upgraded an app to premium", quoted=text(mapping(data.get("application")).get("name")))


def _purchase(data: wire.Message) -> RichText:
    stated = mapping(mapping(data.get("purchase_notification")).get("guild_product_purchase"))
    return _line("made a purchase in the server", quoted=text(stated.get("product_name")))


_SPECIAL: Mapping[int, Callable[[wire.Message], RichText]] = {
    1: lambda data: _recipient(data, "added", "to"),
    2: lambda data: _recipient(data, "removed", "from"),
    8: _boost,
    24: lambda data: _line("had a message stopped by AutoMod"),
    25: _subscription,
    32: _application,
    36: _alert,
    44: _purchase,
}
