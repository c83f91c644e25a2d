"""What a message or an event can have, and how each platform sends it: one sample of each. Data.

A sample is a payload for the wire, or the reason why there is none. `native` says what a reader of a copy must see for it to be the
target's own: a pattern of its HTML, or the kind of its file. Anything else that is seen is a conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.model.capabilities import Feature as Ability
from tests.fidelity.payloads import (
    discord,
    discord_file,
    slack,
    slack_event,
    slack_file,
    slack_files,
    slack_text,
    teamspirit,
    teamspirit_file,
    telegram,
    telegram_file,
)

Json = dict[str, Any]
Sample = Json | list[Json] | str


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    telegram: Sample
    slack: Sample
    discord: Sample
    teamspirit: Sample
    html: str = ""
    """Native where the copy's HTML matches."""
    file: tuple[str, ...] = ()
    """Native where the copy has a file shown as one of these kinds."""
    count: int = 0
    """Native where one message of the copy has so many files, or so many messages of one album have one each."""
    text: str = ""
    """Native where the copy's text matches, in whatever form."""
    hidden: bool = False
    """Native where the copy's file is covered until a reader asks for it."""
    how: str = ""
    """The conversion in words; an example is shown beside it."""
    ability: Ability | None = None
    """What the target's capabilities call it: their note tells the conversion in words."""

    def sample(self, origin: str) -> Sample:
        found: Sample = getattr(self, origin)
        return found


def e(kind: str, **more: Any) -> Json:
    return {"type": kind, **more}


def li(*texts: str, style: str = "bullet", indent: int = 0) -> Json:
    sections = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]} for text in texts]
    return {"type": "rich_text_list", "style": style, "indent": indent, "border": 0, "elements": sections}


def rich(*blocks: Json) -> Json:
    return telegram(rich_message={"blocks": list(blocks)})


_HTML = "its text is Markdown, which has no such mark"
_NO = "{} has no such thing"
_UNKNOWN = "not in the published description of its interface"
_URL = "https://example.org/page"
_USER = {"id": 500000888, "is_bot": False, "first_name": "Ann"}
_EMOJI: Json = {"id": "41771983429993937", "name": "party"}

TEXT = [
    Feature("plain words", telegram("a word"), slack("a word"), discord("a word"), teamspirit("a word"), text="a word"),
    Feature(
        "bold",
        telegram("a word", e("bold")),
        slack("a ", slack_text("word", bold=True)),
        discord("a **word**"),
        teamspirit("a **word**"),
        html=r"<(b|strong)>word",
    ),
    Feature(
        "italic",
        telegram("a word", e("italic")),
        slack("a ", slack_text("word", italic=True)),
        discord("a *word*"),
        teamspirit("a *word*"),
        html=r"<(i|em)>word",
    ),
    Feature(
        "underline",
        telegram("a word", e("underline")),
        slack("a ", slack_text("word", underline=True)),
        discord("a __word__"),
        _HTML,
        html=r"<u>word",
        ability=Ability.UNDERLINE,
    ),
    Feature(
        "strikethrough",
        telegram("a word", e("strikethrough")),
        slack("a ", slack_text("word", strike=True)),
        discord("a ~~word~~"),
        teamspirit("a ~~word~~"),
        html=r"<(s|del)>word",
    ),
    Feature(
        "spoiler",
        telegram("a word", e("spoiler")),
        _NO.format("Slack"),
        discord("a ||word||"),
        _HTML,
        html=r"spoiler[^>]*>word",
        ability=Ability.SPOILER,
    ),
    Feature(
        "code",
        telegram("a word", e("code")),
        slack("a ", slack_text("word", code=True)),
        discord("a `word`"),
        teamspirit("a `word`"),
        html=r"<code>word",
    ),
    Feature(
        "marks within marks",
        telegram("a word", e("bold"), e("italic")),
        slack("a ", slack_text("word", bold=True, italic=True)),
        discord("a ***word***"),
        teamspirit("a ***word***"),
        html=r"<(b|strong)><(i|em)>word|<(i|em)><(b|strong)>word",
    ),
    Feature(
        "code block",
        telegram("word", e("pre")),
        slack(elements=[{"type": "rich_text_preformatted", "elements": [slack_text("word")], "border": 0}]),
        discord("```\nword\n```"),
        teamspirit("```\nword\n```"),
        html=r"<pre>",
    ),
    Feature(
        "language of a code block",
        telegram("word", e("pre", language="python")),
        _NO.format("a rich_text block"),
        discord("```python\nword\n```"),
        teamspirit("```python\nword\n```"),
        html=r"python",
        how="code without its language",
    ),
    Feature(
        "quote",
        telegram("word\nand", e("blockquote")),
        slack(elements=[{"type": "rich_text_quote", "elements": [slack_text("word")]}]),
        discord("> word\nand"),
        teamspirit("> word\n\nand"),
        html=r"<blockquote",
    ),
    Feature(
        "expandable quote",
        telegram("word\nand", e("expandable_blockquote")),
        _NO.format("Slack"),
        _NO.format("Discord"),
        _HTML,
        html=r"expandable",
        how="an ordinary quote",
    ),
    Feature(
        "quote within a quote",
        rich(e("blockquote", blocks=[e("paragraph", text="word"), e("blockquote", blocks=[e("paragraph", text="inner")])])),
        _NO.format("Slack"),
        _NO.format("Discord"),
        teamspirit("> word\n> > inner"),
        html=r"<blockquote.*<blockquote",
        how="one quote",
    ),
    Feature(
        "address",
        telegram(f"see {_URL}", e("url", covers=_URL)),
        slack("see ", e("link", url=_URL)),
        discord(f"see {_URL}"),
        teamspirit(f"see {_URL}"),
        html=r"example\.org/page",
    ),
    Feature(
        "link with a label",
        telegram("a word", e("text_link", url=_URL)),
        slack("a ", e("link", url=_URL, text="word")),
        discord(f"a [word]({_URL})"),
        teamspirit(f"a [word]({_URL})"),
        html=r"<a [^>]*example\.org/page[^>]*>word",
    ),
    Feature(
        "heading",
        rich(e("heading", size=1, text="word"), e("paragraph", text="and")),
        _NO.format("a rich_text block"),
        discord("# word\nand"),
        teamspirit("# word\nand"),
        html=r"<h1",
        ability=Ability.HEADING,
    ),
    Feature(
        "bulleted list",
        rich(e("list", items=[{"blocks": [e("paragraph", text="word")]}, {"blocks": [e("paragraph", text="two")]}])),
        slack(elements=[li("word", "two")]),
        discord("- word\n- two"),
        teamspirit("- word\n- two"),
        html=r"<ul>",
        ability=Ability.LIST,
    ),
    Feature(
        "numbered list",
        rich(
            e(
                "list",
                items=[{"value": 1, "blocks": [e("paragraph", text="word")]}, {"value": 2, "blocks": [e("paragraph", text="two")]}],
            )
        ),
        slack(elements=[li("word", "two", style="ordered")]),
        discord("1. word\n2. two"),
        teamspirit("1. word\n2. two"),
        html=r"<ol",
        ability=Ability.LIST,
    ),
    Feature(
        "list within a list",
        rich(
            e(
                "list",
                items=[{"blocks": [e("paragraph", text="word"), e("list", items=[{"blocks": [e("paragraph", text="inner")]}])]}],
            )
        ),
        slack(elements=[li("word"), li("inner", indent=1)]),
        discord("- word\n  - inner"),
        teamspirit("- word\n  - inner"),
        html=r"<ul>.*<ul>",
        ability=Ability.LIST,
    ),
    Feature(
        "table",
        rich(e("table", cells=[[{"text": "os"}, {"text": "word"}], [{"text": "linux"}, {"text": "5 MB"}]])),
        slack(
            text="os word",
            blocks=[
                {
                    "type": "table",
                    "rows": [
                        [{"type": "raw_text", "text": "os"}, {"type": "raw_text", "text": "word"}],
                        [{"type": "raw_text", "text": "linux"}, {"type": "raw_text", "text": "5 MB"}],
                    ],
                }
            ],
        ),
        _NO.format("Discord"),
        teamspirit("| os | word |\n|---|---|\n| linux | 5 MB |"),
        html=r"<t[dh]",
        how="columns of text",
    ),
    Feature(
        "mention of a person",
        telegram("hi word", e("text_mention", user=_USER)),
        slack("hi ", e("user", user_id="U0PERSON02")),
        discord("hi <@8>", mentions=[{"id": "8", "username": "anna_p", "global_name": "Anna Petrova"}]),
        teamspirit("hi @anna"),
        html=r"class=\"mention",
        how="the name; with `people:` a mention of the same person",
    ),
    Feature(
        "mention of everyone",
        _NO.format("Telegram"),
        slack("hi ", e("broadcast", range="here")),
        discord("hi @here", mention_everyone=True),
        teamspirit("hi @all"),
        html=r"class=\"mention",
        how="the words, which ping nobody; `mass_mentions` permits",
    ),
    Feature(
        "mention of a chat",
        _NO.format("Telegram"),
        slack("in ", e("channel", channel_id="C0000000001")),
        discord("in <#100000000000000001>"),
        _UNKNOWN,
        html=r"class=\"mention|class=\"channel",
        how="its name",
    ),
    Feature(
        "hashtag",
        telegram("a #word", e("hashtag", covers="#word")),
        slack("a #word"),
        discord("a #word"),
        teamspirit("a #word"),
        text="#word",
    ),
    Feature(
        "emoji",
        telegram("a 🎉 word"),
        slack("a ", e("emoji", name="tada", unicode="1f389"), " word"),
        discord("a 🎉 word"),
        teamspirit("a 🎉 word"),
        text="🎉",
    ),
    Feature(
        "custom emoji",
        telegram("a 🎉 word", e("custom_emoji", covers="🎉", custom_emoji_id="5368324170671202286")),
        slack("a ", e("emoji", name="party_parrot"), " word"),
        discord(f"a <:{_EMOJI['name']}:{_EMOJI['id']}> word"),
        _UNKNOWN,
        html=r"<img|class=\"emoji",
        how="its ordinary emoji, or its name",
    ),
    Feature(
        "moment in the reader's time zone",
        telegram("at noon", e("date_time", covers="noon", unix_time=1618953630)),
        slack("at ", e("date", timestamp=1618953630, format="{date} {time}", fallback="noon")),
        discord("at <t:1618953630:f>"),
        _HTML,
        html=r"<time|class=\"(date|time|moment)|'type': 'date'",
        how="words",
    ),
    Feature(
        "small words",
        rich(e("footer", text="a word")),
        _NO.format("Slack"),
        discord("-# a word"),
        _HTML,
        html=r"<small|<sub",
        how="ordinary words",
    ),
    Feature("right to left", telegram("אבג word"), slack("אבג word"), discord("אבג word"), teamspirit("אבג word"), text="אבג word"),
    Feature(
        "signs that are markup elsewhere",
        telegram("*a* _b_ `c` <@U1> ~d~ word"),
        slack("*a* _b_ `c` <@U1> ~d~ word"),
        discord(r"\*a\* \_b\_ \`c\` \<@U1> \~d\~ word"),
        teamspirit(r"\*a\* \_b\_ \`c\` &lt;@U1> \~d\~ word"),
        text=r"\*a\* _b_ `c` <@.?U1> ~d~ word",
    ),
    Feature(
        "long text",
        telegram("long " * 700 + "word"),
        slack("long " * 700 + "word"),
        discord("long " * 350 + "word"),
        teamspirit("long " * 700 + "word"),
        text="long word",
        how="several messages in a row",
    ),
]

FILES = [
    Feature(
        "picture",
        telegram(**telegram_file("photo", "p.jpg", "image/jpeg")),
        slack_files("", slack_file("p.jpg", "image/jpeg")),
        discord(attachments=[discord_file("p.jpg", "image/jpeg", width=64, height=48)]),
        teamspirit(files=(teamspirit_file("p.jpg", "image/jpeg"),)),
        file=("photo",),
    ),
    Feature(
        "picture with words",
        telegram("a word", **telegram_file("photo", "p.jpg", "image/jpeg")),
        slack_files("a word", slack_file("p.jpg", "image/jpeg")),
        discord("a word", attachments=[discord_file("p.jpg", "image/jpeg", width=64, height=48)]),
        teamspirit("a word", files=(teamspirit_file("p.jpg", "image/jpeg"),)),
        file=("photo",),
    ),
    Feature(
        "video",
        telegram(**telegram_file("video", "v.mp4", "video/mp4", duration=3, width=64, height=48)),
        slack_files("", slack_file("v.mp4", "video/mp4")),
        discord(attachments=[discord_file("v.mp4", "video/mp4")]),
        teamspirit(files=(teamspirit_file("v.mp4", "video/mp4"),)),
        file=("video",),
    ),
    Feature(
        "music",
        telegram(**telegram_file("audio", "a.mp3", "audio/mpeg", duration=3)),
        slack_files("", slack_file("a.mp3", "audio/mpeg")),
        discord(attachments=[discord_file("a.mp3", "audio/mpeg")]),
        teamspirit(files=(teamspirit_file("a.mp3", "audio/mpeg"),)),
        file=("audio",),
    ),
    Feature(
        "voice message",
        telegram(**telegram_file("voice", "v.ogg", "audio/ogg", duration=3)),
        slack_files("", slack_file("v.m4a", "audio/mp4", subtype="slack_audio", duration_ms=3000)),
        discord(flags=8192, attachments=[discord_file("voice-message.ogg", "audio/ogg", duration_secs=3.0, waveform="AAAA")]),
        _UNKNOWN,
        file=("voice",),
    ),
    Feature(
        "round video",
        telegram(**telegram_file("video_note", "r.mp4", "video/mp4", duration=3, length=64)),
        _NO.format("Slack"),
        _NO.format("Discord"),
        _UNKNOWN,
        file=("video_note",),
    ),
    Feature(
        "document",
        telegram(**telegram_file("document", "d.pdf", "application/pdf")),
        slack_files("", slack_file("d.pdf", "application/pdf")),
        discord(attachments=[discord_file("d.pdf", "application/pdf")]),
        teamspirit(files=(teamspirit_file("d.pdf", "application/pdf"),)),
        file=("document",),
    ),
    Feature(
        "animation",
        telegram(**telegram_file("animation", "g.mp4", "video/mp4", duration=3, width=64, height=48)),
        slack_files("", slack_file("g.gif", "image/gif")),
        discord(attachments=[discord_file("g.gif", "image/gif", width=64, height=48)]),
        teamspirit(files=(teamspirit_file("g.gif", "image/gif"),)),
        file=("animation", "photo"),
    ),
    Feature(
        "sticker",
        telegram(
            **telegram_file(
                "sticker",
                "s.webp",
                "image/webp",
                emoji="🙂",
                width=512,
                height=512,
                type="regular",
                is_animated=False,
                is_video=False,
            )
        ),
        _NO.format("Slack"),
        discord(sticker_items=[{"id": "749054660769218631", "name": "Wave", "format_type": 1}]),
        _UNKNOWN,
        file=("sticker",),
    ),
    Feature(
        "animated sticker",
        telegram(
            **telegram_file(
                "sticker",
                "s.tgs",
                "application/x-tgsticker",
                emoji="🙂",
                width=512,
                height=512,
                type="regular",
                is_animated=True,
                is_video=False,
            )
        ),
        _NO.format("Slack"),
        discord(sticker_items=[{"id": "749054660769218632", "name": "Wave", "format_type": 3}]),
        _UNKNOWN,
        file=("sticker",),
        how="a file, or a line where nothing can play it",
    ),
    Feature(
        "album",
        [telegram(media_group_id="g1", **telegram_file("photo", f"{n}.jpg", "image/jpeg")) for n in (1, 2)],
        slack_files("", slack_file("1.jpg", "image/jpeg"), slack_file("2.jpg", "image/jpeg")),
        discord(attachments=[discord_file(f"{n}.jpg", "image/jpeg", width=64, height=48) for n in (1, 2)]),
        teamspirit(files=(teamspirit_file("1.jpg", "image/jpeg"), teamspirit_file("2.jpg", "image/jpeg"))),
        count=2,
    ),
    Feature(
        "hidden picture",
        telegram(has_media_spoiler=True, **telegram_file("photo", "h.jpg", "image/jpeg")),
        _NO.format("Slack"),
        discord(attachments=[discord_file("SPOILER_h.jpg", "image/jpeg", width=64, height=48, flags=8)]),
        _UNKNOWN,
        hidden=True,
    ),
    Feature(
        "file above the limit",
        telegram(**telegram_file("document", "big.bin", "application/octet-stream", file_size=3_000_000_000)),
        slack_files("", slack_file("big.bin", "application/octet-stream", size=3_000_000_000)),
        discord(attachments=[{**discord_file("big.bin", "application/octet-stream"), "size": 3_000_000_000}]),
        teamspirit(files=({**teamspirit_file("big.bin", "application/octet-stream"), "size": 3_000_000_000},)),
        file=("document",),
        how="a line; with `web.public.url` a link to the bridge's own listener",
    ),
]

_POLL: Json = {
    "question": {"text": "word?"},
    "answers": [{"answer_id": n, "poll_media": {"text": t}} for n, t in ((1, "yes"), (2, "no"))],
}
_TG_POLL: Json = {
    "id": "1",
    "question": "word?",
    "options": [{"text": t, "voter_count": 0, "persistent_id": t} for t in ("yes", "no")],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
}

OTHER = [
    Feature(
        "poll",
        telegram(poll=_TG_POLL),
        _NO.format("Slack"),
        discord(poll={**_POLL, "expiry": "2026-12-05T10:00:00+00:00", "allow_multiselect": False, "layout_type": 1}),
        _UNKNOWN,
        html=r"class=\"poll",
        how="lines of text",
    ),
    Feature(
        "location",
        telegram(location={"latitude": 52.5, "longitude": 13.4}),
        _NO.format("Slack"),
        _NO.format("Discord"),
        teamspirit("a place", message={"location": {"lat": 52.5, "lon": 13.4, "title": "", "address": ""}}),
        html=r"class=\"(location|map)",
        how="a line with a link to a map",
    ),
    Feature(
        "venue",
        telegram(
            location={"latitude": 52.5, "longitude": 13.4},
            venue={"location": {"latitude": 52.5, "longitude": 13.4}, "title": "Cafe word", "address": "Main St 1"},
        ),
        _NO.format("Slack"),
        _NO.format("Discord"),
        teamspirit("a place", message={"location": {"lat": 52.5, "lon": 13.4, "title": "Cafe word", "address": "Main St 1"}}),
        html=r"class=\"(location|map)",
        how="a line with a link to a map",
    ),
    Feature(
        "contact",
        telegram(contact={"phone_number": "+4912345", "first_name": "Ann"}),
        _NO.format("Slack"),
        _NO.format("Discord"),
        teamspirit("a person", message={"contact": {"name": "Ann", "phone": "+4912345", "note": ""}}),
        html=r"class=\"contact",
        how="lines of text",
    ),
    Feature(
        "dice",
        telegram(dice={"emoji": "🎯", "value": 6}),
        _NO.format("Slack"),
        _NO.format("Discord"),
        _UNKNOWN,
        html=r"class=\"dice",
        how="the throw",
    ),
    Feature(
        "checklist",
        telegram(
            checklist={
                "title": "word",
                "tasks": [{"id": 1, "text": "buy"}, {"id": 2, "text": "cook", "completion_date": 1795669643}],
            }
        ),
        _NO.format("Slack"),
        _NO.format("Discord"),
        _UNKNOWN,
        html=r"class=\"checklist",
        how="lines of text",
    ),
    Feature(
        "forwarded message",
        telegram("a word", forward_origin={"type": "hidden_user", "sender_user_name": "Ann", "date": 1795669000}),
        slack(
            "see",
            attachments=[
                {
                    "is_share": True,
                    "is_msg_unfurl": True,
                    "author_name": "Ann",
                    "text": "a word",
                    "fallback": "a word",
                    "ts": "1795669000.000100",
                    "channel_id": "C0OTHER001",
                }
            ],
        ),
        discord(
            message_reference={"type": 1, "message_id": "199999999999999999", "channel_id": "100000000000000001"},
            message_snapshots=[
                {
                    "message": {
                        "content": "a word",
                        "type": 0,
                        "flags": 0,
                        "timestamp": "2026-11-26T05:07:00.000000+00:00",
                        "edited_timestamp": None,
                        "attachments": [],
                        "embeds": [],
                        "mentions": [],
                        "mention_roles": [],
                    }
                }
            ],
        ),
        _UNKNOWN,
        html=r"class=\"forward",
        how="a line with its origin above the words",
    ),
    Feature(
        "card of an app",
        telegram("a word", reply_markup={"inline_keyboard": [[{"text": "Open", "url": _URL}]]}),
        slack(
            subtype="bot_message",
            bot_id="B0OTHER001",
            username="Kim Lee",
            text="",
            attachments=[{"title": "word", "title_link": _URL, "text": "more", "fallback": "word"}],
        ),
        discord(
            author={"id": "9", "username": "shop", "bot": True},
            embeds=[{"type": "rich", "title": "word", "url": _URL, "description": "more"}],
        ),
        _UNKNOWN,
        html=r"class=\"(card|embed|attachment)",
        how="its words, links and pictures",
    ),
    Feature(
        "somebody joined",
        telegram(new_chat_members=[_USER]),
        slack_event("member_joined_channel"),
        discord(type=7),
        teamspirit(event="member.joined"),
        html=r"class=\"joined",
        how="a line, with `membership: true`",
    ),
    Feature(
        "somebody left",
        telegram(left_chat_member=_USER),
        slack_event("member_left_channel"),
        {
            "t": "GUILD_MEMBER_REMOVE",
            "d": {
                "guild_id": "100000000000000003",
                "user": {"id": "7", "username": "anna", "global_name": "Kim Lee", "avatar": None},
            },
        },
        teamspirit(event="member.left"),
        html=r"class=\"left",
        how="a line, with `membership: true`",
    ),
    Feature(
        "new name of the chat",
        telegram(new_chat_title="war room"),
        slack_event("channel_rename", channel={"id": "C0000000001", "name": "war-room", "created": 1795669643}),
        discord(type=4, content="war room"),
        teamspirit(event="chat.renamed", chat={"name": "war room"}),
        html=r"class=\"renamed",
        how="a line, with `renames: true`",
    ),
]
