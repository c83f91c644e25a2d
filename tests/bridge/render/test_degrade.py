"""What becomes of marks and blocks that a target lacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.capabilities import Feature, Support
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
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
    text_of,
    to_plain,
)
from bridge.render.degrade import Losses, degrade, safe_url
from bridge.render.slice import runs
from tests.support.strategies import TEXT_FEATURES, capabilities, inked, rich_texts

BOLD, ITALIC, UNDERLINE, STRIKE, SPOILER, CODE = (int(mark) for mark in Mark)


def degraded(*blocks: Block, lacking: tuple[Feature, ...] = ()) -> tuple[tuple[Block, ...], list[str]]:
    losses: Losses = {}
    return degrade(RichText(blocks), capabilities(*lacking), losses).blocks, list(losses)


def one(inline: Inline, *lacking: Feature) -> tuple[tuple[Inline, ...], list[str]]:
    (block,), losses = degraded(Paragraph((inline,)), lacking=lacking)
    assert isinstance(block, Paragraph)
    return block.inlines, losses


def test_native_text_is_left_alone() -> None:
    inlines = (
        Text("a", BOLD | UNDERLINE, "https://example.org"),
        Mention(MentionKind.USER, "1", "anna", SPOILER),
        Emoji("party", "7"),
        Timestamp(5, "then"),
    )
    blocks = (
        Heading(2, (Text("h"),)),
        Paragraph(inlines),
        CodeBlock("x", "python"),
        List((ListItem((Text("i"),), 1),), ordered=True, start=3),
        Quote((Paragraph((Text("q"),)),)),
    )
    assert degraded(*blocks) == (blocks, [])


@pytest.mark.parametrize(
    ("mark", "feature", "loss"),
    [
        (BOLD, Feature.BOLD, "bold dropped"),
        (ITALIC, Feature.ITALIC, "italic dropped"),
        (STRIKE, Feature.STRIKE, "strikethrough dropped"),
        (CODE, Feature.CODE, "inline code dropped"),
    ],
)
def test_plain_marks_are_dropped(mark: int, feature: Feature, loss: str) -> None:
    assert one(Text("x", mark), feature) == ((Text("x"),), [loss])


def test_underline_becomes_italic_where_that_exists() -> None:
    assert one(Text("x", UNDERLINE), Feature.UNDERLINE) == ((Text("x", ITALIC),), ["underline shown as italic"])
    assert one(Text("x", UNDERLINE), Feature.UNDERLINE, Feature.ITALIC) == ((Text("x"),), ["underline dropped"])


def test_a_spoiler_is_announced_once_a_run() -> None:
    paragraph = Paragraph(
        (Text("a "), Text("hidden ", SPOILER), Text("more", SPOILER | BOLD), Text(" open "), Emoji("e", "1", "🙂", SPOILER))
    )
    (block,), losses = degraded(paragraph, lacking=(Feature.SPOILER,))
    assert text_of(RichText((block,))) == "a [spoiler] hidden more open [spoiler] 🙂"
    assert losses == ["spoiler shown in the open"]


def test_a_code_block_becomes_text_and_a_language_is_dropped() -> None:
    assert degraded(CodeBlock("a\n  b", "py"), lacking=(Feature.CODE_BLOCK,))[0] == (Paragraph((Text("a\n  b"),)),)
    assert degraded(CodeBlock("a", "py"), lacking=(Feature.CODE_LANGUAGE,)) == (
        (CodeBlock("a"),),
        ["language of a code block dropped"],
    )
    assert degraded(CodeBlock("a"), lacking=(Feature.CODE_LANGUAGE,)) == ((CodeBlock("a"),), [])


def test_a_heading_becomes_a_bold_line() -> None:
    blocks, losses = degraded(Heading(1, (Text("Title "), Mention(MentionKind.USER, "1", "a"))), lacking=(Feature.HEADING,))
    assert blocks == (Paragraph((Text("Title ", BOLD), Mention(MentionKind.USER, "1", "a", BOLD))),)
    assert losses == ["heading shown as a bold line"]


def test_a_list_becomes_lines() -> None:
    items = (ListItem((Text("one", BOLD),)), ListItem((Text("two"),), 1), ListItem((Text("three"),)))
    (ordered,), losses = degraded(List(items, ordered=True, start=9), lacking=(Feature.LIST,))
    assert text_of(RichText((ordered,))) == "9. one\n    1. two\n10. three"
    assert losses == ["list shown as text"]
    (bullets,), _ = degraded(List(items), lacking=(Feature.LIST,))
    assert text_of(RichText((bullets,))) == "• one\n    • two\n• three"


def test_a_quote_gets_a_sign_on_every_line() -> None:
    quote = Quote(
        (
            Heading(1, (Text("h"),)),
            Paragraph((Text("a\nb", BOLD), Mention(MentionKind.USER, "1", "anna"))),
            List((ListItem((Text("i"),)), ListItem((Text("j"),)))),
            CodeBlock("c\nd"),
        )
    )
    (block,), losses = degraded(quote, lacking=(Feature.QUOTE,))
    assert text_of(RichText((block,))) == "> h\n> a\n> b@anna\n> • i\n> • j\n> c\n> d"
    assert losses == ["quote shown with > signs"]


def test_a_quote_within_a_quote_keeps_its_signs_where_quotes_do_not_nest() -> None:
    outer, inner = Quote((Paragraph((Text("a"),)),)), Quote((Paragraph((Text("b\nc", BOLD),)), CodeBlock("d")), depth=3)
    (block,), losses = degraded(outer, inner, outer, lacking=(Feature.NESTED_QUOTE,))
    assert isinstance(block, Quote)
    assert text_of(RichText((block,))) == "a\n> > b\n> > c\n> > d\na"
    assert losses == ["quote within a quote shown with > signs"]
    blocks, losses = degraded(outer, outer, lacking=(Feature.NESTED_QUOTE,))
    assert (len(blocks), losses) == (2, []), "two quotes stay two"
    blocks, losses = degraded(outer, inner, lacking=())
    assert (blocks, losses) == ((outer, inner), [])
    (block,), _ = degraded(outer, inner, lacking=(Feature.QUOTE, Feature.NESTED_QUOTE))
    assert text_of(RichText((block,))) == "> a\n> > > b\n> > > c\n> > > d"


@pytest.mark.parametrize(
    ("inline", "lacking", "shown"),
    [
        (Text("here", 0, "https://example.org"), Feature.LINK, Text("here (https://example.org)")),
        (Text("https://example.org", 0, "https://example.org"), Feature.LINK, Text("https://example.org")),
        (Text("a@example.org", BOLD, "mailto:a@example.org"), Feature.LINK, Text("a@example.org", BOLD)),
        (Mention(MentionKind.USER, "1", "anna", BOLD), Feature.MENTION, Text("@anna", BOLD)),
        (Emoji("party", "7"), Feature.CUSTOM_EMOJI, Text(":party:")),
        (Emoji("smile", "7", "🙂"), Feature.CUSTOM_EMOJI, Text("🙂")),
        (Timestamp(0, "noon"), Feature.TIMESTAMP, Text("noon")),
        (Timestamp(0), Feature.TIMESTAMP, Text("1970-01-01 00:00 UTC")),
    ],
)
def test_runs_that_are_not_native_become_text(inline: Inline, lacking: Feature, shown: Text) -> None:
    assert one(inline, lacking)[0] == (shown,)


def test_a_custom_emoji_without_an_id_is_text_even_where_they_exist() -> None:
    assert one(Emoji("party")) == ((Text(":party:"),), ["custom emoji shown as text"])


def test_converted_is_not_native() -> None:
    losses: Losses = {}
    target = capabilities(levels={Feature.BOLD: Support.CONVERTED, Feature.ITALIC: Support.PARTIAL})
    rich = degrade(RichText((Paragraph((Text("x", BOLD | ITALIC),)),)), target, losses)
    assert rich.blocks == (Paragraph((Text("x", ITALIC),)),)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://example.org/<@U1>|x", "https://example.org/%3C@U1%3E%7Cx"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("https://example.org/\n\u202ea`b", "https://example.org/a%60b"),
        ("https://пример.рф/путь", "https://пример.рф/путь"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("tg://user?id=5", "tg://user?id=5"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("https:///nohost", ""),
        ("//example.org", ""),
        ("", ""),
    ],
)
def test_addresses(url: str, safe: str) -> None:
    assert safe_url(url) == safe


def test_a_link_that_leads_nowhere_safe_is_shown_as_text() -> None:
    assert one(Text("click", 0, "javascript:alert(1)")) == (
        (Text("click (javascript:alert(1))"),),
        ["link shown as its address"],
    )


@given(rich_texts, st.sets(st.sampled_from(TEXT_FEATURES)))
def test_only_what_is_native_is_left_and_no_words_are_lost(rich: RichText, lacking: set[Feature]) -> None:
    losses: Losses = {}
    shown = degrade(rich, capabilities(*lacking), losses)
    assert_native(shown, lacking)
    carried = iter(to_plain(shown))
    assert all(character in carried for character in inked(text_of(rich)) if character.isprintable())
    if not lacking and all(isinstance(run, Text) or run is None for run in runs(rich)):
        assert not losses


def assert_native(rich: RichText, lacking: set[Feature]) -> None:
    kinds = {type(block) for block in rich.blocks}
    for feature, kind in (
        (Feature.HEADING, Heading),
        (Feature.LIST, List),
        (Feature.QUOTE, Quote),
        (Feature.CODE_BLOCK, CodeBlock),
    ):
        assert feature not in lacking or kind not in kinds
    for inline in runs(rich):
        if inline is None:
            continue
        for mark, feature in (
            (BOLD, Feature.BOLD),
            (ITALIC, Feature.ITALIC),
            (UNDERLINE, Feature.UNDERLINE),
            (STRIKE, Feature.STRIKE),
            (SPOILER, Feature.SPOILER),
            (CODE, Feature.CODE),
        ):
            assert feature not in lacking or not inline.marks & mark
        assert not (isinstance(inline, Text) and inline.link and Feature.LINK in lacking)
        assert not (isinstance(inline, Mention) and Feature.MENTION in lacking)
        assert not (isinstance(inline, Emoji) and (Feature.CUSTOM_EMOJI in lacking or not inline.id))
        assert not (isinstance(inline, Timestamp) and Feature.TIMESTAMP in lacking)


@given(rich_texts, st.sets(st.sampled_from(TEXT_FEATURES)))
def test_degrading_twice_changes_nothing_more(rich: RichText, lacking: set[Feature]) -> None:
    once = degrade(rich, capabilities(*lacking), {})
    losses: Losses = {}
    assert degrade(once, capabilities(*lacking), losses) == once
    assert not losses
