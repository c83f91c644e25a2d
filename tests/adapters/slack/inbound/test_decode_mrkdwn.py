"""Slack's mrkdwn to the bridge's rich text, whatever is in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.names import NO_NAMES, Names
from bridge.model.events import Author
from bridge.model.rich_text import (
    CodeBlock,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
)


@given(st.text(alphabet="*_~`<>&;:|!@#ab \n", max_size=300))
def test_any_mrkdwn_is_decoded(text: str) -> None:
    decode_mrkdwn(text, NO_NAMES)


def test_hostile_mrkdwn_takes_linear_time() -> None:
    for piece in ("*a ", "`a ", "<", "&gt;", ":a", "*_~", "``"):
        decode_mrkdwn(piece * (40_000 // len(piece)), NO_NAMES)


@pytest.mark.parametrize(
    ("mrkdwn", "expected"),
    [
        ("plain &lt;b&gt; &amp;amp;", [Text("plain <b> &amp;")]),
        ("*bold* and snake_case_name", [Text("bold", Mark.BOLD), Text(" and snake_case_name")]),
        ("*_both_*", [Text("both", Mark.BOLD | Mark.ITALIC)]),
        ("`a *b* &lt;c&gt;`", [Text("a *b* <c>", Mark.CODE)]),
        ("<https://x.example/?a=1&amp;b=2|label>", [Text("label", 0, "https://x.example/?a=1&b=2")]),
        ("<https://x.example/>", [Text("https://x.example/", 0, "https://x.example/")]),
        ("<mailto:a@b.example|a@b.example>", [Text("a@b.example")]),
        ("<@U1> <@U2|bob>", [Mention(MentionKind.USER, "U1", "Anna"), Text(" "), Mention(MentionKind.USER, "U2", "bob")]),
        ("<#C1|general>", [Mention(MentionKind.CHAT, "C1", "general")]),
        (
            "<!here> <!subteam^S1|@devs>",
            [Mention(MentionKind.EVERYONE, "here", "here"), Text(" "), Mention(MentionKind.GROUP, "S1", "devs")],
        ),
        ("<!date^1700000000^{date}|that day>", [Timestamp(1700000000, "that day")]),
        (":+1::skin-tone-3: :tada: 10:30:45 :nope:", [Text("👍🏼 🎉 10:30:45 :nope:")]),
        ("<not a link>", [Text("<not a link>")]),
        ("* not bold * _nor this_here", [Text("* not bold * _nor this_here")]),
    ],
)
def test_mrkdwn(mrkdwn: str, expected: list[Any]) -> None:
    names = Names(users={"U1": Author(user_id="U1", name="Anna")})
    assert decode_mrkdwn(mrkdwn, names) == RichText((Paragraph(tuple(expected)),))


def test_mrkdwn_blocks() -> None:
    decoded = decode_mrkdwn("intro\n```\ncode &lt;\n```\n&gt; one\n&gt; two\nend", NO_NAMES)
    assert decoded == RichText(
        (
            Paragraph((Text("intro"),)),
            CodeBlock("code <"),
            Quote((Paragraph((Text("one\ntwo"),)),)),
            Paragraph((Text("end"),)),
        )
    )
