"""Every kind of block that apps post has a visible form: buttons and menus as lines, tables, Markdown, and kinds nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.inbound.decode_blocks import decode_blocks
from adapters.slack.names import NO_NAMES
from bridge.model.rich_text import CodeBlock, Paragraph, RichText, text_of, to_plain
from tests.adapters.slack.inbound.app_posts import mrkdwn, plain, rich, rich_of, section, shown


def test_everything_of_a_section() -> None:
    block = section(
        "by <@U1> in <#C2|> for <!subteam^S1>",
        fields=[mrkdwn("*Commit*\nabc123"), plain("plain :tada:")],
        accessory={"type": "button", "text": plain("Open log"), "url": "https://ci.example.com/42?a=1&amp;b=2", "action_id": "x"},
    )
    text = rich_of(block)
    assert to_plain(text) == (
        "by @Anna in #random for @oncall\nCommit\nabc123\nplain 🎉\nOpen log (https://ci.example.com/42?a=1&b=2)"
    )
    assert shown(blocks=[section("x", accessory={"type": "image", "image_url": "https://e.example/c.png", "alt_text": "cat"})]) == (
        "x\ncat (https://e.example/c.png)"
    )
    assert shown(blocks=[{"type": "section", "fields": [mrkdwn("only"), mrkdwn("fields")]}]) == "only\nfields"


def test_a_context_is_a_row() -> None:
    elements = [{"type": "image", "image_url": "https://e.example/i.png", "alt_text": "icon"}, mrkdwn("by *CI*"), plain("5 min")]
    assert shown(blocks=[{"type": "context", "elements": elements}]) == "icon (https://e.example/i.png) by CI 5 min"
    long = {"type": "context", "elements": [mrkdwn("one\ntwo"), mrkdwn("three")]}
    assert shown(blocks=[long]) == "one\ntwo\nthree"


CELLS = [
    [{"type": "raw_text", "text": "Name"}, {"type": "raw_text", "text": "Count"}],
    [rich("Anna"), {"type": "raw_number", "value": 5}],
]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "image", "image_url": "https://e.example/c.png", "alt_text": "cat", "title": plain("A cat")},
            "A cat (https://e.example/c.png)",
        ),
        ({"type": "image", "image_url": "https://e.example/c.png", "alt_text": ""}, "image (https://e.example/c.png)"),
        ({"type": "image", "slack_file": {"id": "F1"}, "alt_text": "chart"}, "[image: chart]"),
        (
            {
                "type": "image",
                "slack_file": {"id": "F1", "url": "https://files.slack.com/files-pri/T1-F1/c.png"},
                "alt_text": "chart",
            },
            "chart (https://files.slack.com/files-pri/T1-F1/c.png)",
        ),
        (
            {
                "type": "video",
                "title": plain("Demo"),
                "title_url": "https://v.example/1",
                "video_url": "https://v.example/e/1",
                "provider_name": "Tube",
                "author_name": "Kim",
                "description": plain("How to"),
            },
            "Demo (https://v.example/1)\nHow to\nTube - Kim",
        ),
        (
            {"type": "call", "call_id": "R0", "call": {"v1": {"name": "Stand-up", "join_url": "https://m.example/1"}}},
            "call: Stand-up (https://m.example/1)",
        ),
        ({"type": "call", "call_id": "R0"}, "[call]"),
        ({"type": "file", "external_id": "ABC", "source": "remote"}, "[file: ABC]"),
        (
            {
                "type": "file",
                "external_id": "ABC",
                "source": "remote",
                "file": {"title": "Plan", "permalink": "https://s.example/f"},
            },
            "Plan (https://s.example/f)",
        ),
        ({"type": "table", "rows": CELLS}, "Name | Count\n-----+------\nAnna | 5"),
        ({"type": "data_table", "caption": "People", "rows": CELLS}, "People\nName | Count\n-----+------\nAnna | 5"),
        ({"type": "alert", "level": "error", "text": mrkdwn("*On fire*")}, "On fire"),
        (
            {
                "type": "card",
                "title": plain("Ticket 7"),
                "subtitle": mrkdwn("open"),
                "body": mrkdwn("Login *broken*"),
                "hero_image": {"type": "image", "image_url": "https://e.example/h.png", "alt_text": "screen"},
                "actions": [{"type": "button", "text": plain("Close")}],
            },
            "Ticket 7\nopen\nLogin broken\nscreen (https://e.example/h.png)\n[Close]",
        ),
        (
            {"type": "carousel", "elements": [{"type": "card", "title": plain("One")}, {"type": "card", "title": plain("Two")}]},
            "One\nTwo",
        ),
        ({"type": "container", "title": plain("Group"), "child_blocks": [section("inner"), {"type": "divider"}]}, "Group\ninner"),
        (
            {
                "type": "plan",
                "title": "Plan",
                "tasks": [{"type": "task_card", "task_id": "1", "title": "Look", "status": "complete", "output": rich("found")}],
            },
            "Plan\n☑ Look\nfound",
        ),
        (
            {
                "type": "input",
                "label": plain("Why?"),
                "element": {"type": "plain_text_input", "placeholder": plain("say")},
                "hint": plain("short"),
            },
            "Why?\nshort\n[say]",
        ),
        ({"type": "data_visualization", "title": "Sales", "chart": {"type": "pie"}}, "Sales\n[pie chart]"),
        ({"type": "holodeck", "url": "https://e.example/deck"}, "[holodeck] (https://e.example/deck)"),
        ({"text": plain("no type")}, "[unknown block]: no type"),
    ],
    ids=lambda value: str(value.get("type")) if isinstance(value, dict) else "",
)
def test_every_kind_of_block_is_shown(block: dict[str, Any], expected: str) -> None:
    assert shown(text="This content can't be displayed.", blocks=[block]) == expected


@pytest.mark.parametrize(
    ("leaf", "shown"),
    [
        ({"type": "user", "user_id": "U024BE7LH"}, "@U024BE7LH"),
        ({"type": "link", "url": "https://example.org/x", "text": "the page"}, "the page"),
        ({"type": "emoji", "name": "party_parrot"}, ":party_parrot:"),
    ],
)
def test_rows_stay_lines_where_a_table_would_lose_what_a_cell_has(leaf: dict[str, Any], shown: str) -> None:
    cell = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}
    rows = [[plain("who"), plain("n")], [cell, plain("1")]]
    (block,) = decode_blocks([{"type": "table", "rows": rows}], NO_NAMES).blocks
    assert isinstance(block, Paragraph)
    assert text_of(RichText((block,))) == f"who | n\n{shown} | 1"


def test_words_alone_are_a_table_whatever_their_marks() -> None:
    leaf = {"type": "text", "text": "bold", "style": {"bold": True}}
    cell = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}
    rows = [[plain("a"), cell], [{"type": "raw_number", "value": 5}, {"type": "raw_text", "text": "https://example.org/"}]]
    (block,) = decode_blocks([{"type": "table", "rows": rows}], NO_NAMES).blocks
    assert isinstance(block, CodeBlock)
    assert block.rows == (("a", "bold"), ("5", "https://example.org/"))
