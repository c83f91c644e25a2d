"""The emulator's parse modes and links against TDLib's own parser (tdjson works offline), and its composer."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
import tdjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.telegram.emulator.composer import compose
from adapters.telegram.emulator.errors import ApiError
from adapters.telegram.emulator.formatting import checked_link, found_entities, utf16_length
from adapters.telegram.emulator.parse_modes import parse
from adapters.telegram.emulator.render import to_html
from tests.support.budget import examples

_MODES = {
    "HTML": {"@type": "textParseModeHTML"},
    "MarkdownV2": {"@type": "textParseModeMarkdown", "version": 2},
    "Markdown": {"@type": "textParseModeMarkdown", "version": 1},
}
_KINDS = {
    "Bold": "bold",
    "Italic": "italic",
    "Underline": "underline",
    "Strikethrough": "strikethrough",
    "Spoiler": "spoiler",
    "Code": "code",
    "Pre": "pre",
    "PreCode": "pre",
    "TextUrl": "text_link",
    "MentionName": "text_mention",
    "CustomEmoji": "custom_emoji",
    "BlockQuote": "blockquote",
    "ExpandableBlockQuote": "expandable_blockquote",
}


def ask_tdlib(request: dict[str, Any]) -> dict[str, Any]:
    tdjson.td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}).encode())
    answer: dict[str, Any] = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
    return answer


def theirs(text: str, mode: str) -> tuple[str, list[tuple[str, int, int, str]]] | None:
    answer = ask_tdlib({"@type": "parseTextEntities", "text": text, "parse_mode": _MODES[mode]})
    if answer["@type"] == "error":
        return None
    found = []
    for entity in answer.get("entities", ()):
        kind = _KINDS[entity["type"]["@type"].removeprefix("textEntityType")]
        detail = entity["type"].get("language") or entity["type"].get("url") or str(entity["type"].get("user_id") or "")
        found.append((kind, entity["offset"], entity["length"], detail))
    return answer["text"], sorted(found)


def ours(text: str, mode: str) -> tuple[str, list[tuple[str, int, int, str]]] | None:
    try:
        words, entities = parse(text, mode)
    except ApiError:
        return None
    found = []
    for entity in entities:
        detail = entity.get("language") or entity.get("url") or str((entity.get("user") or {}).get("id") or "")
        if entity["type"] == "text_link":
            detail = checked_link(detail) or ""
            if not detail:
                continue
        found.append((entity["type"], entity["offset"], entity["length"], detail))
    return words, sorted(found)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("HTML", "<b>x</b> <i>y<u>z</u></i> &lt;&amp;&#33; <a href='http://x.example/a'>l</a>"),
        ("HTML", '<pre><code class="language-py">x</code></pre><pre>y</pre><code>z</code>'),
        ("HTML", "<blockquote expandable>q\nw</blockquote><tg-spoiler>s</tg-spoiler><span class='tg-spoiler'>t</span>"),
        ("HTML", "👍 <strong>x</strong><em>y</em><ins>z</ins><del>d</del><strike>e</strike><s>f</s>"),
        ("HTML", '<a href="tg://user?id=12">U</a> <a href="mailto:x">no</a> <a href="http://host/x">no</a>'),
        ("HTML", "<b>x"),
        ("HTML", "<b>x</i>"),
        ("HTML", "a < b"),
        ("HTML", "<zz>x</zz>"),
        ("HTML", '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>'),
        ("MarkdownV2", "*b* _i_ __u__ ~s~ ||p|| `c` [l](http://x.example/)"),
        ("MarkdownV2", "*b _i ~s~_ x*"),
        ("MarkdownV2", "```py\nx = 1\n``` and ```\ny``` \\* \\."),
        ("MarkdownV2", ">q\n>w\nplain\n>z||"),
        ("MarkdownV2", "**>a\n>b||"),
        ("MarkdownV2", "___iu_u__"),
        ("MarkdownV2", "a.b"),
        ("MarkdownV2", "*x"),
        ("MarkdownV2", "[l](tg://user?id=12) ![👍](tg://emoji?id=5368324170671202286)"),
        ("MarkdownV2", "`a\\`b` \\\\"),
        ("Markdown", "*b* _i_ `c` [l](http://x.example/) ```\nx```"),
        ("Markdown", "a_b_c \\*x \\_"),
        ("Markdown", "*x"),
        ("Markdown", "*a _b_*"),
    ],
)
def test_parse_modes_are_tdlibs(mode: str, text: str) -> None:
    assert ours(text, mode) == theirs(text, mode)


@settings(max_examples=examples(150), deadline=None)
@given(st.text(alphabet="ab *_~|`\n\\👍", max_size=12))
@example("*a*_b_")
@example("*_**_*")
def test_markdown_v2_agrees_on_what_is_an_error(text: str) -> None:
    mine, their = ours(text, "MarkdownV2"), theirs(text, "MarkdownV2")
    assert (mine is None) == (their is None)
    if mine is not None and their is not None:
        assert mine[0] == their[0]


@settings(max_examples=examples(100), deadline=None)
@given(st.text(alphabet="ab<>/&;i ", max_size=14))
def test_html_agrees_on_what_is_an_error(text: str) -> None:
    mine, their = ours(text, "HTML"), theirs(text, "HTML")
    assert (mine is None) == (their is None)
    if mine is not None and their is not None:
        assert mine == their


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example",
        "https://x.example/a?b#c",
        "x.example",
        "http://host/x",
        "tel:123",
        "javascript:alert(1)",
        "ftp://a.example/c",
        "http://a b",
    ],
)
def test_links_that_tdlib_keeps(url: str) -> None:
    answer = theirs(f'<a href="{url}">z</a>', "HTML")
    assert answer is not None
    assert [detail for _, _, _, detail in answer[1]] == ([checked_link(url)] if checked_link(url) else [])


def test_what_people_type() -> None:
    text, entities = compose(
        "👍 **b __i__** ~~s~~ ||p|| `c*` [l](https://x.example/a) *x* _y_\n> q1\n> q2\nafter\n```py\n**raw**\n```"
    )
    assert text == "👍 b i s p c* l *x* _y_\nq1\nq2\nafter\n**raw**"
    assert to_html(text, entities) == (
        '👍 <b>b <i>i</i></b> <s>s</s> <span class="spoiler">p</span> <code>c*</code> <a href="https://x.example/a">l</a> *x* _y_\n'
        '<blockquote>q1\nq2</blockquote>\nafter\n<pre><code class="language-py">**raw**</code></pre>'
    )


@given(st.text(alphabet=string.ascii_letters + " *_`>\n[]()👍|~", max_size=60))
def test_the_composer_keeps_every_entity_inside_the_text(markup: str) -> None:
    text, entities = compose(markup)
    size = utf16_length(text)
    assert all(e["offset"] >= 0 and e["length"] > 0 and e["offset"] + e["length"] <= size for e in entities)


@given(
    st.lists(
        st.tuples(st.sampled_from(["bold", "italic", "text_link", "pre", "blockquote"]), st.integers(0, 9), st.integers(1, 9)),
        max_size=5,
    )
)
def test_html_is_well_formed_for_any_overlap(spans: list[tuple[str, int, int]]) -> None:
    text = "a<b>👍&x yz"
    size = utf16_length(text)
    bad = {5}  # the middle of the surrogate pair
    entities = [
        {"type": kind, "offset": start, "length": length, "url": "https://x.example"}
        for kind, start, length in spans
        if start + length <= size and start not in bad and start + length not in bad
    ]
    from xml.etree import ElementTree

    shown = ElementTree.fromstring(f"<div>{to_html(text, entities)}</div>")
    assert "".join(shown.itertext()) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://a_b.io/@durov",
        "https://x--.io/@durov",
        "https://localhost/@durov",
        "https://a.io/@durov",
        "https://1.1.1.1/@durov",
        "mail a@b.example",
        "/cmd and /cmd@thebot (/cmd) </cmd> /usr/bin a/b",
        "@\u200bdurov /\u200bcmd",
        "#tag $USD @durov",
    ],
)
def test_what_the_emulator_finds_in_a_text_is_what_tdlib_finds(text: str) -> None:
    ours = {(entity["type"], entity["offset"], entity["length"]) for entity in found_entities(text, [])}
    request = {"@type": "getTextEntities", "text": text}
    names = {"BotCommand": "bot_command", "EmailAddress": "email"}
    theirs = {
        (
            names.get(kind := entity["type"]["@type"].removeprefix("textEntityType"), kind.lower()),
            entity["offset"],
            entity["length"],
        )
        for entity in json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")["entities"]
    }
    assert ours == theirs
