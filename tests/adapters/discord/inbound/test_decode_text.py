"""Discord's Markdown dialect is read as Discord displays it, and in bounded time."""

from __future__ import annotations

import time

import pytest

from adapters.discord.inbound.decode_text import decode_text
from bridge.model.rich_text import (
    Mark,
    Paragraph,
    Text,
    text_of,
)

DECODED = [
    ("**b** *i* _i_ __u__ ~~s~~ ||sp|| `c`", "b i i u s sp c"),
    (r"\*not bold\* snake_case_name 2*3*4", "*not bold* snake_case_name 234"),
    ("> quoted\n> more\nafter", "quoted\nmore\nafter"),
    (">>> all\nthe rest", "all\nthe rest"),
    ("text ```code``` more", "text \ncode\n more"),
    ("<https://x.y> (https://a.b/c)", "https://x.y (https://a.b/c)"),
    ("</settings show:12345> <id:customize>", "/settings show Channels & Roles"),
    ("-# small print", "small print"),
    ("#hashtag and #1", "#hashtag and #1"),
    ("`` `a` `` and `b`", "`a` and b"),
    ("[label](https://x.y/a_(b) 'title')", "label"),
    ("unclosed **bold and `code", "unclosed **bold and `code"),
    ("@everyone <@!5> <@&6> <#7>", "@everyone @unknown-user @unknown-role #unknown-channel"),
]


@pytest.mark.parametrize(("source", "words"), DECODED)
def test_the_dialect_is_read(source: str, words: str) -> None:
    assert text_of(decode_text(source)) == words


@pytest.mark.parametrize("unit", ["**", "*a", "_", "||", "`", "```", "[a](", "> ", "\\", "<@", "((", "~~ "])
def test_no_text_takes_long_to_read(unit: str) -> None:
    source = (unit * 4000)[:4000]
    started = time.process_time()
    decode_text(source)
    assert time.process_time() - started < 1.0


def test_a_command_is_no_live_command_elsewhere() -> None:
    (block,) = decode_text("try </play song:12345> now").blocks
    assert isinstance(block, Paragraph)
    assert [(i.text, i.marks) for i in block.inlines if isinstance(i, Text)] == [
        ("try ", 0),
        ("/play song", Mark.CODE),
        (" now", 0),
    ]
