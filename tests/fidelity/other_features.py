"""What is neither text nor file: polls, places, forwards, cards, news of a chat. Data."""

from __future__ import annotations

from tests.fidelity.features import NO, UNKNOWN, Feature, Json
from tests.fidelity.payloads import (
    discord,
    slack,
    slack_event,
    teamspirit,
    telegram,
)
from tests.fidelity.seen import is_silent

_URL = "https://example.org/page"
_USER = {"id": 500000888, "is_bot": False, "first_name": "Ann"}

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
        NO.format("Slack"),
        discord(poll={**_POLL, "expiry": "2026-12-05T10:00:00+00:00", "allow_multiselect": False, "layout_type": 1}),
        UNKNOWN,
        html=r"class=\"poll",
        how="lines of text",
    ),
    Feature(
        "location",
        telegram(location={"latitude": 52.5, "longitude": 13.4}),
        NO.format("Slack"),
        NO.format("Discord"),
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
        NO.format("Slack"),
        NO.format("Discord"),
        teamspirit("a place", message={"location": {"lat": 52.5, "lon": 13.4, "title": "Cafe word", "address": "Main St 1"}}),
        html=r"class=\"(location|map)",
        how="a line with a link to a map",
    ),
    Feature(
        "contact",
        telegram(contact={"phone_number": "+4912345", "first_name": "Ann"}),
        NO.format("Slack"),
        NO.format("Discord"),
        teamspirit("a person", message={"contact": {"name": "Ann", "phone": "+4912345", "note": ""}}),
        html=r"class=\"contact",
        how="lines of text",
    ),
    Feature(
        "dice",
        telegram(dice={"emoji": "🎯", "value": 6}),
        NO.format("Slack"),
        NO.format("Discord"),
        UNKNOWN,
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
        NO.format("Slack"),
        NO.format("Discord"),
        UNKNOWN,
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
        UNKNOWN,
        html=r"class=\"forward",
        how="a line with its origin above the words",
    ),
    Feature(
        "message without a sound",
        "Telegram does not tell who reads it",
        NO.format("Slack"),
        discord("a word", flags=4096),
        UNKNOWN,
        told=is_silent,
        plain_is="not possible: each reader's own settings decide there",
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
        UNKNOWN,
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
        changes_chat=True,
        how="a line, with `renames: true`",
    ),
]
