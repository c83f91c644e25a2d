"""Rich text to Discord's dialect and back. What is displayed is judged by the emulator's reading: no code is shared."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.discord.emulator.render import Names, show
from adapters.discord.inbound.decode_text import decode_text
from adapters.discord.outbound.encode_text import encode_text
from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    Heading,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    normalize,
    plain,
    text_of,
)
from bridge.render.split import split
from tests.support.budget import examples
from tests.support.lists import labels, mixed_lists

NAMES = Names(user=lambda i: f"user{i}", role=lambda i: f"role{i}", channel=lambda i: f"channel{i}")


TAG = re.compile(r"<(\w+)")


# what people type, heavy on what means something to Discord
fragments = st.sampled_from(
    [
        *(
            "*",
            "**",
            "_",
            "__",
            "~~",
            "||",
            "`",
            "```",
            "\n",
            "> ",
            ">>> ",
            "# ",
            "-# ",
            "- ",
            "1. ",
            "<",
            ">",
            "[",
            "](",
            ")",
            "\\",
        ),
        *(
            "@everyone",
            "@here",
            "<@1>",
            "<@&1>",
            "<#1>",
            "<:a:1>",
            "<t:1>",
            "https://a.b/c_d*e",
            "http://x",
            "https://я",
            "www",
            "a",
            " ",
            "слово",
        ),
    ]
)


hostile_text = st.lists(fragments | st.text(max_size=4), max_size=25).map("".join)


visible_text = hostile_text.map(lambda t: "".join(c for c in t if c == "\n" or c.isprintable())).filter(str.strip)


def paragraph(*inlines: object) -> RichText:
    return RichText((Paragraph(tuple(inlines)),))  # type: ignore[arg-type]


@given(visible_text)
@example("¯\\_(ツ)_/¯")
@example("https://a.b/_x_ https://c.d]")
@example("https://пример.рф/путь (https://a.b)")
@example("\n  > not a quote")
@settings(max_examples=examples(400), deadline=None)
def test_plain_text_survives_encode_and_decode(text: str) -> None:
    assert text_of(decode_text(encode_text(plain(text)))) == text


@given(visible_text)
@settings(max_examples=examples(400), deadline=None)
def test_foreign_text_is_displayed_as_it_is_and_never_becomes_markup_or_a_mention(text: str) -> None:
    shown, html = show(encode_text(plain(text)), NAMES)
    assert shown.rstrip("\n") == text.rstrip("\n")
    assert set(TAG.findall(html)) <= {"br", "a"}, "only addresses may be clickable"
    for address in re.findall(r'<a href="([^"]*)"', html):
        assert address.startswith(("http://", "https://"))


@given(visible_text, visible_text)
@settings(max_examples=examples(200), deadline=None)
def test_foreign_text_is_caught_inside_every_block_and_mark(first: str, second: str) -> None:
    marked = paragraph(Text(first, Mark.BOLD), Text(second, Mark.ITALIC | Mark.SPOILER), Text(first))
    for rich in (marked, RichText((Quote((Paragraph((Text(first),)),)),)), RichText((List((ListItem((Text(first),)),)),))):
        _, html = show(encode_text(rich), NAMES)
        assert not {"h1", "h2", "h3", "pre"} & set(TAG.findall(html))
        assert 'class="mention' not in html
        assert 'class="time' not in html


@given(st.text(alphabet="`a \n~", min_size=1, max_size=12).filter(lambda t: t.strip("\n ")))
@settings(max_examples=examples(300), deadline=None)
def test_code_cannot_end_its_fence(code: str) -> None:
    shown, html = show(encode_text(paragraph(Text(code.replace("\n", " "), Mark.CODE), Text(" after"))), NAMES)
    assert html.count("<code>") == 1
    assert html.endswith("</code> after")
    _, html = show(encode_text(RichText((CodeBlock(code, "py"), Paragraph((Text("after"),))))), NAMES)
    assert html.count("<pre>") == 1
    assert html.endswith("</pre>after")
    assert shown


marked_runs = st.lists(
    st.builds(Text, st.text(alphabet="ab c", min_size=1, max_size=5), st.integers(0, 31)), min_size=1, max_size=6
).filter(lambda runs: "".join(r.text for r in runs).strip())


@given(marked_runs)
@settings(max_examples=examples(400), deadline=None)
def test_marks_survive_whatever_their_neighbours_are(runs: list[Text]) -> None:
    """Each visible character keeps its marks, for our decoder and for the emulator's reading of them."""
    wanted = _marks_of_characters(normalize(paragraph(*runs)))
    encoded = encode_text(paragraph(*runs))
    assert _marks_of_characters(decode_text(encoded)) == wanted
    assert _marks_of_html(show(encoded, NAMES)[1]) == wanted


def _marks_of_characters(rich: RichText) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for block in rich.blocks:
        assert isinstance(block, Paragraph)
        for inline in block.inlines:
            assert isinstance(inline, Text)
            found.extend((c, inline.marks) for c in inline.text if c not in " \u200b")
    return found


def _marks_of_html(html: str) -> list[tuple[str, int]]:
    tags = {"b": Mark.BOLD, "i": Mark.ITALIC, "u": Mark.UNDERLINE, "s": Mark.STRIKE, "span": Mark.SPOILER}
    found: list[tuple[str, int]] = []
    stack: list[Mark] = []
    for closing, tag, text in re.findall(r"<(/?)(\w+)[^>]*>|([^<]+)", html):
        if text:
            marks = 0
            for mark in stack:
                marks |= mark
            found.extend((c, marks) for c in text if c not in " \u200b")
        elif closing:
            assert stack.pop() == tags[tag]
        else:
            stack.append(tags[tag])
    return found


@given(visible_text, st.integers(20, 60))
@settings(max_examples=examples(150), deadline=None)
def test_no_part_is_over_the_limit_and_no_word_is_lost(text: str, limit: int) -> None:
    parts = split(plain(text), lambda rich: len(encode_text(rich)) <= limit)
    assert all(len(encode_text(part)) <= limit for part in parts)
    kept = "".join("".join(text_of(part) for part in parts).split())
    assert kept == "".join(text.split())


ROUND_TRIPS = {
    "heading": RichText((Heading(2, (Text("Title"),)), Paragraph((Text("body"),)))),
    "list": RichText((List((ListItem((Text("one"),)), ListItem((Text("two"),), 1), ListItem((Text("three"),)))),)),
    "ordered list": RichText((List((ListItem((Text("one"),)), ListItem((Text("two"),))), True, 3),)),
    "quote": RichText((Quote((Paragraph((Text("a\nb"),)), CodeBlock("x\ny", "py"))), Paragraph((Text("after"),)))),
    "code block": RichText((Paragraph((Text("see"),)), CodeBlock("a ** b\n\n> c", "c++"), Paragraph((Text("end"),)))),
    "link": paragraph(Text("label", Mark.BOLD, "https://example.com/a_b?c=d#e"), Text(" tail")),
    "bare link": paragraph(Text("https://example.com/a_(b)", 0, "https://example.com/a_(b)"), Text(" tail")),
    "mentions": paragraph(
        Mention(MentionKind.USER, "1", "unknown-user"), Text(" "), Mention(MentionKind.CHAT, "3", "unknown-channel")
    ),
    "emoji": paragraph(Emoji("party", "42", "", 0, True), Text(" ok")),
    "timestamp": paragraph(Text("at "), Timestamp(1_700_000_000, "", "R")),
    "code with backticks": paragraph(Text("a`b", Mark.CODE), Text(" "), Text("``", Mark.CODE)),
    "blank lines": paragraph(Text("a\n\n\nb")),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_structure_survives_encode_and_decode(name: str) -> None:
    assert decode_text(encode_text(ROUND_TRIPS[name])) == ROUND_TRIPS[name]


def test_links_are_masked_only_where_discord_does_it() -> None:
    assert encode_text(paragraph(Text("a [b]", 0, "https://x.y"))) == r"a \[b\] (<https://x.y>)"
    assert encode_text(paragraph(Text("https://good.example", 0, "https://evil.example"))).endswith("(<https://evil.example>)")
    assert encode_text(paragraph(Text("mail", 0, "mailto:a@b.c"))) == "mail (mailto:a@b.c)"
    assert encode_text(paragraph(Text("x", 0, "https://x.y/a b)<>"))) == "[x](<https://x.y/a%20b%29%3C%3E>)"
    assert encode_text(paragraph(Text("x", 0, "javascript:alert(1)"))) == "x (javascript:alert(1))"


@given(mixed_lists)
def test_each_depth_of_a_list_keeps_its_kind_and_numbers(made: List) -> None:
    rich = RichText((made,))
    assert labels(decode_text(encode_text(rich))) == labels(rich)


def test_lines_of_a_list_item_stay_lines_of_it() -> None:
    first = ListItem((Text("one\n- no item\n# no heading\n> no quote"),))
    rich = RichText(
        (List((first, ListItem((Text("deeper\n2. still"),), 1), ListItem((Text("last"),)))), Paragraph((Text("behind"),)))
    )
    shown, html = show(encode_text(rich), NAMES)
    lines = [line.strip() for line in shown.split("\n")]
    assert lines == ["• one", "- no item", "# no heading", "> no quote", "• deeper", "2. still", "• last", "behind"]
    assert html.count("<li>") == 3
    assert decode_text(encode_text(rich)) == normalize(rich)


def test_a_code_block_right_behind_a_list_is_one() -> None:
    rich = RichText((List((ListItem((Text("one"),)),)), CodeBlock("a | b\n1 | 2")))
    assert show(encode_text(rich), NAMES)[1].endswith("<pre><code>a | b\n1 | 2</code></pre>")


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ((Text("see https://a.example/x"), Text("!", 1)), "see <https://a.example/x>**!**"),
        ((Text("a https://a.example/x", 1), Text("more", 2)), "**a <https://a.example/x>**_more_"),
        ((Text("see "), Text("https://a.example/x", 0, "https://a.example/x"), Text("!", 1)), "see <https://a.example/x>**!**"),
        ((Text("see https://a.example/x "), Text("!", 1)), "see https://a.example/x **!**"),
        ((Text("1 < 2, see https://a.example/x"), Text("!", 16)), "1 \\< 2, see <https://a.example/x>||!||"),
    ],
)
def test_what_stands_in_angle_brackets_is_the_address_alone(runs: tuple[Text, ...], shown: str) -> None:
    assert encode_text(RichText((Paragraph(runs),))) == shown


@given(
    st.lists(
        st.text("ab*`_@>-# \n", max_size=8).map(lambda t: (t, 0)) | st.text("a@*`\n", max_size=6).map(lambda t: (t, 32)), max_size=4
    )
)
@settings(max_examples=examples(200), deadline=None)
@example([("@here\n\n", 32)])
@example([("a\n\nb", 1), ("\n\n", 1)])
def test_items_of_any_lines_keep_their_words(runs: list[tuple[str, int]]) -> None:
    item = ListItem(tuple(Text(text, marks) for text, marks in runs) or (Text("x"),))
    rich = normalize(RichText((List((item, ListItem((Text("last"),)))),)))
    back = decode_text(encode_text(rich))
    kept = iter(re.sub(r"[\s\u200b]", "", text_of(back)))
    assert all(character in kept for character in re.sub(r"\s", "", text_of(rich)))
    assert "last" in text_of(back)
    assert not [i for b in back.blocks if isinstance(b, List) for one in b.items for i in one.inlines if isinstance(i, Mention)]


def test_a_list_right_within_an_item_is_a_list() -> None:
    block = List((ListItem(()), ListItem((Text("inner"),), 1, False)), ordered=True)
    encoded = encode_text(RichText((block,)))
    assert show(encoded, NAMES)[1] == "<ol><li>\u200b</li><ul><li>inner</li></ul></ol>"


def test_a_mark_ends_where_it_was_meant_to() -> None:
    """As two parsers of Discord's dialect read it (tests/oracles)."""
    for runs, written in (
        ([Text("a", 8), Text("b", 4)], "~~a~~\u200b__b__"),  # a strike does not end before a `_`
        ([Text("a~", 8), Text("b")], "~~a\\~\u200b~~b"),  # nor does a backslash protect its sign
        ([Text("a|", 16)], "||a\\|\u200b||"),
        ([Text("page", 2, "https://e.com/a_b*c")], "_[page](<https://e.com/a%5Fb%2Ac>)_"),
        ([Text("1. a", 0, "https://e.com/")], "[1\\. a](<https://e.com/>)"),
    ):
        assert encode_text(RichText((Paragraph(tuple(runs)),))) == written
    assert encode_text(RichText((Heading(2, (Text("#5"),)),))) == "## \\#5"
