"""What Slack's client shows: blocks before text, escapes undone once, everything else literal and safe."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.emulator.render import show

NAMES = {"U1": "Anna", "C1": "general"}


def name(any_id: str) -> str:
    return NAMES.get(any_id, any_id)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*b* _i_ ~s~ `c`", "b i s c"),
        ("&lt;b&gt; &amp;amp;", "<b> &amp;"),
        ("<@U1> in <#C1>", "@Anna in #general"),
        ("<https://e.com/|label>", "label"),
        ("2*3*4", "2*3*4"),
    ],
)
def test_the_words_of_mrkdwn(text: str, shown: str) -> None:
    assert show(text, None, name).text == shown


def test_html_is_safe() -> None:
    html = show("&lt;script&gt; *b* <javascript:alert(1)|x>", None, name).html
    assert "<script" not in html
    assert "javascript:" not in html
    assert "<b>b</b>" in html


def test_without_marks_only_tokens_are_read() -> None:
    assert show("*b* <@U1>", None, name, marks=False).text == "*b* @Anna"


def test_blocks_are_shown_and_the_text_beside_them_is_not() -> None:
    leaves = [{"type": "text", "text": "one", "style": {"bold": True}}, {"type": "user", "user_id": "U1"}]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": letter}]} for letter in "ab"]
    blocks: list[dict[str, Any]] = [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": leaves},
                {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": items},
            ],
        },
        {"type": "header", "text": {"type": "plain_text", "text": "head"}},
        {"type": "of tomorrow"},
    ]
    shown = show("for notifications", blocks, name)
    assert shown.text == "one@Anna\n3. a\n4. b\nhead"
    assert "<b>one</b>" in shown.html
