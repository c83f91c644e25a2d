"""Slack's rich_text blocks as Slack sends them."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.slack.inbound.decode_text import decode_text
from adapters.slack.names import Names
from bridge.model.events import Author
from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
)


def test_rich_text_as_slack_sends_it() -> None:
    elements = [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "list:\n"}]},
        {"type": "rich_text_list", "style": "ordered", "indent": 0, "offset": 2, "elements": [_section("three")]},
        {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [_section("a"), _section("b")]},
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [_section("x")]},
        {"type": "rich_text_preformatted", "language": "python", "elements": [{"type": "text", "text": "x = '<&>'"}]},
        {"type": "rich_text_quote", "elements": [{"type": "user", "user_id": "U1"}, {"type": "broadcast", "range": "here"}]},
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fc", "skin_tone": 3},
                {"type": "emoji", "name": "party_parrot"},
                {"type": "color", "value": "#F405B3"},
                {"type": "hologram", "text": "new thing"},
                {"type": "hologram"},
                {"type": "link", "url": "https://x.example", "unsafe": True, "style": {"bold": True}},
            ],
        },
    ]
    raw = msgspec.json.encode([{"type": "rich_text", "elements": elements}])
    decoded = decode_text("ignored", raw, Names(users={"U1": Author(user_id="U1", name="Anna")}))
    assert decoded == RichText(
        (
            Paragraph((Text("list:"),)),
            List((ListItem((Text("three"),)), ListItem((Text("a"),), 1), ListItem((Text("b"),), 1)), True, 3),
            List((ListItem((Text("x"),)),)),
            CodeBlock("x = '<&>'", "python"),
            Quote((Paragraph((Mention(MentionKind.USER, "U1", "Anna"), Mention(MentionKind.EVERYONE, "here", "here"))),)),
            Paragraph(
                (
                    Text("👋🏼"),
                    Emoji("party_parrot", "party_parrot"),
                    Text("#F405B3new thing[hologram]"),
                    Text("https://x.example", Mark.BOLD, "https://x.example"),
                )
            ),
        )
    )


def _section(text: str) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
