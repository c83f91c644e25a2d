"""The markdown and HTML flavours: nothing is lost, nothing becomes markup, and an independent reader sees what is meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.teamspirit.dialect.model import TextDialect
from adapters.teamspirit.emulator.render import render
from adapters.teamspirit.inbound.decode_text import decode_text
from adapters.teamspirit.outbound.encode_text import encode_text
from bridge.model.rich_text import (
    CodeBlock,
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
    normalize,
    plain,
    text_of,
)

MARKDOWN = TextDialect(flavour="markdown", chat_mention="~")
HTML = TextDialect(flavour="html")
SPACE = Text(" ")
ANNA = Mention(MentionKind.USER, "anna", "anna")
A_ITEM = ListItem((Text("a"),))

SPECIAL = st.sampled_from(
    [*"\\`*_~[]()<>&#+-=.!|:@/'\"{}^$ \n\t\u200b\u2060", "http://", "1.", "@all", "anna", "```", "&amp;", "\n\n"]
)
LETTERS = st.characters(blacklist_categories=("Cs", "Cc"))
TEXT = st.lists(SPECIAL | LETTERS | st.sampled_from("abAB12"), max_size=40).map("".join)


def everybody(_: str) -> bool:
    return True


@given(TEXT)
@pytest.mark.parametrize("dialect", [MARKDOWN, HTML, TextDialect(flavour="plain")], ids=lambda one: one.flavour)
def test_plain_text_survives(dialect: TextDialect, text: str) -> None:
    once = decode_text(text, dialect)
    again = decode_text(encode_text(once, dialect), dialect)
    assert text_of(again) == text_of(once)


ADDRESSES = st.sampled_from(
    [
        "https://e.com/pkg/__init__.py",
        "http://e.com/*a*b",
        "https://e.com/a_(b)",
        "HTTPS://E.com/~~x~~",
        "www.e.com/_a_",
        "ftp://e.com/a_b",
        "https://e.com/?a=1&b=2&copy=3&amp;d",
        "https://a:b@e.com/c_d",
        "https://e.com/@anna",
        "https://e.com/a[1]",
        "https://e.com/a\\b",
        "https://",
        "www.",
    ]
)
WITH_ADDRESSES = st.lists(ADDRESSES | SPECIAL | st.sampled_from(["a", "é", "1"]), max_size=8).map("".join)


@given(TEXT | WITH_ADDRESSES)
def test_literal_text_comes_back_exactly(text: str) -> None:
    text = text.strip("\n")
    assert decode_text(encode_text(plain(text), MARKDOWN), MARKDOWN) == normalize(plain(text))


@given(TEXT | WITH_ADDRESSES)
def test_literal_text_is_no_markup_and_no_mention_to_another_reader(text: str) -> None:
    html, shown = render(encode_text(plain(text), MARKDOWN), everybody)
    assert not re.search(r"(?i)<(?!a href=\"(?:https?|ftp)://|/a>)", html), html
    assert squeezed(shown.replace("\u200b", "")) == squeezed(text.replace("\u200b", ""))


@given(TEXT)
def test_literal_text_is_no_html(text: str) -> None:
    encoded = encode_text(plain(text), HTML)
    assert set(re.findall(r"<[^>]*>", encoded)) <= {"<br>"}
    assert decode_text(encoded, HTML) == normalize(plain(text)) or not text.strip()


def squeezed(text: str) -> str:
    """Markdown shows several blank lines as one, and a blank line of white space as blank."""
    return re.sub(r"\n\n+", "\n\n", text.strip("\n"))


marks = st.sampled_from([0, 0, Mark.BOLD, Mark.ITALIC, Mark.STRIKE, Mark.CODE, Mark.BOLD | Mark.ITALIC, Mark.BOLD | Mark.STRIKE])
words = st.text(st.sampled_from('ab .,!*_`~[]<&(é😀"-'), min_size=1, max_size=8)
runs = st.builds(
    Text,
    words | ADDRESSES,
    marks.map(int),
    st.sampled_from([None, None, None, "https://example.com/a_b?c=d&e=(f)", "javascript:alert(1)"]),
) | st.builds(lambda name: Mention(MentionKind.USER, name, name), st.sampled_from(["anna", "bert.k", "c_d"]))
inlines = st.lists(runs, min_size=1, max_size=5).map(tuple)
paragraphs = st.builds(Paragraph, inlines)
items = st.builds(ListItem, inlines, st.integers(0, 2), st.sampled_from([None, True, False]), st.sampled_from([None, None, 1, 7]))
simple_blocks = (
    paragraphs
    | st.builds(Heading, st.integers(1, 6), inlines)
    | st.builds(CodeBlock, st.text(st.sampled_from("ab `~\n#"), max_size=12), st.sampled_from(["", "python"]))
    | st.builds(
        List,
        st.lists(items, min_size=1, max_size=4).map(tuple),
        st.booleans(),
        st.integers(1, 12),
    )
)
blocks = simple_blocks | st.builds(Quote, st.lists(simple_blocks, min_size=1, max_size=3).map(tuple))
trees = st.lists(blocks, min_size=1, max_size=4).map(lambda found: normalize(RichText(tuple(found))))


def bare(text: str) -> str:
    """Words alone: zero-width guards, white space and an unsafe link's visible address left out."""
    return re.sub(r"[\s\u200b\u2060\ufeff]|\(javascript:alert\(1\)\)", "", text)


@given(trees)
def test_no_text_of_a_tree_is_lost(tree: RichText) -> None:
    encoded = encode_text(tree, MARKDOWN)
    assert bare(text_of(decode_text(encoded, MARKDOWN))) == bare(text_of(tree)), encoded


@given(trees)
def test_another_reader_sees_the_words_of_a_tree(tree: RichText) -> None:
    encoded = encode_text(tree, MARKDOWN)
    shown = render(encoded, everybody)[1]
    labels = r"(?m)^\s*(?:•|\d+\.)"
    words_shown, words_meant = bare(re.sub(labels, "", shown)), bare(re.sub(labels, "", text_of(tree)))
    assert words_shown == words_meant, encoded


@given(trees)
def test_a_tree_is_stable_after_one_round(tree: RichText) -> None:
    once = decode_text(encode_text(tree, MARKDOWN), MARKDOWN)
    assert text_of(decode_text(encode_text(once, MARKDOWN), MARKDOWN)) == text_of(once)


@given(
    st.lists(st.builds(Text, st.text(st.sampled_from('ab .!*é"'), min_size=1, max_size=6), marks.map(int)), min_size=1, max_size=6)
)
def test_marks_hold_their_words(found: list[Text]) -> None:
    """Each visible character has its marks again, whatever stands beside it."""

    def marked(rich: RichText) -> list[tuple[str, int]]:
        pieces = [run for block in rich.blocks if isinstance(block, Paragraph) for run in block.inlines]
        return [(letter, run.marks) for run in pieces for letter in getattr(run, "text", "") if letter.strip()]

    tree = normalize(RichText((Paragraph(tuple(found)),)))
    assert marked(decode_text(encode_text(tree, MARKDOWN), MARKDOWN)) == marked(tree), encode_text(tree, MARKDOWN)


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("**b** *i* ~~s~~ `c`", (Paragraph((Text("b", 1), SPACE, Text("i", 2), SPACE, Text("s", 8), SPACE, Text("c", 32))),)),
        ("[label](https://e.com/)", (Paragraph((Text("label", 0, "https://e.com/"),)),)),
        ("<https://e.com/a_b>", (Paragraph((Text("https://e.com/a_b"),)),)),
        ("[x](javascript:alert(1))", (Paragraph((Text("[x](javascript:alert(1))"),)),)),
        ("[ref]: https://e.com", (Paragraph((Text("[ref]: https://e.com"),)),)),
        ("<b>no</b>", (Paragraph((Text("<b>no</b>"),)),)),
        ("a\n\n\nb\nc", (Paragraph((Text("a\n\n\nb\nc"),)),)),
        ("hi @anna. @here", (Paragraph((Text("hi "), ANNA, Text(". "), Mention(MentionKind.EVERYONE, "here", "here"))),)),
        ("me@anna.org `@anna`", (Paragraph((Text("me@anna.org "), Text("@anna", 32))),)),
        ("> a\n> > b", (Quote((Paragraph((Text("a"),)),)), Quote((Paragraph((Text("b"),)),), depth=2))),
        ("```py\nx\n\ny\n```", (CodeBlock("x\n\ny", "py"),)),
        (
            "1. a\n2. b\n   - c",
            (List((ListItem((Text("a"),)), ListItem((Text("b"),)), ListItem((Text("c"),), 1, False)), True, 1),),
        ),
        ("- a\n\n  ```\n  x\n  ```\n- b", (List((A_ITEM,)), CodeBlock("x"), List((ListItem((Text("b"),)),), False, 2))),
        ("1. - c", (List((ListItem(()), ListItem((Text("c"),), 1, False)), True, 1),)),
        ("- a\n\n  7. b\n  8. c", (List((A_ITEM, ListItem((Text("b"),), 1, True, 7), ListItem((Text("c"),), 1, True))),)),
        ("Title\n===\ntext", (Heading(1, (Text("Title"),)), Paragraph((Text("text"),)))),
        ("a\n\n---\n\nb", (Paragraph((Text("a\n---\nb"),)),)),
        ("![alt](https://e.com/i.png)", (Paragraph((Text("alt", 0, "https://e.com/i.png"),)),)),
        ("&lt; &copy;", (Paragraph((Text("< ©"),)),)),
    ],
)
def test_markdown_is_read(source: str, tree: tuple[object, ...]) -> None:
    assert decode_text(source, MARKDOWN).blocks == tree


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("plain words, and (brackets).", "plain words, and (brackets)."),
        ("2 * 3 * 4", r"2 \* 3 \* 4"),
        ("snake_case", r"snake\_case"),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("# no heading", r"\# no heading"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("https://e.com/a_b?c=1&d=2.", "<https://e.com/a_b?c=1&d=2>."),
        ("https://e.com/a", "https://e.com/a"),
        ("@here", "@\u200bhere"),
    ],
)
def test_markdown_is_escaped_no_more_than_needed(text: str, markdown: str) -> None:
    assert encode_text(plain(text), MARKDOWN) == markdown


def test_mass_mentions_ping_only_when_allowed() -> None:
    rich = RichText((Paragraph((Mention(MentionKind.EVERYONE, "here", "here"), Mention(MentionKind.USER, "all", "all"))),))
    assert 'class="mention"' not in render(encode_text(rich, MARKDOWN), everybody)[0]
    allowed = encode_text(rich, MARKDOWN, mass_mentions=True)
    assert render(allowed, everybody)[0].count('class="mention"') == 1


def test_reading_is_bounded() -> None:
    """Nested and unclosed markup in a message of the longest size takes no more than a moment."""
    import time

    for source in (
        "[" * 16_000,
        "**a *b " * 2300,
        "> " * 8000,
        "- " * 8000,
        "`" * 16_000,
        "<" * 16_000,
        "~~a" * 5000,
        "_a*" * 5000,
        "![a](https://e.com/" * 800,
        "https://e.com/(" * 1000,
        "https://" * 2000,
        ":a" * 8000,
        "www." * 4000,
    ):
        started = time.process_time()
        decode_text(source, NAMED)
        assert time.process_time() - started < 1.0, source[:10]


@pytest.mark.parametrize(
    ("source", "runs"),
    [
        ("see https://github.com/x/pkg/__init__.py now", (Text("see https://github.com/x/pkg/__init__.py now"),)),
        ("https://e.com/*a*b, *c*", (Text("https://e.com/*a*b, "), Text("c", 2))),
        ("(https://e.com/a_(b)_c)!", (Text("(https://e.com/a_(b)_c)!"),)),
        ("**https://e.com/a_b_**", (Text("https://e.com/a_b_", 1),)),
        ("_see www.e.com/__a__b, c_", (Text("see www.e.com/__a__b, c", 2),)),
        ("https://e.com/?a=1&copy;b", (Text("https://e.com/?a=1&copy;b"),)),
        ("https://e.com/`c`", (Text("https://e.com/"), Text("c", 32))),
        ("[https://e.com/a *b*](https://e.com/)", (Text("https://e.com/a ", 0, "https://e.com/"), Text("b", 2, "https://e.com/"))),
        ("~~https://e.com/~a~~", (Text("https://e.com/~a", 8),)),
        ("xhttps://e.com/_a_", (Text("xhttps://e.com/"), Text("a", 2))),
        ("**a __b__ c**", (Text("a b c", 1),)),
        ("**a *b __c__ d* e** f", (Text("a ", 1), Text("b c d", 3), Text(" e", 1), Text(" f"))),
        ("*a _b_ c*", (Text("a b c", 2),)),
        ("![a b](https://e.com/i.png =100x200)", (Text("a b", 0, "https://e.com/i.png"),)),
        ('![a](https://e.com/i.png =100 "t") ![](https://e.com/j =x5)',
         (Text("a", 0, "https://e.com/i.png"), SPACE, Text("https://e.com/j", 0, "https://e.com/j"))),
    ],
)  # fmt: skip
def test_runs_are_read(source: str, runs: tuple[object, ...]) -> None:
    assert decode_text(source, MARKDOWN).blocks == (Paragraph(runs),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("runs", "markdown"),
    [
        ([Text("https://e.com/a_b", 1, "https://e.com/a_b")], "**\u2060<https://e.com/a_b>\u2060**"),
        ([Text("https://e.com/", 1)], "**\u2060<https://e.com/>\u2060**"),
        ([Text("https://e.com/page"), Text("!", 1)], "<https://e.com/page>**\u2060!\u2060**"),
        ([Text("see https://e.com/a_b!", 0, "https://o.com/")], r"[see https&#58;//e.com/a\_b!](<https://o.com/>)"),
        ([Text("https://e.com/a"), Text(" b", 1)], "https://e.com/a **b**"),
        ([Text("www.e.com/a_b")], r"www&#46;e.com/a\_b"),
        ([Text("https://e.com/a*b*")], r"<https://e.com/a*b>\*"),
    ],
)
def test_addresses_stay_whole(runs: list[Text], markdown: str) -> None:
    rich = RichText((Paragraph(tuple(runs)),))
    assert encode_text(rich, MARKDOWN) == markdown
    assert "".join(run.text for run in runs) == text_of(decode_text(markdown, MARKDOWN))


@given(st.lists(st.builds(Text, ADDRESSES | st.sampled_from(["a", " ", "!", "(b)"]), marks.map(int)), min_size=1, max_size=5))
def test_addresses_are_the_same_to_another_reader(found: list[Text]) -> None:
    tree = normalize(RichText((Paragraph(tuple(found)),)))
    encoded = encode_text(tree, MARKDOWN)
    assert bare(text_of(decode_text(encoded, MARKDOWN))) == bare(text_of(tree)), encoded
    assert bare(render(encoded, everybody)[1]) == bare(text_of(tree)), encoded


NAMED = TextDialect(flavour="markdown", emoji_names=True)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (":tada: done :+1:", "🎉 done 👍"),
        (":tada::tada:", "🎉🎉"),
        ("**:white_check_mark:** :flag-de: :man-shrugging:", "✅ 🇩🇪 🤷\u200d♂\ufe0f"),
        (":wave_medium_skin_tone: :+1_dark_skin_tone:", "👋🏽 👍🏿"),
        (":dog: :simple_smile:", "🐶 :simple_smile:"),
        (":party_parrot: a_:tada:_b", ":party_parrot: a_🎉_b"),
        ("`:tada:` 10:100:20 https://e.com/:tada:/x", ":tada: 10:100:20 https://e.com/:tada:/x"),
        ("```\n:tada:\n```", ":tada:"),
        ("[:tada:](https://e.com/) \\:tada:", "🎉 :tada:"),
        ("see:tada:", "see:tada:"),
    ],
)
def test_short_names_are_emoji(source: str, text: str) -> None:
    assert text_of(decode_text(source, NAMED)) == text


@given(
    TEXT
    | WITH_ADDRESSES
    | st.lists(st.sampled_from([":", "a", "tada", "100", "30", "\u200b", " ", "@", "_"]), max_size=12).map("".join)
)
def test_literal_short_names_stay_text(text: str) -> None:
    text = text.strip("\n")
    assert decode_text(encode_text(plain(text), NAMED), NAMED) == normalize(plain(text))


def test_times_of_day_need_no_guard() -> None:
    assert encode_text(plain("12:30:15"), NAMED) == "12:30:15"


def test_short_names_are_text_elsewhere() -> None:
    assert text_of(decode_text(":tada:", MARKDOWN)) == ":tada:"
